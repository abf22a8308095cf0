// Package generations lets callers share reads without ever sharing one that is
// too old for them.
package generations

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrTimeout is the error of a read that took longer than the group's Timeout. It is not
// context.DeadlineExceeded, which is the end of a caller's own patience.
var ErrTimeout = errors.New("the read took too long")

// Group lets callers that ask for the same thing at the same time share the
// answer. It is not what is usually called singleflight: a caller may only share
// a read that begins after the caller asked. One that is under way may have seen
// the state from before a change which the caller knows to be done. So one read
// runs per key, and all who come while it runs share the next.
//
// The zero value is ready for use. A Group is safe for concurrent use.
type Group[K comparable, V any] struct {
	// Timeout bounds a read, which no caller's patience bounds any more; 0 is no
	// bound. A read that fails because of it fails with ErrTimeout. It is not to be changed
	// after the first call.
	Timeout time.Duration
	// Joined is called, if it is not nil, with every caller that has joined the
	// read of another. It is not to be changed after the first call.
	Joined func()

	mu   sync.Mutex
	keys map[K]*generation[V]
}

// generation is what runs for a key, and what begins when it ends.
type generation[V any] struct {
	next *flight[V] // nil if nobody waits for it
}

// flight is one read that is shared: that of the first caller who waits for it.
type flight[V any] struct {
	ctx   context.Context // the caller's values, without its end
	read  func(ctx context.Context) (V, error)
	done  chan struct{}
	value V
	err   error
}

// Do returns what a read answers that began after Do was called. A caller that
// finds none running reads by itself, with its own ctx: nobody may share that
// read. Those who come meanwhile share the read of one of them, with the values
// of that one's ctx: all who ask for a key must mean the same. It is not
// cancelled with any of them; each stops waiting when its ctx ends.
func (g *Group[K, V]) Do(ctx context.Context, key K, read func(ctx context.Context) (V, error)) (V, error) {
	current, shared := g.join(ctx, key, read)
	if shared == nil {
		defer g.passOn(key, current)
		return g.inTime(ctx, read)
	}
	if g.Joined != nil {
		g.Joined()
	}
	select {
	case <-shared.done:
		return shared.value, shared.err
	case <-ctx.Done():
		var none V
		return none, ctx.Err()
	}
}

// join returns the read that the caller may share; without one, the caller has
// to read and then to pass on.
func (g *Group[K, V]) join(ctx context.Context, key K, read func(ctx context.Context) (V, error)) (*generation[V], *flight[V]) {
	g.mu.Lock()
	defer g.mu.Unlock()
	current := g.keys[key]
	if current == nil {
		if g.keys == nil {
			g.keys = map[K]*generation[V]{}
		}
		current = &generation[V]{}
		g.keys[key] = current
		return current, nil
	}
	if current.next == nil {
		current.next = &flight[V]{ctx: context.WithoutCancel(ctx), read: read, done: make(chan struct{})}
	}
	return current, current.next
}

// passOn begins the read of those who came while one ran, if anybody did.
func (g *Group[K, V]) passOn(key K, current *generation[V]) {
	if f := g.take(key, current); f != nil {
		go g.run(key, current, f)
	}
}

// run reads, generation after generation, until nobody waits.
func (g *Group[K, V]) run(key K, current *generation[V], f *flight[V]) {
	for ; f != nil; f = g.take(key, current) {
		f.value, f.err = g.inTime(f.ctx, f.read)
		close(f.done)
	}
}

// take returns the read that is to begin now, nil if nobody waits for one.
func (g *Group[K, V]) take(key K, current *generation[V]) *flight[V] {
	g.mu.Lock()
	defer g.mu.Unlock()
	f := current.next
	current.next = nil
	if f == nil {
		delete(g.keys, key)
	}
	return f
}

func (g *Group[K, V]) inTime(ctx context.Context, read func(ctx context.Context) (V, error)) (V, error) {
	if g.Timeout <= 0 {
		return read(ctx)
	}
	bounded, cancel := context.WithTimeoutCause(ctx, g.Timeout, ErrTimeout)
	defer cancel()
	value, err := read(bounded)
	if err != nil && context.Cause(bounded) == ErrTimeout { //nolint:errorlint // the cause itself
		err = ErrTimeout
	}
	return value, err
}
