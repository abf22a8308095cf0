package bench

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"gatefold/application/accesstoken"
	"gatefold/bootstrap"
	"gatefold/test/musicfixture"
	"gatefold/test/testenv"
)

// BenchmarkBulkApply puts a thousand covers in force, on Postgres and Redis with
// copies in process memory for a second: in one job, and by single calls one after
// the other, of which a few tell how long a thousand take. The covers are tiny and
// come from this machine, so that what is compared is the waiting for fences.
func BenchmarkBulkApply(b *testing.B) {
	const inBulk, singly = 1000, 15
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var n int64
		_, _ = fmt.Sscanf(r.URL.Path, "/%d", &n)
		_, _ = w.Write(musicfixture.Picture(8, 8, n))
	}))
	defer host.Close()
	in := serveForBulk(b, host.URL)
	in.putCatalogue(b, inBulk)
	var job, calls time.Duration
	for b.Loop() {
		job += in.applyInBulk(b, host.URL, inBulk)
		calls += in.applySingly(b, host.URL, singly)
	}
	job /= time.Duration(b.N)
	call := calls / time.Duration(b.N*singly)
	b.ReportMetric(0, "ns/op") // of both together, which says nothing
	b.ReportMetric(job.Seconds(), "s/job")
	b.ReportMetric(float64(call.Milliseconds()), "ms/call")
	b.ReportMetric(call.Seconds()*inBulk/job.Seconds(), "times-faster")
}

type bulkClient struct {
	base, token string
	rounds      int // so that no two apply the same images
}

func serveForBulk(b *testing.B, host string) *bulkClient {
	cfg, err := bootstrap.LoadConfig([]string{
		"ENV_FILE=/dev/null", "LISTEN_ADDR=127.0.0.1:0", "DATA_DIR=" + b.TempDir(), "DATABASE_URL=" + testenv.Postgres(b), "AUTH_SECRET=of-the-tests-and-of-no-deployment", "REDIS_URL=" + testenv.Redis(b),
		"DOWNLOAD_ALLOW_HOSTS=" + strings.TrimPrefix(host, "http://"),
	})
	if err != nil {
		b.Fatal(err)
	}
	server, err := bootstrap.Serve(b.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = server.Close() })
	token, err := server.CreateToken(b.Context(), accesstoken.CreateIn{Name: "bench", Scope: accesstoken.Admin})
	if err != nil {
		b.Fatal(err)
	}
	return &bulkClient{base: "http://" + server.Addr(), token: token}
}

// send makes a request and returns what it answers.
func (c *bulkClient) send(b *testing.B, method, path string, body any) map[string]any {
	text, err := json.Marshal(body)
	if err != nil {
		b.Fatal(err)
	}
	req, err := http.NewRequestWithContext(b.Context(), method, c.base+path, bytes.NewReader(text))
	if err != nil {
		b.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode >= http.StatusBadRequest {
		b.Fatalf("%s %s: %d %s %v", method, path, resp.StatusCode, answer, err)
	}
	var v map[string]any
	if err := json.Unmarshal(answer, &v); err != nil {
		b.Fatal(err)
	}
	return v
}

const bulkArtist = "0b0e7a3c-6f0e-4a54-9e0d-2f4c6c1f6a10"

func bulkAlbum(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

func (c *bulkClient) putCatalogue(b *testing.B, albums int) {
	c.send(b, http.MethodPut, "/api/artists/"+bulkArtist, map[string]any{"name": "Many"})
	for n := range albums {
		c.send(b, http.MethodPut, "/api/albums/"+bulkAlbum(n), map[string]any{"name": fmt.Sprint(n), "artistId": bulkArtist})
	}
}

func (c *bulkClient) nextURLs(host string) func(n int) string {
	c.rounds++
	round := c.rounds
	return func(n int) string { return fmt.Sprintf("%s/%d", host, 10_000*round+n) }
}

func (c *bulkClient) applyInBulk(b *testing.B, host string, covers int) time.Duration {
	url := c.nextURLs(host)
	items := make([]map[string]any, covers)
	for n := range items {
		items[n] = map[string]any{"subject": "album", "id": bulkAlbum(n), "type": "cover", "url": url(n), "provider": "bench"}
	}
	begin := time.Now()
	const path = "/api/admin/metadata/bulk/"
	job := c.send(b, http.MethodPost, path+"apply", map[string]any{"items": items})["jobId"].(string)
	for {
		status := c.send(b, http.MethodGet, path+job, nil)
		if status["state"] == "done" {
			if status["failed"] != 0.0 {
				b.Fatalf("%v items failed", status["failed"])
			}
			return time.Since(begin)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

func (c *bulkClient) applySingly(b *testing.B, host string, covers int) time.Duration {
	url := c.nextURLs(host)
	begin := time.Now()
	for n := range covers {
		c.send(b, http.MethodPost, "/api/admin/metadata/album/covers/apply", map[string]any{"albumId": bulkAlbum(n), "coverUrl": url(n), "provider": "bench"})
	}
	return time.Since(begin)
}
