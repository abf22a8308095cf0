// Package observedcache logs and counts what an ImageCache does.
package observedcache

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"time"

	"gatefold/application/managecache"
	"gatefold/domain/artwork"
)

// Cache counts the answers and changes of the cache it decorates and, at debug
// level, logs them in the lines that operators search for.
type Cache struct {
	inner artwork.ImageCache
	ttl   func() time.Duration
	log   *slog.Logger

	answers    [artwork.Process + 1]atomic.Int64
	errors     atomic.Int64
	changes    atomic.Int64
	failed     atomic.Int64
	changeTime atomic.Int64 // nanoseconds, of all changes together
}

var (
	_ artwork.ImageCache  = (*Cache)(nil)
	_ managecache.Counter = (*Cache)(nil)
)

// New returns a cache that observes inner. ttl returns the one in force, which the
// lines name; a key gets 90 to 100 % of it.
func New(inner artwork.ImageCache, ttl func() time.Duration, log *slog.Logger) *Cache {
	return &Cache{inner: inner, ttl: ttl, log: log}
}

// Stats implements managecache.Counter.
func (c *Cache) Stats() managecache.Stats {
	return managecache.Stats{
		ProcessHits: c.answers[artwork.Process].Load(), SharedHits: c.answers[artwork.Shared].Load(),
		Fills: c.answers[artwork.Filled].Load(), Bypasses: c.answers[artwork.Loaded].Load(), Errors: c.errors.Load(),
		Changes: c.changes.Load(), FailedChanges: c.failed.Load(), ChangeTime: time.Duration(c.changeTime.Load()),
	}
}

// Fetch implements artwork.ImageCache.
func (c *Cache) Fetch(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
	answer, err := c.inner.Fetch(ctx, key, load)
	if err != nil {
		c.errors.Add(1)
		return answer, err
	}
	c.answers[answer.Level].Add(1)
	if c.log.Enabled(ctx, slog.LevelDebug) {
		c.logAnswer(ctx, key, answer)
	}
	return answer, nil
}

func (c *Cache) logAnswer(ctx context.Context, key artwork.Key, answer artwork.Answer) {
	switch answer.Level {
	case artwork.Filled:
		c.log.DebugContext(ctx, fmt.Sprintf("Cached %s for %ds", key, int(c.ttl().Seconds())))
	case artwork.Shared, artwork.Process:
		c.log.DebugContext(ctx, "Cache hit for "+key.String(), "level", answer.Level.String())
	case artwork.Loaded:
		c.log.DebugContext(ctx, "Cache bypassed for "+key.String())
	}
}

// Change implements artwork.ImageCache.
func (c *Cache) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	begin := time.Now()
	err := c.inner.Change(ctx, keys, commit)
	c.changes.Add(1)
	c.changeTime.Add(int64(time.Since(begin)))
	if err != nil {
		c.failed.Add(1)
		return err
	}
	if c.log.Enabled(ctx, slog.LevelDebug) {
		c.logChange(ctx, keys)
	}
	return nil
}

func (c *Cache) logChange(ctx context.Context, keys []artwork.Key) {
	logged := map[artwork.Subject]bool{}
	for _, key := range keys {
		if !logged[key.Subject] {
			logged[key.Subject] = true
			kind := key.Subject.Kind.String()
			c.log.DebugContext(ctx, strings.ToUpper(kind[:1])+kind[1:]+" cache invalidated for "+key.Subject.ID.String())
		}
	}
}
