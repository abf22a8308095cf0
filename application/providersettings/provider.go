// Package providersettings lets admins set up the providers of images while the program
// runs: which are asked, where, and with which keys. What they set is kept in the
// database, keys sealed, and every instance follows it within seconds.
//
// The operator's word stands above theirs: what a variable of the environment says
// differently from its default cannot be changed in the settings. A key is never read
// back, and only goes to the address that it was given for.
package providersettings

import (
	"time"

	"gatefold/domain/artwork"
)

// Field names a setting of a provider, as in the API.
type Field string

// The fields. No provider has all of them.
const (
	Enabled    Field = "enabled"    // True, False or Auto
	BaseURL    Field = "baseUrl"    // where its API is; of Wikimedia, that of Wikidata
	CommonsURL Field = "commonsUrl" // of Wikimedia: where the API of Commons is
	Key        Field = "key"
	ClientKey  Field = "clientKey" // of a person, beside that of the project
)

// Fields are all that providers have, in the order in which they are told.
var Fields = []Field{Enabled, BaseURL, CommonsURL, Key, ClientKey}

// Whether a provider is asked.
const (
	True  = "true" // if it has the key that it needs
	False = "false"
	Auto  = "auto" // if it has a key; of those that need one
)

// IsKey reports whether the field is a secret.
func (f Field) IsKey() bool { return f == Key || f == ClientKey }

// IsURL reports whether the field is an address.
func (f Field) IsURL() bool { return f == BaseURL || f == CommonsURL }

// Provider describes a provider as far as it can be set up. It never changes.
type Provider struct {
	ID       string
	Name     string         // for people
	Slots    []artwork.Slot // that it has images for; none: it has identifiers
	NeedsKey bool           // without Key it is not asked
	Note     string         // what to know before it is switched on; "": nothing
	Rate     Rate           // how often it is asked at most, by all instances together
	Given    map[Field]Given
}

// Rate is a number of requests in a time.
type Rate struct {
	Requests int
	Per      time.Duration
}

// Given is what the environment says of a field, or what holds if it says nothing.
type Given struct {
	Variable string
	Value    string // of a field that is no key
	Key      Secret // of one that is
	Pinned   bool   // the settings cannot change it
}

// hasGivenKey reports whether the environment has a key for the provider.
func (p Provider) hasGivenKey() (variable string, ok bool) {
	for _, field := range Fields {
		if given := p.Given[field]; given.Key != "" {
			return given.Variable, true
		}
	}
	return "", false
}

// maxKey and maxURL bound what is set, in bytes.
const (
	maxKey = 200
	maxURL = 1000
)

// CheckKey returns an InvalidInput error unless the text can be a key. It does not
// repeat it.
func CheckKey(text string) error {
	if len(text) > maxKey {
		return errKey
	}
	for i := range len(text) {
		if text[i] <= ' ' || text[i] >= 0x7f {
			return errKey
		}
	}
	return nil
}

var errKey = artwork.Errorf(artwork.InvalidInput, "a key has at most %d letters, digits and signs, and no spaces", maxKey)

// Secret is a key. However it is printed, it is not told.
type Secret string

const redacted = "[secret]"

// String returns a text that stands for any key.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// GoString is String.
func (s Secret) GoString() string { return s.String() }

// MarshalText writes what String returns: encoders and loggers ask for it.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
