// Package generations lets callers share reads without ever sharing one that is
// too old for them.
package generations

import (
	"context"
	"sync"
	"time"
)

// Group lets callers that ask for the same thing at the same time share the
// answer. It is not what is usually called singleflight: a caller may only share
// a read that begins after the caller asked. One that is under way may have seen
// the state from before a change which the caller knows to be done. So one read
// runs per key, and all who come while it runs share the next.
//
// The zero value is ready for use. A Group is safe for concurrent use.
type Group[K comparable, V any] struct {
	// Timeout bounds a read, which no caller's patience bounds any more; 0 is no
	// bound. It is not to be changed after the first call.
	Timeout time.Duration

	mu   sync.Mutex
	keys map[K]*generation[V]
}

// generation is what runs for a key, and what begins when it ends.
type generation[V any] struct {
	running *flight[V]
	next    *flight[V] // nil if nobody waits for it
}

// flight is one read: that of the first caller who waits for it.
type flight[V any] struct {
	ctx   context.Context // the caller's values, without its end
	read  func(ctx context.Context) (V, error)
	done  chan struct{}
	value V
	err   error
}

// Do returns what a read answers that began after Do was called. The read is not
// cancelled with the caller, because others may wait for it; the caller stops
// waiting when its ctx ends. It is the read of one of the callers who share it,
// with the values of that one's ctx: all who ask for a key must mean the same.
func (g *Group[K, V]) Do(ctx context.Context, key K, read func(ctx context.Context) (V, error)) (V, error) {
	shared := g.join(ctx, key, read)
	select {
	case <-shared.done:
		return shared.value, shared.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

// join returns the read that the caller may share, and begins it if none runs.
func (g *Group[K, V]) join(ctx context.Context, key K, read func(ctx context.Context) (V, error)) *flight[V] {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.keys == nil {
		g.keys = map[K]*generation[V]{}
	}
	current := g.keys[key]
	if current != nil && current.next != nil {
		return current.next
	}
	f := &flight[V]{ctx: context.WithoutCancel(ctx), read: read, done: make(chan struct{})}
	if current != nil {
		current.next = f
		return f
	}
	current = &generation[V]{running: f}
	g.keys[key] = current
	go g.run(key, current)
	return f
}

// run reads, generation after generation, until nobody waits.
func (g *Group[K, V]) run(key K, current *generation[V]) {
	for f := current.running; f != nil; {
		f.value, f.err = g.inTime(f.ctx, f.read)
		close(f.done)
		g.mu.Lock()
		current.running, current.next = current.next, nil
		if current.running == nil {
			delete(g.keys, key)
		}
		f = current.running
		g.mu.Unlock()
	}
}

func (g *Group[K, V]) inTime(ctx context.Context, read func(ctx context.Context) (V, error)) (V, error) {
	if g.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, g.Timeout)
		defer cancel()
	}
	return read(ctx)
}
