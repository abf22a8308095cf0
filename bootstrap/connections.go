package bootstrap

import (
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"gatefold/adapters/rest"
)

const (
	// mostConnections bounds the memory that connections take: some 20 kB each.
	mostConnections = 16_384
	// refusalTerm is how long a client that is refused may take to hear of it.
	refusalTerm = time.Second
	// reportEvery is how often the log tells that connections are refused.
	reportEvery = 10 * time.Second
)

// refusal is the whole answer to a connection too many: a handler would need what there
// is too little of.
const refusal = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"

// maxConnections returns how many connections there may be at once: three quarters of
// the files that the process may open, so that images and the database can be.
func maxConnections() int64 {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return mostConnections
	}
	return int64(min(limit.Cur/4*3, mostConnections))
}

// boundListener opens no more connections than most at once. Any other is told to come
// back, and closed.
type boundListener struct {
	*net.TCPListener
	most     int64
	open     atomic.Int64
	log      *slog.Logger
	reported time.Time
}

// Accept implements net.Listener.
func (l *boundListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.AcceptTCP()
		if err != nil {
			return nil, err
		}
		if l.open.Add(1) <= l.most {
			return &boundConn{Conn: rest.NewConn(conn), open: &l.open}, nil
		}
		l.open.Add(-1)
		l.refuse(conn)
	}
}

// refuse writes so little that it does not wait: it fits into the socket's buffer.
func (l *boundListener) refuse(conn *net.TCPConn) {
	_ = conn.SetWriteDeadline(time.Now().Add(refusalTerm))
	_, _ = conn.Write([]byte(refusal))
	_ = conn.Close() // whoever it was may be gone
	if now := time.Now(); now.Sub(l.reported) > reportEvery {
		l.reported = now
		l.log.Warn("There are more connections than can be served: some are refused", "most", l.most)
	}
}

// boundConn counts until it is closed.
type boundConn struct {
	*rest.Conn
	open *atomic.Int64
	once sync.Once
}

// Close implements net.Conn.
func (c *boundConn) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}
