package generations

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

const key = "key"

type group = Group[string, int64]

// TestWhoComesLateSharesTheNextLoad is the schedule that plain singleflight
// loses: the database is changed after a load has read it, and a caller that
// comes after the change joins that load.
func TestWhoComesLateSharesTheNextLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &group{}
		var truth, loads atomic.Int64
		truth.Store(1)
		proceed := make(chan struct{})
		load := func(context.Context) (int64, error) {
			value := truth.Load()
			loads.Add(1)
			<-proceed
			return value, nil
		}
		var all sync.WaitGroup
		ask := func(want int64) {
			all.Go(func() {
				value, err := l.Do(t.Context(), key, load)
				if err != nil || value != want {
					t.Errorf("a caller got %v, %v, want %d", value, err, want)
				}
			})
		}
		ask(1)
		synctest.Wait() // it has read
		truth.Store(2)
		for range 50 {
			ask(2)
		}
		synctest.Wait() // all of them wait
		require.True(t, l.waiting(key))
		close(proceed)
		all.Wait()
		require.EqualValues(t, 2, loads.Load())
		synctest.Wait()
		require.True(t, l.idle())
	})
}

// TestCallersTogetherCostTwoLoads: the first load, and one for all who came
// while it ran.
func TestCallersTogetherCostTwoLoads(t *testing.T) {
	l := &group{}
	var loads atomic.Int32
	begun, proceed := make(chan struct{}), make(chan struct{})
	first := func(context.Context) (int64, error) {
		if loads.Add(1) == 1 {
			close(begun)
			<-proceed
		}
		return 0, nil
	}
	var all sync.WaitGroup
	all.Go(func() { _, _ = l.Do(t.Context(), key, first) })
	<-begun
	joined := make([]*flight[int64], 500)
	for i := range joined {
		_, joined[i] = l.join(t.Context(), key, first)
	}
	close(proceed)
	for _, shared := range joined {
		<-shared.done
	}
	all.Wait()
	require.EqualValues(t, 2, loads.Load())
}

// TestJoinedIsCalledForThoseWhoShare: not for the first, who reads by itself.
func TestJoinedIsCalledForThoseWhoShare(t *testing.T) {
	joined := make(chan struct{}, 10)
	l := &group{Joined: func() { joined <- struct{}{} }}
	begun, proceed := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		_, _ = l.Do(t.Context(), key, func(context.Context) (int64, error) {
			close(begun)
			<-proceed
			return 0, nil
		})
	})
	<-begun
	require.Empty(t, joined)
	for range 3 {
		all.Go(func() { _, _ = l.Do(t.Context(), key, func(context.Context) (int64, error) { return 0, nil }) })
		<-joined
	}
	require.True(t, l.waiting(key), "who has joined waits for the next read")
	close(proceed)
	all.Wait()
	require.Empty(t, joined)
}

func TestErrorsAreShared(t *testing.T) {
	l := &group{}
	broken := errors.New("no database")
	_, err := l.Do(t.Context(), key, func(context.Context) (int64, error) { return 0, broken })
	require.ErrorIs(t, err, broken)
}

// TestACallerThatGivesUp ends its own read, which nobody shares, and not one that
// others may wait for.
func TestACallerThatGivesUp(t *testing.T) {
	l := &group{}
	first, cancelFirst := context.WithCancel(t.Context())
	second, cancelSecond := context.WithCancel(t.Context())
	begun, proceed := make(chan struct{}), make(chan struct{})
	gaveUp := make(chan error, 2)
	go func() {
		_, err := l.Do(first, key, func(ctx context.Context) (int64, error) {
			close(begun)
			<-ctx.Done()
			return 0, ctx.Err()
		})
		gaveUp <- err
	}()
	<-begun
	shared := func(ctx context.Context) (int64, error) {
		<-proceed
		return 1, ctx.Err()
	}
	_, joined := l.join(second, key, shared)
	go func() {
		_, err := l.Do(second, key, shared)
		gaveUp <- err
	}()
	cancelSecond()
	require.ErrorIs(t, <-gaveUp, context.Canceled)
	cancelFirst()
	require.ErrorIs(t, <-gaveUp, context.Canceled)
	close(proceed)
	<-joined.done
	require.NoError(t, joined.err)
	require.EqualValues(t, 1, joined.value)
}

// TestAPanicLeavesTheKeyUsable, and those who wait get a read of their own.
func TestAPanicLeavesTheKeyUsable(t *testing.T) {
	l := &group{}
	var joined *flight[int64]
	require.Panics(t, func() {
		_, _ = l.Do(t.Context(), key, func(context.Context) (int64, error) {
			_, joined = l.join(t.Context(), key, func(context.Context) (int64, error) { return 2, nil })
			panic("defect")
		})
	})
	<-joined.done
	require.EqualValues(t, 2, joined.value)
	require.Eventually(t, func() bool { return l.idle() }, 5*time.Second, time.Millisecond)
}

// TestEachGenerationReadsForItself: a caller that comes while a read ends must
// not be answered by that one's way of reading.
func TestEachGenerationReadsForItself(t *testing.T) {
	l := &group{}
	begun, proceed := make(chan struct{}), make(chan struct{})
	first := make(chan int64, 1)
	go func() {
		value, _ := l.Do(t.Context(), key, func(context.Context) (int64, error) {
			close(begun)
			<-proceed
			return 1, nil
		})
		first <- value
	}()
	<-begun
	_, second := l.join(t.Context(), key, func(context.Context) (int64, error) { return 2, nil })
	close(proceed)
	<-second.done
	require.EqualValues(t, 1, <-first)
	require.EqualValues(t, 2, second.value)
}

func TestAReadIsBounded(t *testing.T) {
	l := &group{Timeout: time.Millisecond}
	_, err := l.Do(t.Context(), key, func(ctx context.Context) (int64, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	})
	require.ErrorIs(t, err, ErrTimeout)
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	_, err = (&group{Timeout: time.Minute}).Do(ctx, key, func(ctx context.Context) (int64, error) {
		<-ctx.Done()
		return 0, ctx.Err()
	})
	require.ErrorIs(t, err, context.DeadlineExceeded, "the caller's own patience")
}

func TestKeysAreIndependent(t *testing.T) {
	l := &group{}
	begun, proceed := make(chan struct{}), make(chan struct{})
	go func() {
		_, _ = l.Do(t.Context(), "slow", func(context.Context) (int64, error) {
			close(begun)
			<-proceed
			return 0, nil
		})
	}()
	<-begun
	value, err := l.Do(t.Context(), "other", func(context.Context) (int64, error) { return 7, nil })
	require.NoError(t, err)
	require.EqualValues(t, 7, value)
	close(proceed)
}

// waiting reports whether somebody waits for the next read of the key.
func (g *Group[K, V]) waiting(key K) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.keys[key] != nil && g.keys[key].next != nil
}

func (g *Group[K, V]) idle() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.keys) == 0
}
