package announce

import (
	"context"
	"time"

	"gatefold/domain/artwork"
)

// LogEntries is about how many entries a log keeps, the latest ones.
const LogEntries = 10_000

// Log takes events to every instance. All methods may be called concurrently, also
// from several processes.
type Log interface {
	// Append adds the events at the end, in their order. Unavailable: nobody knows
	// how many of them were added. It may fail with ctx's error.
	Append(ctx context.Context, events []Event) error
	// Follow tells the follower what is in the log and what is appended to it, until
	// ctx ends. While the log cannot be reached it goes on trying.
	Follow(ctx context.Context, follower Follower)
}

// Follower is told the entries of a log, each exactly once, in the order of the log,
// which is the same for every follower. Its methods are called one at a time.
type Follower interface {
	// Restart begins, with the latest entries, oldest first. It begins anew if there
	// may be a gap after what was told before: entries were lost, or are not kept any
	// more.
	Restart(latest []Entry)
	// Append goes on.
	Append(entries []Entry)
}

// Changes says which slots have changed. Methods may be called concurrently.
type Changes interface {
	// ModifiedWithin calls visit with the places that artwork.ChangeLog's
	// ChangedWithin does, and with when what the slot shows was last modified:
	// Image.LastModified, or when the slot was emptied. It is zero for a slot that
	// never held an image. The same errors.
	ModifiedWithin(ctx context.Context, past time.Duration, visit func(place artwork.Place, modified time.Time) error) error
}
