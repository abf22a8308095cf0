package fillmissing

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
	// renewEvery is how often the claim is renewed, and orders are heard.
	renewEvery = time.Second
	// pollEvery is how often an instance looks for jobs that another one has left.
	pollEvery = 2 * time.Second
	// mostAgain is how long a job is left alone at most that is interrupted again and
	// again.
	mostAgain = 32 * time.Second
	// forgetEvery is how often jobs that ended long ago are removed.
	forgetEvery = time.Hour
	// releaseBudget bounds a step that a stop waits for.
	releaseBudget = 2 * time.Second
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
	woken      chan struct{}
	causes     tracing.Causes
}

// NewRunner returns a runner that does nothing until Run. instance names it to
// people.
func NewRunner(instance string, jobs Jobs, gaps Gaps, sources *Sources, applier *applyimage.Applier, downloader applyimage.Downloader,
	progress Progress, considered Considered, now Clock, log *slog.Logger,
) *Runner {
	return &Runner{
		instance: instance, jobs: jobs, gaps: gaps, sources: sources, applier: applier, downloader: downloader,
		progress: progress, considered: considered, now: now, log: log, woken: make(chan struct{}, 1),
	}
}

// wake has the runner look for jobs at once.
func (r *Runner) wake() {
	select {
	case r.woken <- struct{}{}:
	default: // it will look
	}
}

// Run carries out jobs until ctx ends: those that are created here, and those that
// nobody works at any more. When ctx ends it finishes the changes that it has begun,
// and leaves the rest of its job to others at once.
func (r *Runner) Run(ctx context.Context) {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	var forgotten time.Time
	again := pollEvery // after a job that was interrupted
	for ctx.Err() == nil {
		if time.Since(forgotten) >= forgetEvery {
			forgotten = time.Now()
			r.mention(ctx, "Jobs that ended long ago are not removed", r.jobs.Forget(ctx, KeptFor))
		}
		switch found, err := r.runOne(ctx); {
		case found && err != nil:
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

// mention logs an error of what is tried again anyhow.
func (r *Runner) mention(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		r.log.DebugContext(ctx, what, "error", err.Error())
	}
}

// runOne carries out the job that is next, if there is one. An error is one after
// which the job is to be left alone for a while.
func (r *Runner) runOne(ctx context.Context) (found bool, err error) {
	holder := r.instance + "/" + artwork.NewID().String()
	job, found, err := r.jobs.Claim(ctx, holder, claimTerm)
	if err != nil || !found {
		r.mention(ctx, "Jobs cannot be looked for", err)
		return false, err
	}
	ctx, end := tracing.Work(ctx, "job.fill", r.causes.Of(job.ID.String()), slog.String("gatefold.job.id", job.ID.String()))
	defer func() { end(err) }()
	claim := Claim{Job: job.ID, Holder: holder}
	held, drop := r.hold(ctx, claim)
	work := &run{Runner: r, claim: claim, job: job.Job, position: job.Position, status: job.Status}
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
	budget, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseBudget)
	defer cancel()
	if reason := failureOf(err); reason != "" && ctx.Err() == nil {
		status, failed := r.jobs.Finish(budget, work.claim, reason)
		if failed == nil {
			work.tell(ctx, status)
			return nil
		}
		r.mention(ctx, "A job cannot be ended", failed)
	}
	if released := r.jobs.Release(budget, work.claim); released != nil {
		r.log.DebugContext(ctx, "The claim on a job is left to expire", "error", released.Error())
	}
	if errors.Is(err, errOrdered) {
		return nil
	}
	return err
}

// failureOf returns why a job has failed for good; "" if it has not.
func failureOf(err error) string {
	if fatal, ok := errors.AsType[fatalError](err); ok {
		return string(fatal)
	}
	if errors.Is(err, errOrdered) || errors.Is(err, errLost) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
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

// Why somebody who works at a job ends that.
var (
	errLost    = errors.New("the claim on the job was lost")
	errOrdered = errors.New("somebody has paused or cancelled the job")
)

// hold renews the claim until drop is called, which returns when that has ended. The
// context ends when the claim is lost, or the job is paused or cancelled.
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

func (r *Runner) renew(ctx context.Context, claim Claim, end context.CancelCauseFunc) {
	renewed := time.Now()
	for wait.For(ctx, renewEvery) == nil {
		asked := time.Now()
		state, err := r.renewOnce(ctx, claim)
		switch {
		case err == nil && state != Running:
			end(errOrdered)
			return
		case err == nil:
			renewed = asked
		case ctx.Err() != nil:
			return
		case artwork.KindOf(err) == artwork.Conflict, time.Since(renewed)+2*renewEvery > claimTerm:
			end(errLost)
			return
		}
	}
}

func (r *Runner) renewOnce(ctx context.Context, claim Claim) (State, error) {
	ctx, cancel := context.WithTimeout(ctx, 2*renewEvery)
	defer cancel()
	return r.jobs.Renew(ctx, claim, claimTerm)
}
