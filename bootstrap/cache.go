package bootstrap

import (
	"context"
	"encoding/json"
	"fmt"

	"gatefold/adapters/control"
	"gatefold/domain/artwork"
)

// cacheCommand has the operators' verbs on the image cache.
type cacheCommand struct {
	Stats      cacheStatsCommand      `cmd:"" help:"Print what the running server's cache has done since it started."`
	Invalidate cacheInvalidateCommand `cmd:"" help:"Drop what is cached of one subject, on all instances."`
	Warm       cacheWarmCommand       `cmd:"" help:"Fill the cache with what was requested most and what changed last."`
	Flush      cacheFlushCommand      `cmd:"" help:"Drop everything that is cached (image:* in Redis), and nothing else."`
}

type cacheStatsCommand struct{}

// Run asks the running server: the counters are in its memory.
func (cacheStatsCommand) Run(c *command) error {
	cfg, _, err := c.beginQuietly()
	if err != nil {
		return err
	}
	client, err := control.Dial(c.ctx, cfg.DataDir)
	if err != nil {
		return err
	}
	stats, err := client.CacheStats(c.ctx)
	if err != nil {
		return err
	}
	counters, err := json.MarshalIndent(stats, "", "  ")
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, "%s\nhit rate %.1f %%, a change takes %s on average\n", counters, 100*stats.HitRate(), stats.MeanChange())
	return err
}

type cacheInvalidateCommand struct {
	Kind string `arg:"" enum:"artist,album,user" help:"artist, album or user."`
	ID   string `arg:"" help:"Its UUID."`
}

// Run invalidates a subject.
func (i cacheInvalidateCommand) Run(c *command) error {
	kind, err := artwork.ParseSubjectKind(i.Kind)
	if err != nil {
		return err
	}
	id, err := artwork.ParseID(i.ID)
	if err != nil {
		return err
	}
	subject := artwork.Subject{Kind: kind, ID: id}
	return c.withCache(func(ctx context.Context, verbs control.Verbs) error {
		if err := verbs.InvalidateCache(ctx, subject); err != nil {
			return err
		}
		_, err := fmt.Fprintf(c.stdout, "Nothing is cached of %s any more.\n", subject)
		return err
	})
}

type cacheFlushCommand struct{}

// Run flushes the cache.
func (cacheFlushCommand) Run(c *command) error {
	return c.withCache(func(ctx context.Context, verbs control.Verbs) error {
		removed, err := verbs.FlushCache(ctx)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(c.stdout, "%d pointers were removed.\n", removed)
		return err
	})
}

func (c *command) withCache(do func(context.Context, control.Verbs) error) error {
	cfg, log, err := c.beginQuietly()
	if err != nil {
		return err
	}
	return withVerbs(c.ctx, cfg, log, func(verbs control.Verbs) error { return do(c.ctx, verbs) })
}
