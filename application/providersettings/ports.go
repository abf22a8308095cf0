package providersettings

import (
	"context"
	"time"

	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

// Store keeps what admins have set, for all instances. All methods may be called
// concurrently, also from several processes. Every method may fail with Unavailable
// when the database cannot be reached, and with ctx's error when ctx ends.
type Store interface {
	// Revision returns the number of the latest change, and costs little. It rises
	// with each; 0: there was none.
	Revision(ctx context.Context) (int64, error)
	// Load returns all that is set, as it was at one moment.
	Load(ctx context.Context) (Snapshot, error)
	// Save makes the change and returns its number. The activity log has its entry, in
	// the same transaction. PreconditionFailed: the provider has been changed since;
	// nothing has changed. InvalidInput: it is none (Change.Check).
	Save(ctx context.Context, change Change) (revision int64, err error)
	// Reseal replaces a sealed key by another seal of the same key. That is no change:
	// the numbers stay, and who changed it when. PreconditionFailed: from is not there
	// any more; nothing has changed.
	Reseal(ctx context.Context, provider string, field Field, from, to []byte) error
}

// Snapshot is all that is set.
type Snapshot struct {
	Revision  int64
	Providers map[string]Stored // those that were ever changed, by ID
}

// Stored is what is set of a provider.
type Stored struct {
	Revision int64 // of its latest change; 0: there was none
	Values   map[Field]Value
}

// Value is a field that is set.
type Value struct {
	Text      string // of a field that is no key
	Sealed    []byte // of one that is
	ChangedAt time.Time
	ChangedBy string
}

// Change replaces all that is set of a provider, or of their order.
type Change struct {
	Provider string
	Was      int64 // the provider's Stored.Revision that the change was made from
	Values   map[Field]Value
	Entry    activity.Entry
}

// Providers are what is set up. Methods may be called concurrently.
type Providers interface {
	// All returns the providers that there are, always in the same order.
	All() []Provider
	// Order returns what the environment says of their order: Value has IDs, with commas.
	Order() Given
	// CheckURL returns an InvalidInput error unless the text can be a base URL. It does
	// not repeat it.
	CheckURL(text string) error
	// Use has what begins from now on ask the providers as they are set up. What is
	// under way goes on as it began.
	Use(ctx context.Context, all []Resolved)
	// Try asks the provider something harmless, as it is set up and whether it is
	// switched on or not, and says what came of it. Errors are those of
	// findimages.ArtworkProvider.
	Try(ctx context.Context, provider Resolved) (message string, err error)
}

// Announcer tells clients that a provider was set up differently. It never fails.
type Announcer interface {
	ProviderChanged(ctx context.Context, provider string, revision int64)
}

// Check returns an InvalidInput error unless the change can be kept.
func (c Change) Check() error {
	if c.Provider == "" {
		return artwork.Errorf(artwork.InvalidInput, "the change names no provider")
	}
	if err := artwork.CheckText("provider", c.Provider); err != nil {
		return err
	}
	for field, value := range c.Values {
		for name, text := range map[string]string{"field": string(field), string(field): value.Text, "changedBy": value.ChangedBy} {
			if err := artwork.CheckText(name, text); err != nil {
				return err
			}
		}
	}
	return nil
}
