// Package jobloop has what those share that carry out jobs: looking for the next, holding
// it under a claim that has to be renewed, and leaving it alone for a while after it was
// interrupted.
package jobloop

import (
	"context"
	"log/slog"
	"time"

	"gatefold/application/wait"
)

const (
	// pollEvery is how often an instance looks for jobs that another one has left.
	pollEvery = 2 * time.Second
	// mostAgain is how long jobs are left alone at most when they are interrupted again
	// and again.
	mostAgain = 32 * time.Second
	// forgetEvery is how often jobs that ended long ago are removed.
	forgetEvery = time.Hour
)

// Jobs is a kind of job.
type Jobs interface {
	// Next carries out the job that is next, if there is one. An error is why it was not
	// found out, or why the job is to be left alone for a while.
	Next(ctx context.Context) (found bool, err error)
	// Forget removes jobs that ended long ago.
	Forget(ctx context.Context) error
}

// Loop carries out jobs of one kind, one at a time. Make one by New.
type Loop struct {
	log   *slog.Logger
	woken chan struct{}
}

// New returns a loop that does nothing until Run.
func New(log *slog.Logger) *Loop { return &Loop{log, make(chan struct{}, 1)} }

// Wake has the loop look for jobs at once. It does not wait, and may be called concurrently.
func (l *Loop) Wake() {
	select {
	case l.woken <- struct{}{}:
	default: // it will look
	}
}

// Run carries out jobs until ctx ends, and returns when the last one was left.
func (l *Loop) Run(ctx context.Context, jobs Jobs) {
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	var forgotten time.Time
	again := pollEvery // after a job that was interrupted
	for ctx.Err() == nil {
		if time.Since(forgotten) >= forgetEvery {
			forgotten = time.Now()
			l.mention(ctx, "Jobs that ended long ago are not removed", jobs.Forget(ctx))
		}
		switch found, err := jobs.Next(ctx); {
		case found && err != nil: // whatever it had prepared it will prepare again
			_ = wait.For(ctx, again)
			again = min(2*again, mostAgain)
		case found:
			again = pollEvery
		default:
			l.mention(ctx, "Jobs cannot be looked for", err)
			l.pause(ctx, poll.C)
		}
	}
}

// pause waits for something to do.
func (l *Loop) pause(ctx context.Context, poll <-chan time.Time) {
	select {
	case <-poll:
	case <-l.woken:
	case <-ctx.Done():
	}
}

// mention logs an error of what is tried again anyhow.
func (l *Loop) mention(ctx context.Context, what string, err error) {
	if err != nil && ctx.Err() == nil {
		l.log.DebugContext(ctx, what, "error", err.Error())
	}
}
