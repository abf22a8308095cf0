package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"mime/multipart"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/test/bench/rig"
	"gatefold/test/testenv"
)

const (
	// servedAlbums is how many covers are asked for in turns.
	servedAlbums = 100
	// servedRounds is how often every contender has its turn.
	servedRounds = 9
	// servedTurn is how long one of them is asked in a round.
	servedTurn = time.Second
	// servedConnections is how many clients ask at once.
	servedConnections = 64
)

// BenchmarkServing asks for covers of some 30 KB and for thumbs of some 12 KB, whole
// and by who holds them already, and compares the program as it is shipped, as a
// process of its own with Redis, Postgres and copies in its memory, with a gin handler
// that writes the same bytes from memory and with nginx.
func BenchmarkServing(b *testing.B) {
	program := startProgram(b, "DATABASE_URL="+testenv.Postgres(b), "REDIS_URL="+testenv.Redis(b), "IMAGE_CACHE=twolevel")
	albums := program.seed(b, servedAlbums, func(n int) []byte { return textured(uint64(n)) })
	for _, kind := range []struct{ name, query string }{{"original", ""}, {"thumb", "?size=thumb"}} {
		b.Run(kind.name, func(b *testing.B) {
			once(b, "| asked for | of | requests/s | against gin | CPU µs/request |", func() []string {
				return serveKind(b, program, albums, kind.name, kind.query)
			})
		})
	}
}

func serveKind(b *testing.B, program *server, albums []string, name, query string) []string {
	b.Helper()
	files := filepath.Join(b.TempDir(), name)
	require.NoError(b, os.Mkdir(files, 0o755))
	var total int
	for i, album := range albums {
		content := program.get(b, coverOf(album)+query)
		total += len(content)
		require.NoError(b, os.WriteFile(filepath.Join(files, strconv.Itoa(i)), content, 0o644))
	}
	gin, nginx := startBareGin(b, files), testenv.Nginx(b, files)
	contenders := []*server{gin, program, {name: "nginx", base: nginx.URL, pid: nginx.PID}}
	var rows []string
	for _, held := range []bool{false, true} {
		loads := make([]string, len(contenders))
		for i, c := range contenders {
			paths := make([]string, len(albums))
			for n, album := range albums {
				if paths[n] = "/" + strconv.Itoa(n); c == program {
					paths[n] = coverOf(album) + query
				}
			}
			loads[i] = c.load(b, paths, held)
		}
		label := fmt.Sprintf("%s, %d KB, 200", name, total/len(albums)/1000)
		if held {
			label = name + ", 304"
		}
		rows = append(rows, competeServing(b, label, contenders, loads)...)
	}
	return rows
}

func coverOf(album string) string { return "/api/images/albums/" + album + "/cover" }

func competeServing(b *testing.B, label string, contenders []*server, loads []string) []string {
	b.Helper()
	rates, ratios, costs := make([][]float64, len(contenders)), make([][]float64, len(contenders)), make([][]float64, len(contenders))
	for i, c := range contenders {
		c.ask(b, loads[i], time.Second) // caches are warm
	}
	for round := range servedRounds {
		for turns := range contenders {
			i := (round + turns) % len(contenders)
			rate, cost := contenders[i].ask(b, loads[i], servedTurn)
			rates[i], costs[i] = append(rates[i], rate), append(costs[i], cost)
		}
		for i := range contenders {
			ratios[i] = append(ratios[i], rates[i][round]/rates[0][round])
		}
	}
	var rows []string
	for i, c := range contenders {
		rows = append(rows, fmt.Sprintf("| %s | %s | %.0f | %.2f | %.0f |", label, c.name, median(rates[i]), median(ratios[i]), median(costs[i])))
	}
	return rows
}

// server is a process that answers HTTP.
type server struct {
	name, base, token string
	pid               int
	rendered          atomic.Int64 // renditions that it has logged, with LOG_LEVEL=debug
}

// startProgram builds and starts Gatefold. It ends with the benchmark.
func startProgram(b *testing.B, environ ...string) *server {
	b.Helper()
	path := os.Getenv("GATEFOLD") // another build, to compare
	if path == "" {
		path = filepath.Join(b.TempDir(), "gatefold")
		out, err := exec.Command("go", "build", "-o", path, "gatefold").CombinedOutput()
		require.NoError(b, err, "%s", out)
	}
	environ = append([]string{"ENV_FILE=" + os.DevNull, "LISTEN_ADDR=127.0.0.1:0", "DATA_DIR=" + b.TempDir(), "AUTH_SECRET=of-the-benchmarks-and-of-no-deployment"}, environ...)
	cmd := exec.Command(path, "serve")
	cmd.Env = environ
	stderr, err := cmd.StderrPipe()
	require.NoError(b, err)
	s := &server{name: "Gatefold"}
	s.base = startServer(b, cmd, stderr, regexp.MustCompile(`"address": "(http://[^"]+)"`), func(line string) {
		if strings.Contains(line, "Rendered") {
			s.rendered.Add(1)
		}
	})
	s.pid = cmd.Process.Pid
	create := exec.Command(path, "token", "create", "--scope", "admin")
	create.Env = environ
	token, err := create.Output()
	require.NoError(b, err)
	s.token = strings.TrimSpace(string(token))
	return s
}

func startBareGin(b *testing.B, files string) *server {
	b.Helper()
	path := filepath.Join(b.TempDir(), "baregin")
	out, err := exec.Command("go", "build", "-o", path, "gatefold/test/bench/baregin").CombinedOutput()
	require.NoError(b, err, "%s", out)
	cmd := exec.Command(path, files)
	stdout, err := cmd.StdoutPipe()
	require.NoError(b, err)
	base := startServer(b, cmd, stdout, regexp.MustCompile(`(http://.+)`), func(string) {})
	return &server{name: "bare gin", base: base, pid: cmd.Process.Pid}
}

// startServer returns the address that a server prints, and has what it prints
// afterwards seen.
func startServer(b *testing.B, cmd *exec.Cmd, output io.Reader, address *regexp.Regexp, see func(line string)) string {
	b.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(b, cmd.Start())
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait() // it was killed
	})
	lines := bufio.NewScanner(output)
	var printed strings.Builder
	for lines.Scan() {
		fmt.Fprintln(&printed, lines.Text())
		if match := address.FindStringSubmatch(lines.Text()); match != nil {
			go func() {
				for lines.Scan() { // or it could not go on printing
					see(lines.Text())
				}
			}()
			return match[1]
		}
	}
	b.Fatalf("%s ended: %s", cmd.Path, printed.String())
	return ""
}

// send makes a request and returns the answer.
func (s *server) send(b *testing.B, method, path, contentType string, body []byte) (answer []byte, header http.Header) {
	b.Helper()
	req, err := http.NewRequestWithContext(b.Context(), method, s.base+path, bytes.NewReader(body))
	require.NoError(b, err)
	if s.token != "" && method != http.MethodGet {
		req.Header.Set("Authorization", "Bearer "+s.token)
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(b, err)
	defer func() { _ = resp.Body.Close() }()
	answer, err = io.ReadAll(resp.Body)
	require.NoError(b, err)
	require.Less(b, resp.StatusCode, 300, "%s %s: %s", method, path, answer)
	return answer, resp.Header
}

func (s *server) get(b *testing.B, path string) []byte {
	b.Helper()
	content, _ := s.send(b, http.MethodGet, path, "", nil)
	return content
}

// seed puts covers in force, and returns their albums.
func (s *server) seed(b *testing.B, n int, cover func(n int) []byte) []string {
	b.Helper()
	artist := "00000000-0000-4000-8000-000000000000"
	s.send(b, http.MethodPut, "/api/artists/"+artist, "application/json", []byte(`{"name": "Benchmark"}`))
	albums := make([]string, n)
	var seeding sync.WaitGroup
	seats := make(chan struct{}, 8) // a server refuses to look at too many images at once
	for i := range albums {
		albums[i] = fmt.Sprintf("00000000-0000-4000-8000-%012d", i+1)
		seats <- struct{}{}
		seeding.Go(func() {
			defer func() { <-seats }()
			s.send(b, http.MethodPut, "/api/albums/"+albums[i], "application/json", fmt.Appendf(nil, `{"name": "Album %d", "artistId": %q}`, i, artist))
			s.putCover(b, albums[i], cover(i))
		})
	}
	seeding.Wait()
	return albums
}

func (s *server) putCover(b *testing.B, album string, content []byte) {
	b.Helper()
	var body bytes.Buffer
	form := multipart.NewWriter(&body)
	part, err := form.CreateFormFile("file", "cover.jpg")
	require.NoError(b, err)
	_, err = part.Write(content)
	require.NoError(b, err)
	require.NoError(b, form.Close())
	const custom = "/api/admin/metadata/album/custom-covers/"
	answer, _ := s.send(b, http.MethodPost, custom+album+"/upload", form.FormDataContentType(), body.Bytes())
	var uploaded struct {
		CustomCoverID string `json:"customCoverId"`
	}
	require.NoError(b, json.Unmarshal(answer, &uploaded))
	s.send(b, http.MethodPost, custom+album+"/apply/"+uploaded.CustomCoverID, "application/json", nil)
}

// textured returns a JPEG of some 30 KB, whose thumb has some 12 KB.
func textured(seed uint64) []byte {
	const edge, cell = 350, 4.6
	random := rand.New(rand.NewPCG(seed, 1))
	img := image.NewRGBA(image.Rect(0, 0, edge, edge))
	var noise [edge][edge]int
	for y := range noise {
		for x := range noise[y] {
			noise[y][x] = random.IntN(82)
		}
	}
	for y := range edge {
		for x := range edge {
			n := noise[int(float64(y)/cell)][int(float64(x)/cell)]
			img.SetRGBA(x, y, color.RGBA{uint8(60 + n + x/4), uint8(40 + n + y/4), uint8(90 + n), 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 80}); err != nil {
		panic(err) // memory does not refuse a write
	}
	return out.Bytes()
}

// load writes what wrk is to ask for, as who holds the answers already or not, and
// returns the name of the file. Every answer is looked at once.
func (s *server) load(b *testing.B, paths []string, held bool) string {
	b.Helper()
	var lines strings.Builder
	for _, path := range paths {
		etag := ""
		if held {
			_, header := s.send(b, http.MethodGet, path, "", nil)
			etag = header.Get("ETag")
			require.NotEmpty(b, etag)
		}
		fmt.Fprintf(&lines, "%s\t%s\n", path, etag)
		req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, s.base+path, nil)
		require.NoError(b, err)
		want := http.StatusOK
		if held {
			want = http.StatusNotModified
			req.Header.Set("If-None-Match", etag)
		}
		resp, err := http.DefaultClient.Do(req)
		require.NoError(b, err)
		require.NoError(b, resp.Body.Close())
		require.Equal(b, want, resp.StatusCode)
	}
	file := filepath.Join(b.TempDir(), "load")
	require.NoError(b, os.WriteFile(file, []byte(lines.String()), 0o600))
	return file
}

// ask has wrk ask for some time, and returns how many requests were answered in a
// second, and the processor time of each in microseconds.
func (s *server) ask(b *testing.B, load string, d time.Duration) (rate, cost float64) {
	b.Helper()
	script := filepath.Join(b.TempDir(), "script.lua")
	require.NoError(b, os.WriteFile(script, []byte(rig.WrkScript), 0o600))
	begin := cpuTime(b, s.pid)
	out, err := exec.Command("wrk", "-t1", "-c", strconv.Itoa(servedConnections), "-d", d.String(), "--timeout", "30s", "-s", script, s.base, "--", load).CombinedOutput()
	require.NoError(b, err, "wrk comes from scripts/install-test-tools.sh bench: %s", out)
	used := cpuTime(b, s.pid) - begin
	_, result, _ := bytes.Cut(out, []byte("RESULT "))
	var requests, microseconds, failed float64
	_, err = fmt.Sscan(string(result), &requests, &microseconds, &failed)
	require.NoError(b, err, "%s", out)
	require.Zero(b, failed, "%s", out)
	return requests / microseconds * 1e6, used / requests * 1e6
}

// cpuTime returns how many seconds a process and its children have run on processors.
func cpuTime(b *testing.B, pid int) float64 {
	b.Helper()
	const ticksPerSecond = 100 // of Linux, towards programs
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	require.NoError(b, err)
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var total float64
	for _, field := range fields[11:13] { // in user space, in the kernel
		ticks, err := strconv.ParseFloat(field, 64)
		require.NoError(b, err)
		total += ticks / ticksPerSecond
	}
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid)) // of nginx
	for _, child := range strings.Fields(string(children)) {
		id, err := strconv.Atoi(child)
		require.NoError(b, err)
		total += cpuTime(b, id)
	}
	return total
}
