package bootstrap

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"gatefold/adapters/control"
	"gatefold/application/followsettings"
	"gatefold/domain/artwork"
	"gatefold/domain/deployment"
)

// cacheCommand has the operators' verbs on the image cache.
type cacheCommand struct {
	Stats      cacheStatsCommand      `cmd:"" help:"Print what the running server's cache has done since it started."`
	Invalidate cacheInvalidateCommand `cmd:"" help:"Drop what is cached of one subject, on all instances."`
	Warm       cacheWarmCommand       `cmd:"" help:"Fill the cache with what was requested most and what changed last."`
	Flush      cacheFlushCommand      `cmd:"" help:"Drop everything that is cached (image:* in Redis), and nothing else."`
	Mode       cacheModeCommand       `cmd:"" help:"Print the settings that all instances follow, or change them while the instances run."`
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

type cacheModeCommand struct {
	Mode     string        `arg:"" optional:"" enum:"redis,twolevel,off," default:"" help:"redis, twolevel or off; nothing to leave it as it is."`
	CacheTTL time.Duration `name:"cache-ttl" help:"How long an image stays cached, such as 300s."`
	L1TTL    time.Duration `name:"l1-ttl" help:"How long a copy in process memory may be used, such as 1s."`
}

// Run prints the settings or, if any are named, moves the deployment to them.
func (m cacheModeCommand) Run(c *command) error {
	cfg, log, err := c.beginQuietly()
	if err != nil {
		return err
	}
	// Whoever changes the settings must not be refused for the present ones.
	cfg.Cache.Wish.Returning = true
	in := followsettings.SwitchIn{Mode: artwork.CacheMode(m.Mode), TTL: m.CacheTTL, L1TTL: m.L1TTL}
	return withVerbs(c.ctx, cfg, log, func(verbs control.Verbs) error {
		if in == (followsettings.SwitchIn{}) {
			state, err := verbs.CacheSettings(c.ctx)
			if err != nil {
				return err
			}
			return c.printState(state)
		}
		fmt.Fprintln(c.stderr, "Waiting for every instance to follow …")
		state, err := verbs.SwitchCache(c.ctx, in)
		if err != nil {
			return err
		}
		return c.printState(state)
	})
}

func (c *command) printState(state deployment.State) error {
	_, err := fmt.Fprintln(c.stdout, state.String())
	for _, m := range state.Members {
		if m.Live && err == nil {
			_, err = fmt.Fprintf(c.stdout, "  %s\n", m.Name)
		}
	}
	return err
}

func (c *command) withCache(do func(context.Context, control.Verbs) error) error {
	cfg, log, err := c.beginQuietly()
	if err != nil {
		return err
	}
	return withVerbs(c.ctx, cfg, log, func(verbs control.Verbs) error { return do(c.ctx, verbs) })
}
