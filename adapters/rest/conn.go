package rest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// Conn is a connection to a client that costs less to serve than the one it is made of, and
// behaves like it.
//
// net/http moves the deadlines of a connection some eight times a request, and nearly none of
// them is ever met: a Conn tells the system of one only when somebody waits who has to be
// woken by it. And net/http sends the header of an answer and its content apart, which takes
// twice as long as sending both at once: see hold.
//
// As with net/http, one goroutine may read while another writes.
type Conn struct {
	net.Conn
	reading, writing deadline
	holding          bool        // what is written is a header, which waits for its content
	held             []byte      // that header
	fields           []byte      // of it, that net/http does not write
	parts            [2][]byte   // what is sent at once, and
	unsent           net.Buffers // what of it is left
}

// NewConn returns the connection, at less cost.
func NewConn(inner net.Conn) *Conn {
	return &Conn{
		Conn:    inner,
		reading: deadline{arm: inner.SetReadDeadline},
		writing: deadline{arm: inner.SetWriteDeadline},
	}
}

type connKey struct{}

// remember has requests know of their connection, if it is a Conn.
func remember(ctx context.Context, conn net.Conn) context.Context {
	if c, ok := conn.(interface{ self() *Conn }); ok {
		return context.WithValue(ctx, connKey{}, c.self())
	}
	return ctx
}

// self is how a Conn is found within what is made of it.
func (c *Conn) self() *Conn { return c }

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(at time.Time) error {
	return errors.Join(c.SetReadDeadline(at), c.SetWriteDeadline(at))
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(at time.Time) error { return c.reading.set(at) }

// SetWriteDeadline implements net.Conn.
func (c *Conn) SetWriteDeadline(at time.Time) error { return c.writing.set(at) }

// Read implements net.Conn.
func (c *Conn) Read(p []byte) (int, error) {
	for {
		if err := c.reading.begin(); err != nil {
			return 0, err
		}
		n, err := c.Conn.Read(p)
		if again := c.reading.end(err); !again || n > 0 {
			return n, err
		}
	}
}

// Write implements net.Conn.
func (c *Conn) Write(p []byte) (sent int, err error) {
	switch {
	case c.holding:
		c.keepHeader(p)
		return len(p), nil
	case len(c.held) > 0:
		return c.sendHeldAnd(p)
	}
	for again := true; again; {
		if err := c.writing.begin(); err != nil {
			return sent, err
		}
		var n int
		n, err = c.Conn.Write(p[sent:])
		sent += n
		again = c.writing.end(err)
	}
	return sent, err
}

// answer sends an answer whose header is complete: flush has net/http write to the
// connection what it has, and content gives it what follows the header, if anything does. The
// header goes out with the content, in one call of the system. All of its fields that net/http
// need not know are taken out of it and written here: net/http copies a header, sorts it and
// writes it field by field, which takes longer than all else that is done for an image in
// memory.
//
// Fields that are the same on all such answers are given as they are sent.
func (c *Conn) answer(fields string, header http.Header, flush, content func()) {
	c.holding = true
	c.fields = append(c.fields[:0], fields...)
	for name, values := range header {
		if isPlain(name, values) {
			c.fields = append(append(append(append(c.fields, name...), ": "...), values[0]...), "\r\n"...)
			delete(header, name)
		}
	}
	flush()
	c.holding = false
	if content != nil {
		content()
		flush() // what is small waits in net/http's buffer
	}
	if len(c.held) > 0 {
		_, _ = c.sendHeldAnd(nil) // if the connection is broken, net/http sees it when it reads
	}
}

// isPlain reports whether a field of an answer is nothing to net/http but a line to be
// written.
func isPlain(name string, values []string) bool {
	switch name {
	case "Content-Length", "Connection", "Date", "Trailer", "Transfer-Encoding", "Upgrade":
		return false
	}
	return len(values) == 1 && strings.IndexByte(values[0], '\n') < 0 && strings.IndexByte(values[0], '\r') < 0 && !strings.HasPrefix(name, http.TrailerPrefix)
}

// keepHeader keeps what net/http writes of a header, with the fields that were taken out of
// it behind its first line.
func (c *Conn) keepHeader(p []byte) {
	if line := bytes.IndexByte(p, '\n') + 1; len(c.held) == 0 {
		c.held = append(append(c.held, p[:line]...), c.fields...)
		p = p[line:]
	}
	c.held = append(c.held, p...)
}

// sendHeldAnd sends what is held and p at once, and returns how many bytes of p were sent.
func (c *Conn) sendHeldAnd(p []byte) (int, error) {
	c.parts = [2][]byte{c.held, p}
	c.unsent = c.parts[:]
	if len(p) == 0 {
		c.unsent = c.parts[:1]
	}
	defer func() { c.held, c.parts, c.unsent = c.held[:0], [2][]byte{}, nil }()
	sent := -len(c.held)
	for {
		if err := c.writing.begin(); err != nil {
			return max(sent, 0), err
		}
		n, err := c.unsent.WriteTo(c.Conn)
		sent += int(n)
		if !c.writing.end(err) {
			return max(sent, 0), err
		}
	}
}

// ReadFrom implements io.ReaderFrom: what comes from a file the kernel sends.
func (c *Conn) ReadFrom(src io.Reader) (int64, error) {
	if len(c.held) > 0 {
		if _, err := c.sendHeldAnd(nil); err != nil {
			return 0, err
		}
	}
	// What was read from src cannot be sent again, so no deadline may be met that is not wanted.
	if err := c.writing.settle(); err != nil {
		return 0, err
	}
	if sender, ok := c.Conn.(io.ReaderFrom); ok {
		return sender.ReadFrom(src)
	}
	return io.Copy(onlyWriter{c.Conn}, src)
}

// CloseWrite tells the client that nothing more comes, as far as the connection can.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}

// deadline is that of one direction of a connection. The system has one that is no later
// than what is wanted while somebody waits; when it is met too early, it is set again, and
// the wait goes on.
type deadline struct {
	arm     func(time.Time) error // tells the system
	mu      sync.Mutex
	wanted  time.Time // zero: none
	armed   time.Time // that the system has; zero: none
	met     bool      // the armed one, so that nothing can be waited for any more
	waiting bool
}

// set says what is wanted from now on, also of who waits already.
func (d *deadline) set(at time.Time) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.wanted = at
	if d.waiting && d.late() {
		return d.tell()
	}
	return nil
}

// begin is called before somebody waits. An error says that the deadline is over.
func (d *deadline) begin() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.late() || d.met {
		if d.over() {
			return os.ErrDeadlineExceeded
		}
		if err := d.tell(); err != nil {
			return err
		}
	}
	d.waiting = true
	return nil
}

// end is called with what became of the wait, and reports whether it has to go on: it was
// ended by a deadline that nobody wants any more.
func (d *deadline) end(err error) (again bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.waiting = false
	if err == nil || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	d.met = true
	return !d.over()
}

// settle has the system know the very deadline that is wanted.
func (d *deadline) settle() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.tell()
}

// late reports whether the system would wake who waits later than is wanted.
func (d *deadline) late() bool {
	return !d.wanted.IsZero() && (d.armed.IsZero() || d.armed.After(d.wanted))
}

func (d *deadline) over() bool { return !d.wanted.IsZero() && !time.Now().Before(d.wanted) }

func (d *deadline) tell() error {
	d.armed, d.met = d.wanted, false
	return d.arm(d.wanted)
}
