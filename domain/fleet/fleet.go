// Package fleet lets one of many instances do what is to be done once.
package fleet

import (
	"context"
	"time"
)

// Claims let one of many instances do what is to be done once. A claim expires
// by itself, by the clock of the database, in case its holder dies. All methods
// may be called concurrently, also from several processes. They may fail with
// Unavailable and with ctx's error.
type Claims interface {
	// Claim takes the task for the holder until the term has passed, and reports
	// whether it did. It does not while another claim on it holds, nor until rest
	// has passed since the task was last finished. Of several callers at once one
	// takes it. If it is not taken, holder is who holds it, "" if nobody does.
	Claim(ctx context.Context, claim Claim, rest time.Duration) (taken bool, holder string, err error)
	// Renew has the claim hold for its term from now. Conflict: it does not hold
	// any more.
	Renew(ctx context.Context, claim Claim) error
	// Release ends the claim and, if finished, notes that the task was done. What
	// is not held is left as it is, and that is no error.
	Release(ctx context.Context, claim Claim, finished bool) error
}

// Claim names a task and who does it. No two claims have the same holder.
type Claim struct {
	Task   string
	Holder string
	Term   time.Duration
}
