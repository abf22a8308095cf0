package bulkapply

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"gatefold/application/applyimage"
	"gatefold/application/tracing"
	"gatefold/application/wait"
	"gatefold/domain/artwork"
)

const (
	// claimTerm is when another instance goes on after this one has died.
	claimTerm = 6 * time.Second
	// pollEvery is how often an instance looks for jobs that another one has left.
	pollEvery = 2 * time.Second
	// mostAgain is how long a job is left alone at most that is interrupted again and
	// again.
	mostAgain = 32 * time.Second
	// forgetEvery is how often jobs that are long done are removed.
	forgetEvery = time.Hour
	// recordBudget and releaseBudget bound the steps that a stop waits for.
	recordBudget  = 5 * time.Second
	releaseBudget = 2 * time.Second
)

// Runner carries out jobs, one at a time on each instance, the oldest first.
type Runner struct {
	instance   string
	jobs       Jobs
	applier    *applyimage.Applier
	downloader applyimage.Downloader
	progress   Progress
	log        *slog.Logger
	woken      chan struct{}
	causes     tracing.Causes
}

// NewRunner returns a runner that does nothing until Run. instance names it to
// people.
func NewRunner(instance string, jobs Jobs, applier *applyimage.Applier, downloader applyimage.Downloader, progress Progress, log *slog.Logger) *Runner {
	return &Runner{instance: instance, jobs: jobs, applier: applier, downloader: downloader, progress: progress, log: log, woken: make(chan struct{}, 1)}
}

// wake has the runner look for jobs at once.
func (r *Runner) wake() {
	select {
	case r.woken <- struct{}{}:
	default: // it will look
	}
}

// Run carries out jobs until ctx ends: those that are submitted here, and those
// that nobody works at any more. When ctx ends it finishes the changes that it has
// begun, and leaves the rest of its job to others at once.
func (r *Runner) Run(ctx context.Context) {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	var forgotten time.Time
	again := pollEvery // after a job that was interrupted
	for ctx.Err() == nil {
		if time.Since(forgotten) >= forgetEvery {
			forgotten = time.Now()
			r.tell(ctx, "Jobs that are long done are not removed", r.jobs.Forget(ctx, KeptFor))
		}
		switch found, err := r.runOne(ctx); {
		case found && err != nil: // what it has downloaded it will download again
			_ = wait.For(ctx, again)
			again = min(2*again, mostAgain)
		case found:
			again = pollEvery
		default:
			r.pause(ctx, poll.C)
		}
	}
}

// pause waits for something to do.
func (r *Runner) pause(ctx context.Context, poll <-chan time.Time) {
	select {
	case <-poll:
	case <-r.woken:
	case <-ctx.Done():
	}
}

// tell logs an error of what is tried again anyhow.
func (r *Runner) tell(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		r.log.DebugContext(ctx, what, "error", err.Error())
	}
}

// runOne carries out the job that is next, if there is one.
func (r *Runner) runOne(ctx context.Context) (found bool, err error) {
	holder := r.instance + "/" + artwork.NewID().String()
	job, found, err := r.jobs.Claim(ctx, holder, claimTerm)
	if err != nil || !found {
		r.tell(ctx, "Jobs cannot be looked for", err)
		return false, err
	}
	ctx, end := tracing.Work(ctx, "job.bulk_apply", r.causes.Of(job.ID.String()), slog.String("gatefold.job.id", job.ID.String()), slog.Int("gatefold.job.items", len(job.Todo)))
	defer func() { end(err) }()
	claim := Claim{Job: job.ID, Holder: holder}
	held, drop := r.hold(ctx, claim)
	run := newRun(r, claim, job)
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
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseBudget)
	defer cancel()
	if err := r.jobs.Release(ctx, claim); err != nil {
		r.log.DebugContext(ctx, "The claim on a job is left to expire", "error", err.Error())
	}
}

// hold renews the claim until drop is called, which returns when that has ended.
// The context ends when the claim is lost.
func (r *Runner) hold(ctx context.Context, claim Claim) (held context.Context, drop func()) {
	held, end := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		r.renew(held, claim, end)
	}()
	return held, func() {
		end(nil)
		<-ended
	}
}

// errLost is why somebody else may work at a job.
var errLost = errors.New("the claim on the job was lost")

func (r *Runner) renew(ctx context.Context, claim Claim, lost context.CancelCauseFunc) {
	const every = claimTerm / 3
	renewed := time.Now()
	for wait.For(ctx, every) == nil {
		asked := time.Now()
		err := r.renewOnce(ctx, claim, every)
		switch {
		case err == nil:
			renewed = asked
		case ctx.Err() != nil:
			return
		case artwork.KindOf(err) == artwork.Conflict, time.Since(renewed)+every > claimTerm:
			lost(errLost)
			return
		}
	}
}

func (r *Runner) renewOnce(ctx context.Context, claim Claim, budget time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	return r.jobs.Renew(ctx, claim, claimTerm)
}
