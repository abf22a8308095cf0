package bulkapply

import (
	"context"

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
	if err := u.jobs.Create(ctx, job); err != nil {
		return artwork.ID{}, artwork.Wrap(artwork.Internal, "bulkapply.Submit", err)
	}
	u.runner.wake()
	return job.ID, nil
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
