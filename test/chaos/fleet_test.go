package chaos

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"gatefold/test/badlink"
	"gatefold/test/crashpoint"
	"gatefold/test/disturb"
	"gatefold/test/testenv"
)

const (
	// patience bounds waiting for what will happen, however busy the machine is.
	patience  = 90 * time.Second
	instances = 3
	// theConstant is the instance that is never killed, whose memory is watched.
	theConstant = instances - 1
)

// servers are what a fleet runs on.
type servers struct {
	postgres *testenv.PostgresProcess // nil: one that others use too
	database string                   // the URL of a database of the fleet's own

	redis    *testenv.RedisProcess // of these one is set
	sentinel *testenv.SentinelDeployment
	cluster  *testenv.ClusterDeployment
}

// addrs returns where instances may connect to.
func (s servers) addrs() []string {
	switch {
	case s.sentinel != nil:
		return slices.Concat(s.sentinel.Addrs(), s.sentinel.ServerAddrs())
	case s.cluster != nil:
		return s.cluster.Addrs()
	default:
		return []string{s.redis.Addr}
	}
}

// environ tells an instance where Redis is.
func (s servers) environ() []string {
	switch {
	case s.sentinel != nil:
		return []string{"REDIS_SENTINEL_MASTER=" + s.sentinel.MasterName(), "REDIS_SENTINEL_ADDRS=" + strings.Join(s.sentinel.Addrs(), ",")}
	case s.cluster != nil:
		return []string{"REDIS_CLUSTER_ADDRS=" + strings.Join(s.cluster.Addrs(), ",")}
	default:
		return []string{"REDIS_URL=redis://" + s.redis.Addr}
	}
}

// fleet is a deployment of several instances, which the test reaches directly, and which
// reach their servers over links that can be bad.
type fleet struct {
	servers
	t         *testing.T
	program   string
	dir, data string
	token     string
	instances []*instance
	truth     *pgx.Conn // past all instances and links
	client    *http.Client
}

// instance is a process of the fleet, and what becomes of it.
type instance struct {
	fleet    *fleet
	number   int
	postgres *badlink.Link
	redis    map[string]*badlink.Link // by the server's address
	orders   string
	environ  []string

	base    atomic.Pointer[string] // http://HOST:PORT; that of the latest process
	mu      sync.Mutex
	process *testenv.Program
	log     *os.File
}

func (in *instance) String() string { return fmt.Sprint("instance ", in.number+1) }

// url returns where the instance serves.
func (in *instance) url() string { return *in.base.Load() }

func (in *instance) running() *testenv.Program {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.process
}

// newFleet starts a fleet whose data is in the folder.
func newFleet(t *testing.T, program, data string, s servers, environ ...string) *fleet {
	t.Helper()
	f := &fleet{servers: s, t: t, program: program, dir: t.TempDir(), data: data, client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	t.Cleanup(f.client.CloseIdleConnections)
	var err error
	f.truth, err = pgx.Connect(t.Context(), s.database)
	require.NoError(t, err)
	t.Cleanup(func() { _ = f.truth.Close(context.Background()) })
	for i := range instances {
		f.instances = append(f.instances, f.newInstance(i, environ))
	}
	require.NoError(t, f.instances[0].start()) // the first makes the tables
	for _, in := range f.instances[1:] {
		require.NoError(t, in.start())
	}
	cmd := exec.CommandContext(t.Context(), program, "token", "create", "--scope", "admin")
	cmd.Env, cmd.Dir = f.instances[0].environ, f.dir
	token, err := cmd.Output()
	require.NoError(t, err)
	f.token = strings.TrimSpace(string(token))
	return f
}

func (f *fleet) newInstance(number int, environ []string) *instance {
	t := f.t
	in := &instance{fleet: f, number: number, redis: map[string]*badlink.Link{}}
	in.orders = filepath.Join(f.dir, fmt.Sprint("order-", number))
	database, err := url.Parse(f.database)
	require.NoError(t, err)
	in.postgres = badlink.New(t, database.Host)
	database.Host = in.postgres.Addr()
	var detours []string
	for _, addr := range f.addrs() {
		in.redis[addr] = badlink.New(t, addr)
		detours = append(detours, addr+"="+in.redis[addr].Addr())
	}
	in.environ = slices.Concat([]string{
		"PATH=" + os.Getenv("PATH"), "ENV_FILE=/dev/null", "LISTEN_ADDR=127.0.0.1:0", "DATA_DIR=" + f.data, "DATABASE_URL=" + database.String(),
		"AUTH_SECRET=of-the-tests-and-of-no-deployment", "RENDER_AHEAD=false",
		"BYTES_CACHE_MB=1", // full before long: what grows afterwards leaks
		"RATE_LIMIT_REQUESTS=0", "RATE_LIMIT_UPLOADS=0", "WARM_KEYS=0",
		crashpoint.OrderVariable + "=" + in.orders, disturb.DetoursVariable + "=" + strings.Join(detours, ","),
	}, f.environ(), environ)
	in.log, err = os.Create(filepath.Join(f.dir, fmt.Sprint("log-", number)))
	require.NoError(t, err)
	t.Cleanup(func() {
		if process := in.running(); process != nil {
			process.Kill()
		}
		_ = in.log.Close()
		if t.Failed() {
			t.Logf("%s wrote at last:\n%s", in, in.lastWords())
		}
	})
	return in
}

// lastWords is the end of what the instance wrote.
func (in *instance) lastWords() string {
	text, _ := os.ReadFile(in.log.Name())
	return string(text[max(0, len(text)-2000):])
}

var servingAt = regexp.MustCompile(`"address": "(http://[^"]+)"`)

// start starts a process of the instance and waits until it serves. One that gives up,
// because its servers are out of reach or slow, is started again, as a supervisor would.
func (in *instance) start(environ ...string) (err error) {
	for limit := time.Now().Add(patience); time.Now().Before(limit); {
		if err = in.launch(environ); err == nil {
			return nil
		}
	}
	return err
}

func (in *instance) launch(environ []string) error {
	cmd := exec.Command(in.fleet.program, "serve")
	cmd.Env, cmd.Dir = slices.Concat(in.environ, environ), in.fleet.dir
	said := &awaiting{to: in.log, found: make(chan string, 1)}
	cmd.Stderr = said
	process, err := testenv.StartProgram(cmd)
	if err != nil {
		return err
	}
	in.mu.Lock()
	in.process = process
	in.mu.Unlock()
	select {
	case base := <-said.found:
		in.base.Store(&base)
		return nil
	case <-process.Done():
		return fmt.Errorf("%s ended while it started", in)
	case <-time.After(patience):
		process.Kill()
		return fmt.Errorf("%s does not begin to serve", in)
	}
}

// awaiting passes on what a process writes, until it says where it serves.
type awaiting struct {
	to    io.Writer
	mu    sync.Mutex
	begun []byte
	found chan string
}

func (a *awaiting) Write(p []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.found != nil {
		a.begun = append(a.begun, p...)
		if match := servingAt.FindSubmatch(a.begun); match != nil {
			a.found <- string(match[1])
			a.found, a.begun = nil, nil
		}
	}
	return a.to.Write(p)
}

// heal ends what is bad on the links of all.
func (f *fleet) heal() {
	for _, in := range f.instances {
		in.postgres.Heal()
		for _, link := range in.redis {
			link.Heal()
		}
	}
}

// answer is a response whose body was read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// problem returns the kind of an error that the API tells.
func (a answer) problem() string {
	var p struct{ Type string }
	_ = json.Unmarshal(a.body, &p) // what has no type is no problem
	return strings.TrimPrefix(p.Type, "urn:gatefold:problem:")
}

// ask sends a request to the instance, as an administrator.
func (in *instance) ask(ctx context.Context, method, path, contentType string, body io.Reader) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, method, in.url()+path, body)
	if err != nil {
		return answer{}, err
	}
	req.Header.Set("Authorization", "Bearer "+in.fleet.token)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := in.fleet.client.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, content}, err
}

// send is ask with a JSON document.
func (in *instance) send(ctx context.Context, method, path string, document any) (answer, error) {
	text, err := json.Marshal(document)
	if err != nil {
		return answer{}, err
	}
	return in.ask(ctx, method, path, "application/json", bytes.NewReader(text))
}

// order sends a document that has to be accepted.
func (in *instance) order(method, path string, document any) {
	in.fleet.t.Helper()
	a, err := in.send(in.fleet.t.Context(), method, path, document)
	require.NoError(in.fleet.t, err)
	require.Less(in.fleet.t, a.status, http.StatusBadRequest, string(a.body))
}
