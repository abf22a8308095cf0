package rest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// slowly are routes that read and write much.
type slowly struct{ ended chan error }

const huge = 64 << 20 // far more than the sockets of both sides hold

// Register implements Routes.
func (s slowly) Register(r *Router) {
	r.engine.POST("/json", r.run(func(c *gin.Context) error {
		var in map[string]any
		if err := decodeJSON(c, &in); err != nil {
			return err
		}
		return done(c)
	}))
	r.engine.POST("/upload", r.run(func(c *gin.Context) error {
		if _, err := readUpload(c, 20<<20); err != nil {
			return err
		}
		return done(c)
	}))
	r.engine.POST("/unread", r.run(done))
	r.public("/huge", func(c *gin.Context) error {
		n, err := io.Copy(c.Writer, io.LimitReader(zeros{}, huge))
		if err == nil && n < huge {
			err = errors.New("not all was written")
		}
		s.ended <- err
		return nil
	})
	r.public("/small", done)
	r.public("/stream", func(c *gin.Context) error {
		stream := &eventStream{control: http.NewResponseController(c.Writer), out: c.Writer, limits: StreamLimits{Patience: time.Minute}}
		for stream.write("data\n\n") == nil {
			time.Sleep(patience.Grace / 5)
		}
		return nil
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { return len(p), nil }

// patience is that of a server. The clock is that of a bubble: nothing takes as long as
// it says, and a busy machine is not taken for a slow client.
var patience = DefaultPatience

// pipes are a listener whose connections are in memory, as a bubble needs them.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

// Accept implements net.Listener.
func (p pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.conns:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. It is called once.
func (p pipes) Close() error {
	close(p.closed)
	return nil
}

// Addr implements net.Listener.
func (p pipes) Addr() net.Addr { return &net.IPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// servePatiently serves the routes until the bubble ends.
func servePatiently(t *testing.T, routes Routes) pipes {
	t.Helper()
	listener := pipes{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{
		Handler:           NewRouter(nil, nil, slog.New(slog.DiscardHandler), []Routes{routes}, WithPatience(patience)),
		ReadHeaderTimeout: patience.Grace, ErrorLog: slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
	}
	patience.Apply(server)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		time.Sleep(time.Hour) // handlers end, too: the clock stops with the test
	})
	return listener
}

// serveSlowly returns a server, and what gets how its answers ended.
func serveSlowly(t *testing.T) (listener pipes, ended chan error) {
	t.Helper()
	ended = make(chan error, 10)
	return servePatiently(t, slowly{ended}), ended
}

// dial opens a connection that hangs up by itself after a time in which every server has
// done so before.
func dial(t *testing.T, listener pipes) net.Conn {
	t.Helper()
	conn, served := net.Pipe()
	listener.conns <- NewConn(served)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(time.Hour)))
	return conn
}

// inBubble runs a test whose time passes while everybody waits.
func inBubble(t *testing.T, test func(t *testing.T)) {
	t.Helper()
	load() // what is shared by all bubbles belongs to none
	synctest.Test(t, test)
}

// hungUp reads until the server hangs up, and returns what it has said.
func hungUp(t *testing.T, conn net.Conn) string {
	t.Helper()
	said, err := io.ReadAll(conn)
	var network net.Error
	require.False(t, errors.As(err, &network) && network.Timeout(), "the server did not hang up; it said %q", said)
	return string(said)
}

// TestASlowClientIsHungUpOn, wherever it stops: in the header, in content that is read,
// and in content that nobody reads.
func TestASlowClientIsHungUpOn(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ sends, answer string }{
		"nothing":      {"", ""},
		"in a header":  {"GET / HTTP/1.1\r\nHost: a\r\nX-", ""},
		"JSON":         {"POST /json HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{", "408"},
		"chunked JSON": {"POST /json HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n", "408"},
		"an upload": {"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n\r\n" +
			"--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\nabc", "408"},
		"what nobody reads": {"POST /unread HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n", "204"},
		"to be continued":   {"POST /json HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 100\r\n\r\n", "408"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T) {
				listener, _ := serveSlowly(t)
				conn := dial(t, listener)
				_, err := io.WriteString(conn, c.sends)
				require.NoError(t, err)
				said := hungUp(t, conn)
				require.Contains(t, said, c.answer)
				if c.answer == "408" {
					require.Contains(t, said, "urn:gatefold:problem:request_timeout")
				}
			})
		})
	}
}

// TestATricklingClientIsHungUpOn, although something comes all the time.
func TestATricklingClientIsHungUpOn(t *testing.T) {
	t.Parallel()
	for name, beginning := range map[string]string{
		"header":  "GET / HTTP/1.1\r\nHost: a\r\nX-A: ",
		"content": "POST /json HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n{\"a\": \"",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(t *testing.T) {
				listener, _ := serveSlowly(t)
				conn := dial(t, listener)
				_, err := io.WriteString(conn, beginning)
				for err == nil {
					time.Sleep(patience.Grace / 10)
					_, err = io.WriteString(conn, "a")
				}
				require.NotErrorIs(t, err, os.ErrDeadlineExceeded, "the server did not hang up")
			})
		})
	}
}

// TestASlowUploadThatGetsOn takes far longer than nothing may come.
func TestASlowUploadThatGetsOn(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		listener, _ := serveSlowly(t)
		conn := dial(t, listener)
		const pieces, piece = 16, 128 << 10
		head, tail := "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n", "\r\n--b--\r\n"
		_, err := fmt.Fprintf(conn, "POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: %d\r\n\r\n%s",
			len(head)+pieces*piece+len(tail), head)
		require.NoError(t, err)
		for range pieces { // at half of the time that each piece may take
			_, err = io.WriteString(conn, strings.Repeat("a", piece))
			require.NoError(t, err)
			time.Sleep(time.Duration(piece) * time.Second / time.Duration(patience.Rate) / 2)
		}
		_, err = io.WriteString(conn, tail)
		require.NoError(t, err)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		defer func() { _ = answer.Body.Close() }()
		require.Equal(t, http.StatusNoContent, answer.StatusCode)
	})
}

// TestAStalledReaderIsHungUpOn, and one that gets on is not.
func TestAStalledReaderIsHungUpOn(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		listener, ended := serveSlowly(t)
		conn := dial(t, listener)
		_, err := io.WriteString(conn, "GET /huge HTTP/1.1\r\nHost: a\r\n\r\n")
		require.NoError(t, err)
		require.Error(t, <-ended, "nobody has read")

		conn = dial(t, listener) // the deadline of an answer says nothing of the next
		_, err = io.WriteString(conn, "GET /small HTTP/1.1\r\nHost: a\r\n\r\n")
		require.NoError(t, err)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		_, err = io.WriteString(conn, "GET /huge HTTP/1.1\r\nHost: a\r\n\r\n")
		require.NoError(t, err)
		require.Error(t, <-ended, "nobody has read the second answer")

		conn = dial(t, listener)
		_, err = io.WriteString(conn, "GET /huge HTTP/1.1\r\nHost: a\r\n\r\n")
		require.NoError(t, err)
		answer, err = http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		defer func() { _ = answer.Body.Close() }()
		read := int64(0)
		for err == nil { // in all twice what nothing may be read for
			var n int64
			n, err = io.CopyN(io.Discard, answer.Body, huge/8)
			read += n
			time.Sleep(patience.Grace / 4)
		}
		require.EqualValues(t, huge, read)
		require.NoError(t, <-ended)
	})
}

// TestAStreamLastsLongerThanAnyDeadline, and what was waited for long is answered.
func TestAStreamLastsLongerThanAnyDeadline(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		listener, _ := serveSlowly(t)
		conn := dial(t, listener)
		_, err := io.WriteString(conn, "GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
		require.NoError(t, err)
		lines := bufio.NewScanner(conn)
		for begin := time.Now(); time.Since(begin) < 2*patience.term(stretch); {
			require.True(t, lines.Scan())
		}
	})
}

// TestADeadlineIsNotThatOfTheAnswerBefore on the same connection, nor of its own handler.
func TestADeadlineIsNotThatOfTheAnswerBefore(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		conn := dial(t, servePatiently(t, waiting{}))
		answers := bufio.NewReader(conn)
		for range 2 {
			_, err := io.WriteString(conn, "GET /waits HTTP/1.1\r\nHost: a\r\n\r\n")
			require.NoError(t, err)
			answer, err := http.ReadResponse(answers, nil)
			require.NoError(t, err)
			body, err := io.ReadAll(answer.Body)
			require.NoError(t, err)
			require.NoError(t, answer.Body.Close())
			require.Equal(t, "done", string(body))
		}
	})
}

// waiting answers long after every deadline.
type waiting struct{}

// Register implements Routes.
func (waiting) Register(r *Router) {
	r.public("/waits", func(c *gin.Context) error {
		time.Sleep(patience.term(stretch) * 5 / 4) // time is what is tested
		c.String(http.StatusOK, "done")
		return nil
	})
}

func TestATimeoutIsNoProblemOfTheForm(t *testing.T) {
	t.Parallel()
	late := artwork.Errorf(artwork.RequestTimeout, "late")
	require.Equal(t, artwork.RequestTimeout, artwork.KindOf(brokenForm(fmt.Errorf("multipart: %w", late))))
	require.Equal(t, artwork.RequestTimeout, artwork.KindOf(badJSON("the body", late)))
}

// sending is a connection's writer that can send files, and notes in what pieces.
type sending struct {
	http.ResponseWriter
	pieces []int64
}

func (s *sending) SetReadDeadline(time.Time) error  { return nil }
func (s *sending) SetWriteDeadline(time.Time) error { return nil }

func (s *sending) ReadFrom(src io.Reader) (int64, error) {
	n, err := io.Copy(io.Discard, src)
	s.pieces = append(s.pieces, n)
	return n, err
}

// TestFilesAreSentInStretches: a client that reads slowly is given time for each.
func TestFilesAreSentInStretches(t *testing.T) {
	t.Parallel()
	conn := &sending{ResponseWriter: httptest.NewRecorder()}
	w, ok := DefaultPatience.with(conn, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil)).(*pacedWriter)
	require.True(t, ok)
	for size, pieces := range map[int64][]int64{
		10: {10}, stretch: {stretch, 0}, 2*stretch + 1: {stretch, stretch, 1},
	} {
		conn.pieces = nil
		sent, err := w.ReadFrom(io.LimitReader(zeros{}, size))
		require.NoError(t, err)
		require.Equal(t, size, sent)
		require.Equal(t, pieces, conn.pieces)
	}
}
