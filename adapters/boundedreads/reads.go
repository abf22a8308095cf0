// Package boundedreads bounds how many reads of images in force are under way at
// once, so that a rush which no cache catches cannot pile up on the database.
//
// It is a decorator of the reads that answer requests, and of nothing else: who
// changes an image reads from the repository itself and never queues behind a
// rush. What is shared between callers is shared before it gets here: each key
// takes one place.
package boundedreads

import (
	"context"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"gatefold/application/managecache"
	"gatefold/application/serveimage"
	"gatefold/domain/artwork"
)

// What is usual: a rush of that many keys is over within the time, if the
// database is well. If it is not, waiting for longer helps nobody, and a reader
// that is to fill the shared cache would lose its lease.
const (
	usualQueue    = 1000
	usualPatience = 2 * time.Second
)

// Limits bound the reads of one process.
type Limits struct {
	AtOnce   int           // how many may run
	Queue    int           // how many may wait for their turn; 0: 1000
	Patience time.Duration // and for how long; 0: 2 s
}

// Reads lets so many callers through and has the others wait for their turn,
// first come, first served.
type Reads struct {
	inner    serveimage.Reader
	turns    *semaphore.Weighted
	waiting  atomic.Int64
	queue    int64
	patience time.Duration
	events   managecache.Recorder
}

var _ serveimage.Reader = (*Reads)(nil)

// New returns the reads of inner, within the limits. The recorder is told who
// has to wait and who is turned away.
func New(inner serveimage.Reader, limits Limits, events managecache.Recorder) *Reads {
	r := &Reads{
		inner: inner, turns: semaphore.NewWeighted(int64(limits.AtOnce)),
		queue: int64(limits.Queue), patience: limits.Patience, events: events,
	}
	if r.queue == 0 {
		r.queue = usualQueue
	}
	if r.patience == 0 {
		r.patience = usualPatience
	}
	return r
}

// InForce implements serveimage.Reader. Unavailable: too many wait already, or
// the caller's turn did not come in time.
func (r *Reads) InForce(ctx context.Context, place artwork.Place) (*artwork.Image, error) {
	if !r.turns.TryAcquire(1) {
		if err := r.wait(ctx); err != nil {
			return nil, err
		}
	}
	defer r.turns.Release(1)
	r.events.Count(managecache.LoadBegun, 1)
	begin := time.Now()
	defer func() {
		r.events.Took(managecache.StepLoad, time.Since(begin))
		r.events.Count(managecache.LoadEnded, 1)
	}()
	return r.inner.InForce(ctx, place)
}

// wait returns nil when it is the caller's turn.
func (r *Reads) wait(ctx context.Context) error {
	defer r.waiting.Add(-1)
	if r.waiting.Add(1) > r.queue {
		r.events.Count(managecache.LoadRefusedFull, 1)
		return errBusy()
	}
	r.events.Count(managecache.LoadQueued, 1)
	begin := time.Now()
	defer func() {
		r.events.Took(managecache.StepLoadWait, time.Since(begin))
		r.events.Count(managecache.LoadDequeued, 1)
	}()
	bounded, cancel := context.WithTimeout(ctx, r.patience)
	defer cancel()
	err := r.turns.Acquire(bounded, 1)
	if err == nil || ctx.Err() != nil {
		return err
	}
	r.events.Count(managecache.LoadRefusedLate, 1)
	return errBusy()
}

func errBusy() error {
	return &artwork.Error{
		Kind: artwork.Unavailable, Op: "boundedreads.InForce",
		Msg: "too many requests wait for the database; try again in some seconds",
	}
}
