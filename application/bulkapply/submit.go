package bulkapply

import (
	"context"
	"log/slog"

	"gatefold/application/tracing"
	"gatefold/domain/artwork"
)

// Submit has a job done.
type Submit struct {
	jobs   Jobs
	runner *Runner
}

// NewSubmit returns the use case. The runner is woken; if it does not run, that
// of another instance finds the job.
func NewSubmit(jobs Jobs, runner *Runner) *Submit { return &Submit{jobs, runner} }

// Run keeps the job and returns its ID before anything is done. InvalidInput: the
// job is refused as a whole, because an item cannot be carried out as it stands,
// or because there are too many or none, or two of one place.
func (u *Submit) Run(ctx context.Context, items []Item, by artwork.Actor) (artwork.ID, error) {
	job := Job{ID: artwork.NewID(), By: by, Items: items}
	tracing.Note(ctx, slog.String("gatefold.job.id", job.ID.String()))
	u.runner.causes.Keep(ctx, job.ID.String()) // before anybody can find the job
	if err := u.jobs.Create(ctx, job); err != nil {
		return artwork.ID{}, artwork.Wrap(artwork.Internal, "bulkapply.Submit", err)
	}
	u.runner.loop.Wake()
	return job.ID, nil
}

// Manage lists jobs, tells what was asked for in them, and cancels them.
type Manage struct {
	jobs     Jobs
	progress Progress
}

// NewManage returns the use cases.
func NewManage(jobs Jobs, progress Progress) *Manage { return &Manage{jobs, progress} }

// List returns the jobs that were created last, the latest first.
func (u *Manage) List(ctx context.Context, limit int) ([]Overview, error) {
	if limit < 1 || limit > MaxListed {
		return nil, artwork.Errorf(artwork.InvalidInput, "limit must be 1 to %d", MaxListed)
	}
	jobs, err := u.jobs.List(ctx, limit)
	return jobs, artwork.Wrap(artwork.Internal, "bulkapply.List", err)
}

// Read returns a job and all that was asked for. NotFound: there is no such job, or it
// was done KeptFor ago.
func (u *Manage) Read(ctx context.Context, id artwork.ID) (Overview, []Item, error) {
	job, items, err := u.jobs.Read(ctx, id)
	return job, items, artwork.Wrap(artwork.Internal, "bulkapply.Read", err)
}

// Cancel ends a job: what is in force stays, what has not begun is not done. Whichever
// instance works at it follows within seconds, and finishes the changes that it has
// begun. Conflict: it is done. NotFound: there is no such job.
func (u *Manage) Cancel(ctx context.Context, by artwork.Actor, id artwork.ID) (Overview, error) {
	job, err := u.jobs.Cancel(ctx, by, id)
	if err != nil {
		return Overview{}, artwork.Wrap(artwork.Internal, "bulkapply.Cancel", err)
	}
	u.progress.Progress(ctx, job.Status)
	return job, nil
}

// Watch tells how a job goes on.
type Watch struct{ jobs Jobs }

// NewWatch returns the use case.
func NewWatch(jobs Jobs) *Watch { return &Watch{jobs} }

// Run returns how the job goes on, and the results so far in the order of the
// items. NotFound: there is no such job, or it was done KeptFor ago.
func (u *Watch) Run(ctx context.Context, id artwork.ID) (Status, []Result, error) {
	status, results, err := u.jobs.Find(ctx, id)
	return status, results, artwork.Wrap(artwork.Internal, "bulkapply.Watch", err)
}
