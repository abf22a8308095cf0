package bootstrap

import (
	"bufio"
	"io"
	"log/slog"
	"net"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/health"
)

// TestQuiesceCutsNobody: a connection that the kernel has made and the program has not
// accepted yet is served with what it has sent; one that comes later is not made.
func TestQuiesceCutsNobody(t *testing.T) {
	t.Parallel()
	open, err := listenConfig().Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	listener := open.(*net.TCPListener)
	early, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	defer func() { _ = early.Close() }()
	_, err = io.WriteString(early, "a request\n")
	require.NoError(t, err)

	quiet := make(chan error)
	go func() { quiet <- quiesce(t.Context(), listener) }()
	before := 0 // those who come before newcomers are ignored
	require.Eventually(t, func() bool {
		late, err := net.DialTimeout("tcp", listener.Addr().String(), 50*time.Millisecond)
		if err == nil {
			before++
			_ = late.Close()
		}
		return err != nil
	}, 20*time.Second, time.Millisecond)
	select {
	case err := <-quiet:
		require.FailNow(t, "somebody is left who was let in", "%v", err)
	default:
	}
	accepted, err := listener.Accept()
	require.NoError(t, err)
	for range before {
		other, err := listener.Accept()
		require.NoError(t, err)
		require.NoError(t, other.Close())
	}
	require.NoError(t, <-quiet)
	require.NoError(t, listener.Close())
	line, err := bufio.NewReader(accepted).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "a request\n", line)
	require.NoError(t, accepted.Close())
	_, err = net.Dial("tcp", listener.Addr().String())
	require.ErrorIs(t, err, syscall.ECONNREFUSED, "a proxy asks another instance at once")
}

// TestConnectionsEndWithAnAnswer: while an instance drains, clients are told with each
// answer that the connection ends, and connections on which nothing is asked stay.
func TestConnectionsEndWithAnAnswer(t *testing.T) {
	t.Parallel()
	monitor := health.NewMonitor(nil, slog.New(slog.DiscardHandler))
	monitor.Check(t.Context())
	drain := &drain{monitor: monitor, log: slog.New(slog.DiscardHandler)}
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	server := &http.Server{ReadHeaderTimeout: time.Minute, Handler: drain.handler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusNoContent)
	}))}
	go func() { _ = server.Serve(listener) }()
	defer func() { _ = server.Close() }()
	conn, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	answers := bufio.NewReader(conn)
	ask := func() (last bool) {
		_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
		require.NoError(t, err)
		require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
		answer, err := http.ReadResponse(answers, nil)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		return answer.Close
	}
	require.False(t, ask())
	require.Equal(t, health.OK, monitor.Readiness())
	drain.begin()
	require.Equal(t, health.Draining, monitor.Readiness())
	require.True(t, ask(), "it was kept open until somebody asked")
	_, err = answers.ReadByte()
	require.ErrorIs(t, err, io.EOF)
}
