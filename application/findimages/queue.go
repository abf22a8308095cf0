package findimages

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gatefold/application/wait"
	"gatefold/domain/artwork"
)

// Pace is how turns are given: so many at once, and then one every so often.
type Pace struct {
	Burst int
	Every time.Duration
}

// burstPart is the part of a rate that may be used at once.
const burstPart = 5

// pace returns turns that stay below the rate in every window of its length, whatever
// was used before: what may be used at once and what comes after it add up. A tenth is
// left for requests that overtake each other on their way.
func (r Rate) pace() Pace {
	burst := max(1, r.Requests/burstPart)
	return Pace{Burst: burst, Every: r.Per * 11 / 10 / time.Duration(max(1, r.Requests-burst))}
}

// Gate gives turns. It may be called concurrently.
type Gate interface {
	// Take takes a turn under the name and returns 0, or returns after how long to
	// ask again. All calls with a name state the same pace. Any error means that the
	// gate cannot be asked.
	Take(ctx context.Context, name string, pace Pace) (wait time.Duration, err error)
}

// maxWaiting bounds how many requests wait for a turn of one provider in a process.
const maxWaiting = 50

// Queue is a Limiter: requests of this process take their turns one after the other.
type Queue struct {
	shared, local Gate
	log           *slog.Logger

	mu    sync.Mutex
	lines map[string]*line
}

// line is who waits for turns of one provider.
type line struct {
	head    chan struct{} // holds an element while somebody asks for a turn
	waiting int
}

var _ Limiter = (*Queue)(nil)

// NewQueue returns a queue for turns of a gate that all instances share. If there is
// none (nil), or if it cannot be asked, those of the local one are taken.
func NewQueue(shared, local Gate, log *slog.Logger) *Queue {
	return &Queue{shared: shared, local: local, log: log, lines: map[string]*line{}}
}

// Wait implements Limiter.
func (q *Queue) Wait(ctx context.Context, provider string, rate Rate) error {
	l, ok := q.join(provider)
	if !ok {
		return artwork.Errorf(artwork.Unavailable, "too many requests wait for %s; try again in some seconds", provider)
	}
	defer q.leave(l)
	select {
	case l.head <- struct{}{}:
	case <-ctx.Done():
		return overdue(ctx, provider)
	}
	defer func() { <-l.head }()
	for {
		pause, err := q.take(ctx, provider, rate.pace())
		if pause == 0 || err != nil {
			return err
		}
		if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < pause {
			return errAtLimit(provider)
		}
		if err := wait.For(ctx, pause); err != nil {
			return overdue(ctx, provider)
		}
	}
}

func (q *Queue) join(provider string) (*line, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l, ok := q.lines[provider]
	if !ok {
		l = &line{head: make(chan struct{}, 1)}
		q.lines[provider] = l
	}
	if l.waiting >= maxWaiting {
		return nil, false
	}
	l.waiting++
	return l, true
}

func (q *Queue) leave(l *line) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l.waiting--
}

func (q *Queue) take(ctx context.Context, provider string, pace Pace) (time.Duration, error) {
	if q.shared != nil {
		wait, err := q.shared.Take(ctx, provider, pace)
		if err == nil {
			return wait, nil
		}
		if ctx.Err() != nil {
			return 0, overdue(ctx, provider)
		}
		q.log.WarnContext(ctx, "Instances cannot agree on whose turn it is; this one keeps to the limit alone", "provider", provider, "error", err.Error())
	}
	wait, err := q.local.Take(ctx, provider, pace)
	if err != nil {
		return 0, fmt.Errorf("findimages.Wait: %w", err)
	}
	return wait, nil
}

func errAtLimit(provider string) error {
	return artwork.Errorf(artwork.Unavailable, "as many requests as %s allows are under way; try again in some seconds", provider)
}

// overdue is what the end of ctx means to who waits for a turn.
func overdue(ctx context.Context, provider string) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return errAtLimit(provider)
	}
	return ctx.Err()
}
