package rediscache

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"gatefold/application/managecache"
)

const (
	// breakAfter is how many failures in a row say that Redis is gone.
	breakAfter = 8
	// breakFor is how long nobody asks it then, before one reader tries again.
	breakFor = 500 * time.Millisecond
)

// breaker spares readers the wait for a Redis that does not answer. Writers do
// not ask it: they must know, and work again as soon as Redis does.
type breaker struct {
	failures atomic.Int32
	until    atomic.Int64 // nanoseconds since base; readers wait until then
	base     time.Time
	now      func() time.Time
	events   managecache.Recorder
}

func newBreaker(events managecache.Recorder) *breaker {
	return &breaker{base: time.Now(), now: time.Now, events: events}
}

// allow reports whether Redis may be asked. While it is broken, one reader per
// breakFor may.
func (b *breaker) allow() bool {
	if b.failures.Load() < breakAfter {
		return true
	}
	until, now := b.until.Load(), int64(b.now().Sub(b.base))
	return now >= until && b.until.CompareAndSwap(until, now+int64(breakFor))
}

// open reports whether readers are kept from asking Redis, but for one now and then.
func (b *breaker) open() bool { return b.failures.Load() >= breakAfter }

// note takes in how an operation ended; its caller's own end says nothing.
func (b *breaker) note(err error, callerEnded bool) {
	switch {
	case err == nil || errors.Is(err, redis.Nil):
		if b.failures.Load() != 0 && b.failures.Swap(0) >= breakAfter {
			b.events.Count(managecache.BreakerClosed, 1)
		}
	case callerEnded:
	default:
		if b.failures.Add(1) == breakAfter {
			b.until.Store(int64(b.now().Sub(b.base) + breakFor))
			b.events.Count(managecache.BreakerOpened, 1)
		}
	}
}
