// Package twolevelcache puts the memory of a process in front of any ImageCache,
// without giving up its promise.
//
// A copy is a lease of bounded term: it counts from before the inner cache was
// asked, and whoever changes something waits that term out after setting its
// fence. So nothing has to be announced to anybody, and nothing can get lost.
package twolevelcache

import (
	"context"
	"time"

	"github.com/maypok86/otter/v2"

	"gatefold/application/managecache"
	"gatefold/domain/artwork"
)

// Cache answers from copies in this process and asks the inner cache when it
// has none that still holds.
type Cache struct {
	inner  artwork.ImageCache
	terms  artwork.CacheTerms
	copies *otter.Cache[artwork.Key, localCopy]
	// maxEntries bounds the copies.
	maxEntries int
	// now is a monotonic clock that counts from some moment, which is quicker to
	// read than the time of day; tests stop it.
	now func() time.Duration
}

type localCopy struct {
	image *artwork.Image
	until time.Duration // on the cache's clock
}

var (
	_ artwork.ImageCache = (*Cache)(nil)
	_ managecache.Local  = (*Cache)(nil)
)

// New returns a cache that keeps at most maxEntries copies, as long as the terms
// say. The inner cache must follow the same terms: it is its Change that waits for
// the copies to expire.
func New(inner artwork.ImageCache, terms artwork.CacheTerms, maxEntries int) *Cache {
	begin := time.Now()
	return &Cache{
		inner:      inner,
		terms:      terms,
		copies:     otter.Must(&otter.Options[artwork.Key, localCopy]{MaximumSize: maxEntries}),
		maxEntries: maxEntries,
		now:        func() time.Duration { return time.Since(begin) },
	}
}

// Fetch implements artwork.ImageCache.
func (c *Cache) Fetch(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
	if err := ctx.Err(); err != nil {
		return artwork.Answer{}, err
	}
	if held, ok := c.copies.GetIfPresent(key); ok && c.now() < held.until {
		return artwork.Answer{Image: held.image, Level: artwork.Process}, nil
	}
	// The term counts from here: what the inner cache says next is true at some
	// moment after this one.
	until := c.now() + c.terms.CopyLife()
	answer, err := c.inner.Fetch(ctx, key, load)
	if err != nil {
		return answer, err
	}
	// What was merely loaded may have been loaded under a fence, and nobody
	// waits for copies of that.
	if answer.Level == artwork.Shared || answer.Level == artwork.Filled || answer.Level == artwork.Process {
		c.copies.Set(key, localCopy{answer.Image, until})
	}
	return answer, nil
}

// Change implements artwork.ImageCache. The inner cache fences and then waits
// until every copy, here and in other processes, has expired.
func (c *Cache) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	return c.inner.Change(ctx, keys, commit)
}

// Inspect implements managecache.Inspector for the copies alone: it knows of no
// leases and fences, which are the inner cache's.
func (c *Cache) Inspect(ctx context.Context, keys []artwork.Key) ([]managecache.Held, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	held := make([]managecache.Held, len(keys))
	for i, key := range keys {
		held[i] = managecache.Held{Holding: managecache.HoldsNothing}
		if e, ok := c.copies.GetEntryQuietly(key); ok {
			if left := e.Value.until - c.now(); left > 0 {
				held[i] = managecache.HeldInMemory(e.Value.image, left)
			}
		}
	}
	return held, nil
}

// Occupied implements managecache.Local.
func (c *Cache) Occupied() managecache.Occupied {
	return managecache.Occupy(c.copies.EstimatedSize(), c.maxEntries, func(yield func(*artwork.Image) bool) {
		for held := range c.copies.Values() {
			if !yield(held.image) {
				return
			}
		}
	})
}

// Drop forgets all copies of this process.
func (c *Cache) Drop() { c.copies.InvalidateAll() }

// flushing flushes both levels.
type flushing struct {
	cache *Cache
	inner managecache.Flusher
}

// Flushing returns what flushes the inner cache and then the copies of this
// process; copies elsewhere expire within their term.
func Flushing(cache *Cache, inner managecache.Flusher) managecache.Flusher {
	return flushing{cache, inner}
}

// Flush implements managecache.Flusher.
func (f flushing) Flush(ctx context.Context) (int, error) {
	removed, err := f.inner.Flush(ctx)
	f.cache.Drop()
	return removed, err
}
