package managecache

import (
	"context"
	"time"

	"gatefold/domain/artwork"
)

// Truth reads which image is in force: the part of an artwork.ImageRepository that
// is needed to compare, under the same contract.
type Truth interface {
	InForce(ctx context.Context, place artwork.Place) (*artwork.Image, error)
}

// Mode tells which mode the deployment is in, as far as this process knows.
type Mode interface{ Mode() artwork.CacheMode }

// Lookup tells what the cache holds of a subject, without changing it.
type Lookup struct {
	mode   Mode
	levels Levels
	truth  Truth
}

// NewLookup returns the use case on the levels of this process.
func NewLookup(mode Mode, levels Levels, truth Truth) *Lookup { return &Lookup{mode, levels, truth} }

// Verdict compares what the levels hold with the database.
type Verdict string

// The verdicts.
const (
	// Agrees: whatever is held is what the database says.
	Agrees Verdict = "agrees"
	// NotHeld: no level holds an answer, so the next request asks the database.
	NotHeld Verdict = "notHeld"
	// Changing: changes are under way, and the database answers.
	Changing Verdict = "changing"
	// Differs: a level holds another answer than the database's.
	Differs Verdict = "differs"
)

// Found is what is held of a subject, as this process sees it.
type Found struct {
	Subject artwork.Subject
	Mode    artwork.CacheMode
	Keys    []FoundKey
	Levels  []FoundLevel // in the order in which readers ask them
	At      time.Time
}

// FoundLevel is a level that readers ask in this mode.
type FoundLevel struct {
	Name    string // process or shared
	Problem string // why it could not be looked at; empty: it was
}

// FoundKey is what is held of one key.
type FoundKey struct {
	Key     artwork.Key
	InForce *artwork.Image  // what the database says; nil: the slot is empty
	Held    map[string]Held // by the level's name; without those that have a Problem
	Verdict Verdict
}

// Run looks into every level that is in use, and into the database. What seems to
// differ is looked at once more, because a change may have come in between; what
// differs then does so for more than a moment.
//
// NotFound: there is no such subject. Unavailable: the database cannot be reached.
// A level that cannot is named in the answer.
func (l *Lookup) Run(ctx context.Context, subject artwork.Subject) (Found, error) {
	found, err := l.look(ctx, subject)
	if err == nil && found.differs() {
		found, err = l.look(ctx, subject)
	}
	return found, artwork.Wrap(artwork.Internal, "managecache.Lookup", err)
}

func (l *Lookup) look(ctx context.Context, subject artwork.Subject) (Found, error) {
	found := Found{Subject: subject, Mode: l.mode.Mode(), At: time.Now()}
	keys := subject.Keys()
	for _, key := range keys {
		found.Keys = append(found.Keys, FoundKey{Key: key, Held: map[string]Held{}})
	}
	for _, level := range l.levels.of(found.Mode) {
		held, err := level.Inspect(ctx, keys)
		if err != nil && ctx.Err() != nil {
			return Found{}, ctx.Err()
		}
		of := FoundLevel{Name: level.name}
		if err != nil {
			of.Problem = artwork.MessageOf(err)
		}
		found.Levels = append(found.Levels, of)
		for i := range held {
			found.Keys[i].Held[level.name] = held[i]
		}
	}
	return found, l.compare(ctx, &found)
}

// compare asks the database once for every slot.
func (l *Lookup) compare(ctx context.Context, found *Found) error {
	inForce := map[artwork.Place]*artwork.Image{}
	for i := range found.Keys {
		k := &found.Keys[i]
		place := k.Key.Place()
		img, asked := inForce[place]
		if !asked {
			var err error
			if img, err = l.truth.InForce(ctx, place); err != nil {
				return err
			}
			inForce[place] = img
		}
		k.InForce = img
		k.Verdict = k.judge()
	}
	return nil
}

func (k *FoundKey) judge() Verdict {
	verdict := NotHeld
	for _, held := range k.Held {
		switch held.Holding {
		case HoldsFence:
			return Changing
		case HoldsImage, HoldsEmpty:
			if !same(held.Image, k.InForce) {
				verdict = Differs
			} else if verdict == NotHeld {
				verdict = Agrees
			}
		case HoldsNothing, HoldsLease, HoldsUnreadable:
		}
	}
	return verdict
}

// same reports whether two answers are the same to those who get them.
func same(a, b *artwork.Image) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Tag == b.Tag && a.RecordID == b.RecordID
}

func (f *Found) differs() bool {
	for _, k := range f.Keys {
		if k.Verdict == Differs {
			return true
		}
	}
	return false
}
