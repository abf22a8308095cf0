package cache

import (
	"log/slog"
	"time"

	"go.uber.org/fx"

	"gatefold/adapters/memory"
	"gatefold/adapters/rediscache"
	"gatefold/adapters/rest"
	"gatefold/application/followsettings"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/features/lifecycle"
)

// watching provides what operators watch the cache by.
func watching() fx.Option {
	return fx.Provide(
		newLookup,
		newMonitor,
		fx.Annotate(rest.NewCacheView, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
	)
}

func newLookup(terms *followsettings.Terms, levels managecache.Levels, images artwork.ImageRepository) *managecache.Lookup {
	return managecache.NewLookup(terms, levels, images)
}

// newMonitor watches the cache as long as the instance runs. Without Redis there is
// nowhere to tell others of it.
func newMonitor(lc fx.Lifecycle, cfg Config, member *followsettings.Membership, terms *followsettings.Terms, counter managecache.Counter,
	levels managecache.Levels, redis *rediscache.Cache, registry followsettings.Registry, log *slog.Logger,
) *managecache.Monitor {
	self := managecache.Instance{ID: member.ID(), Name: cfg.Name, Version: cfg.Version, StartedAt: time.Now().UTC()}
	var board managecache.Board = memory.NewBoard()
	if redis != nil {
		board = redis.Board()
	}
	monitor := managecache.NewMonitor(self, terms, counter, levels, board, registry, log)
	lifecycle.WhileRunning(lc, monitor.Run)
	return monitor
}
