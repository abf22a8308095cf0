package rediscache

import (
	"context"
	"time"

	"gatefold/application/managecache"
)

const (
	// sweepEvery is how often an instance looks for changes of dead writers.
	sweepEvery = 2 * time.Second
	// sweepLimit is how many it finishes at a time.
	sweepLimit = 100
)

// Sweep finishes what writers left that died between their commit and the end of
// their fence, until ctx ends. Every instance does so; that several finish the
// same change harms nobody.
func (c *Cache) Sweep(ctx context.Context) {
	ticker := time.NewTicker(sweepEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		if n, err := c.sweepOnce(ctx); err != nil && ctx.Err() == nil {
			c.log.DebugContext(ctx, "Changes left by dead writers cannot be finished yet", "error", err.Error())
		} else if n > 0 {
			c.log.InfoContext(ctx, "Finished changes that their writers left", "changes", n)
		}
	}
}

// sweepOnce evicts the keys of overdue changes, and then forgets them: a value
// that was stored before the commit, because the writer's fence was lost, would
// otherwise live for its whole term.
func (c *Cache) sweepOnce(ctx context.Context) (finished int, err error) {
	overdue, err := c.changes.Overdue(ctx, sweepLimit)
	if err != nil {
		return 0, err
	}
	for _, change := range overdue {
		names := make([]string, len(change.Keys))
		for i, key := range change.Keys {
			names[i] = key.String()
		}
		if _, err := evict(ctx, c.rdb, names); err != nil {
			return finished, err
		}
		if err := c.changes.Finish(ctx, change.Token); err != nil {
			return finished, err
		}
		c.events.Count(managecache.SweptChange, 1)
		finished++
	}
	return finished, nil
}
