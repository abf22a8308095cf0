package integration

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/test/contract"
	"gatefold/test/musicfixture"
	"gatefold/test/testenv"
)

// builds is the folder of what is built for the tests.
var builds string

// program is the program as it is shipped, built once per test process.
var program = sync.OnceValues(func() (string, error) {
	path := filepath.Join(builds, "gatefold")
	build := exec.Command("go", "build", "-o", path, "gatefold")
	build.Stderr = os.Stderr
	return path, build.Run()
})

func binary(ctx context.Context, t *testing.T, d deployment, args ...string) *exec.Cmd {
	t.Helper()
	path, err := program()
	require.NoError(t, err)
	if d.program != "" {
		path = d.program
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = slices.Concat([]string{"PATH=" + os.Getenv("PATH")}, basics, d.environ)
	cmd.Dir = t.TempDir()
	return cmd
}

// gatefold runs a verb as a process of its own.
func gatefold(t *testing.T, d deployment, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	return gatefoldWith(t, d, "", args...)
}

// gatefoldWith is gatefold with something to read.
func gatefoldWith(t *testing.T, d deployment, stdin string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	cmd := binary(t.Context(), t, d, args...)
	cmd.Stdin = strings.NewReader(stdin)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); cmd.ProcessState == nil {
		require.NoError(t, err)
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// process is a server as a process of its own.
type process struct {
	*instance
	cmd  *exec.Cmd
	done chan struct{} // closed when its output has ended
}

var servingAt = regexp.MustCompile(`"address": "(http://[^"]+)"`)

// serve starts a server process and waits until it serves.
func serve(t *testing.T, d deployment) *process {
	t.Helper()
	cmd := binary(t.Context(), t, d, "serve")
	output, err := cmd.StderrPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	p := &process{instance: &instance{t: t, log: &logBuffer{}}, cmd: cmd, done: make(chan struct{})}
	address := make(chan string, 1)
	go func() {
		defer close(p.done)
		for lines := bufio.NewScanner(output); lines.Scan(); {
			_, _ = p.log.Write(append(lines.Bytes(), '\n'))
			if match := servingAt.FindStringSubmatch(lines.Text()); match != nil {
				address <- match[1]
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-p.done
		_ = cmd.Wait()
	})
	select {
	case p.base = <-address:
	case <-p.done:
		t.Fatalf("the server ended: %s", p.log)
	case <-time.After(30 * time.Second):
		t.Fatalf("the server did not begin to serve: %s", p.log)
	}
	return p
}

// stop sends SIGTERM and returns the exit code.
func (p *process) stop(t *testing.T) int {
	t.Helper()
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGTERM))
	select {
	case <-p.done:
	case <-time.After(30 * time.Second):
		t.Fatalf("the server did not stop: %s", p.log)
	}
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// whoTook returns which of two servers has begun a job, as its log says, and the other one.
// There may be no second one.
func whoTook(first, second *process, begins string) (working, other *process) {
	if second != nil && strings.Contains(second.log.String(), begins) {
		return second, first
	}
	return first, second
}

// TestVerbsBesideARunningServer: a changed picture that a command imports is
// served at once, with its own process' cache warm.
func TestVerbsBesideARunningServer(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		music := t.TempDir()
		musicfixture.Write(t, music, musicfixture.Track{Path: "Eva/Luz/01.flac", Album: "Luz", AlbumArtist: "Eva", Artist: "Eva"})
		musicfixture.WriteFile(t, music, "Eva/Luz/cover.jpg", musicfixture.Picture(100, 100, 1))
		musicfixture.WriteFile(t, music, "Eva/Luz/folder.png", []byte("not a picture"))
		server := serve(t, d)

		code, token, stderr := gatefold(t, d, "token", "create", "--scope", "admin")
		require.Zero(t, code, stderr)
		require.Regexp(t, `^gf_[A-Za-z0-9_-]{43}\n$`, token, "the token alone on stdout")
		server.token = strings.TrimSpace(token)
		require.Equal(t, http.StatusOK, server.send(http.MethodGet, "/api/users", nil).StatusCode)

		code, stdout, stderr := gatefold(t, d, "import", music)
		require.Zero(t, code, stderr)
		require.Contains(t, stdout, "1 new artists, 1 new albums, 1 new images")
		album := server.get("/api/albums").json(t)["items"].([]any)[0].(map[string]any)["id"].(string)
		path := "/api/images/albums/" + album + "/cover"
		require.Equal(t, musicfixture.Picture(100, 100, 1), server.get(path).body)

		changed := musicfixture.Picture(120, 120, 2)
		musicfixture.WriteFile(t, music, "Eva/Luz/cover.jpg", changed)
		code, stdout, stderr = gatefold(t, d, "import", music)
		require.Zero(t, code, stderr)
		require.Contains(t, stdout, "0 new artists, 0 new albums, 1 new images")
		require.Equal(t, changed, server.get(path).body, "the next request gets the new picture")

		code, stdout, stderr = gatefold(t, d, "import", music)
		require.Zero(t, code, stderr)
		require.Contains(t, stdout, "0 new images")

		code, stdout, _ = gatefold(t, d, "doctor")
		require.Zero(t, code, stdout)
		require.Contains(t, stdout, "one is running")
		require.Zero(t, server.stop(t))
		require.Contains(t, server.log.String(), "Gatefold has stopped")
		code, stdout, _ = gatefold(t, d, "doctor")
		require.Zero(t, code, stdout)
		require.Contains(t, stdout, "none is running")
	})
}

func TestVerbsWithoutAServer(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		code, stdout, stderr := gatefold(t, d, "migrate")
		require.Zero(t, code, stderr)
		require.Contains(t, stdout, "database is at version")
		code, _, stderr = gatefold(t, d, "demo")
		require.Zero(t, code, stderr)
		in := d.start(t)
		albums := in.get("/api/albums").json(t)
		require.Greater(t, albums["total"], 5.0)
		for _, item := range albums["items"].([]any) {
			require.Equal(t, http.StatusOK, in.get("/api/images/albums/"+item.(map[string]any)["id"].(string)+"/cover").StatusCode)
		}
	})
}

func TestDoctorNamesWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	code, stdout, _ := gatefold(t, deployment{environ: []string{"DATA_DIR=" + filepath.Join(dir, "new")}}, "doctor")
	require.Zero(t, code, "a machine on which nothing was started yet: "+stdout)
	require.NoDirExists(t, filepath.Join(dir, "new"), "the doctor changes nothing")

	port := testenv.FreePort(t)
	unreachable := deployment{environ: []string{
		"DATA_DIR=" + dir, "MUSIC_DIR=" + filepath.Join(dir, "nothing"), "REDIS_HOST=127.0.0.1", "REDIS_PASSWORD=hunter2",
		"REDIS_PORT=" + itoa(port), "DATABASE_URL=postgres://u:hunter2@127.0.0.1:" + itoa(port) + "/db",
	}}
	code, stdout, stderr := gatefold(t, unreachable, "doctor")
	require.Equal(t, 1, code)
	for _, part := range []string{"redis", "database", "music folder"} {
		require.Regexp(t, "FAILED  "+part, stdout)
	}
	require.NotContains(t, stdout+stderr, "hunter2")

	code, _, stderr = gatefold(t, unreachable, "serve")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "database")
	require.NotContains(t, stderr, "hunter2")

	code, _, stderr = gatefold(t, deployment{environ: []string{"LOG_LEVEL=loud"}}, "doctor")
	require.Equal(t, 2, code)
	require.Contains(t, stderr, "LOG_LEVEL")
}

func TestDoctorMissesAFile(t *testing.T) {
	t.Parallel()
	d := deployment{environ: []string{"DATA_DIR=" + t.TempDir()}}
	code, _, stderr := gatefold(t, d, "demo")
	require.Zero(t, code, stderr)
	images, err := filepath.Glob(filepath.Join(strings.TrimPrefix(d.environ[0], "DATA_DIR="), "images", "*", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, images)
	require.NoError(t, os.Remove(images[0]))
	orphan := filepath.Join(filepath.Dir(images[0]), filepath.Base(filepath.Dir(images[0]))+strings.Repeat("0", 62))
	write(t, orphan, []byte("orphan"))
	long := time.Now().Add(-25 * time.Hour)
	require.NoError(t, os.Chtimes(orphan, long, long))

	code, stdout, _ := gatefold(t, d, "doctor")
	require.Equal(t, 1, code)
	require.Contains(t, stdout, filepath.Base(images[0]))
	require.Contains(t, stdout, "1 files that nothing refers to")
	require.FileExists(t, orphan)
	_, stdout, _ = gatefold(t, d, "doctor", "--repair")
	require.NoFileExists(t, orphan, stdout)
}

func TestASecondEmbeddedServerIsRefused(t *testing.T) {
	d := deployment{environ: []string{"DATA_DIR=" + t.TempDir()}}
	first := serve(t, d)
	code, _, stderr := gatefold(t, d, "serve")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "another gatefold process holds")
	require.Zero(t, first.stop(t))
	second := serve(t, d)
	require.Zero(t, second.stop(t), "the lock is free again: %s", second.log)
}

func TestAKilledServerLeavesNothingBehind(t *testing.T) {
	d := deployment{environ: []string{"DATA_DIR=" + t.TempDir()}}
	first := serve(t, d)
	require.NoError(t, first.cmd.Process.Kill())
	<-first.done
	require.Zero(t, serve(t, d).stop(t))
}

func TestPortInUse(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	d := deployment{environ: []string{"DATA_DIR=" + t.TempDir(), "LISTEN_ADDR=" + listener.Addr().String()}}
	code, _, stderr := gatefold(t, d, "serve")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "is in use by another program")
}

// TestRequestsInFlightAreDrained stops the server in the middle of an upload.
func TestRequestsInFlightAreDrained(t *testing.T) {
	d := deployment{environ: []string{"DATA_DIR=" + t.TempDir()}}
	server := serve(t, d)
	_, token, _ := gatefold(t, d, "token", "create", "--scope", "admin")
	server.token = strings.TrimSpace(token)
	server.putUser(userID, "ana")

	body, contentType := form(t, musicfixture.Picture(50, 50, 1), "userId", userID)
	reader, writer := io.Pipe()
	defer func() { _ = writer.Close() }()
	begun := make(chan struct{})
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{Got100Continue: func() { close(begun) }})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, server.base+"/api/users/avatar", reader)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+server.token)
	req.Header.Set("Content-Type", contentType)
	req.Header.Set("Expect", "100-continue") // the server says so when it reads the body
	answered := make(chan error, 1)
	go func() {
		resp, err := contract.Transport{Base: &http.Transport{ExpectContinueTimeout: time.Minute}}.RoundTrip(req)
		if err == nil {
			err = errors.Join(resp.Body.Close(), statusError(resp.StatusCode))
		}
		answered <- err
	}()
	select {
	case <-begun:
	case err := <-answered:
		require.FailNow(t, "answered without the body", "%v", err)
	}
	require.NoError(t, server.cmd.Process.Signal(syscall.SIGTERM))
	require.Eventually(t, func() bool { return strings.Contains(server.log.String(), "draining") }, 10*time.Second, 5*time.Millisecond)
	_, err = body.WriteTo(writer)
	require.NoError(t, err)
	require.NoError(t, writer.Close())
	require.NoError(t, <-answered)
	<-server.done
	_ = server.cmd.Wait()
	require.Zero(t, server.cmd.ProcessState.ExitCode())
}

// statusError returns an error unless the status is 200.
func statusError(status int) error {
	if status != http.StatusOK {
		return fmt.Errorf("answered by %d", status)
	}
	return nil
}

// TestMusicFolderIsWatched: with MUSIC_DIR a new file appears by itself.
func TestMusicFolderIsWatched(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		music := t.TempDir()
		in := d.start(t, "MUSIC_DIR="+music)
		musicfixture.Write(t, music, musicfixture.Track{Path: "Sol/Mar/01.opus", Album: "Mar", AlbumArtist: "Sol", Artist: "Sol"})
		require.Eventually(t, func() bool { return in.get("/api/albums").json(t)["total"] == 1.0 }, 20*time.Second, 100*time.Millisecond)
	})
}

func TestVersion(t *testing.T) {
	code, stdout, _ := gatefold(t, deployment{}, "version")
	require.Zero(t, code)
	require.Regexp(t, `^gatefold \S+`, stdout)
	code, _, stderr := gatefold(t, deployment{}, "sing")
	require.Equal(t, 2, code)
	require.NotEmpty(t, stderr)
}
