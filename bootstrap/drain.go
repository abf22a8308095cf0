package bootstrap

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"gatefold/application/health"
	"gatefold/application/wait"
)

const (
	// handshakeTerm is how long a connection that has begun to be made may take to be:
	// more than a round trip in the networks in which proxies are.
	handshakeTerm = 50 * time.Millisecond
	// quiesceLimit is how long connections that are made are waited for.
	quiesceLimit = 2 * time.Second
	quiescePoll  = 5 * time.Millisecond
)

// drain is an instance's way out of service. It says that it is not ready, goes on
// serving for delay, so that who sends it requests hears of it, and only then lets
// no connection in. Connections are never closed under a request that may be on its way:
// each ends with the answer to the next request on it, and those on which none comes
// within delay are the proxy's to close before.
type drain struct {
	delay   time.Duration // 0: nobody needs to hear of it
	monitor *health.Monitor
	log     *slog.Logger
	begun   atomic.Bool
}

// handler has clients told with each answer, once the drain has begun, that their
// connection ends.
func (d *drain) handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if d.begun.Load() {
			w.Header().Set("Connection", "close")
		}
		next.ServeHTTP(w, r)
	})
}

// begin starts the drain. The channel delivers when delay is over.
func (d *drain) begin() <-chan time.Time {
	d.monitor.Drain()
	d.begun.Store(true)
	return time.After(d.delay)
}

// finish waits until the delay is over, and then until every connection that was being
// made has been accepted, while no new one is. The listener is to be closed next.
func (d *drain) finish(ctx context.Context, over <-chan time.Time, listener *net.TCPListener) {
	if d.delay == 0 {
		return
	}
	select {
	case <-over:
	case <-ctx.Done():
		return
	}
	if err := quiesce(ctx, listener); err != nil {
		d.log.Warn("Connections that are just being made may be cut", "error", err.Error())
	}
}

// listenConfig is of listeners that can be quiesced: of several paths (MPTCP), which Go
// offers by itself, they cannot.
func listenConfig() *net.ListenConfig {
	config := &net.ListenConfig{}
	config.SetMultipathTCP(false)
	return config
}

// quiesce has the kernel ignore whoever wants to connect from now on, and waits until
// nobody is left who could before. To close a listener alone would cut those whom the
// kernel has let in and the program has not accepted yet, with the requests that they may
// have sent. Who is ignored tries again after a second, when the port refuses.
func quiesce(ctx context.Context, listener *net.TCPListener) error {
	raw, err := listener.SyscallConn()
	if err != nil {
		return err
	}
	if err := onSocket(raw, ignoreNewcomers); err != nil {
		return err
	}
	began := time.Now()
	for {
		waiting := uint32(0)
		err := onSocket(raw, func(fd int) error {
			info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
			if err == nil {
				waiting = info.Unacked // of a listener: who waits to be accepted
			}
			return err
		})
		took := time.Since(began)
		if err != nil || waiting == 0 && took >= handshakeTerm || took >= quiesceLimit {
			return err
		}
		if err := wait.For(ctx, quiescePoll); err != nil {
			return err
		}
	}
}

// newcomers drops segments that begin a connection: of their flags, at byte 13 of the
// TCP header, SYN is set and ACK is not.
var newcomers = []bpf.Instruction{
	bpf.LoadAbsolute{Off: 13, Size: 1},
	bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0x12},
	bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0x02, SkipTrue: 1},
	bpf.RetConstant{Val: 0},
	bpf.RetConstant{Val: 0x7fffffff},
}

// ignoreNewcomers attaches the filter to a listening socket.
func ignoreNewcomers(fd int) error {
	assembled, err := bpf.Assemble(newcomers)
	if err != nil {
		return err
	}
	filter := make([]unix.SockFilter, len(assembled))
	for i, in := range assembled {
		filter[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]})
}

// onSocket calls do with the descriptor, which stays open meanwhile.
func onSocket(raw interface{ Control(func(uintptr)) error }, do func(fd int) error) error {
	var err error
	if controlErr := raw.Control(func(fd uintptr) { err = do(int(fd)) }); controlErr != nil {
		return controlErr
	}
	return err
}
