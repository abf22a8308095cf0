package rest

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"gatefold/domain/artwork"
)

// Patience is how a server treats clients that are slow: whoever gets on slowly may take
// their time, and whoever has stopped is hung up on.
type Patience struct {
	// Grace is for how long nothing may come or be taken.
	Grace time.Duration
	// Rate is how many bytes a second have to come, and to be taken, on average beside.
	Rate int64
}

// DefaultPatience is that of a server: 20 MB may take 40 minutes.
var DefaultPatience = Patience{Grace: 30 * time.Second, Rate: 8 << 10}

// WithPatience is for routers of servers that have another patience than the default.
func WithPatience(patience Patience) Option {
	return func(r *Router) { r.patience = patience }
}

// stretch is how many bytes are written between two looks at the time.
const stretch = 256 << 10

// term is how long so many bytes may take.
func (p Patience) term(bytes int64) time.Duration {
	return p.Grace + time.Duration(bytes)*time.Second/time.Duration(p.Rate)
}

// Apply has the server give up content that nobody reads when the grace is over, and
// tell requests of their connection what with needs to know.
func (p Patience) Apply(server *http.Server) {
	server.ReadTimeout = p.Grace
	server.ConnContext = remember
}

// deadlines is what can be told of a connection.
type deadlines interface {
	SetReadDeadline(time.Time) error
	SetWriteDeadline(time.Time) error
}

// with returns the writer such that the client is given the time for what it reads, and
// has the request give it that for what it sends. A handler that sets write deadlines of
// its own, as streams do, is left to them.
func (p Patience) with(w http.ResponseWriter, req *http.Request) http.ResponseWriter {
	conn, ok := w.(deadlines)
	if !ok { // there is no connection, as in tests
		return w
	}
	if req.Body != nil && req.Body != http.NoBody {
		req.Body = &pacedBody{ReadCloser: req.Body, conn: conn, patience: p}
	}
	return &pacedWriter{ResponseWriter: w, conn: conn, patience: p}
}

// pacedBody is the content of a request, which has to come at the rate.
type pacedBody struct {
	io.ReadCloser
	conn     deadlines
	patience Patience
	begun    time.Time // of the first read: until then the client may wait for a sign
	came     int64
}

// Read implements io.Reader. What comes too late is a RequestTimeout error.
func (b *pacedBody) Read(p []byte) (int, error) {
	if b.begun.IsZero() {
		b.begun = time.Now()
	}
	if err := b.conn.SetReadDeadline(b.begun.Add(b.patience.term(b.came))); err != nil {
		return 0, err
	}
	n, err := b.ReadCloser.Read(p)
	b.came += int64(n)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = &artwork.Error{Kind: artwork.RequestTimeout, Msg: "the content of the request came too slowly, or not at all", Err: err}
	}
	return n, err
}

// pacedWriter writes an answer, which has to be taken at the rate.
type pacedWriter struct {
	http.ResponseWriter
	conn     deadlines
	patience Patience
	left     int64 // bytes that may be written before the client is given more time
	own      bool  // the handler sets deadlines
}

// allow gives the client the time for so many bytes from now on. An error shows when they
// are written.
func (w *pacedWriter) allow(bytes int64) {
	_ = w.conn.SetWriteDeadline(time.Now().Add(w.patience.term(bytes)))
}

// Unwrap is for http.ResponseController.
func (w *pacedWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// SetWriteDeadline leaves it to the handler for how long the client may take.
func (w *pacedWriter) SetWriteDeadline(at time.Time) error {
	w.own = true
	return w.conn.SetWriteDeadline(at)
}

// WriteHeader implements http.ResponseWriter. A handler that took long has not used up
// the client's time.
func (w *pacedWriter) WriteHeader(status int) {
	if !w.own {
		w.left = stretch
		w.allow(stretch)
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write implements io.Writer.
func (w *pacedWriter) Write(p []byte) (int, error) {
	w.spend(len(p))
	return w.ResponseWriter.Write(p)
}

// WriteString implements io.StringWriter.
func (w *pacedWriter) WriteString(s string) (int, error) {
	w.spend(len(s))
	return io.WriteString(w.ResponseWriter, s)
}

// ReadFrom implements io.ReaderFrom: what comes from a file the kernel sends. It does so
// in stretches, and so the client is given time for each.
func (w *pacedWriter) ReadFrom(src io.Reader) (sent int64, err error) {
	sender, ok := w.ResponseWriter.(io.ReaderFrom)
	if !ok {
		return io.Copy(onlyWriter{w}, src)
	}
	for {
		w.spend(stretch)
		n, err := sender.ReadFrom(&io.LimitedReader{R: src, N: stretch})
		sent += n
		if err != nil || n < stretch {
			return sent, err
		}
	}
}

// onlyWriter hides that a writer reads.
type onlyWriter struct{ io.Writer }

func (w *pacedWriter) spend(n int) {
	if w.left -= int64(n); w.left < 0 && !w.own {
		w.left = stretch
		w.allow(max(stretch, int64(n)))
	}
}

// Flush implements http.Flusher.
func (w *pacedWriter) Flush() {
	if flusher, ok := w.ResponseWriter.(http.Flusher); ok {
		flusher.Flush()
	}
}
