// Package integration runs the whole program, composed as in production, on
// every combination of adapters. Configuration alone chooses them: the adapters
// swap, the tests do not.
package integration

import (
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	stdlog "log"
	"log/slog"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"gatefold/application/accesstoken"
	"gatefold/application/importlibrary"
	"gatefold/application/renderimage"
	"gatefold/bootstrap"
	"gatefold/test/contract"
	"gatefold/test/testenv"
	"gatefold/test/testenv/migrated"
)

func TestMain(m *testing.M) {
	var err error
	if builds, err = os.MkdirTemp("", "gatefold-binary-"); err != nil {
		panic(err)
	}
	stdlog.SetOutput(io.Discard) // what net/http says of strangers that mean no good
	code := testenv.Main(m)
	_ = os.RemoveAll(builds) // what is left is in the folder for temporary files
	os.Exit(code)
}

// deployment is what a combination of adapters gives the instances of one test.
type deployment struct {
	environ []string
	redis   redis.UniversalClient // nil without Redis
	shared  bool                  // several instances may run on it
	program string                // the binary, if it is not that of this tree

	// standIns lets a rendition that takes long be stood in for. Otherwise tests get what
	// they ask for, however slow the machine.
	standIns time.Duration
}

// combinations are the deployments that every test runs on.
var combinations = map[string]func(t *testing.T) deployment{
	"memory and SQLite": func(t *testing.T) deployment {
		return deployment{environ: []string{"DATA_DIR=" + t.TempDir()}}
	},
	"Redis and Postgres": func(t *testing.T) deployment { return sharedDeployment(t, "IMAGE_CACHE=redis") },
	"two-level and Postgres": func(t *testing.T) deployment {
		return sharedDeployment(t, "IMAGE_CACHE=auto", "L1_TTL=200ms")
	},
	"Redis, Postgres and S3": func(t *testing.T) deployment {
		return sharedDeployment(t, append(testenv.S3(t).Environ(), "IMAGE_CACHE=redis")...)
	},
}

// sharedDeployment is on servers that all tests have in common, and that nobody stops: readers
// wait for Redis however slow the machine, for what they ask is to be found there afterwards.
func sharedDeployment(t *testing.T, more ...string) deployment {
	url := testenv.Redis(t)
	options, err := redis.ParseURL(url)
	require.NoError(t, err)
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	environ := append([]string{"DATA_DIR=" + t.TempDir(), "DATABASE_URL=" + migrated.Postgres(t), "REDIS_URL=" + url, "REDIS_READ_TIMEOUT=5s"}, more...)
	return deployment{environ: environ, redis: client, shared: true}
}

// onEvery runs a test on every combination.
func onEvery(t *testing.T, test func(t *testing.T, d deployment)) {
	for name, deploy := range combinations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, deploy(t))
		})
	}
}

// instance is a running Gatefold and its API's client.
type instance struct {
	t      *testing.T
	server *bootstrap.Server
	base   string
	token  string
	log    *logBuffer
}

// basics are the settings that a deployment may override. Instances do not warm
// their cache by themselves, render ahead, nor sample the cache: tests look at what requests
// have put there, and count who reads. Nor do they limit requests: all tests ask from the same
// address.
var basics = []string{
	"ENV_FILE=/dev/null", "LISTEN_ADDR=127.0.0.1:0", "WARM_KEYS=0", "RENDER_AHEAD=false", "AUTH_SECRET=of-the-tests-and-of-no-deployment",
	"RATE_LIMIT_REQUESTS=0", "RATE_LIMIT_UPLOADS=0", "RATE_LIMIT_LOGINS=0", "CACHE_SAMPLE_SHARE=0",
}

// start runs an instance of the deployment until the test ends.
func (d deployment) start(t *testing.T, more ...string) *instance {
	t.Helper()
	return d.startWith(t, fx.Options(), more...)
}

// startWith is start with something put between the instance's parts.
func (d deployment) startWith(t *testing.T, between fx.Option, more ...string) *instance {
	t.Helper()
	environ := append(slices.Clone(basics), d.environ...)
	patient := fx.Decorate(func(limits renderimage.Limits) renderimage.Limits {
		limits.StandInAfter = cmp.Or(d.standIns, time.Minute)
		return limits
	})
	cfg, err := bootstrap.LoadConfig(append(environ, more...))
	require.NoError(t, err)
	log := &logBuffer{}
	server, err := bootstrap.Serve(t.Context(), cfg, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})), between, patient)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	in := &instance{t: t, server: server, base: "http://" + server.Addr(), log: log}
	in.token, err = server.CreateToken(t.Context(), accesstoken.CreateIn{Name: "test", Scope: accesstoken.Admin})
	require.NoError(t, err)
	return in
}

// logBuffer keeps what an instance logs.
type logBuffer struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}

// answer is a response whose body was read.
type answer struct {
	*http.Response
	body []byte
}

func (a answer) json(t *testing.T) map[string]any {
	t.Helper()
	var v map[string]any
	require.NoError(t, json.Unmarshal(a.body, &v), string(a.body))
	return v
}

// transport fails for answers that are not in the contract.
var transport = contract.Transport{Base: http.DefaultTransport}

// do sends a request; header is a list of names and values.
func (in *instance) do(method, path string, body io.Reader, header ...string) answer {
	in.t.Helper()
	req, err := http.NewRequestWithContext(in.t.Context(), method, in.base+path, body)
	require.NoError(in.t, err)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := transport.RoundTrip(req)
	require.NoError(in.t, err)
	defer func() { _ = resp.Body.Close() }()
	content, err := io.ReadAll(resp.Body)
	require.NoError(in.t, err)
	require.NoError(in.t, contract.CheckStream(resp, content))
	return answer{resp, content}
}

func (in *instance) get(path string, header ...string) answer {
	in.t.Helper()
	return in.do(http.MethodGet, path, nil, header...)
}

// send makes a guarded request with a JSON body.
func (in *instance) send(method, path string, body any, header ...string) answer {
	in.t.Helper()
	text, err := json.Marshal(body)
	require.NoError(in.t, err)
	header = append(header, "Authorization", "Bearer "+in.token, "Content-Type", "application/json")
	return in.do(method, path, bytes.NewReader(text), header...)
}

// upload makes a guarded multipart request.
func (in *instance) upload(path string, file []byte, fields ...string) answer {
	in.t.Helper()
	body, contentType := form(in.t, file, fields...)
	return in.do(http.MethodPost, path, body, "Authorization", "Bearer "+in.token, "Content-Type", contentType)
}

// form makes a multipart body of a file and fields.
func form(t *testing.T, file []byte, fields ...string) (body *bytes.Buffer, contentType string) {
	t.Helper()
	body = &bytes.Buffer{}
	writer := multipart.NewWriter(body)
	part, err := writer.CreateFormFile("file", "picture.jpg")
	require.NoError(t, err)
	_, err = part.Write(file)
	require.NoError(t, err)
	for i := 0; i < len(fields); i += 2 {
		require.NoError(t, writer.WriteField(fields[i], fields[i+1]))
	}
	require.NoError(t, writer.Close())
	return body, writer.FormDataContentType()
}

// requireProblem checks that an answer is a problem document of a kind.
func requireProblem(t *testing.T, a answer, status int, kind string) {
	t.Helper()
	require.Equal(t, status, a.StatusCode, string(a.body))
	require.Equal(t, "application/problem+json", a.Header.Get("Content-Type"))
	problem := a.json(t)
	require.Equal(t, "urn:gatefold:problem:"+kind, problem["type"])
	for _, field := range []string{"title", "status", "detail", "instance", "statusCode", "message", "error", "timestamp", "path"} {
		require.NotEmpty(t, problem[field], field)
	}
}

// importFolder imports a music folder and returns what that did.
func (in *instance) importFolder(dir string) importlibrary.Summary {
	in.t.Helper()
	summary, err := in.server.Import(in.t.Context(), dir, ignored{})
	require.NoError(in.t, err)
	return summary
}

type ignored struct{}

func (ignored) Progress(int, int)             {}
func (ignored) Skipped(importlibrary.Skipped) {}

// putArtist and putAlbum push a catalogue as another system would.
func (in *instance) putArtist(id, name string) {
	in.t.Helper()
	a := in.send(http.MethodPut, "/api/artists/"+id, map[string]any{"name": name})
	require.Equal(in.t, http.StatusCreated, a.StatusCode, string(a.body))
}

func (in *instance) putAlbum(id, artist, name string) {
	in.t.Helper()
	a := in.send(http.MethodPut, "/api/albums/"+id, map[string]any{"name": name, "artistId": artist})
	require.Equal(in.t, http.StatusCreated, a.StatusCode, string(a.body))
}

func (in *instance) putUser(id, name string) {
	in.t.Helper()
	a := in.send(http.MethodPut, "/api/users/"+id, map[string]any{"username": name})
	require.Equal(in.t, http.StatusCreated, a.StatusCode, string(a.body))
}

func itoa(n int) string { return strconv.Itoa(n) }

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, content, 0o644))
}
