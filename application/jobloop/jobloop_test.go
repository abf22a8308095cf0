package jobloop_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/jobloop"
	"gatefold/domain/artwork"
)

// TestAClaimIsHeld as long as it can be, and no longer.
func TestAClaimIsHeld(t *testing.T) {
	silent := artwork.Errorf(artwork.Unavailable, "the database does not answer")
	for name, c := range map[string]struct {
		renew func(time.Duration) (bool, error) // so long after it was claimed
		cause error
		after time.Duration
	}{
		"it was lost": {func(time.Duration) (bool, error) {
			return false, artwork.Errorf(artwork.Conflict, "another one has it")
		}, jobloop.ErrLost, time.Second},
		"it was told to stop": {func(at time.Duration) (bool, error) { return at < 20*time.Second, nil }, jobloop.ErrOrdered, 20 * time.Second},
		"silence":             {func(time.Duration) (bool, error) { return false, silent }, jobloop.ErrLost, 5 * time.Second},
		"silence, and an answer in time": {func(at time.Duration) (bool, error) {
			if at%(4*time.Second) == 0 {
				return true, nil
			}
			return false, silent
		}, context.Canceled, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				held, drop := jobloop.Hold(t.Context(), jobloop.ClaimTerm, func(context.Context) (bool, error) { return c.renew(time.Since(begin)) })
				select {
				case <-held.Done():
				case <-time.After(time.Minute):
				}
				require.Equal(t, c.after, time.Since(begin))
				drop()
				require.ErrorIs(t, context.Cause(held), c.cause)
			})
		})
	}
}

// TestARenewalThatHangsIsGivenUp before the claim has ended.
func TestARenewalThatHangsIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		held, drop := jobloop.Hold(t.Context(), jobloop.ClaimTerm, func(ctx context.Context) (bool, error) {
			<-ctx.Done()
			return false, ctx.Err()
		})
		defer drop()
		<-held.Done()
		require.ErrorIs(t, context.Cause(held), jobloop.ErrLost)
		require.LessOrEqual(t, time.Since(begin), jobloop.ClaimTerm)
	})
}

// jobs end as they are told.
type jobs struct {
	forgotten int
	mu        sync.Mutex
	begun     []time.Time
	ends      []error // of the next ones; then there is none
}

func (j *jobs) add(ends ...error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.ends = append(j.ends, ends...)
}

func (j *jobs) left() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return len(j.ends)
}

// Next implements jobloop.Jobs.
func (j *jobs) Next(context.Context) (bool, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.ends) == 0 {
		return false, nil
	}
	j.begun = append(j.begun, time.Now())
	err := j.ends[0]
	j.ends = j.ends[1:]
	return true, err
}

// Forget implements jobloop.Jobs.
func (j *jobs) Forget(context.Context) error {
	j.forgotten++
	return nil
}

// TestWhatIsInterruptedIsLeftAlone longer and longer, until something was done.
func TestWhatIsInterruptedIsLeftAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, failed := &jobs{}, errors.New("nobody answers")
		for range 7 {
			j.add(failed)
		}
		j.add(nil, failed, nil)
		ctx, cancel := context.WithTimeout(t.Context(), 90*time.Minute)
		defer cancel()
		jobloop.New(slog.New(slog.DiscardHandler)).Run(ctx, j)
		var pauses []int
		for i, at := range j.begun[1:] {
			pauses = append(pauses, int(at.Sub(j.begun[i]).Seconds()))
		}
		require.Equal(t, []int{2, 4, 8, 16, 32, 32, 32, 0, 2}, pauses)
		require.Equal(t, 2, j.forgotten, "hourly")
	})
}

// TestWhoIsWokenLooksAtOnce, and finds by itself what others have left.
func TestWhoIsWokenLooksAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &jobs{}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		loop := jobloop.New(slog.New(slog.DiscardHandler))
		go loop.Run(ctx, j)
		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		j.add(nil)
		loop.Wake()
		synctest.Wait()
		require.Zero(t, j.left())
		j.add(nil)
		time.Sleep(2 * time.Second)
		synctest.Wait()
		require.Zero(t, j.left())
	})
}
