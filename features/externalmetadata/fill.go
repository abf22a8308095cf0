package externalmetadata

import (
	"log/slog"
	"time"

	"go.uber.org/fx"

	"gatefold/adapters/rest"
	"gatefold/application/announce"
	"gatefold/application/applyimage"
	"gatefold/application/fillmissing"
	"gatefold/application/findimages"
)

// fill provides the use cases of fillmissing and their routes.
func fill() fx.Option {
	return fx.Provide(
		func() fillmissing.Clock { return time.Now },
		func(recorder *findimages.Recorder) fillmissing.Considered { return recorder },
		fillmissing.NewSources,
		fx.Annotate(announce.NewFillProgress, fx.As(new(fillmissing.Progress))),
		newFillRunner,
		fillmissing.NewManage,
		fx.Annotate(rest.NewFill, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
	)
}

// filling is what a runner works with.
type filling struct {
	fx.In
	Jobs       fillmissing.Jobs
	Gaps       fillmissing.Gaps
	Sources    *fillmissing.Sources
	Applier    *applyimage.Applier
	Downloader applyimage.Downloader
	Progress   fillmissing.Progress
	Considered fillmissing.Considered
	Now        fillmissing.Clock
}

func newFillRunner(cfg Config, f filling, log *slog.Logger) *fillmissing.Runner {
	return fillmissing.NewRunner(cfg.Instance, f.Jobs, f.Gaps, f.Sources, f.Applier, f.Downloader, f.Progress, f.Considered, f.Now, log)
}
