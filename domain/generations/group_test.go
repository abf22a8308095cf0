package generations

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const key = "key"

type group = Group[string, int64]

// TestWhoComesLateSharesTheNextLoad is the schedule that plain singleflight
// loses: the database is changed after a load has read it, and a caller that
// comes after the change joins that load.
func TestWhoComesLateSharesTheNextLoad(t *testing.T) {
	const callers = 50
	l := &group{}
	var truth atomic.Int64
	truth.Store(1)
	read, proceed := make(chan struct{}, callers+1), make(chan struct{})
	load := func(context.Context) (int64, error) {
		value := truth.Load()
		read <- struct{}{}
		<-proceed
		return value, nil
	}
	early := make(chan int64, 1)
	go func() {
		value, _ := l.Do(t.Context(), key, load)
		early <- value
	}()
	<-read
	truth.Store(2)

	var late sync.WaitGroup
	for range callers {
		late.Go(func() {
			value, err := l.Do(t.Context(), key, load)
			if err != nil || value != 2 {
				t.Errorf("a late caller got %v, %v", value, err)
			}
		})
	}
	require.Eventually(t, func() bool { return l.waiting(key) }, 5*time.Second, time.Millisecond)
	close(proceed)
	late.Wait()
	require.EqualValues(t, 1, <-early)
	require.LessOrEqual(t, len(read), callers)
	require.Eventually(t, func() bool { return l.idle() }, 5*time.Second, time.Millisecond)
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
	require.ErrorIs(t, err, context.DeadlineExceeded)
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
