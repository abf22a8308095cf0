package cache

import (
	"log/slog"
	"os"

	"go.uber.org/fx"

	"gatefold/adapters/memory"
	"gatefold/adapters/rest"
	"gatefold/application/serveimage"
	"gatefold/application/warmcache"
)

// warming provides what counts requests and what warms the cache with them.
func warming() fx.Option {
	return fx.Provide(
		warmcache.NewTally,
		func(tally *warmcache.Tally) serveimage.Requests { return tally },
		warmcache.NewRecorder,
		newWarm,
		fx.Annotate(rest.NewWarming, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
	)
}

func newWarm(cfg Config, pointers *serveimage.Pointers, requests warmcache.Requests, changes warmcache.Changes,
	claims warmcache.Claims, log *slog.Logger,
) *warmcache.Warm {
	// A cache in the memory of a process is nothing that another one can warm.
	if cfg.Mode == Memory {
		claims = memory.NewRepository().Claims()
	}
	instance, err := os.Hostname()
	if err != nil {
		instance = "an instance"
	}
	warm := warmcache.Config{Keys: cfg.WarmKeys, Rate: cfg.WarmRate, Caching: cfg.Mode != Off, Instance: instance}
	return warmcache.New(warm, pointers, requests, changes, claims, log)
}
