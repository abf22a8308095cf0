package serveimage

import (
	"context"
	"sync"
	"time"

	"gatefold/domain/artwork"
)

// loadTimeout bounds a read that no caller's patience bounds any more.
const loadTimeout = 10 * time.Second

// loads lets callers share reads of the database. It is not what is usually
// called singleflight: a caller may only share a read that begins after the
// caller asked. One that is under way may have seen the state from before a
// change which the caller knows to be done. So one read runs per key, and all
// who come while it runs share the next.
type loads struct {
	mu   sync.Mutex
	keys map[artwork.Key]*generations
}

type generations struct {
	running *sharedLoad
	next    *sharedLoad // begins when running ends; nil if nobody waits for it
}

type sharedLoad struct {
	done chan struct{}
	img  *artwork.Image
	err  error
}

func newLoads() *loads { return &loads{keys: map[artwork.Key]*generations{}} }

// do returns what a read answers that began after do was called. The read is
// not cancelled with the caller, because others may wait for it; the caller
// stops waiting when its ctx ends.
func (l *loads) do(ctx context.Context, key artwork.Key, load artwork.Load) (*artwork.Image, error) {
	shared := l.join(context.WithoutCancel(ctx), key, load)
	select {
	case <-shared.done:
		return shared.img, shared.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// join returns the read that the caller may share, and begins it if none runs.
func (l *loads) join(ctx context.Context, key artwork.Key, load artwork.Load) *sharedLoad {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := l.keys[key]
	if g == nil {
		g = &generations{running: &sharedLoad{done: make(chan struct{})}}
		l.keys[key] = g
		go l.run(ctx, key, g, load)
		return g.running
	}
	if g.next == nil {
		g.next = &sharedLoad{done: make(chan struct{})}
	}
	return g.next
}

// run reads, generation after generation, until nobody waits. The load of the
// first caller serves all of a key's: they only differ in their context.
func (l *loads) run(ctx context.Context, key artwork.Key, g *generations, load artwork.Load) {
	for current := g.running; current != nil; {
		current.img, current.err = loadInTime(ctx, load)
		close(current.done)
		l.mu.Lock()
		g.running, g.next = g.next, nil
		if g.running == nil {
			delete(l.keys, key)
		}
		current = g.running
		l.mu.Unlock()
	}
}

func loadInTime(ctx context.Context, load artwork.Load) (*artwork.Image, error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	return load(ctx)
}
