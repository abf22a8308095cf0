package fillmissing

import (
	"context"
	"log/slog"

	"gatefold/application/tracing"
	"gatefold/domain/artwork"
)

// Manage has jobs created, told what to do, and looked at.
type Manage struct {
	jobs     Jobs
	runner   *Runner
	progress Progress
}

// NewManage returns the use cases. The runner is woken when there is something to do;
// if it does not run, that of another instance finds the job.
func NewManage(jobs Jobs, runner *Runner, progress Progress) *Manage {
	return &Manage{jobs, runner, progress}
}

// Start keeps a job and returns it before anything is done. InvalidInput: the wish
// cannot be carried out.
func (u *Manage) Start(ctx context.Context, by artwork.Actor, wish Wish) (Status, error) {
	return u.create(ctx, Job{ID: artwork.NewID(), By: by, Wish: wish}, Selection{})
}

// StartFor is Start for the named subjects alone, as far as their slot is empty. What
// was not found lately is asked for again. InvalidInput: there are none or too many of
// them (MaxSelection), or no slot of theirs is empty.
func (u *Manage) StartFor(ctx context.Context, by artwork.Actor, wish Wish, subjects []artwork.ID) (Status, error) {
	return u.create(ctx, Job{ID: artwork.NewID(), By: by, Wish: wish, Named: true}, Named(subjects))
}

// CarryOut keeps a job that applies proposals of a dry run: what it found, to slots
// that nobody has filled, locked or wants empty meanwhile. Conflict: the job was no dry
// run. InvalidInput: the selection says not one thing, or takes nothing. NotFound: there
// is no such job.
func (u *Manage) CarryOut(ctx context.Context, by artwork.Actor, preview artwork.ID, accepted Selection) (Status, error) {
	if err := accepted.Check(); err != nil {
		return Status{}, err
	}
	of, err := u.jobs.Find(ctx, preview)
	if err != nil {
		return Status{}, artwork.Wrap(artwork.Internal, "fillmissing.CarryOut", err)
	}
	wish := of.Wish
	wish.DryRun, wish.Again = false, false
	return u.create(ctx, Job{ID: artwork.NewID(), By: by, Wish: wish, Of: preview}, accepted)
}

func (u *Manage) create(ctx context.Context, job Job, accepted Selection) (Status, error) {
	tracing.Note(ctx, slog.String("gatefold.job.id", job.ID.String()))
	u.runner.causes.Keep(ctx, job.ID.String()) // before anybody can find the job
	status, err := u.jobs.Create(ctx, job, accepted)
	if err != nil {
		return Status{}, artwork.Wrap(artwork.Internal, "fillmissing.Start", err)
	}
	u.progress.Progress(ctx, status)
	u.runner.loop.Wake()
	return status, nil
}

// Order has a job paused, resumed or cancelled; whichever instance works at it
// follows within seconds, and finishes the changes that it has begun. What is so
// already stays so. Conflict: the job has ended. NotFound: there is no such job.
func (u *Manage) Order(ctx context.Context, by artwork.Actor, id artwork.ID, order Order) (Status, error) {
	status, err := u.jobs.Order(ctx, by, id, order)
	if err != nil {
		return Status{}, artwork.Wrap(artwork.Internal, "fillmissing.Order", err)
	}
	u.progress.Progress(ctx, status)
	u.runner.loop.Wake()
	return status, nil
}

// Find returns how a job goes on. NotFound: there is no such job, or it ended KeptFor
// ago.
func (u *Manage) Find(ctx context.Context, id artwork.ID) (Status, error) {
	status, err := u.jobs.Find(ctx, id)
	return status, artwork.Wrap(artwork.Internal, "fillmissing.Find", err)
}

// Items returns what a job has to say of subjects, in the order of their IDs.
// InvalidInput: the query cannot be asked. NotFound: as for Find.
func (u *Manage) Items(ctx context.Context, id artwork.ID, query ItemQuery) ([]Item, error) {
	if err := query.Check(); err != nil {
		return nil, err
	}
	items, err := u.jobs.Items(ctx, id, query)
	return items, artwork.Wrap(artwork.Internal, "fillmissing.Items", err)
}

// List returns the jobs that were created last, the latest first.
func (u *Manage) List(ctx context.Context, limit int) ([]Status, error) {
	if limit < 1 || limit > MaxListed {
		return nil, artwork.Errorf(artwork.InvalidInput, "limit must be 1 to %d", MaxListed)
	}
	jobs, err := u.jobs.List(ctx, limit)
	return jobs, artwork.Wrap(artwork.Internal, "fillmissing.List", err)
}
