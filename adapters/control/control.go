// Package control lets command-line verbs be carried out by the server that is
// running on the same data directory, over a unix socket in it.
//
// An embedded database and a cache in process memory belong to one process. A
// second one that changed something behind its back would leave it stale.
package control

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"gatefold/application/accesstoken"
	"gatefold/application/followsettings"
	"gatefold/application/importlibrary"
	"gatefold/application/managecache"
	"gatefold/application/renderimage"
	"gatefold/application/warmcache"
	"gatefold/domain/artwork"
	"gatefold/domain/deployment"
)

// SocketName is the socket's name in the data directory.
const SocketName = "gatefold.sock"

// Paths of the verbs, and the one that only says that a server is there.
const (
	pingPath       = "/ping"
	importPath     = "/import"
	tokenPath      = "/token"
	statsPath      = "/cache/stats"
	invalidatePath = "/cache/invalidate"
	flushPath      = "/cache/flush"
	settingsPath   = "/cache/settings"
	switchPath     = "/cache/switch"
)

// Importer imports the music folder at an absolute path.
type Importer interface {
	Import(ctx context.Context, dir string, observer importlibrary.Observer) (importlibrary.Summary, error)
}

// TokenCreator makes API tokens.
type TokenCreator interface {
	CreateToken(ctx context.Context, in accesstoken.CreateIn) (secret string, err error)
}

// CacheManager has the operators' verbs on the image cache.
type CacheManager interface {
	CacheStats(ctx context.Context) (managecache.Stats, error)
	InvalidateCache(ctx context.Context, subject artwork.Subject) error
	FlushCache(ctx context.Context) (removed int, err error)
	// CacheSettings returns where the deployment stands.
	CacheSettings(ctx context.Context) (deployment.State, error)
	// SwitchCache moves the deployment; see followsettings.Switch.
	SwitchCache(ctx context.Context, in followsettings.SwitchIn) (deployment.State, error)
}

// Verbs is all that a server carries out.
type Verbs interface {
	Importer
	TokenCreator
	CacheManager
	CacheWarmer
	AccountManager
	UserDeleter
	Filler
	Renderer
	LogLeveler
}

// failure carries an error over the socket with its kind.
type failure struct {
	Kind    string `json:"kind"`
	Message string `json:"message"`
}

// event is one line of the answer to a verb that takes long.
type event struct {
	Done    *int                   `json:"done,omitempty"`
	Total   int                    `json:"total,omitempty"`
	Skipped *importlibrary.Skipped `json:"skipped,omitempty"`
	Summary *importlibrary.Summary `json:"summary,omitempty"`
	Warmed  *warmcache.Summary     `json:"warmed,omitempty"`

	Rendered *renderimage.Filled `json:"rendered,omitempty"`
	Failure  *failure            `json:"failure,omitempty"`
}

// Server carries out verbs for other processes of the same machine. Who may use
// the socket is decided by the permissions of the data directory.
type Server struct {
	verbs Verbs
	log   *slog.Logger
	http  *http.Server
	file  socketFile // while it listens
}

// NewServer returns a server that does not listen yet.
func NewServer(verbs Verbs, log *slog.Logger) *Server {
	s := &Server{verbs: verbs, log: log}
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+pingPath, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("POST "+importPath, s.serveImport)
	mux.HandleFunc("POST "+tokenPath, serve(s, s.createToken))
	mux.HandleFunc("POST "+statsPath, serve(s, s.cacheStats))
	mux.HandleFunc("POST "+invalidatePath, serve(s, s.invalidateCache))
	mux.HandleFunc("POST "+flushPath, serve(s, s.flushCache))
	mux.HandleFunc("POST "+settingsPath, serve(s, s.cacheSettings))
	mux.HandleFunc("POST "+switchPath, serve(s, s.verbs.SwitchCache))
	mux.HandleFunc("POST "+logLevelPath, serve(s, s.logLevel))
	mux.HandleFunc("POST "+warmPath, s.serveWarm)
	mux.HandleFunc("POST "+renderPath, s.serveRender)
	s.accountVerbs(mux)
	s.deletionVerbs(mux)
	s.serveFills(mux)
	s.http = &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	return s
}

// Listen starts to serve on the socket in the data directory, in place of one
// that a dead server left. The caller holds the lock on the directory. If
// several servers share the directory, the socket is that of the last one
// started; each of them can carry out the verbs, which have the values of ctx.
func (s *Server) Listen(ctx context.Context, dataDir string) error {
	listener, file, err := listen(ctx, filepath.Join(dataDir, SocketName))
	if err != nil {
		return artwork.Wrap(artwork.Unavailable, "control.Listen", err)
	}
	s.file = file
	s.http.BaseContext = func(net.Listener) context.Context { return context.WithoutCancel(ctx) }
	go func() {
		if err := s.http.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error("The control socket failed", "error", err.Error())
		}
	}()
	return nil
}

// Shutdown stops listening and ends the verbs under way with ctx.
func (s *Server) Shutdown(ctx context.Context) error {
	s.file.remove()
	if err := s.http.Shutdown(ctx); err != nil {
		return s.http.Close()
	}
	return nil
}

// reply is the answer to a verb: what it returned, or why it failed.
type reply[Out any] struct {
	Out     Out      `json:"out,omitzero"`
	Failure *failure `json:"failure,omitempty"`
}

// serve answers a request with what the verb returns for its body.
func serve[In, Out any](s *Server, verb func(context.Context, In) (Out, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var in In
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		out, err := verb(r.Context(), in)
		s.encode(w, reply[Out]{out, failureOf(err)})
	}
}

// nothing is what a verb takes or returns that has nothing to say.
type nothing struct{}

func (s *Server) createToken(ctx context.Context, in accesstoken.CreateIn) (string, error) {
	return s.verbs.CreateToken(ctx, in)
}

func (s *Server) cacheStats(ctx context.Context, _ nothing) (managecache.Stats, error) {
	return s.verbs.CacheStats(ctx)
}

func (s *Server) invalidateCache(ctx context.Context, subject artwork.Subject) (nothing, error) {
	return nothing{}, s.verbs.InvalidateCache(ctx, subject)
}

func (s *Server) flushCache(ctx context.Context, _ nothing) (int, error) {
	return s.verbs.FlushCache(ctx)
}

func (s *Server) cacheSettings(ctx context.Context, _ nothing) (deployment.State, error) {
	return s.verbs.CacheSettings(ctx)
}

func (s *Server) serveImport(w http.ResponseWriter, r *http.Request) {
	var in importIn
	if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	stream := &streamObserver{server: s, w: w}
	summary, err := s.verbs.Import(r.Context(), in.Dir, stream)
	stream.send(event{Summary: &summary, Failure: failureOf(err)})
}

type importIn struct {
	Dir string `json:"dir"`
}

// streamObserver sends what a verb that takes long observes as lines of JSON.
type streamObserver struct {
	server *Server
	mu     sync.Mutex
	w      http.ResponseWriter
}

func (o *streamObserver) Progress(done, total int) { o.send(event{Done: &done, Total: total}) }

func (o *streamObserver) Skipped(file importlibrary.Skipped) { o.send(event{Skipped: &file}) }

func (o *streamObserver) send(e event) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.server.encode(o.w, e)
	// Whoever waits wants to see progress; if nobody does any more, the
	// request's context ends the import.
	_ = http.NewResponseController(o.w).Flush()
}

func (s *Server) encode(w http.ResponseWriter, v any) {
	if err := json.NewEncoder(w).Encode(v); err != nil {
		s.log.Debug("The control socket's client is gone", "error", err.Error())
	}
}

func failureOf(err error) *failure {
	if err == nil {
		return nil
	}
	return &failure{Kind: artwork.KindOf(err).String(), Message: err.Error()}
}
