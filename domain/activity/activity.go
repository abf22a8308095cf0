// Package activity is the log of who changed what: before and after, when, and from
// which address.
package activity

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	"gatefold/domain/artwork"
)

// What can be done, beside what is done to images (artwork.ActionApply and so on).
const (
	CatalogCreate   artwork.Action = "catalog.create"
	CatalogUpdate   artwork.Action = "catalog.update"
	CatalogDelete   artwork.Action = "catalog.delete"
	CatalogRestore  artwork.Action = "catalog.restore"
	TokenCreate     artwork.Action = "token.create"
	TokenRevoke     artwork.Action = "token.revoke"
	SignIn          artwork.Action = "session.begin"
	SignOut         artwork.Action = "session.end"
	SignInFailed    artwork.Action = "session.failure"
	TokenReuse      artwork.Action = "session.reuse" // of a refresh token, which ends the session
	UserPassword    artwork.Action = "user.password"
	UserDisable     artwork.Action = "user.disable"
	UserEnable      artwork.Action = "user.enable"
	UserLink        artwork.Action = "user.link"
	CacheMode       artwork.Action = "cache.mode"
	CacheFlush      artwork.Action = "cache.flush"
	CacheInvalidate artwork.Action = "cache.invalidate"
	CacheWarm       artwork.Action = "cache.warm"
	LibraryImport   artwork.Action = "library.import"
	SettingsUpdate  artwork.Action = "settings.update"
	SettingsReset   artwork.Action = "settings.reset"
)

// Entry is one change that somebody made.
type Entry struct {
	// ID is given by the log: later entries have greater ones, and none is given
	// twice.
	ID      int64
	At      time.Time // given by the log, by the clock that all instances share
	Actor   artwork.Actor
	Action  artwork.Action
	Subject Subject      // zero if it is about nothing in particular
	Slot    artwork.Slot // zero if it is not about a slot
	// Before and After say what was so and what is so now, of what the action is
	// about; nil if there was, or is, nothing to say.
	Before, After Facts
}

// Kind is what an entry can be about.
type Kind string

// The kinds.
const (
	Artist   Kind = "artist"
	Album    Kind = "album"
	User     Kind = "user"
	Token    Kind = "token"
	Library  Kind = "library"
	Provider Kind = "provider" // of images
)

// ParseKind reads a kind as it is written.
func ParseKind(s string) (Kind, error) {
	switch kind := Kind(s); kind {
	case Artist, Album, User, Token, Library, Provider:
		return kind, nil
	}
	return "", artwork.Errorf(artwork.InvalidInput, "%.64q is not a kind of subject: use artist, album, user, token, library or provider", s)
}

// Subject is what an entry is about.
type Subject struct {
	Kind Kind
	ID   artwork.ID // zero for a library and for a provider
	Name string     // at the time; "" if it is not known
}

// SubjectOf returns the artist, album or user with the name that it has.
func SubjectOf(subject artwork.Subject, name string) Subject {
	return Subject{Kind: Kind(subject.Kind.String()), ID: subject.ID, Name: name}
}

// Facts is a small JSON object.
type Facts json.RawMessage

// maxFacts bounds facts in bytes. Two names as long as names can be fit in.
const maxFacts = 16 << 10

// FactsOf returns what the value is in JSON. It must be one that becomes an object:
// a struct or a map.
func FactsOf(v any) Facts {
	facts, err := json.Marshal(v)
	if err != nil { // facts are made of strings, numbers and truth values
		panic(err)
	}
	return facts
}

// MarshalJSON writes the object; null if there are no facts.
func (f Facts) MarshalJSON() ([]byte, error) { return json.RawMessage(f).MarshalJSON() }

func (f Facts) check() error {
	if f != nil && (len(f) > maxFacts || !json.Valid(f) || !bytes.HasPrefix(f, []byte("{"))) {
		return artwork.Errorf(artwork.InvalidInput, "facts are a JSON object of at most %d bytes", maxFacts)
	}
	return nil
}

// MaxText bounds the texts of an entry in characters.
const MaxText = 300

// Text returns what an entry keeps of a text: valid UTF-8 without NUL characters, cut
// after MaxText characters. What was done has been done: an entry is never refused
// because of what something is called.
func Text(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
	if utf8.RuneCountInString(s) > MaxText {
		return string([]rune(s)[:MaxText-1]) + "…"
	}
	return s
}

// Kept returns the entry as a log keeps it, with its texts cut (Text). InvalidInput:
// it is none, because its action, its subject or its facts cannot be.
func (e Entry) Kept() (Entry, error) {
	if err := e.Action.Check(); err != nil {
		return Entry{}, err
	}
	if e.Subject != (Subject{}) {
		if _, err := ParseKind(string(e.Subject.Kind)); err != nil {
			return Entry{}, err
		}
	}
	for _, facts := range []Facts{e.Before, e.After} {
		if err := facts.check(); err != nil {
			return Entry{}, err
		}
	}
	for _, text := range []*string{&e.Actor.Name, &e.Actor.Address, &e.Actor.RequestID, &e.Subject.Name} {
		*text = Text(*text)
	}
	return e, nil
}
