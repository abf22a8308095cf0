// Package testenv starts the private servers that tests talk to, and ends them
// with the test process, however that ends.
package testenv

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TB is what this package needs of *testing.T; conformance.TB has it too.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	FailNow()
	Cleanup(f func())
}

// Main runs the tests and then stops every server that they started. A package
// whose tests use this one has to call it:
//
//	func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }
func Main(m *testing.M) int { return Run(m.Run) }

// Run calls f, which may start servers, and then stops every one of them. It is Main
// for programs that are no tests.
func Run(f func() int) int {
	processes.enter()
	defer processes.exit()
	return f()
}

// FreePort returns a TCP port of 127.0.0.1 on which nobody listens. No two calls
// in one process return the same port; against other processes there is no
// promise, so a server that finds it taken is to be started on another.
func FreePort(tb TB) int {
	tb.Helper()
	port, err := freePort()
	if err != nil {
		fatalf(tb, "no free port on 127.0.0.1: %v", err)
	}
	return port
}

var handedOut sync.Map // port -> struct{}

func freePort() (int, error) {
	for {
		listener, err := net.Listen("tcp4", "127.0.0.1:0")
		if err != nil {
			return 0, err
		}
		port := listener.Addr().(*net.TCPAddr).Port
		if err := listener.Close(); err != nil {
			return 0, err
		}
		if _, taken := handedOut.LoadOrStore(port, struct{}{}); !taken {
			return port, nil
		}
	}
}

// onExit has f called when Main ends, the last one registered first.
func onExit(f func()) { processes.onExit(f) }

// start starts a child process that does not outlive this one: it is killed at
// the latest when Main ends, and by the kernel should the test process die
// before. It is reaped here, so cmd.Wait is not to be called: see stop and done.
func start(cmd *exec.Cmd) error { return processes.start(cmd) }

// stop sends the signal to a process that start started and waits until it has
// ended; one that has not after ten seconds is killed. Stopping a process that
// has ended does nothing.
func stop(cmd *exec.Cmd, signal os.Signal) { processes.stop(cmd, signal) }

// done is closed when a process that start started has ended.
func done(cmd *exec.Cmd) <-chan struct{} { return processes.done(cmd) }

// pause stops a process from running while its connections stay open. When it
// returns, the process has executed its last instruction.
func pause(cmd *exec.Cmd) {
	if cmd.Process.Signal(syscall.SIGSTOP) != nil {
		return // it has ended
	}
	for {
		// WNOWAIT leaves the child to the goroutine that reaps it.
		err := unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WSTOPPED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// resume ends a pause.
func resume(cmd *exec.Cmd) { _ = cmd.Process.Signal(syscall.SIGCONT) }

// patience is how long a server gets to end by itself.
const patience = 10 * time.Second

// processes is the one registry: children belong to the process, not to a test.
var processes = &registry{running: map[*exec.Cmd]chan struct{}{}}

type registry struct {
	mu      sync.Mutex
	entered bool
	exits   []func()
	running map[*exec.Cmd]chan struct{}
	starts  chan startRequest
}

type startRequest struct {
	cmd   *exec.Cmd
	reply chan error
}

func (r *registry) enter() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entered = true
	r.starts = make(chan startRequest)
	go startFromOneThread(r.starts)
}

// startFromOneThread starts the children from an operating system thread that
// lives as long as the process. The kernel ties the parent death signal to the
// thread that forked, and the threads of other goroutines come and go.
func startFromOneThread(requests <-chan startRequest) {
	runtime.LockOSThread()
	for request := range requests {
		request.reply <- request.cmd.Start()
	}
}

func (r *registry) onExit(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.exits = append(r.exits, f)
}

func (r *registry) start(cmd *exec.Cmd) error {
	r.mu.Lock()
	entered := r.entered
	r.mu.Unlock()
	if !entered {
		return errors.New("the package's TestMain has to call testenv.Main")
	}
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	request := startRequest{cmd, make(chan error)}
	r.starts <- request
	if err := <-request.reply; err != nil {
		return fmt.Errorf("starting %s: %w", cmd.Path, err)
	}
	ended := make(chan struct{})
	r.mu.Lock()
	r.running[cmd] = ended
	r.mu.Unlock()
	go func() {
		defer close(ended)
		_ = cmd.Wait() // how a server ended says nothing: it is always made to
	}()
	r.onExit(func() { r.stop(cmd, syscall.SIGKILL) })
	return nil
}

func (r *registry) done(cmd *exec.Cmd) <-chan struct{} {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.running[cmd]
}

func (r *registry) stop(cmd *exec.Cmd, signal os.Signal) {
	ended := r.done(cmd)
	if ended == nil {
		return
	}
	// os.Process knows whether the child was reaped, so that the signal cannot
	// meet a stranger who was given the same pid.
	_ = cmd.Process.Signal(signal)
	select {
	case <-ended:
	case <-time.After(patience):
		_ = cmd.Process.Kill()
		<-ended
	}
}

func (r *registry) exit() {
	r.mu.Lock()
	exits := slices.Clone(r.exits)
	r.mu.Unlock()
	for _, f := range slices.Backward(exits) {
		f()
	}
}

func fatalf(tb TB, format string, args ...any) {
	tb.Helper()
	tb.Errorf(format, args...)
	tb.FailNow()
}
