// Package observedcache logs what an ImageCache does, and has its answers and
// changes counted.
package observedcache

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"gatefold/application/managecache"
	"gatefold/domain/artwork"
)

// Cache tells a recorder of the answers and changes of the cache it decorates
// and, at debug level, logs them in the lines that operators search for.
type Cache struct {
	inner  artwork.ImageCache
	ttl    func() time.Duration
	events managecache.Recorder
	log    *slog.Logger
}

var _ artwork.ImageCache = (*Cache)(nil)

// New returns a cache that observes inner. ttl returns the one in force, which the
// lines name; a key gets 90 to 100 % of it.
func New(inner artwork.ImageCache, ttl func() time.Duration, events managecache.Recorder, log *slog.Logger) *Cache {
	return &Cache{inner, ttl, events, log}
}

// answered are the events of the levels, and read what they take.
var (
	answered = [...]managecache.Event{
		artwork.Loaded: managecache.Bypass, artwork.Filled: managecache.Fill,
		artwork.Shared: managecache.SharedHit, artwork.Process: managecache.ProcessHit,
	}
	read = [...]managecache.Step{
		artwork.Loaded: managecache.ReadPast, artwork.Filled: managecache.ReadAndFilled,
		artwork.Shared: managecache.ReadFromShared, artwork.Process: managecache.ReadFromProcess,
	}
)

// Fetch implements artwork.ImageCache.
func (c *Cache) Fetch(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
	begin := time.Now()
	answer, err := c.inner.Fetch(ctx, key, load)
	took := time.Since(begin)
	if err != nil {
		c.events.Count(managecache.ReadFailed, 1)
		c.events.Took(managecache.ReadInVain, took)
		return answer, err
	}
	c.events.Count(answered[answer.Level], 1)
	c.events.Took(read[answer.Level], took)
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
	c.events.Took(managecache.StepAll, time.Since(begin))
	c.events.Count(managecache.Changed, 1)
	if err != nil {
		c.events.Count(managecache.ChangeFailed, 1)
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
