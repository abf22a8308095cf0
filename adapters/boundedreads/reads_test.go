package boundedreads_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/boundedreads"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
)

// slow is a database that answers when it is told to.
type slow struct {
	turn chan struct{} // one answer each; closed: all

	mu      sync.Mutex
	order   []artwork.Place // in which reads began
	running int
	most    int // at once, ever
	err     error
}

func (s *slow) InForce(ctx context.Context, place artwork.Place) (*artwork.Image, error) {
	s.mu.Lock()
	s.order = append(s.order, place)
	s.running++
	s.most = max(s.most, s.running)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.running--
		s.mu.Unlock()
	}()
	select {
	case <-s.turn:
		return nil, s.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// rush is many readers of a slow database.
type rush struct {
	*slow
	*managecache.Counters
	reads   *boundedreads.Reads
	readers sync.WaitGroup

	mu     sync.Mutex
	places []artwork.Place // in the order of asking
	errs   []error
}

func newRush(limits boundedreads.Limits) *rush {
	r := &rush{slow: &slow{turn: make(chan struct{})}, Counters: managecache.NewCounters()}
	r.reads = boundedreads.New(r.slow, limits, r.Counters)
	return r
}

// ask has so many callers read, one after the other, and returns when all of
// them run, wait or were turned away.
func (r *rush) ask(ctx context.Context, n int) {
	for range n {
		place := artwork.Place{Subject: artwork.Album(artwork.NewID()), Slot: artwork.SlotCover}
		r.places = append(r.places, place)
		r.readers.Go(func() {
			_, err := r.reads.InForce(ctx, place)
			r.mu.Lock()
			defer r.mu.Unlock()
			if err != nil {
				r.errs = append(r.errs, err)
			}
		})
		synctest.Wait()
	}
}

// failures returns the errors of those who were turned away.
func (r *rush) failures() []error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.errs)
}

// finish answers everybody.
func (r *rush) finish() {
	close(r.turn)
	r.readers.Wait()
}

func requireBusy(t *testing.T, err error) {
	t.Helper()
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err))
	require.ErrorContains(t, err, "try again")
}

func TestReadsAreBoundedAndFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRush(boundedreads.Limits{AtOnce: 3})
		r.ask(t.Context(), 3)
		require.Equal(t, managecache.Loads{All: 3, Running: 3}, r.Stats().Loads)
		r.ask(t.Context(), 20)
		require.Equal(t, managecache.Loads{All: 3, Running: 3, Queued: 20, Waiting: 20}, r.Stats().Loads)
		for range 20 {
			r.turn <- struct{}{} // one ends, and the next begins
			synctest.Wait()
		}
		require.Equal(t, managecache.Loads{All: 23, Running: 3, Queued: 20}, r.Stats().Loads)
		r.finish()
		require.Empty(t, r.failures())
		require.Equal(t, r.places, r.order)
		require.Equal(t, 3, r.most)
		require.Equal(t, managecache.Loads{All: 23, Queued: 20}, r.Stats().Loads)
	})
}

func TestTooManyAreTurnedAwayAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRush(boundedreads.Limits{AtOnce: 1, Queue: 2})
		begin := time.Now()
		r.ask(t.Context(), 5)
		require.Zero(t, time.Since(begin))
		require.Len(t, r.failures(), 2)
		requireBusy(t, r.failures()[0])
		require.Equal(t, managecache.Loads{All: 1, Running: 1, Queued: 2, Waiting: 2, RefusedFull: 2}, r.Stats().Loads)
		r.finish()
		require.Len(t, r.failures(), 2)

		r.ask(t.Context(), 1)
		require.Len(t, r.failures(), 2, "there is room again")
	})
}

func TestWhoWaitsForTooLongIsTurnedAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRush(boundedreads.Limits{AtOnce: 1, Patience: time.Second})
		r.ask(t.Context(), 3)
		time.Sleep(time.Second - 1)
		synctest.Wait()
		require.Empty(t, r.failures())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		require.Len(t, r.failures(), 2)
		requireBusy(t, r.failures()[0])
		require.NotErrorIs(t, r.failures()[0], context.DeadlineExceeded, "the caller's own time has not ended")
		require.Equal(t, managecache.Loads{All: 1, Running: 1, Queued: 2, RefusedLate: 2}, r.Stats().Loads)
		r.finish()
		require.Len(t, r.failures(), 2)
	})
}

// TestACallerThatLeaves gives its place in the queue to the next.
func TestACallerThatLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRush(boundedreads.Limits{AtOnce: 1, Queue: 2})
		r.ask(t.Context(), 1)
		ctx, leave := context.WithCancel(t.Context())
		r.ask(ctx, 1)
		r.ask(t.Context(), 1)
		leave()
		synctest.Wait()
		require.Len(t, r.failures(), 1)
		require.ErrorIs(t, r.failures()[0], context.Canceled)
		require.Equal(t, managecache.Loads{All: 1, Running: 1, Queued: 2, Waiting: 1}, r.Stats().Loads)
		r.ask(t.Context(), 1)
		r.finish()
		require.Len(t, r.failures(), 1)
		require.Equal(t, []artwork.Place{r.places[0], r.places[2], r.places[3]}, r.order)
	})
}

// TestTheUsualLimits hold if no others are given.
func TestTheUsualLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRush(boundedreads.Limits{AtOnce: 1})
		r.ask(t.Context(), 1002)
		require.Len(t, r.failures(), 1)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Len(t, r.failures(), 1001)
		r.finish()
	})
}

func TestAFailedReadGivesItsTurnBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRush(boundedreads.Limits{AtOnce: 1})
		r.err = errors.New("no database")
		r.ask(t.Context(), 2)
		r.finish()
		require.Len(t, r.failures(), 2)
		require.ErrorIs(t, r.failures()[1], r.err)
		require.Equal(t, managecache.Loads{All: 2, Queued: 1}, r.Stats().Loads)
	})
}
