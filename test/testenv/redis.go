package testenv

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// redisDatabases is how many isolated databases the shared server has: one
	// for each call of Redis in a test process.
	redisDatabases = 4096
	// redisStartTries is how often a new server is started on other ports:
	// another process may take one between finding it and using it.
	redisStartTries = 5
	// pollInterval is the time between two looks at a server that changes.
	pollInterval = 10 * time.Millisecond
)

var (
	sharedRedis = sync.OnceValues(func() (*RedisProcess, error) {
		return newRedis(dataServer, fmt.Sprintf("--databases %d", redisDatabases))
	})
	nextDatabase atomic.Int32
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
// stop and pause it. It ends with the test. It keeps nothing on disk unless an
// argument says so; each argument is a directive of the configuration file with
// its values, such as "--appendonly yes" or "--requirepass secret". With those of
// Certificates it speaks TLS.
func RedisServer(tb TB, args ...string) *RedisProcess {
	tb.Helper()
	return startRedis(tb, dataServer, args...)
}

func startRedis(tb TB, kind redisKind, args ...string) *RedisProcess {
	tb.Helper()
	server, err := newRedis(kind, args...)
	if err != nil {
		fatalf(tb, "starting redis-server: %v", err)
	}
	tb.Cleanup(server.end)
	return server
}

// RedisProcess is a private Redis server on 127.0.0.1. What it has written to
// disk survives Stop. The methods are for one goroutine.
type RedisProcess struct {
	Addr string // host:port, the same after a restart

	kind     redisKind
	deployed *deployedRedis // nil: by a configuration of the test's own
	args     []string
	password string
	tls      *tls.Config // of those who talk to it; nil: in the clear
	busPort  int         // of a cluster node: where the other nodes reach it
	dir      string      // holds the configuration, the log, the data folder and snapshots
	cmd      *exec.Cmd
	operator *redis.Client // for what the methods ask of the server
}

// redisKind is what a process of redis-server is there for.
type redisKind int

const (
	dataServer redisKind = iota
	sentinelServer
	clusterNode
)

// directives returns the configuration that every server of the kind begins
// with. Tests are not to wait for the timers of large deployments.
func (p *RedisProcess) directives() []string {
	data := []string{`save ""`, "appendonly no", "repl-diskless-sync-delay 0", "hz 50"}
	switch p.kind {
	case sentinelServer:
		return nil
	case clusterNode:
		return append(data, "cluster-enabled yes", fmt.Sprintf("cluster-port %d", p.busPort),
			"cluster-config-file ../nodes.conf", "cluster-announce-ip 127.0.0.1",
			fmt.Sprintf("cluster-node-timeout %d", clusterNodeTimeout.Milliseconds()),
			// Replicas take over whatever they have missed, and only from their own
			// master: which one it is does not depend on timing.
			"cluster-replica-validity-factor 0", "cluster-allow-replica-migration no")
	default:
		return data
	}
}

func newRedis(kind redisKind, args ...string) (*RedisProcess, error) {
	dir, err := os.MkdirTemp("", "gatefold-redis-")
	if err != nil {
		return nil, err
	}
	onExit(func() { _ = os.RemoveAll(dir) })
	p := &RedisProcess{kind: kind, args: args, password: directive(args, "requirepass"), dir: dir}
	if p.tls, err = trusting(directive(args, "tls-ca-cert-file")); err != nil {
		return nil, err
	}
	return p, p.first()
}

// first starts a server for the first time, on ports that it finds free.
func (p *RedisProcess) first() (err error) {
	if err := os.Mkdir(p.data(), 0o700); err != nil {
		return err
	}
	for range redisStartTries {
		if err = p.configure(); err != nil {
			return err
		}
		p.operator = p.newClient()
		if err = p.launch(); err == nil {
			return nil
		}
		_ = p.operator.Close()
	}
	return err
}

// directive returns the value of the last of the arguments with this name.
func directive(args []string, name string) string {
	for _, arg := range slices.Backward(args) {
		if value, ok := strings.CutPrefix(strings.TrimPrefix(arg, "--"), name+" "); ok {
			if plain, err := strconv.Unquote(value); err == nil {
				return plain
			}
			return value
		}
	}
	return ""
}

// configure gives the server free ports and a configuration file. It is a file
// because Sentinel and CONFIG REWRITE note in it what is to survive a restart.
func (p *RedisProcess) configure() error {
	port, err := freePort()
	if err != nil {
		return err
	}
	if p.busPort, err = freePort(); err != nil {
		return err
	}
	p.Addr = net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
	listen := []string{fmt.Sprintf("port %d", port)}
	if p.tls != nil {
		listen = []string{"port 0", fmt.Sprintf("tls-port %d", port)}
	}
	lines := slices.Concat([]string{"bind 127.0.0.1", fmt.Sprintf("dir %q", p.data())}, listen, p.directives())
	for _, arg := range p.args {
		lines = append(lines, strings.TrimPrefix(arg, "--"))
	}
	return os.WriteFile(p.path("redis.conf"), []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}

// Start starts the server again, on the same address, with the data on disk.
func (p *RedisProcess) Start(tb TB) {
	tb.Helper()
	if err := p.launch(); err != nil {
		fatalf(tb, "restarting redis-server: %v", err)
	}
}

// Stop ends the server at once, as a crash would.
func (p *RedisProcess) Stop() { stop(p.cmd, syscall.SIGKILL) }

// Pause stops the server from answering while its connections stay open. When
// it returns, the server has executed its last command.
func (p *RedisProcess) Pause() { pause(p.cmd) }

// Resume ends a Pause.
func (p *RedisProcess) Resume() { resume(p.cmd) }

// Client returns an operator's client of the server, which is closed when the
// test ends.
func (p *RedisProcess) Client(tb TB) *redis.Client {
	client := p.newClient()
	tb.Cleanup(func() { _ = client.Close() })
	return client
}

func (p *RedisProcess) newClient() *redis.Client {
	return redis.NewClient(p.options())
}

func (p *RedisProcess) options() *redis.Options {
	return &redis.Options{
		Addr:                     p.Addr,
		Password:                 p.password,
		TLSConfig:                p.tls,
		ContextTimeoutEnabled:    true,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
}

func (p *RedisProcess) end() {
	p.Stop()
	_ = p.operator.Close()
	_ = os.RemoveAll(p.dir)
}

func (p *RedisProcess) launch() error {
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		return fmt.Errorf("redis-server is not installed: run scripts/install-test-tools.sh (%w)", err)
	}
	p.cmd = exec.Command(binary, p.path("redis.conf"))
	if p.kind == sentinelServer {
		p.cmd.Args = append(p.cmd.Args, "--sentinel")
	}
	if p.deployed != nil {
		p.cmd = p.deployed.command(p)
	}
	log, err := os.OpenFile(p.path("log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := start(p.cmd); err != nil {
		return err
	}
	return p.awaitReady()
}

func (p *RedisProcess) awaitReady() error {
	limit := time.After(startLimit)
	for {
		err := p.ready()
		if err == nil {
			return nil
		}
		select {
		case <-done(p.cmd):
			return fmt.Errorf("redis-server on %s ended while starting: %s", p.Addr, p.log())
		case <-limit:
			p.Stop()
			return fmt.Errorf("redis-server on %s was not ready within %s: %w\n%s", p.Addr, startLimit, err, p.log())
		case <-time.After(pollInterval):
		}
	}
}

// ready returns nil when the server itself, not a stranger who was faster to
// take the port, answers with its data loaded.
func (p *RedisProcess) ready() error {
	// The client would count failed connections and then pause for a second.
	conn, err := net.DialTimeout("tcp", p.Addr, time.Second)
	if err != nil {
		return err
	}
	_ = conn.Close()
	info, err := p.info()
	switch {
	case err != nil:
		return err
	case info["process_id"] != strconv.Itoa(p.cmd.Process.Pid):
		return errors.New("another server listens there")
	case info["loading"] == "1":
		return errors.New("it is loading its data")
	default:
		return nil
	}
}

func (p *RedisProcess) running() bool {
	select {
	case <-done(p.cmd):
		return false
	default:
		return true
	}
}

// ask has the server execute a command.
func (p *RedisProcess) ask(cmd redis.Cmder) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return p.operator.Process(ctx, cmd)
}

func (p *RedisProcess) do(args ...any) error {
	return p.ask(redis.NewCmd(context.Background(), args...))
}

// order is do for commands that have to succeed.
func (p *RedisProcess) order(tb TB, args ...any) {
	tb.Helper()
	if err := p.do(args...); err != nil {
		fatalf(tb, "%v on %s: %v", args, p.Addr, err)
	}
}

// info returns the fields of INFO.
func (p *RedisProcess) info() (map[string]string, error) {
	cmd := redis.NewStringCmd(context.Background(), "INFO")
	if err := p.ask(cmd); err != nil {
		return nil, err
	}
	return infoFields(cmd.Val()), nil
}

// infoFields reads lines of the form field:value.
func infoFields(text string) map[string]string {
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields
}

func (p *RedisProcess) path(name string) string { return filepath.Join(p.dir, name) }

func (p *RedisProcess) data() string { return p.path("data") }

func (p *RedisProcess) log() string {
	text, _ := os.ReadFile(p.path("log"))
	return string(text)
}

func (p *RedisProcess) port() string {
	_, port, _ := net.SplitHostPort(p.Addr)
	return port
}

// await repeats check until it returns nil; the test fails with its last error,
// and what the witnesses have logged, if that takes too long.
func await(tb TB, what string, check func() error, witnesses ...*RedisProcess) {
	tb.Helper()
	for limit := time.Now().Add(startLimit); ; time.Sleep(pollInterval) {
		err := check()
		if err == nil {
			return
		}
		if time.Now().After(limit) {
			for _, witness := range witnesses {
				tb.Errorf("the log of %s:\n%s", witness.Addr, witness.log())
			}
			fatalf(tb, "%s: not within %s: %v", what, startLimit, err)
		}
	}
}
