// Package externalmetadata plugs in what brings new images in force: downloads,
// checks, and the acts that apply them.
package externalmetadata

import (
	"log/slog"

	"go.uber.org/fx"

	"gatefold/adapters/imagecheck"
	"gatefold/adapters/oteltraces"
	"gatefold/adapters/prommetrics"
	"gatefold/adapters/providers"
	"gatefold/adapters/rest"
	"gatefold/adapters/safefetch"
	"gatefold/application/announce"
	"gatefold/application/applyimage"
	"gatefold/application/bulkapply"
	"gatefold/application/explainimage"
	"gatefold/application/importlibrary"
)

// Config says where images may be downloaded from.
type Config struct {
	AllowHosts []string // host:port, exempt from the check of private addresses
	UserAgent  string
	Instance   string // names this process to people
	// DecodeMemoryMB is how much memory the checks of images may take at once.
	DecodeMemoryMB int
	Providers      providers.Config
	// PinnedProviders are the variables of Providers that say something else than the
	// default: the settings cannot change it.
	PinnedProviders map[string]string
}

// Module provides the use cases of applyimage, bulkapply, explainimage, findimages and
// providersettings, and their routes.
func Module(cfg Config) fx.Option {
	return fx.Module("externalmetadata",
		fx.Supply(cfg),
		search(),
		settings(),
		fill(),
		fx.Provide(
			fx.Annotate(newInspector, fx.As(fx.Self()), fx.As(new(applyimage.Inspector)), fx.As(new(importlibrary.Inspector))),
			newFetcher,
			newDownloader,
			applyimage.NewApplier,
			applyimage.NewApplyArtistAvatar,
			applyimage.NewApplyAlbumCover,
			applyimage.NewApplyUserAvatar,
			applyimage.NewUploadImage,
			applyimage.NewApplyUploadedImage,
			applyimage.NewUploadedImages,
			applyimage.NewRestoreImage,
			applyimage.NewHistory,
			applyimage.NewReviseSlot,
			applyimage.NewPurgeImages,
			explainimage.NewExplain,
			fx.Annotate(announce.NewBulkProgress, fx.As(new(bulkapply.Progress))),
			newRunner,
			bulkapply.NewSubmit,
			bulkapply.NewWatch,
			bulkapply.NewManage,
			fx.Annotate(rest.NewBulk, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
			fx.Annotate(rest.NewMetadata, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
			fx.Annotate(rest.NewRevisions, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
			fx.Annotate(rest.NewWhy, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
			fx.Annotate(rest.NewHistory, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
		),
	)
}

func newInspector(cfg Config) *imagecheck.Inspector {
	return imagecheck.New(int64(cfg.DecodeMemoryMB) << 20)
}

func newFetcher(cfg Config, traces *oteltraces.Traces) *safefetch.Fetcher {
	return safefetch.New(cfg.AllowHosts, cfg.UserAgent, safefetch.Through(traces.Transport))
}

func newDownloader(fetcher *safefetch.Fetcher, metrics *prommetrics.Metrics, traces *oteltraces.Traces) applyimage.Downloader {
	return traces.Downloader(metrics.Downloader(fetcher))
}

func newRunner(cfg Config, jobs bulkapply.Jobs, applier *applyimage.Applier, downloader applyimage.Downloader, progress bulkapply.Progress, log *slog.Logger) *bulkapply.Runner {
	return bulkapply.NewRunner(cfg.Instance, jobs, applier, downloader, progress, log)
}
