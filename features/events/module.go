// Package events plugs in the log through which all instances tell their clients
// what has changed.
package events

import (
	"log/slog"

	"go.uber.org/fx"

	"gatefold/adapters/memory"
	"gatefold/adapters/prommetrics"
	"gatefold/adapters/rediscache"
	"gatefold/adapters/rest"
	"gatefold/application/announce"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/features/lifecycle"
)

// Config says where the log is.
type Config struct {
	Redis rediscache.Options // if none is configured, the log is in process memory
}

// Module provides the feed of events with its route, and what announces changes.
func Module(cfg Config) fx.Option {
	return fx.Module("events",
		fx.Supply(cfg),
		fx.Provide(
			openLog,
			newFeed,
			newAnnouncer,
			fx.Annotate(newRoutes, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
		),
	)
}

func openLog(lc fx.Lifecycle, cfg Config, log *slog.Logger) (announce.Log, error) {
	if !cfg.Redis.Configured() {
		return memory.NewEventLog(), nil
	}
	events, err := rediscache.OpenEventLog(cfg.Redis, log)
	if err != nil {
		return nil, err
	}
	lc.Append(fx.StopHook(events.Close))
	return events, nil
}

// newFeed follows the log as long as the instance runs.
func newFeed(lc fx.Lifecycle, events announce.Log, log *slog.Logger) *announce.Feed {
	feed := announce.NewFeed(events, log)
	lifecycle.WhileRunning(lc, feed.Run)
	return feed
}

func newAnnouncer(lc fx.Lifecycle, feed *announce.Feed, changes announce.Changes, images artwork.ImageRepository,
	artists catalog.Artists, albums catalog.Albums, users catalog.Users, bin catalog.Bin, log *slog.Logger,
) *announce.Announcer {
	announcer := announce.NewAnnouncer(feed, changes, images, announce.Names{Artists: artists, Albums: albums, Users: users, Deleted: bin}, log)
	lifecycle.WhileRunning(lc, announcer.Run)
	return announcer
}

func newRoutes(feed *announce.Feed, metrics *prommetrics.Metrics) *rest.Events {
	routes := rest.NewEvents(feed, rest.DefaultStreamLimits)
	metrics.Gauge("event_streams", "Open streams of live events.", func() float64 { return float64(routes.Open()) })
	return routes
}
