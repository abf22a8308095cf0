// Package telemetry plugs in what tells operators how the program is doing: metrics, traces, and
// the comparison of cached answers with the database.
package telemetry

import (
	"context"
	"log/slog"

	"go.uber.org/fx"

	"gatefold/adapters/backupfolder"
	"gatefold/adapters/bunrepo"
	"gatefold/adapters/oteltraces"
	"gatefold/adapters/prommetrics"
	"gatefold/adapters/rest"
	"gatefold/application/backup"
	"gatefold/application/health"
	"gatefold/application/managecache"
	"gatefold/application/samplehits"
	"gatefold/domain/artwork"
	"gatefold/features/lifecycle"
)

// Config says what the program calls itself, and how closely it is watched.
type Config struct {
	Version  string
	Renderer string
	// SampleShare of the answers of the cache are compared with the database, 0 to 1.
	SampleShare float64
	BackupDir   string // whose latest backup is told of; "": there is none
	Traces      oteltraces.Config
}

// Module provides the metrics, their route, the traces, and the sampler.
func Module(cfg Config) fx.Option {
	return fx.Module("telemetry",
		fx.Supply(cfg),
		fx.Provide(
			newMetrics,
			newTraces,
			newSampler,
			fx.Annotate(newRoutes, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
		),
	)
}

func newMetrics(cfg Config) *prommetrics.Metrics { return prommetrics.New(cfg.Version, cfg.Renderer) }

// newTraces returns nil if nothing is traced. It is made before everything that it records, so
// that it is stopped after that.
func newTraces(lc fx.Lifecycle, cfg Config, metrics *prommetrics.Metrics, log *slog.Logger) *oteltraces.Traces {
	traces := oteltraces.New(cfg.Traces, metrics, log)
	lc.Append(fx.StartStopHook(traces.Start, traces.Close))
	return traces
}

func newSampler(lc fx.Lifecycle, cfg Config, images artwork.ImageRepository, metrics *prommetrics.Metrics, log *slog.Logger) *samplehits.Sampler {
	sampler := samplehits.New(images, cfg.SampleShare, metrics, log)
	lifecycle.WhileRunning(lc, sampler.Run)
	return sampler
}

// newRoutes exports what all other parts can tell.
func newRoutes(lc fx.Lifecycle, cfg Config, metrics *prommetrics.Metrics, monitor *health.Monitor, counter managecache.Counter, levels managecache.Levels, backlog *bunrepo.Backlog) *rest.Metrics {
	if cfg.BackupDir != "" {
		metrics.Polled("backup_last_timestamp_seconds", "When the latest backup was begun that lacks nothing; 0 if there is none.", nil, func(ctx context.Context) ([]prommetrics.Sample, error) {
			at, err := lastBackup(ctx, cfg.BackupDir)
			return []prommetrics.Sample{{Value: at}}, err
		})
	}
	metrics.Parts(monitor)
	metrics.CacheCounts(counter, levels)
	metrics.Polled("jobs", "Jobs that have not ended, by kind and state.", []string{"kind", "state"}, func(ctx context.Context) ([]prommetrics.Sample, error) {
		counts, err := backlog.Count(ctx)
		samples := make([]prommetrics.Sample, len(counts))
		for i, c := range counts {
			samples[i] = prommetrics.Sample{Labels: []string{c.Kind, c.State}, Value: float64(c.Jobs)}
		}
		return samples, err
	})
	lifecycle.WhileRunning(lc, metrics.Poll)
	return rest.NewMetrics(metrics.Handler())
}

func lastBackup(ctx context.Context, dir string) (float64, error) {
	folder, err := backupfolder.Inspect(dir)
	if err != nil {
		return 0, err
	}
	at, err := backup.LastComplete(ctx, folder)
	return float64(at.Unix()), err
}
