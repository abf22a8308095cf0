package serveimage

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

var key = artwork.Key{Subject: artwork.Artist(artwork.NewID()), Type: artwork.TypeProfile}

func numbered(n int64) *artwork.Image { return &artwork.Image{Content: artwork.Content{Size: n}} }

// TestWhoComesLateSharesTheNextLoad is the schedule that plain singleflight
// loses: the database is changed after a load has read it, and a caller that
// comes after the change joins that load.
func TestWhoComesLateSharesTheNextLoad(t *testing.T) {
	l := newLoads()
	var truth atomic.Int64
	truth.Store(1)
	read, proceed := make(chan struct{}, 10), make(chan struct{})
	load := func(context.Context) (*artwork.Image, error) {
		img := numbered(truth.Load())
		read <- struct{}{}
		<-proceed
		return img, nil
	}
	early := make(chan int64, 1)
	go func() {
		img, _ := l.do(t.Context(), key, load)
		early <- img.Size
	}()
	<-read
	truth.Store(2)

	const callers = 50
	var late sync.WaitGroup
	for range callers {
		late.Go(func() {
			img, err := l.do(t.Context(), key, load)
			if err != nil || img.Size != 2 {
				t.Errorf("a late caller got %v, %v", img, err)
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
	l := newLoads()
	var loads atomic.Int32
	begun, proceed := make(chan struct{}), make(chan struct{})
	first := func(context.Context) (*artwork.Image, error) {
		if loads.Add(1) == 1 {
			close(begun)
			<-proceed
		}
		return nil, nil
	}
	var all sync.WaitGroup
	all.Go(func() { _, _ = l.do(t.Context(), key, first) })
	<-begun
	joined := make([]*sharedLoad, 500)
	for i := range joined {
		joined[i] = l.join(t.Context(), key, first)
	}
	close(proceed)
	for _, shared := range joined {
		<-shared.done
	}
	all.Wait()
	require.EqualValues(t, 2, loads.Load())
}

func TestErrorsAreShared(t *testing.T) {
	l := newLoads()
	broken := errors.New("no database")
	_, err := l.do(t.Context(), key, func(context.Context) (*artwork.Image, error) { return nil, broken })
	require.ErrorIs(t, err, broken)
}

func TestACallerThatGivesUpLeavesTheLoadToOthers(t *testing.T) {
	l := newLoads()
	begun, proceed := make(chan struct{}), make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	load := func(ctx context.Context) (*artwork.Image, error) {
		close(begun)
		<-proceed
		return numbered(1), ctx.Err()
	}
	gaveUp := make(chan error, 1)
	go func() {
		_, err := l.do(ctx, key, load)
		gaveUp <- err
	}()
	<-begun
	cancel()
	require.ErrorIs(t, <-gaveUp, context.Canceled)
	l.mu.Lock()
	running := l.keys[key].running
	l.mu.Unlock()
	close(proceed)
	<-running.done
	require.NoError(t, running.err)
	require.EqualValues(t, 1, running.img.Size)
}

// waiting reports whether somebody waits for the next load of the key.
func (l *loads) waiting(key artwork.Key) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.keys[key] != nil && l.keys[key].next != nil
}

func (l *loads) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.keys) == 0
}
