// Package loggedcache writes what an ImageCache does to the log, in the lines
// that operators search for.
package loggedcache

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"gatefold/domain/artwork"
)

// Cache logs the hits, fills and invalidations of the cache it decorates, at
// debug level.
type Cache struct {
	inner artwork.ImageCache
	ttl   time.Duration
	log   *slog.Logger
}

var _ artwork.ImageCache = (*Cache)(nil)

// New returns a cache that logs what inner does. ttl is the configured one,
// which the lines name; a key gets 90 to 100 % of it.
func New(inner artwork.ImageCache, ttl time.Duration, log *slog.Logger) *Cache {
	return &Cache{inner, ttl, log}
}

// Fetch implements artwork.ImageCache.
func (c *Cache) Fetch(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
	answer, err := c.inner.Fetch(ctx, key, load)
	if err != nil || !c.log.Enabled(ctx, slog.LevelDebug) {
		return answer, err
	}
	switch answer.Level {
	case artwork.Filled:
		c.log.DebugContext(ctx, fmt.Sprintf("Cached %s for %ds", key, int(c.ttl.Seconds())))
	case artwork.Shared, artwork.Process:
		c.log.DebugContext(ctx, "Cache hit for "+key.String(), "level", answer.Level.String())
	case artwork.Loaded:
		c.log.DebugContext(ctx, "Cache bypassed for "+key.String())
	}
	return answer, nil
}

// Change implements artwork.ImageCache.
func (c *Cache) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	if err := c.inner.Change(ctx, keys, commit); err != nil {
		return err
	}
	if !c.log.Enabled(ctx, slog.LevelDebug) {
		return nil
	}
	logged := map[artwork.Subject]bool{}
	for _, key := range keys {
		if !logged[key.Subject] {
			logged[key.Subject] = true
			kind := key.Subject.Kind.String()
			c.log.DebugContext(ctx, strings.ToUpper(kind[:1])+kind[1:]+" cache invalidated for "+key.Subject.ID.String())
		}
	}
	return nil
}
