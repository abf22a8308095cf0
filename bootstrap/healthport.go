package bootstrap

import (
	"context"
	"net"
	"net/http"
	"slices"
	"sync/atomic"

	"gatefold/adapters/rest"
	"gatefold/application/health"
	"gatefold/domain/artwork"
)

// healthPaths are all that HEALTH_ADDR answers.
var healthPaths = []string{"/health", "/health/live", "/health/ready"}

// healthPort answers health checks, and nothing else, on a port of its own: from the
// first moment of a start, when the schema is being migrated and nobody listens on
// LISTEN_ADDR yet, to the last of a stop; and however many connections others have.
type healthPort struct {
	server  *http.Server
	instead atomic.Pointer[http.Handler] // nil as long as the instance starts
}

// openHealthPort listens on an address; there is none if it is empty.
func openHealthPort(ctx context.Context, address string) (*healthPort, error) {
	if address == "" {
		return nil, nil
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, artwork.Errorf(artwork.InvalidInput, "HEALTH_ADDR: cannot listen on %s: %v", address, err)
	}
	p := &healthPort{}
	p.server = &http.Server{Handler: p, ReadHeaderTimeout: readHeaderTimeout, IdleTimeout: idleTimeout, MaxHeaderBytes: maxHeaderBytes}
	rest.DefaultPatience.Apply(p.server)
	go func() { _ = p.server.Serve(listener) }() // it ends with close
	return p, nil
}

// follow has the instance itself answer from now on.
func (p *healthPort) follow(handler http.Handler) {
	if p != nil {
		p.instead.Store(&handler)
	}
}

// close ends the port.
func (p *healthPort) close() error {
	if p == nil {
		return nil
	}
	return p.server.Close()
}

// ServeHTTP implements http.Handler.
func (p *healthPort) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handler := p.instead.Load()
	switch {
	case !slices.Contains(healthPaths, r.URL.Path):
		http.NotFound(w, r)
	case handler != nil:
		(*handler).ServeHTTP(w, r)
	case r.URL.Path == "/health/live":
		answerHealth(w, http.StatusOK, health.OK)
	default:
		answerHealth(w, http.StatusServiceUnavailable, health.Starting)
	}
}

func answerHealth(w http.ResponseWriter, code int, status health.Status) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_, _ = w.Write([]byte(`{"status":"` + string(status) + `"}`)) // who asked may be gone
}
