package bootstrap

import (
	"context"
	"fmt"
	"io"
	"time"

	"go.uber.org/fx"

	"gatefold/adapters/control"
	"gatefold/application/warmcache"
	"gatefold/domain/artwork"
	"gatefold/features/lifecycle"
)

// recordRequests has what a server is asked for recorded until after its last
// request: what is composed first is stopped last.
func recordRequests(lc fx.Lifecycle, recorder *warmcache.Recorder) {
	lifecycle.WhileRunning(lc, recorder.Run)
}

// WarmCache implements control.CacheWarmer.
func (o *operations) WarmCache(ctx context.Context, observer warmcache.Observer) (warmcache.Summary, error) {
	return o.warm.Run(ctx, commandLine, observer)
}

type cacheWarmCommand struct{}

// Run warms the cache, by the running server if there is one.
func (cacheWarmCommand) Run(c *command) error {
	cfg, log, err := c.beginQuietly()
	if err != nil {
		return err
	}
	warm := func(verbs control.Verbs) error {
		if err := checkWarmable(c.ctx, verbs); err != nil {
			return err
		}
		progress := newProgressOf(c.stderr, "Warming")
		summary, err := verbs.WarmCache(c.ctx, progress)
		progress.end()
		if err != nil {
			return err
		}
		return printWarmed(c.stdout, summary)
	}
	return withVerbs(c.ctx, cfg, log, warm)
}

// checkWarmable returns an error if the verbs are those of this process and it
// would only warm memory that ends with it.
func checkWarmable(ctx context.Context, verbs control.Verbs) error {
	if _, local := verbs.(*operations); !local {
		return nil
	}
	state, err := verbs.CacheSettings(ctx)
	if err == nil && state.Read.Mode == artwork.CacheMemory {
		err = artwork.Errorf(artwork.NotFound, "the cache is in the memory of the server, and no server is running")
	}
	return err
}

// printWarmed says what a warming did.
func printWarmed(w io.Writer, s warmcache.Summary) error {
	if s.Keys == 0 {
		_, err := fmt.Fprintln(w, "Nothing was requested or changed yet: there is nothing to warm the cache with.")
		return err
	}
	_, err := fmt.Fprintf(w, "%d keys in %s: %d filled, %d of empty slots, %d already there, %d not cached, %d failed\n",
		s.Keys, s.Took.Round(time.Millisecond), s.Filled, s.Empty, s.Present, s.Bypassed, s.Failed)
	return err
}
