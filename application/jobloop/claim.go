package jobloop

import (
	"context"
	"errors"
	"time"

	"gatefold/application/wait"
	"gatefold/domain/artwork"
)

const (
	// ClaimTerm is how long a claim holds that is not renewed: when another instance
	// goes on after its holder has died.
	ClaimTerm = 6 * time.Second
	// RecordBudget bounds what a stop waits for first: what was done is kept.
	RecordBudget = 5 * time.Second
	// ReleaseBudget bounds what a stop waits for then: the claim is ended.
	ReleaseBudget = 2 * time.Second
)

// Why somebody who works at a job ends that.
var (
	ErrLost    = errors.New("the claim on the job was lost")
	ErrOrdered = errors.New("somebody has paused or cancelled the job")
)

// Hold renews a claim until drop is called, which returns when that has ended. renew has the
// claim hold for the term from then on; it is called six times in a term, may take a third of
// it, and is tried again as long as the claim is sure to hold. It reports false if the work
// is to be left; a Conflict says that the claim does not hold any more. held ends with
// ErrLost or ErrOrdered as its cause.
func Hold(ctx context.Context, term time.Duration, renew func(context.Context) (wanted bool, err error)) (held context.Context, drop func()) {
	held, end := context.WithCancelCause(ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if cause := hold(held, term, renew); cause != nil {
			end(cause)
		}
	}()
	return held, func() {
		end(nil)
		<-ended
	}
}

// hold returns why the claim is to be given up, or nil when ctx has ended.
func hold(ctx context.Context, term time.Duration, renew func(context.Context) (bool, error)) error {
	budget := term / 3
	renewed := time.Now()
	for wait.For(ctx, term/6) == nil {
		asked := time.Now()
		wanted, err := renewOnce(ctx, budget, renew)
		switch {
		case err == nil && !wanted:
			return ErrOrdered
		case err == nil:
			renewed = asked
		case ctx.Err() == nil && (artwork.KindOf(err) == artwork.Conflict || time.Since(renewed)+budget > term):
			return ErrLost
		}
	}
	return nil
}

func renewOnce(ctx context.Context, budget time.Duration, renew func(context.Context) (bool, error)) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	return renew(ctx)
}
