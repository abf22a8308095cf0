package bulkapply

import (
	"context"
	"log/slog"

	"gatefold/application/applyimage"
	"gatefold/application/jobloop"
	"gatefold/application/tracing"
	"gatefold/domain/artwork"
)

// Runner carries out jobs, one at a time on each instance, the oldest first.
type Runner struct {
	instance   string
	jobs       Jobs
	applier    *applyimage.Applier
	downloader applyimage.Downloader
	progress   Progress
	log        *slog.Logger
	loop       *jobloop.Loop
	causes     tracing.Causes
}

// NewRunner returns a runner that does nothing until Run. instance names it to
// people.
func NewRunner(instance string, jobs Jobs, applier *applyimage.Applier, downloader applyimage.Downloader, progress Progress, log *slog.Logger) *Runner {
	return &Runner{instance: instance, jobs: jobs, applier: applier, downloader: downloader, progress: progress, log: log, loop: jobloop.New(log)}
}

// Run carries out jobs until ctx ends: those that are submitted here, and those
// that nobody works at any more. When ctx ends it finishes the changes that it has
// begun, and leaves the rest of its job to others at once.
func (r *Runner) Run(ctx context.Context) { r.loop.Run(ctx, bulks{r}) }

// bulks are the jobs that a runner carries out.
type bulks struct{ *Runner }

// Forget implements jobloop.Jobs.
func (r bulks) Forget(ctx context.Context) error { return r.jobs.Forget(ctx, KeptFor) }

// Next implements jobloop.Jobs.
func (r bulks) Next(ctx context.Context) (found bool, err error) {
	holder := r.instance + "/" + artwork.NewID().String()
	job, found, err := r.jobs.Claim(ctx, holder, jobloop.ClaimTerm)
	if err != nil || !found {
		return false, err
	}
	ctx, end := tracing.Work(ctx, "job.bulk_apply", r.causes.Of(job.ID.String()), slog.String("gatefold.job.id", job.ID.String()), slog.Int("gatefold.job.items", len(job.Todo)))
	defer func() { end(err) }()
	claim := Claim{Job: job.ID, Holder: holder}
	held, drop := jobloop.Hold(ctx, jobloop.ClaimTerm, func(ctx context.Context) (bool, error) { return true, r.jobs.Renew(ctx, claim, jobloop.ClaimTerm) })
	run := newRun(r.Runner, claim, job)
	err = run.all(held)
	drop()
	if err != nil && r.cancelled(ctx, job.ID) {
		r.log.InfoContext(ctx, "Bulk apply was cancelled", "job", job.ID.String())
		return true, nil
	}
	if err != nil {
		r.release(ctx, claim)
	}
	run.logEnd(ctx, err)
	return true, err
}

// cancelled reports whether somebody has cancelled the job, as far as that can be known.
func (r *Runner) cancelled(ctx context.Context, job artwork.ID) bool {
	status, _, err := r.jobs.Find(ctx, job)
	return err == nil && status.State == Cancelled
}

func (r *Runner) release(ctx context.Context, claim Claim) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), jobloop.ReleaseBudget)
	defer cancel()
	if err := r.jobs.Release(ctx, claim); err != nil {
		r.log.DebugContext(ctx, "The claim on a job is left to expire", "error", err.Error())
	}
}
