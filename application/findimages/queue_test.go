package findimages_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/findimages"
	"gatefold/domain/artwork"
)

func newQueue(shared findimages.Gate) *findimages.Queue {
	return findimages.NewQueue(shared, memory.NewGate(), slog.New(slog.DiscardHandler))
}

// TestNoWindowHasMoreThanTheRate: whatever was used before, and however many wait.
func TestNoWindowHasMoreThanTheRate(t *testing.T) {
	for _, rate := range []findimages.Rate{{1, time.Second}, {50, 5 * time.Second}, {60, time.Minute}, {5, time.Second}, {20, time.Minute}} {
		synctest.Test(t, func(t *testing.T) {
			queue := newQueue(nil)
			var mu sync.Mutex
			var turns []time.Time
			var waiting sync.WaitGroup
			for range 40 {
				waiting.Go(func() {
					for range 5 {
						require.NoError(t, queue.Wait(t.Context(), "provider", rate))
						mu.Lock()
						turns = append(turns, time.Now())
						mu.Unlock()
					}
				})
			}
			waiting.Wait()
			for i := range turns {
				n := 0
				for _, turn := range turns[i:] {
					if turn.Sub(turns[i]) <= rate.Per {
						n++
					}
				}
				require.LessOrEqual(t, n, rate.Requests, rate)
			}
			ideal := rate.Per * time.Duration(len(turns)) / time.Duration(rate.Requests)
			require.Less(t, turns[len(turns)-1].Sub(turns[0]), 2*ideal, "the rate is not used")
		})
	}
}

func TestTurnsComeInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queue := newQueue(nil)
		var mu sync.Mutex
		var order []int
		var waiting sync.WaitGroup
		for i := range 10 {
			waiting.Go(func() {
				require.NoError(t, queue.Wait(t.Context(), "provider", findimages.Rate{Requests: 1, Per: time.Second}))
				mu.Lock()
				defer mu.Unlock()
				order = append(order, i)
			})
			synctest.Wait()
		}
		waiting.Wait()
		require.Equal(t, []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, order)
	})
}

// TestWaitingIsBounded: in number, and by what the caller has time for.
func TestWaitingIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		queue, rate := newQueue(nil), findimages.Rate{Requests: 1, Per: time.Minute}
		require.NoError(t, queue.Wait(t.Context(), "provider", rate))
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		begin := time.Now()
		err := queue.Wait(short, "provider", rate)
		require.Equal(t, artwork.Unavailable, artwork.KindOf(err))
		require.Zero(t, time.Since(begin), "its turn would come too late: it is told so at once")

		hangsUp, hangUp := context.WithCancel(t.Context())
		ctx, stop := context.WithCancel(t.Context())
		var waiting sync.WaitGroup
		for range 49 {
			waiting.Go(func() { _ = queue.Wait(ctx, "provider", rate) })
		}
		synctest.Wait()
		waiting.Go(func() {
			err := queue.Wait(hangsUp, "provider", rate)
			if !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
		synctest.Wait()
		require.Equal(t, artwork.Unavailable, artwork.KindOf(queue.Wait(t.Context(), "provider", rate)))
		require.NoError(t, queue.Wait(t.Context(), "another", rate))
		hangUp()
		synctest.Wait()
		late, cancelLate := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancelLate()
		err = queue.Wait(late, "provider", rate)
		require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "who waited in vain is told why: %v", err)
		stop()
		waiting.Wait()
	})
}

// deaf is a gate that cannot be asked.
type deaf struct{}

func (deaf) Take(context.Context, string, findimages.Pace) (time.Duration, error) {
	return 0, errors.New("Redis is gone")
}

func TestWithoutTheSharedGateTheLimitIsKeptAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		queue := findimages.NewQueue(deaf{}, memory.NewGate(), slog.New(slog.NewTextHandler(&log, nil)))
		begin := time.Now()
		for range 3 {
			require.NoError(t, queue.Wait(t.Context(), "provider", findimages.Rate{Requests: 1, Per: time.Second}))
		}
		require.Equal(t, 2200*time.Millisecond, time.Since(begin))
		require.Contains(t, log.String(), "Redis is gone")
	})
}
