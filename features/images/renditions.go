package images

import (
	"context"
	"log/slog"
	"runtime"
	"time"

	"go.uber.org/fx"

	"gatefold/adapters/bunrepo"
	"gatefold/adapters/memory"
	"gatefold/adapters/oteltraces"
	"gatefold/adapters/prommetrics"
	"gatefold/adapters/rediscache"
	"gatefold/application/renderimage"
	"gatefold/application/serveimage"
	"gatefold/domain/artwork"
	"gatefold/features/lifecycle"
)

// pixelsPerWorker is what one worker renders in the time that a request waits for it.
const pixelsPerWorker = 200_000_000

// standInAfter is longer than a rendering takes that need not queue.
const standInAfter = time.Second

// newLimits leave a processor to those who want what is there already.
func newLimits() renderimage.Limits {
	workers := max(1, runtime.GOMAXPROCS(0)-1)
	return renderimage.Limits{Workers: workers, Pixels: int64(workers) * pixelsPerWorker, StandInAfter: standInAfter}
}

func newRenditions(lc fx.Lifecycle, renderer renderimage.ImageRenderer, originals *serveimage.OpenContent, store artwork.RenditionStore,
	redis *rediscache.Cache, db *bunrepo.DB, limits renderimage.Limits, metrics *prommetrics.Metrics, traces *oteltraces.Traces, log *slog.Logger,
) *renderimage.Renditions {
	turns := newTurns(redis, db)
	renditions := renderimage.New(traces.Renderer(metrics.Renderer(renderer)), originals, store, turns, limits, log)
	lc.Append(fx.StopHook(renditions.Close))
	return renditions
}

// newTurns returns those that all instances share, of which a database in a file has
// one.
func newTurns(redis *rediscache.Cache, db *bunrepo.DB) renderimage.Turns {
	switch {
	case redis != nil:
		return redis.Turns()
	case db.Kind() == "postgres":
		return bunrepo.NewTurns(db)
	default:
		return memory.NewTurns()
	}
}

func newFill(renditions *renderimage.Renditions, images artwork.ImageRepository, places artwork.ChangeLog, log *slog.Logger) *renderimage.Fill {
	return renderimage.NewFill(renditions, images, places, log)
}

// newAhead returns nil if nothing is to be rendered ahead.
func newAhead(lc fx.Lifecycle, cfg Config, renditions *renderimage.Renditions, images artwork.ImageRepository, traces *oteltraces.Traces, log *slog.Logger) *renderimage.Ahead {
	if !cfg.RenderAhead {
		return nil
	}
	ahead := renderimage.NewAhead(renditions, images, log)
	lifecycle.WhileRunning(lc, func(ctx context.Context) { ahead.Run(traces.Recorded(ctx)) })
	return ahead
}
