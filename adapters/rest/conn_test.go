package rest

import (
	"bufio"
	"bytes"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"
)

// TestDeadlinesAreThoseThatAreWanted, and not those that the system was told of before.
func TestDeadlinesAreThoseThatAreWanted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		before, meanwhile time.Duration // set before the wait, and 5 s into it; 0: none, -1: not touched
		comes             time.Duration // what is waited for
		over              time.Duration // 0: it is waited for until it comes
	}{
		"none":                {0, -1, 24 * time.Hour, 0},
		"met":                 {10 * time.Second, -1, time.Hour, 10 * time.Second},
		"in time":             {10 * time.Second, -1, 9 * time.Second, 0},
		"over before it":      {-time.Second, -1, time.Hour, 0},
		"later, while it is":  {10 * time.Second, time.Minute, 50 * time.Second, 0},
		"later, and met":      {10 * time.Second, time.Minute, time.Hour, time.Minute},
		"sooner, while it is": {time.Hour, 10 * time.Second, 20 * time.Second, 10 * time.Second},
		"now":                 {time.Hour, time.Nanosecond, time.Minute, 5 * time.Second},
		"taken back":          {10 * time.Second, 0, time.Hour, 0},
		"set":                 {0, 10 * time.Second, time.Hour, 10 * time.Second},
	} {
		for direction, waitIn := range map[string]func(c *Conn) (set func(time.Time) error, wait func() error){
			"reading": func(c *Conn) (func(time.Time) error, func() error) {
				return c.SetReadDeadline, func() error { _, err := c.Read(make([]byte, 10)); return err }
			},
			"writing": func(c *Conn) (func(time.Time) error, func() error) {
				return c.SetWriteDeadline, func() error { _, err := c.Write([]byte("12345")); return err }
			},
		} {
			t.Run(direction+" "+name, func(t *testing.T) {
				t.Parallel()
				inBubble(t, func(t *testing.T) {
					client, server := net.Pipe()
					defer func() { _ = client.Close() }()
					conn := NewConn(server)
					set, wait := waitIn(conn)
					begin := time.Now()
					at := func(d time.Duration) (moment time.Time) {
						if d != 0 {
							moment = begin.Add(d)
						}
						return moment
					}
					require.NoError(t, set(begin.Add(time.Second))) // of a request before this one
					require.NoError(t, set(at(c.before)))
					if c.meanwhile >= 0 {
						time.AfterFunc(5*time.Second, func() { _ = set(at(c.meanwhile)) })
					}
					time.AfterFunc(c.comes, func() {
						if direction == "reading" {
							_, _ = client.Write([]byte("12345"))
						} else {
							_, _ = io.ReadFull(client, make([]byte, 5))
						}
					})
					err := wait()
					if c.over == 0 && c.before >= 0 {
						require.NoError(t, err)
						require.Equal(t, c.comes, time.Since(begin))
						return
					}
					require.ErrorIs(t, err, os.ErrDeadlineExceeded)
					require.Equal(t, c.over, time.Since(begin))
				})
			})
		}
	}
}

// TestWhatIsWrittenSlowlyIsWhole although a deadline of before is met in the middle of it.
func TestWhatIsWrittenSlowlyIsWhole(t *testing.T) {
	t.Parallel()
	inBubble(t, func(t *testing.T) {
		client, server := net.Pipe()
		conn := NewConn(server)
		require.NoError(t, conn.SetWriteDeadline(time.Now().Add(10*time.Second)))
		_, err := writeTo(conn, client, "first", 0)
		require.NoError(t, err)
		require.NoError(t, conn.SetWriteDeadline(time.Now().Add(time.Hour)))
		text := strings.Repeat("abcdefghij", 10)
		got, err := writeTo(conn, client, text, time.Second) // 100 s
		require.NoError(t, err)
		require.Equal(t, text, got)
	})
}

// writeTo writes a text that is read byte by byte, at a pause.
func writeTo(conn, client net.Conn, text string, pause time.Duration) (got string, err error) {
	read := make(chan string)
	go func() {
		var all bytes.Buffer
		for all.Len() < len(text) {
			time.Sleep(pause)
			if _, err := io.CopyN(&all, client, 1); err != nil {
				break
			}
		}
		read <- all.String()
	}()
	n, err := conn.Write([]byte(text))
	if err == nil && n != len(text) {
		err = io.ErrShortWrite
	}
	return <-read, err
}

// pictures are routes that answer with content from memory as images are.
type pictures struct{ content string }

var pictureDay = time.Date(2026, time.March, 4, 5, 6, 7, 8, time.UTC)

// Register implements Routes.
func (p pictures) Register(r *Router) {
	r.public("/api/images/albums/:id/cover", func(c *gin.Context) error {
		keepAs(c, noCache)
		varyBy(c.Writer.Header(), byAccept)
		if holds(c.Request.Header, "0123") {
			return notModified(c, pictureDay, "0123")
		}
		describe(c.Writer.Header(), "image/webp", pictureDay, "0123")
		return serveContent(c, pictureDay, strings.NewReader(p.content))
	})
}

// TestAHeaderIsTheSameHoweverItIsSent: by net/http, and beside it.
func TestAHeaderIsTheSameHoweverItIsSent(t *testing.T) {
	t.Parallel()
	for size, content := range map[string]string{"nothing": "", "small": "picture", "large": strings.Repeat("picture ", 10_000)} {
		for name, request := range map[string]string{
			"GET": "", "HEAD": "", "a range": "Range: bytes=1-2\r\n", "304": "If-None-Match: \"0123\"\r\n", "304 by date": "If-Modified-Since: Wed, 04 Mar 2026 05:06:07 GMT\r\n",
			"412": "If-Match: \"4567\"\r\n", "416": "Range: bytes=100000-\r\n", "of a page": "Origin: https://a.example\r\nX-Request-Id: mine\r\n",
			"the last": "Connection: close\r\n",
		} {
			t.Run(name+" of "+size, func(t *testing.T) {
				t.Parallel()
				method := http.MethodGet
				if name == http.MethodHead {
					method = name
				}
				text := method + " /api/images/albums/1/cover HTTP/1.1\r\nHost: a\r\n" + request + "\r\n"
				want := askOnce(t, method, text, content, func(inner net.Conn) net.Conn { return inner })
				got := askOnce(t, method, text, content, func(inner net.Conn) net.Conn { return NewConn(inner) })
				require.Equal(t, want, got)
				require.Equal(t, "nosniff", got.header.Get("X-Content-Type-Options"))
				if got.status < http.StatusBadRequest {
					require.Equal(t, "sandbox", got.header.Get("Content-Security-Policy"))
					require.Equal(t, `"0123"`, got.header.Get("ETag"))
				}
				if name == http.MethodGet || name == "304" {
					require.Equal(t, "Wed, 04 Mar 2026 05:06:07 GMT", got.header.Get("Last-Modified"))
				}
			})
		}
	}
}

// told is an answer, but for what differs from request to request.
type told struct {
	status int
	header http.Header
	length int64
	last   bool // the connection ends with it
	body   string
}

// askOnce serves the content on one connection, and asks for it once.
func askOnce(t *testing.T, method, request, content string, wrap func(net.Conn) net.Conn) told {
	t.Helper()
	listener := pipes{make(chan net.Conn), make(chan struct{})}
	server := &http.Server{
		Handler:           NewRouter(nil, nil, slog.New(slog.DiscardHandler), []Routes{pictures{content}}, newCORS(t, "https://a.example"), WithStrictTransport(time.Hour)),
		ReadHeaderTimeout: time.Minute,
	}
	DefaultPatience.Apply(server)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	client, served := net.Pipe()
	listener.conns <- wrap(served)
	_, err := io.WriteString(client, request)
	require.NoError(t, err)
	answer, err := http.ReadResponse(bufio.NewReader(client), &http.Request{Method: method})
	require.NoError(t, err)
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())
	require.NotEmpty(t, answer.Header.Get("X-Request-Id"))
	require.NotEmpty(t, answer.Header.Get("Date"))
	for _, differs := range []string{"X-Request-Id", "Date"} {
		answer.Header.Del(differs)
	}
	got := told{answer.StatusCode, answer.Header, answer.ContentLength, answer.Close, string(text)}
	if answer.StatusCode >= http.StatusBadRequest { // it has the id and the time
		got.body, got.length = "", 0
		answer.Header.Del("Content-Length")
	}
	return got
}

// written keeps what is written to it.
type written struct {
	net.Conn
	pieces []string
}

func (w *written) Write(p []byte) (int, error) {
	w.pieces = append(w.pieces, string(p))
	return len(p), nil
}

func (w *written) SetWriteDeadline(time.Time) error { return nil }

// TestAHeaderWaitsForItsContent, with the fields that net/http need not know behind its
// first line; without content it does not wait.
func TestAHeaderWaitsForItsContent(t *testing.T) {
	t.Parallel()
	inner := &written{}
	conn := NewConn(inner)
	header := http.Header{"Etag": {`"1"`}, "Content-Length": {"7"}, "X-Injected": {"a\r\nb: c"}, "Vary": {"Origin", "Accept"}}
	pending := "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"
	flush := func() {
		_, err := io.WriteString(conn, pending)
		require.NoError(t, err)
	}
	conn.answer("A: b\r\n", header, flush, func() {
		require.Empty(t, inner.pieces)
		require.NotContains(t, header, "Etag")
		require.Len(t, header, 3, "what net/http has to look at, or to write")
		pending = "content"
	})
	require.Equal(t, "HTTP/1.1 200 OK\r\nA: b\r\nEtag: \"1\"\r\nContent-Length: 7\r\n\r\ncontent", strings.Join(inner.pieces, ""))

	inner.pieces, pending = nil, "HTTP/1.1 304 Not Modified\r\n\r\n"
	conn.answer("", http.Header{"Etag": {`"1"`}}, flush, nil)
	require.Equal(t, []string{"HTTP/1.1 304 Not Modified\r\nEtag: \"1\"\r\n\r\n"}, inner.pieces)
}

// TestHTTPDates are those of http.TimeFormat.
func TestHTTPDates(t *testing.T) {
	t.Parallel()
	for at := time.Date(1999, time.December, 31, 23, 59, 59, 1, time.FixedZone("", 3600)); at.Year() < 2003; at = at.Add(37*time.Hour + 61*time.Second) {
		require.Equal(t, at.UTC().Format(http.TimeFormat), string(appendHTTPDate(nil, at)))
	}
}
