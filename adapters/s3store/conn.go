package s3store

import (
	"context"
	"net"
	"time"
)

type dial func(ctx context.Context, network, address string) (net.Conn, error)

// guarded returns a dial of connections that fail when the other side neither
// takes nor sends a byte for as long as stall. How long a request may take as a
// whole depends on its size, but this does not.
func guarded(dial dial, stall time.Duration) dial {
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err != nil {
			return nil, err
		}
		return &guardedConn{conn, stall}, nil
	}
}

type guardedConn struct {
	net.Conn
	stall time.Duration
}

// Read implements net.Conn.
func (c *guardedConn) Read(b []byte) (int, error) {
	if err := c.SetReadDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Read(b)
}

// Write implements net.Conn. It gives a Read that waits for the answer its time
// anew: the answer cannot come before the request has gone.
func (c *guardedConn) Write(b []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}
