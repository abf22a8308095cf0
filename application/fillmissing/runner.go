package fillmissing

import (
	"context"
	"errors"
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
	gaps       Gaps
	sources    *Sources
	applier    *applyimage.Applier
	downloader applyimage.Downloader
	progress   Progress
	considered Considered
	now        Clock
	log        *slog.Logger
	loop       *jobloop.Loop
	causes     tracing.Causes
}

// NewRunner returns a runner that does nothing until Run. instance names it to
// people.
func NewRunner(instance string, jobs Jobs, gaps Gaps, sources *Sources, applier *applyimage.Applier, downloader applyimage.Downloader,
	progress Progress, considered Considered, now Clock, log *slog.Logger,
) *Runner {
	return &Runner{
		instance: instance, jobs: jobs, gaps: gaps, sources: sources, applier: applier, downloader: downloader,
		progress: progress, considered: considered, now: now, log: log, loop: jobloop.New(log),
	}
}

// Run carries out jobs until ctx ends: those that are created here, and those that
// nobody works at any more. When ctx ends it finishes the changes that it has begun,
// and leaves the rest of its job to others at once.
func (r *Runner) Run(ctx context.Context) { r.loop.Run(ctx, fills{r}) }

// fills are the jobs that a runner carries out.
type fills struct{ *Runner }

// Forget implements jobloop.Jobs.
func (r fills) Forget(ctx context.Context) error { return r.jobs.Forget(ctx, KeptFor) }

// Next implements jobloop.Jobs.
func (r fills) Next(ctx context.Context) (found bool, err error) {
	holder := r.instance + "/" + artwork.NewID().String()
	job, found, err := r.jobs.Claim(ctx, holder, jobloop.ClaimTerm)
	if err != nil || !found {
		return false, err
	}
	ctx, end := tracing.Work(ctx, "job.fill", r.causes.Of(job.ID.String()), slog.String("gatefold.job.id", job.ID.String()))
	defer func() { end(err) }()
	claim := Claim{Job: job.ID, Holder: holder}
	held, drop := jobloop.Hold(ctx, jobloop.ClaimTerm, func(ctx context.Context) (bool, error) {
		state, err := r.jobs.Renew(ctx, claim, jobloop.ClaimTerm)
		return state == Running, err
	})
	work := &run{Runner: r.Runner, claim: claim, job: job.Job, position: job.Position, status: job.Status}
	r.log.InfoContext(ctx, "Filling begins", "job", job.ID.String(), "slot", job.Slot.String(), "dryRun", job.DryRun, "walked", job.Counts.Walked, "by", job.By.Name)
	err = work.all(held)
	if err != nil && held.Err() != nil {
		err = context.Cause(held) // whatever it looked like to who was interrupted
	}
	drop()
	return true, r.leave(ctx, work, err)
}

// leave ends the claim on a job in the way that its work has ended.
func (r *Runner) leave(ctx context.Context, work *run, err error) error {
	work.logEnd(ctx, err)
	if err == nil {
		return nil
	}
	budget, cancel := context.WithTimeout(context.WithoutCancel(ctx), jobloop.ReleaseBudget)
	defer cancel()
	if reason := failureOf(err); reason != "" && ctx.Err() == nil {
		status, failed := r.jobs.Finish(budget, work.claim, reason)
		if failed == nil {
			work.tell(ctx, status)
			return nil
		}
		r.log.DebugContext(ctx, "A job cannot be ended", "error", failed.Error())
	}
	if released := r.jobs.Release(budget, work.claim); released != nil {
		r.log.DebugContext(ctx, "The claim on a job is left to expire", "error", released.Error())
	}
	if errors.Is(err, jobloop.ErrOrdered) {
		return nil
	}
	return err
}

// failureOf returns why a job has failed for good; "" if it has not.
func failureOf(err error) string {
	if fatal, ok := errors.AsType[fatalError](err); ok {
		return string(fatal)
	}
	if errors.Is(err, jobloop.ErrOrdered) || errors.Is(err, jobloop.ErrLost) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return ""
	}
	switch artwork.KindOf(err) {
	case artwork.StorageFull:
		return artwork.MessageOf(err)
	case artwork.Internal, artwork.InvalidInput:
		return "something went wrong inside Gatefold; its log has the details under the id of the job"
	default:
		return ""
	}
}
