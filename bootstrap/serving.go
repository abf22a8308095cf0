package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.uber.org/fx"

	"gatefold/adapters/control"
	"gatefold/adapters/musicfolder"
	"gatefold/adapters/oteltraces"
	"gatefold/adapters/rest"
	"gatefold/application/announce"
	"gatefold/application/bulkapply"
	"gatefold/application/describeimages"
	"gatefold/application/fillmissing"
	"gatefold/application/health"
	"gatefold/application/importlibrary"
	"gatefold/application/verifystore"
	"gatefold/application/warmcache"
	"gatefold/domain/artwork"
)

// Limits against clients that are slow on purpose, beside the router's patience.
const (
	readHeaderTimeout = 10 * time.Second
	idleTimeout       = 2 * time.Minute
	maxHeaderBytes    = 32 << 10
)

// settleTime is how long a music folder must be quiet before it is read again.
const settleTime = 2 * time.Second

// serving is the part of an instance that the outside talks to.
type serving struct {
	cfg      Config
	http     *http.Server
	listener *net.TCPListener
	drain    *drain
	control  *control.Server
	importer *importlibrary.Import
	warm     *warmcache.Warm
	sweep    *verifystore.Sweep
	describe *describeimages.Describe
	bulk     *bulkapply.Runner
	fill     *fillmissing.Runner
	traces   *oteltraces.Traces
	log      *slog.Logger
	failed   chan error // gets the error that ended serving

	stopWatching context.CancelFunc
	watching     chan struct{}  // closed when nothing is watched any more
	background   sync.WaitGroup // warming, sweeping and jobs
}

// work is what an instance does beside answering requests.
type work struct {
	fx.In
	Importer *importlibrary.Import
	Warm     *warmcache.Warm
	Sweep    *verifystore.Sweep
	Describe *describeimages.Describe
	Bulk     *bulkapply.Runner
	Fill     *fillmissing.Runner
	Feed     *announce.Feed
}

func newServing(lc fx.Lifecycle, cfg Config, router *rest.Router, controlServer *control.Server, monitor *health.Monitor, work work, traces *oteltraces.Traces, log *slog.Logger) *serving {
	drain := &drain{delay: cfg.ShutdownDelay, monitor: monitor, log: log}
	s := &serving{
		cfg: cfg, control: controlServer, importer: work.Importer, warm: work.Warm, sweep: work.Sweep, describe: work.Describe, bulk: work.Bulk, fill: work.Fill,
		traces: traces, log: log, failed: make(chan error, 1), drain: drain,
		http: &http.Server{
			Handler: drain.handler(router), ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes,
			ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
		watching: make(chan struct{}),
	}
	rest.DefaultPatience.Apply(s.http)
	// Streams have no end of their own that could be waited for.
	s.http.RegisterOnShutdown(work.Feed.Close)
	lc.Append(fx.Hook{OnStart: s.start, OnStop: s.stop})
	return s
}

// start listens before it returns, so that a port in use fails the start.
func (s *serving) start(ctx context.Context) error {
	listener, err := listenConfig().Listen(ctx, "tcp", s.cfg.ListenAddr)
	if errors.Is(err, syscall.EADDRINUSE) {
		return artwork.Errorf(artwork.Conflict, "LISTEN_ADDR: the port of %s is in use by another program", s.cfg.ListenAddr)
	}
	if err != nil {
		return artwork.Errorf(artwork.InvalidInput, "LISTEN_ADDR: cannot listen on %s: %v", s.cfg.ListenAddr, err)
	}
	s.listener = listener.(*net.TCPListener)
	background, err := s.startRest(ctx)
	if err != nil {
		return errors.Join(err, s.listener.Close())
	}
	if s.cfg.Traces.Endpoint != "" && len(s.cfg.UnreadTracing) > 0 {
		s.log.Warn("Variables of OpenTelemetry are set that Gatefold does not read", "variables", strings.Join(s.cfg.UnreadTracing, " "))
	}
	s.log.Info("Gatefold is serving", append([]any{"address", "http://" + browsable(s.listener.Addr())}, s.cfg.summary()...)...)
	s.background.Go(func() { s.warm.AtStart(background) })
	s.background.Go(func() { s.sweep.Watch(background) })
	s.background.Go(func() { s.describe.Watch(background) })
	s.background.Go(func() { s.bulk.Run(background) })
	s.background.Go(func() { s.fill.Run(background) })
	return nil
}

// startRest returns the context of what runs beside the requests.
func (s *serving) startRest(ctx context.Context) (context.Context, error) {
	watch, err := s.watch()
	if err != nil {
		return nil, err
	}
	if err := s.control.Listen(s.traces.Recorded(ctx), s.cfg.DataDir); err != nil {
		return nil, err
	}
	watching, cancel := context.WithCancel(s.traces.Recorded(context.Background()))
	s.stopWatching = cancel
	go func() {
		defer close(s.watching)
		watch(watching)
	}()
	go func() {
		bound := &boundListener{TCPListener: s.listener, most: maxConnections(), log: s.log}
		if err := s.http.Serve(bound); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- artwork.Wrap(artwork.Internal, "bootstrap.Serve", err)
		}
	}()
	return watching, nil
}

// watch returns what imports the music folder now and whenever it has changed.
func (s *serving) watch() (func(context.Context), error) {
	if s.cfg.MusicDir == "" {
		return func(context.Context) {}, nil
	}
	folder, err := musicfolder.Open(s.cfg.MusicDir, s.log)
	if err != nil {
		return nil, artwork.Errorf(artwork.InvalidInput, "MUSIC_DIR: %v", err)
	}
	return func(ctx context.Context) {
		err := folder.Watch(ctx, settleTime, func() {
			if _, err := s.importer.Run(ctx, importlibrary.Watcher, folder, logObserver{s.log}); err != nil && ctx.Err() == nil {
				s.log.Error("The import failed; the next change of the folder starts another", "error", err.Error())
			}
		})
		if ctx.Err() == nil {
			s.log.Error("The music folder is not watched any more", "error", err.Error())
		}
	}, nil
}

// stop ends what changes things first, and then drains the requests in flight.
// Warming ends with it, also one that a request has asked for, and jobs are left
// to the other instances at once, or to the next start.
func (s *serving) stop(ctx context.Context) error {
	delay := s.drain.begin()
	s.stopWatching()
	s.warm.Close()
	<-s.watching
	s.background.Wait()
	s.drain.finish(ctx, delay, s.listener)
	err := errors.Join(s.control.Shutdown(ctx), s.http.Shutdown(ctx))
	s.log.Info("Gatefold has stopped")
	return err
}

// browsable returns an address that can be typed into a browser: a server that
// listens everywhere is at localhost too.
func browsable(addr net.Addr) string {
	host, port, err := net.SplitHostPort(addr.String())
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsUnspecified() {
		return addr.String()
	}
	return net.JoinHostPort("localhost", port)
}

// logObserver tells the log how an import goes on.
type logObserver struct{ log *slog.Logger }

func (o logObserver) Progress(done, total int) {
	o.log.Debug("Importing", "files", fmt.Sprintf("%d/%d", done, total))
}

func (o logObserver) Skipped(file importlibrary.Skipped) {
	o.log.Warn("Skipped file", "path", file.Path, "reason", file.Reason)
}
