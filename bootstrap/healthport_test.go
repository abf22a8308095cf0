package bootstrap

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
)

// freeAddress is one of this machine's that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return listener.Addr().String()
}

// TestHealthFromTheFirstMomentToTheLast: while a start is busy, with migrations for one,
// the process lives and is not ready, and nobody listens on the port of requests, so that
// a proxy asks another instance. While a stop drains, it lives, serves, and is not ready.
func TestHealthFromTheFirstMomentToTheLast(t *testing.T) {
	t.Parallel()
	requests, checks := freeAddress(t), freeAddress(t)
	cfg := load(t, "DATA_DIR="+t.TempDir(), "LISTEN_ADDR="+requests, "HEALTH_ADDR="+checks, "SHUTDOWN_DELAY=1m", "WARM_KEYS=0")
	busy, goOn := make(chan struct{}), make(chan struct{})
	migration := fx.Invoke(func(lc fx.Lifecycle) {
		lc.Append(fx.StartHook(func() {
			close(busy)
			<-goOn
		}))
	})
	type started struct {
		server *Server
		err    error
	}
	start := make(chan started)
	go func() {
		server, err := Serve(t.Context(), cfg, newLogger(cfg, io.Discard), migration)
		start <- started{server, err}
	}()
	<-busy
	requireHealth(t, checks, "/health/live", 200, `{"status":"ok"}`)
	requireHealth(t, checks, "/health/ready", 503, `{"status":"starting"}`)
	requireHealth(t, checks, "/health", 503, `{"status":"starting"}`)
	_, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", requests)
	require.Error(t, err)

	close(goOn)
	s := <-start
	require.NoError(t, s.err)
	for _, address := range []string{requests, checks} {
		requireHealth(t, address, "/health/live", 200, `{"status":"ok"}`)
		requireHealth(t, address, "/health/ready", 200, `{"status":"ok"}`)
	}
	requireHealth(t, checks, "/api/artists", 404, "")
	requireHealth(t, requests, "/api/artists", 200, "")

	ctx, hurry := context.WithCancel(t.Context())
	stopped := make(chan error)
	go func() { stopped <- s.server.fx.Stop(ctx) }()
	require.Eventually(t, func() bool { code, _ := askHealth(t, requests, "/health/ready"); return code == 503 }, 20*time.Second, 5*time.Millisecond)
	for _, address := range []string{requests, checks} {
		requireHealth(t, address, "/health/ready", 503, `{"status":"draining"}`)
		requireHealth(t, address, "/health/live", 200, `{"status":"ok"}`)
	}
	requireHealth(t, requests, "/health", 200, "")
	requireHealth(t, requests, "/api/artists", 200, "")
	hurry() // what is left of the delay
	if err := <-stopped; err != nil {
		t.Logf("hurried: %v", err)
	}
	_ = s.server.Close() // most of it has stopped already
	_, err = (&net.Dialer{}).DialContext(t.Context(), "tcp", checks)
	require.Error(t, err)
}

// askHealth returns the answer to a GET.
func askHealth(t *testing.T, address, path string) (code int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+path, nil)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(content)
}

// requireHealth requires an answer; any body, if none is named.
func requireHealth(t *testing.T, address, path string, wantCode int, want string) {
	t.Helper()
	code, body := askHealth(t, address, path)
	require.Equal(t, wantCode, code, fmt.Sprintf("%s: %s", path, body))
	if want != "" {
		require.JSONEq(t, want, body)
	}
}

// TestAHealthPortInUse fails the start, and names the variable.
func TestAHealthPortInUse(t *testing.T) {
	t.Parallel()
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = taken.Close() }()
	cfg := load(t, "DATA_DIR="+t.TempDir(), "HEALTH_ADDR="+taken.Addr().String())
	_, err = Serve(t.Context(), cfg, newLogger(cfg, io.Discard))
	require.ErrorContains(t, err, "HEALTH_ADDR")
}
