package bulkapply

import (
	"context"
	"time"

	"gatefold/domain/artwork"
)

// Jobs keeps what is to be done and what became of it. An instance works at a
// job under a claim, which expires by itself, by the clock of the database, in
// case the instance dies. All methods may be called concurrently, also from
// several processes. They may fail with Unavailable and with ctx's error.
type Jobs interface {
	// Create keeps a job, with all its items or, on an error, not at all.
	// InvalidInput: it cannot be carried out (Job.Check). Conflict: its ID is
	// known.
	Create(ctx context.Context, job Job) error
	// Find returns how a job goes on, and the results so far in the order of the
	// items; Status.Done and Failed count these. NotFound: there is no such job,
	// or not any more.
	Find(ctx context.Context, id artwork.ID) (Status, []Result, error)
	// Read returns the job as List does, and all that was asked for, in its order.
	// NotFound: as for Find.
	Read(ctx context.Context, id artwork.ID) (Overview, []Item, error)
	// List returns the jobs that were created last, the latest first, at most limit of
	// them.
	List(ctx context.Context, limit int) ([]Overview, error)
	// Cancel ends a job with the results that it has, with an entry of the activity log
	// in the same transaction. It is not claimed any more, and its claim is not renewed,
	// but until that has expired results can be recorded. One that is cancelled already
	// stays so. Conflict: it is done. NotFound: as for Find. InvalidInput: by cannot be
	// kept.
	Cancel(ctx context.Context, by artwork.Actor, id artwork.ID) (Overview, error)

	// Claim takes the oldest job that is not done and that nobody holds, for the
	// holder until the term has passed; false if there is none. Of several callers
	// at once each takes another job. No two claims have the same holder.
	Claim(ctx context.Context, holder string, term time.Duration) (Assignment, bool, error)
	// Renew has the claim hold for the term from now. Conflict: it does not hold
	// any more, or the job was cancelled.
	Renew(ctx context.Context, claim Claim, term time.Duration) error
	// Record keeps results, all of them or, on an error, none. An item that has a
	// result keeps it. With the last one the job is done, and the claim ends.
	// Conflict: the claim does not hold any more. NotFound: there is no such item.
	Record(ctx context.Context, claim Claim, results []Result) error
	// Release ends the claim, so that another instance can go on at once. What is
	// not held is left as it is, and that is no error.
	Release(ctx context.Context, claim Claim) error

	// Forget removes jobs that have been done for longer than the age, with all
	// that is known of them.
	Forget(ctx context.Context, age time.Duration) error
}

// Claim names a job and who works at it.
type Claim struct {
	Job    artwork.ID
	Holder string
}

// Assignment is a job with what is left of it to do.
type Assignment struct {
	Status
	By   artwork.Actor
	Todo []Todo // items that have no result, in their order
}

// Todo is an item and its index.
type Todo struct {
	N int
	Item
}

// Progress is told how jobs of this instance go on. It is called by one goroutine
// at a time and must return soon: the job waits for it.
type Progress interface {
	// Progress tells of a job that begins or goes on, some items at a time, and
	// of its end. Of a job that another instance goes on with, that one tells.
	Progress(ctx context.Context, status Status)
}
