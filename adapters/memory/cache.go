// Package memory implements every domain port in the memory of one process: the
// embedded default for the cache, and the double that tests run on.
package memory

import (
	"context"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"gatefold/application/managecache"
	"gatefold/domain/artwork"
)

// Cache is an ImageCache for a deployment of exactly one process. It is bounded
// in entries and has no timers: expired entries are found by the readers.
//
// A fence is a count of changes under way per key, a lease is a group of loads
// under way: a change voids the group, and a void group fills nothing.
type Cache struct {
	terms      artwork.CacheTerms
	events     managecache.Recorder
	maxEntries int
	entries    *otter.Cache[artwork.Key, entry]

	mu     sync.Mutex
	fences map[artwork.Key]int
	leases map[artwork.Key]*lease
}

type entry struct {
	image *artwork.Image
	until time.Time
}

type lease struct {
	loads int
	void  bool
}

var (
	_ artwork.ImageCache  = (*Cache)(nil)
	_ managecache.Flusher = (*Cache)(nil)
)

// NewCache returns an empty cache that holds at most maxEntries pointers.
func NewCache(terms artwork.CacheTerms, maxEntries int, events managecache.Recorder) *Cache {
	return &Cache{
		terms:      terms,
		events:     events,
		maxEntries: maxEntries,
		entries:    otter.Must(&otter.Options[artwork.Key, entry]{MaximumSize: maxEntries}),
		fences:     map[artwork.Key]int{},
		leases:     map[artwork.Key]*lease{},
	}
}

// Fetch implements artwork.ImageCache.
func (c *Cache) Fetch(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
	if err := ctx.Err(); err != nil {
		return artwork.Answer{}, err
	}
	if e, ok := c.entries.GetIfPresent(key); ok && time.Now().Before(e.until) {
		return artwork.Answer{Image: e.image, Level: artwork.Process}, nil
	}
	l := c.beginLoad(key)
	img, err := load(ctx)
	if filled := c.endLoad(key, l, img, err); filled {
		return artwork.Answer{Image: img, Level: artwork.Filled}, nil
	}
	return artwork.Answer{Image: img, Level: artwork.Loaded}, err
}

// beginLoad joins the lease of the loads under way, or opens one. Under a fence
// there is none.
func (c *Cache) beginLoad(key artwork.Key) *lease {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.fences[key] > 0 {
		c.events.Count(managecache.FenceMet, 1)
		c.events.Count(managecache.FallbackFence, 1)
		return nil
	}
	c.events.Count(managecache.Miss, 1)
	l := c.leases[key]
	if l == nil {
		l = &lease{}
		c.leases[key] = l
	}
	l.loads++
	return l
}

// endLoad stores what was loaded unless a change began since the load did.
func (c *Cache) endLoad(key artwork.Key, l *lease, img *artwork.Image, err error) bool {
	if l == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if l.loads--; l.loads == 0 && !l.void {
		delete(c.leases, key)
	}
	if err != nil {
		return false
	}
	if l.void {
		c.events.Count(managecache.RefusedFenced, 1)
		return false
	}
	c.entries.Set(key, entry{img, time.Now().Add(c.terms.EntryTTL(img))})
	return true
}

// Change implements artwork.ImageCache.
func (c *Cache) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	keys, err := artwork.DistinctKeys(keys)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.fence(keys)
	defer c.unfence(keys)
	if len(keys) > 0 {
		c.waitForCopies()
	}
	fence := artwork.Unfenced()
	fence.Keys = keys
	begin := time.Now()
	err = commit(context.WithoutCancel(ctx), fence)
	c.events.Took(managecache.StepCommit, time.Since(begin))
	return err
}

// waitForCopies waits until what a level above this one has copied has expired.
func (c *Cache) waitForCopies() {
	begin := time.Now()
	time.Sleep(c.terms.CopyWait())
	c.events.Took(managecache.StepCopyWait, time.Since(begin))
}

func (c *Cache) fence(keys []artwork.Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range keys {
		c.fences[key]++
		if l := c.leases[key]; l != nil {
			l.void = true
			delete(c.leases, key)
		}
		c.entries.Invalidate(key)
	}
}

func (c *Cache) unfence(keys []artwork.Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, key := range keys {
		if c.fences[key]--; c.fences[key] == 0 {
			delete(c.fences, key)
		}
	}
}

// Flush implements managecache.Flusher. Loads under way may still fill: they read
// what is in force.
func (c *Cache) Flush(context.Context) (int, error) {
	removed := c.entries.EstimatedSize()
	c.entries.InvalidateAll()
	return removed, nil
}

// Drop forgets everything, and what is being loaded now is not stored: somebody
// may have changed something without this cache.
func (c *Cache) Drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range c.leases {
		l.void = true
	}
	clear(c.leases)
	c.entries.InvalidateAll()
}

// NoCache is an ImageCache that caches nothing: every Fetch loads. It is for
// rolling back, and for finding out what a cache is worth.
type NoCache struct{}

var (
	_ artwork.ImageCache  = NoCache{}
	_ managecache.Flusher = NoCache{}
)

// Fetch implements artwork.ImageCache by loading.
func (NoCache) Fetch(ctx context.Context, _ artwork.Key, load artwork.Load) (artwork.Answer, error) {
	if err := ctx.Err(); err != nil {
		return artwork.Answer{}, err
	}
	img, err := load(ctx)
	return artwork.Answer{Image: img, Level: artwork.Loaded}, err
}

// Change implements artwork.ImageCache by committing.
func (NoCache) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	keys, err := artwork.DistinctKeys(keys)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	fence := artwork.Unfenced()
	fence.Keys = keys
	return commit(context.WithoutCancel(ctx), fence)
}

// Flush implements managecache.Flusher: there is nothing to remove.
func (NoCache) Flush(context.Context) (int, error) { return 0, nil }
