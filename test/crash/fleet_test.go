package crash

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/test/crashpoint"
	"gatefold/test/overlay"
	"gatefold/test/testenv"
)

// patience bounds waiting for what a process is about to do.
const patience = 30 * time.Second

// builds is the folder of what is built for the tests.
var builds string

// program is the whole program with the points in it, built once.
var program = sync.OnceValues(func() (string, error) {
	root, err := filepath.Abs("../..")
	if err != nil {
		return "", err
	}
	file, err := overlay.Write(root, builds, crashpoint.Edits())
	if err != nil {
		return "", err
	}
	path := filepath.Join(builds, "gatefold")
	build := exec.Command("go", "build", "-overlay", file, "-o", path, "gatefold")
	build.Dir, build.Stderr = root, os.Stderr
	return path, build.Run()
})

// fleet is a deployment: a process that ends again and again, and beside it, if
// they can share, one that never does.
type fleet struct {
	t        *testing.T
	dir      string
	environ  []string
	redis    string // its URL; "" if embedded
	database string // its URL; "" if embedded
	orders   string // the file in which orders are left
	provider *provider
	victim   *process
	witness  *process // nil if embedded
	token    string
	crashes  int
	next     int64 // makes every picture another one
}

func newFleet(t *testing.T, shared bool) *fleet {
	t.Helper()
	// The processes end with the thread that started them, should this process be
	// killed itself: it is to be the same one until the test ends.
	runtime.LockOSThread()
	f := &fleet{t: t, dir: t.TempDir(), provider: newProvider(t)}
	f.orders = filepath.Join(f.dir, "order")
	f.environ = []string{
		"PATH=" + os.Getenv("PATH"), "ENV_FILE=/dev/null", "LISTEN_ADDR=127.0.0.1:0", "WARM_KEYS=0", "RENDER_AHEAD=false", "DATA_DIR=" + filepath.Join(f.dir, "data"),
		"DOWNLOAD_ALLOW_HOSTS=" + strings.TrimPrefix(f.provider.URL, "http://"),
	}
	if shared {
		f.redis, f.database = testenv.Redis(t), testenv.Postgres(t)
		f.environ = append(f.environ, "DATABASE_URL="+f.database, "AUTH_SECRET=of-the-tests-and-of-no-deployment", "REDIS_URL="+f.redis, "L1_TTL=20ms")
		f.witness = f.serve()
	}
	f.victim = f.serve(crashpoint.OrderVariable + "=" + f.orders)
	f.token = strings.TrimSpace(f.verb("token", "create", "--scope", "admin"))
	f.put("/api/artists/"+artist, map[string]any{"name": "Whose albums they are"})
	return f
}

// process is a running gatefold.
type process struct {
	cmd  *exec.Cmd
	base string
	log  bytes.Buffer
	done chan struct{} // closed when it has ended
}

var servingAt = regexp.MustCompile(`"address": "(http://[^"]+)"`)

// serve starts a server and waits until it serves.
func (f *fleet) serve(more ...string) *process {
	f.t.Helper()
	path, err := program()
	require.NoError(f.t, err)
	p := &process{cmd: exec.Command(path, "serve"), done: make(chan struct{})}
	p.cmd.Env, p.cmd.Dir = slices.Concat(f.environ, more), f.dir
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	output, err := p.cmd.StderrPipe()
	require.NoError(f.t, err)
	require.NoError(f.t, p.cmd.Start())
	address := make(chan string, 1)
	go func() {
		defer close(p.done)
		for lines := bufio.NewScanner(output); lines.Scan(); {
			p.log.Write(append(lines.Bytes(), '\n'))
			if match := servingAt.FindStringSubmatch(lines.Text()); match != nil {
				address <- match[1]
			}
		}
		_ = p.cmd.Wait() // how it ended is asked for where it matters
	}()
	f.t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		<-p.done
	})
	select {
	case p.base = <-address:
	case <-p.done:
		require.FailNow(f.t, "the server ended", p.log.String())
	case <-time.After(patience):
		require.FailNow(f.t, "the server does not begin to serve")
	}
	return p
}

// requireKilled waits until the process has ended, and checks how.
func (p *process) requireKilled(t *testing.T) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		require.FailNow(t, "the point was not reached")
	}
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	require.True(t, ok)
	require.True(t, status.Signaled() && status.Signal() == syscall.SIGKILL, "it ended otherwise: %s", p.log.String())
}

// restart starts the victim anew.
func (f *fleet) restart() {
	f.t.Helper()
	f.victim = f.serve(crashpoint.OrderVariable + "=" + f.orders)
}

// verb runs a verb to its good end and returns what it printed.
func (f *fleet) verb(args ...string) string {
	f.t.Helper()
	out, err := f.try(args...)
	require.NoError(f.t, err, out)
	return out
}

func (f *fleet) try(args ...string) (string, error) {
	path, err := program()
	require.NoError(f.t, err)
	cmd := exec.Command(path, args...)
	cmd.Env, cmd.Dir = f.environ, f.dir
	out, err := cmd.Output()
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		err = fmt.Errorf("%w: %s", err, e.Stderr)
	}
	return string(out), err
}

// reply is a response whose body was read.
type reply struct {
	*http.Response
	body []byte
}

func (r reply) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal(r.body, &v), string(r.body))
	return v
}

// ask sends a request on a connection of its own. The error is that of a server
// that ends before it has answered.
func (f *fleet) ask(p *process, method, path, contentType string, body io.Reader) (reply, error) {
	req, err := http.NewRequestWithContext(f.t.Context(), method, p.base+path, body)
	if err != nil {
		return reply{}, err
	}
	req.Close = true
	req.Header.Set("Authorization", "Bearer "+f.token)
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	return reply{resp, content}, err
}

func (f *fleet) get(p *process, path string) reply {
	f.t.Helper()
	r, err := f.ask(p, http.MethodGet, path, "", nil)
	require.NoError(f.t, err)
	require.Equal(f.t, http.StatusOK, r.StatusCode, "%s: %s", path, r.body)
	return r
}

func (f *fleet) put(path string, body any) {
	f.t.Helper()
	r, err := f.ask(f.victim, http.MethodPut, path, "application/json", asJSON(body))
	require.NoError(f.t, err)
	require.Equal(f.t, http.StatusCreated, r.StatusCode, string(r.body))
}

func asJSON(body any) io.Reader {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // texts only
	}
	return bytes.NewReader(text)
}

// everybody are the processes that have to tell the truth.
func (f *fleet) everybody() []*process {
	if f.witness == nil {
		return []*process{f.victim}
	}
	return []*process{f.victim, f.witness}
}
