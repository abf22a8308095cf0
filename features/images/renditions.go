package images

import (
	"context"
	"log/slog"
	"runtime"
	"sync"

	"go.uber.org/fx"

	"gatefold/adapters/memory"
	"gatefold/adapters/prommetrics"
	"gatefold/adapters/rediscache"
	"gatefold/application/renderimage"
	"gatefold/application/serveimage"
	"gatefold/domain/artwork"
)

// pixelsPerWorker is what one worker renders in the time that a request waits for it.
const pixelsPerWorker = 200_000_000

// limits leave a processor to those who want what is there already.
func limits() renderimage.Limits {
	workers := max(1, runtime.GOMAXPROCS(0)-1)
	return renderimage.Limits{Workers: workers, Pixels: int64(workers) * pixelsPerWorker}
}

func newRenditions(lc fx.Lifecycle, renderer renderimage.ImageRenderer, originals *serveimage.OpenContent, store artwork.RenditionStore,
	redis *rediscache.Cache, metrics *prommetrics.Metrics, log *slog.Logger,
) *renderimage.Renditions {
	var turns renderimage.Turns = memory.NewTurns()
	if redis != nil {
		turns = redis.Turns()
	}
	renditions := renderimage.New(metrics.Renderer(renderer), originals, store, turns, limits(), log)
	lc.Append(fx.StopHook(renditions.Close))
	return renditions
}

// newAhead returns nil if nothing is to be rendered ahead.
func newAhead(lc fx.Lifecycle, cfg Config, renditions *renderimage.Renditions, images artwork.ImageRepository, log *slog.Logger) *renderimage.Ahead {
	if !cfg.RenderAhead {
		return nil
	}
	ahead := renderimage.NewAhead(renditions, images, log)
	running, stop := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	lc.Append(fx.StartStopHook(
		func() { ended.Go(func() { ahead.Run(running) }) },
		func() {
			stop()
			ended.Wait()
		},
	))
	return ahead
}
