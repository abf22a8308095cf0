package bootstrap

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestConnectionsAreBounded: one too many is told to come back, and finds room when
// another has ended.
func TestConnectionsAreBounded(t *testing.T) {
	var log bytes.Buffer
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	bound := &boundListener{TCPListener: listener.(*net.TCPListener), most: 2, log: slog.New(slog.NewTextHandler(&log, nil))}
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	})}
	served := make(chan error)
	go func() { served <- server.Serve(bound) }()
	ask := func() (conn net.Conn, status int, retryAfter string) {
		var err error
		conn, err = (&net.Dialer{}).DialContext(t.Context(), "tcp", listener.Addr().String())
		require.NoError(t, err)
		require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
		_, err = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		require.NoError(t, err)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil { // the refusal may be overtaken by the end of the connection
			return conn, 0, ""
		}
		require.NoError(t, answer.Body.Close())
		return conn, answer.StatusCode, answer.Header.Get("Retry-After")
	}
	first, status, _ := ask()
	require.Equal(t, http.StatusNoContent, status)
	_, status, _ = ask()
	require.Equal(t, http.StatusNoContent, status)
	for range 3 {
		conn, refused, retryAfter := ask()
		if refused != 0 {
			require.Equal(t, http.StatusServiceUnavailable, refused)
			require.Equal(t, "5", retryAfter)
		}
		require.NoError(t, conn.Close())
	}
	require.NoError(t, first.Close())
	require.Eventually(t, func() bool {
		conn, status, _ := ask()
		defer func() { _ = conn.Close() }()
		return status == http.StatusNoContent
	}, 20*time.Second, 10*time.Millisecond)
	require.NoError(t, server.Close())
	require.ErrorIs(t, <-served, http.ErrServerClosed)
	require.Equal(t, 1, strings.Count(log.String(), "\n"), "told once, and not for each: %s", &log)
	require.Eventually(t, func() bool { return bound.open.Load() == 0 }, 20*time.Second, time.Millisecond)
}

func TestThereIsRoomForConnections(t *testing.T) {
	require.Greater(t, maxConnections(), int64(100))
	require.LessOrEqual(t, maxConnections(), int64(mostConnections))
}
