package cache

import (
	"log/slog"

	"go.uber.org/fx"

	"gatefold/adapters/rest"
	"gatefold/application/followsettings"
	"gatefold/application/keepactivity"
	"gatefold/application/serveimage"
	"gatefold/application/warmcache"
	"gatefold/domain/fleet"
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

func newWarm(cfg Config, terms *followsettings.Terms, pointers *serveimage.Pointers, requests warmcache.Requests, changes warmcache.Changes,
	claims fleet.Claims, acts *keepactivity.Recorder, log *slog.Logger,
) *warmcache.Warm {
	warm := warmcache.Config{Keys: cfg.WarmKeys, Rate: cfg.WarmRate, Instance: cfg.Name}
	return warmcache.New(warm, terms, pointers, requests, changes, claims, acts, log)
}
