package bootstrap

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/gofrs/flock"
	"go.uber.org/dig"
	"go.uber.org/fx"

	"gatefold/adapters/control"
	"gatefold/adapters/oteltraces"
	"gatefold/adapters/prommetrics"
	"gatefold/adapters/rest"
	"gatefold/application/deletesubjects"
	"gatefold/application/limitrequests"
	"gatefold/application/signimages"
	"gatefold/application/signin"
	"gatefold/application/verifystore"
	"gatefold/features/admin"
	"gatefold/features/cache"
	"gatefold/features/events"
	"gatefold/features/externalmetadata"
	"gatefold/features/health"
	"gatefold/features/identity"
	"gatefold/features/images"
	"gatefold/features/library"
	"gatefold/features/limits"
	"gatefold/features/telemetry"
)

// How long the parts of the life cycle may take.
const (
	startTimeout = 60 * time.Second // migrations of a large database are in it
	stopTimeout  = 30 * time.Second // requests in flight are drained in it, after SHUTDOWN_DELAY
)

// compose returns the whole program but for what it is started for: every
// capability, with the adapters that the configuration asks for.
func compose(cfg Config, log *slog.Logger, more ...fx.Option) fx.Option {
	cfg.Cache.Version = version()
	cfg.Traces.Version = version()
	return fx.Options(
		fx.NopLogger,
		fx.StartTimeout(startTimeout),
		fx.StopTimeout(stopTimeout+cfg.ShutdownDelay),
		fx.Supply(cfg, cfg.shown(), correlated(log)),
		cache.Module(cfg.Cache),
		events.Module(events.Config{Redis: cfg.Cache.Redis}),
		library.Module(library.Config{DatabaseURL: cfg.DatabaseURL, Deletions: deletesubjects.Config{Keep: cfg.DeletedKeep}}),
		images.Module(images.Config{
			Storage: cfg.Storage, DataDir: cfg.DataDir, S3: cfg.S3, BytesCacheMB: cfg.BytesCacheMB,
			Renderer:    cfg.Renderer,
			RenderAhead: cfg.RenderAhead,
			Sweep: verifystore.Config{
				Grace: cfg.OrphanGrace, Instance: cfg.Cache.Name, Keep: cfg.HistoryKeep, KeepDeleted: cfg.DeletedKeep, RenditionBytes: int64(cfg.RenditionsMB) << 20,
			},
		}),
		externalmetadata.Module(externalmetadata.Config{
			AllowHosts: cfg.DownloadAllowHosts,
			UserAgent:  "Gatefold/" + Version,
			Instance:   cfg.Cache.Name,

			DecodeMemoryMB: cfg.DecodeMemoryMB,
			Providers:      cfg.Providers, PinnedProviders: cfg.PinnedProviders,
		}),
		admin.Module(admin.Config{KeepActivity: cfg.KeepActivity}),
		identity.Module(cfg.Identity),
		health.Module(health.Config{Version: version()}),
		limits.Module(limits.Config{Limits: cfg.HTTP.Limits}),
		telemetry.Module(telemetry.Config{Version: version(), Renderer: cfg.Renderer.InForce(), SampleShare: cfg.SampleShare, BackupDir: cfg.Backup.Dir, Traces: cfg.Traces}),
		fx.Provide(
			newFills,
			newDeletions,
			newRenderings,
			newLevels,
			newOperations,
			func(operations *operations) control.Verbs { return operations },
			fx.Annotate(newRouter, fx.ParamTags(``, ``, ``, ``, ``, ``, ``, `group:"routes"`)),
			control.NewServer,
		),
		fx.Options(more...),
	)
}

func newRouter(cfg Config, authenticate *signin.Authenticate, limiter *limitrequests.Limiter, signer *signimages.Signer, metrics *prommetrics.Metrics, traces *oteltraces.Traces,
	log *slog.Logger, routes []rest.Routes,
) (*rest.Router, error) {
	options, err := cfg.HTTP.options(limiter, signer)
	if err != nil {
		return nil, err
	}
	if traces != nil {
		options = append(options, rest.WithTracer(traces))
	}
	router := rest.NewRouter(authenticate, cfg.HTTP.TrustedProxies, log, routes, append(options, rest.WithMeter(metrics))...)
	for _, e := range router.Endpoints() {
		metrics.ExpectRoute(e.Method, e.Path, router.Codes(e))
	}
	return router, nil
}

// App is one instance: a server, or the parts of one that a command needs. It
// holds the data directory from Open to Close.
type App struct {
	fx   *fx.App
	lock *flock.Flock
}

// open takes the data directory and starts every part. What goes wrong is said
// by the part itself, without the layers around it.
func open(ctx context.Context, cfg Config, log *slog.Logger, more ...fx.Option) (*App, error) {
	lock, err := lockDataDir(cfg)
	if err != nil {
		return nil, err
	}
	keys, err := openKeyring(cfg)
	if err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	app := &App{fx: fx.New(compose(cfg, log, append(more, fx.Supply(keys))...)), lock: lock}
	err = app.fx.Err()
	if err == nil {
		ctx, cancel := context.WithTimeout(ctx, app.fx.StartTimeout())
		defer cancel()
		err = app.fx.Start(ctx)
	}
	if err != nil {
		_ = lock.Unlock() // what went wrong first is what to tell
		return nil, dig.RootCause(err)
	}
	return app, nil
}

// Close drains the requests in flight, ends what runs in the background, closes
// every pool and gives the data directory back.
func (a *App) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), a.fx.StopTimeout())
	defer cancel()
	return errors.Join(a.fx.Stop(ctx), a.lock.Unlock())
}

// Server is an instance that serves HTTP. Its operations are carried out in this
// process.
type Server struct {
	*App
	*operations
	serving *serving
	health  *healthPort
}

// asServer adds to the program what only a server does. What is started before it serves
// is named before what asks for it to serve.
func asServer() fx.Option {
	return fx.Options(fx.Provide(newServing), fx.Invoke(ensureFirstAdmin, recordRequests, offerFirstRun), admin.Trimming())
}

// Serve starts an instance. When it returns, the instance answers requests. A
// port in use or a database that cannot be reached is an error. More options put
// something between two parts, or in place of one.
func Serve(ctx context.Context, cfg Config, log *slog.Logger, more ...fx.Option) (*Server, error) {
	port, err := openHealthPort(ctx, cfg.HealthAddr)
	if err != nil {
		return nil, err
	}
	server := &Server{health: port}
	more = append(more, asServer(), fx.Populate(&server.serving, &server.operations))
	if server.App, err = open(ctx, cfg, log, more...); err != nil {
		return nil, errors.Join(err, port.close())
	}
	port.follow(server.serving.http.Handler)
	return server, nil
}

// Close is App's. The health port answers until all is over.
func (s *Server) Close() error { return errors.Join(s.App.Close(), s.health.close()) }

// Addr is the address that the instance listens on, as HOST:PORT.
func (s *Server) Addr() string { return s.serving.listener.Addr().String() }
