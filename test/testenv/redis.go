package testenv

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// redisDatabases is how many isolated databases the shared server has: one for
// each call of Redis in a test process.
const redisDatabases = 4096

var (
	sharedRedis     = sync.OnceValues(newRedis)
	nextDatabase    atomic.Int32
	redisStartTries = 5
)

// Redis returns the URL of an empty Redis database of the caller's own, on a
// server that is started once per test process.
func Redis(tb TB) string {
	tb.Helper()
	server, err := sharedRedis()
	if err != nil {
		fatalf(tb, "starting redis-server: %v", err)
	}
	n := int(nextDatabase.Add(1))
	if n >= redisDatabases {
		fatalf(tb, "more than %d Redis databases in one test process", redisDatabases)
	}
	return fmt.Sprintf("redis://%s/%d", server.Addr, n)
}

// RedisServer starts a Redis server that belongs to the caller alone, who may
// stop and pause it. It ends with the test.
func RedisServer(tb TB) *RedisProcess {
	tb.Helper()
	server, err := newRedis()
	if err != nil {
		fatalf(tb, "starting redis-server: %v", err)
	}
	tb.Cleanup(func() { server.end() })
	return server
}

// RedisProcess is a private Redis server without persistence.
type RedisProcess struct {
	Addr string // host:port, the same after a restart
	dir  string
	cmd  *exec.Cmd
}

func newRedis() (*RedisProcess, error) {
	dir, err := os.MkdirTemp("", "gatefold-redis-")
	if err != nil {
		return nil, err
	}
	onExit(func() { _ = os.RemoveAll(dir) })
	server := &RedisProcess{dir: dir}
	// Another process may take the port between finding it and using it.
	for range redisStartTries {
		var port int
		if port, err = freePort(); err != nil {
			return nil, err
		}
		server.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
		if err = server.launch(); err == nil {
			return server, nil
		}
	}
	return nil, err
}

// Start starts the server again, empty, on the same address.
func (p *RedisProcess) Start(tb TB) {
	tb.Helper()
	if err := p.launch(); err != nil {
		fatalf(tb, "restarting redis-server: %v", err)
	}
}

// Stop ends the server at once, as a crash would.
func (p *RedisProcess) Stop() { stop(p.cmd, syscall.SIGKILL) }

// Pause stops the server from answering while its connections stay open.
func (p *RedisProcess) Pause() { _ = p.cmd.Process.Signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (p *RedisProcess) Resume() { _ = p.cmd.Process.Signal(syscall.SIGCONT) }

func (p *RedisProcess) end() {
	p.Stop()
	_ = os.RemoveAll(p.dir)
}

func (p *RedisProcess) launch() error {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		return fmt.Errorf("redis-server is not installed: run scripts/install-test-tools.sh (%w)", err)
	}
	host, port, err := net.SplitHostPort(p.Addr)
	if err != nil {
		return err
	}
	p.cmd = exec.Command(binary, "--bind", host, "--port", port, "--dir", p.dir,
		"--save", "", "--appendonly", "no", "--databases", strconv.Itoa(redisDatabases), "--loglevel", "warning")
	if err := start(p.cmd); err != nil {
		return err
	}
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		select {
		case <-done(p.cmd):
			return fmt.Errorf("redis-server on %s ended at once", p.Addr)
		default:
		}
		if redisAnswers(p.Addr) {
			return nil
		}
	}
	p.Stop()
	return fmt.Errorf("redis-server on %s did not answer within %s", p.Addr, patience)
}

func redisAnswers(addr string) bool {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	if _, err := conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	return err == nil && strings.HasPrefix(line, "+PONG")
}
