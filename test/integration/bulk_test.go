package integration

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/test/musicfixture"
)

const bulkPath = "/api/admin/metadata/bulk/"

// coverHost is where covers are downloaded from: /N is a picture, if N is smaller
// than open only once the gate was opened.
type coverHost struct {
	*httptest.Server
	quick int // of the first pictures nobody has to wait for
	gate  chan struct{}
	open  func()
	held  chan struct{} // is told of who begins to wait
	left  chan struct{} // is told of who left while waiting
}

func newCoverHost(t *testing.T, quick int) *coverHost {
	h := &coverHost{quick: quick, gate: make(chan struct{}), held: make(chan struct{}, 1000), left: make(chan struct{}, 1000)}
	h.open = sync.OnceFunc(func() { close(h.gate) })
	h.Server = httptest.NewServer(http.HandlerFunc(h.serve))
	t.Cleanup(func() {
		h.open()
		h.Close()
	})
	return h
}

func (h *coverHost) serve(w http.ResponseWriter, r *http.Request) {
	var n int
	if _, err := fmt.Sscanf(r.URL.Path, "/%d", &n); err != nil {
		w.WriteHeader(http.StatusTeapot)
		return
	}
	switch {
	case n < 0:
		w.WriteHeader(http.StatusNotFound)
		return
	case n >= h.quick:
		h.held <- struct{}{}
		select {
		case <-h.gate:
		case <-r.Context().Done():
			h.left <- struct{}{}
			return
		}
	}
	_, _ = w.Write(musicfixture.Picture(8, 8, int64(n)))
}

func (h *coverHost) allowed() string {
	return "DOWNLOAD_ALLOW_HOSTS=" + strings.TrimPrefix(h.URL, "http://")
}

func bulkAlbum(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012d", n) }

// bulkItems creates albums, and wants a cover for each.
func (in *instance) bulkItems(h *coverHost, n int) []map[string]any {
	in.t.Helper()
	in.putArtist(artistID, "Many")
	items := make([]map[string]any, n)
	for i := range items {
		in.putAlbum(bulkAlbum(i), artistID, itoa(i))
		items[i] = map[string]any{"subject": "album", "id": bulkAlbum(i), "type": "cover", "url": h.URL + "/" + itoa(i), "provider": "deezer"}
	}
	return items
}

func (in *instance) submit(items []map[string]any) (job string) {
	in.t.Helper()
	a := in.send(http.MethodPost, bulkPath+"apply", map[string]any{"items": items})
	require.Equal(in.t, http.StatusAccepted, a.StatusCode, string(a.body))
	job = a.json(in.t)["jobId"].(string)
	require.Equal(in.t, bulkPath+job, a.Header.Get("Location"))
	return job
}

func (in *instance) job(job string) map[string]any {
	in.t.Helper()
	a := in.send(http.MethodGet, bulkPath+job, nil)
	require.Equal(in.t, http.StatusOK, a.StatusCode, string(a.body))
	return a.json(in.t)
}

// awaitJob returns the results when the job is done.
func (in *instance) awaitJob(job string) (results []any) {
	in.t.Helper()
	var status map[string]any
	require.Eventually(in.t, func() bool {
		status = in.job(job)
		return status["state"] == "done"
	}, 30*time.Second, 50*time.Millisecond)
	require.Equal(in.t, status["total"], status["done"])
	require.Len(in.t, status["results"], int(status["total"].(float64)))
	return status["results"].([]any)
}

// requireCover checks that an item succeeded, that its image is in force as seen by
// the instance, and that it took force once.
func (in *instance) requireCover(n int, result any) {
	in.t.Helper()
	r := result.(map[string]any)
	require.Equal(in.t, map[string]any{"index": float64(n), "success": true, "tag": r["tag"]}, r)
	served := in.get("/api/images/albums/" + bulkAlbum(n) + "/cover")
	require.Equal(in.t, fmt.Sprintf(`"%s"`, r["tag"]), served.Header.Get("ETag"))
	require.Equal(in.t, musicfixture.Picture(8, 8, int64(n)), served.body)
	require.Len(in.t, in.history(bulkAlbum(n)), 1)
}

// TestBulkApply: what is wrong with an item is said of it as the single call says
// it, and everything else is in force, on every instance.
func TestBulkApply(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		host := newCoverHost(t, 200)
		in := d.start(t, host.allowed())
		other := in
		if d.shared {
			other = d.start(t, host.allowed())
		}
		items := in.bulkItems(host, 200)
		problems := map[int]any{}
		for n, spoil := range []func(item map[string]any){
			func(item map[string]any) { item["url"] = host.URL + "/-1" },
			func(item map[string]any) { item["url"] = host.URL + "/teapot" },
			func(item map[string]any) { item["url"] = "http://127.0.0.1:1/x.jpg" },
			func(item map[string]any) { item["url"] = "ftp://example.org/x.jpg" },
			func(item map[string]any) { item["id"] = userID },
		} {
			n *= 37
			spoil(items[n])
			single := in.send(http.MethodPost, "/api/admin/metadata/album/covers/apply", map[string]any{
				"albumId": items[n]["id"], "coverUrl": items[n]["url"], "provider": "deezer",
			}).json(t)
			problems[n] = map[string]any{"index": float64(n), "success": false, "problem": map[string]any{
				"type": single["type"], "title": single["title"], "status": single["status"], "detail": single["detail"],
			}}
		}
		for n := range 200 {
			other.get("/api/images/albums/" + bulkAlbum(n) + "/cover") // holds a copy of nothing
		}
		for n, result := range in.awaitJob(in.submit(items)) {
			if problem, fails := problems[n]; fails {
				require.Equal(t, problem, result)
				continue
			}
			other.requireCover(n, result)
		}
		again := in.awaitJob(in.submit(items))
		other.requireCover(199, again[199]) // it was in force, and the history has it once
		require.Contains(t, in.log.String(), "Bulk apply begins")
		require.Contains(t, in.log.String(), "Bulk apply is done")
	})
}

// TestAJobOutlivesItsServer: another server goes on with it, or the same one when
// it is started again. Nothing is lost, and nothing is done twice.
func TestAJobOutlivesItsServer(t *testing.T) {
	for _, c := range []struct{ name, on, how string }{
		{"another goes on after a stop", "two-level and Postgres", "stopped"},
		{"another goes on after a kill", "two-level and Postgres", "killed"},
		{"the next start goes on after a stop", "memory and SQLite", "stopped"},
		{"the next start goes on after a kill", "memory and SQLite", "killed"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			host := newCoverHost(t, 60)
			d := combinations[c.on](t)
			d.environ = append(d.environ, host.allowed())
			first := serve(t, d)
			var second *process
			if d.shared {
				second = serve(t, d)
			}
			code, token, stderr := gatefold(t, d, "token", "create", "--scope", "write")
			require.Zero(t, code, stderr)
			first.token = strings.TrimSpace(token)
			job := first.submit(first.bulkItems(host, 100))
			require.Eventually(t, func() bool { return first.job(job)["done"].(float64) > 0 }, 20*time.Second, 5*time.Millisecond)

			working, second := whoTook(first, second, "Bulk apply begins")
			if c.how == "killed" {
				require.NoError(t, working.cmd.Process.Kill())
				<-working.done
			} else {
				require.Zero(t, working.stop(t))
				require.Contains(t, working.log.String(), "Bulk apply is left to another instance, or the next start")
			}
			if second == nil {
				second = serve(t, d)
			}
			second.token = strings.TrimSpace(token)
			status := second.job(job)
			require.Equal(t, "running", status["state"])
			require.Less(t, status["done"], 100.0)
			host.open()
			for n, result := range second.awaitJob(job) {
				second.requireCover(n, result)
			}
		})
	}
}

func TestBulkRefusals(t *testing.T) {
	host := newCoverHost(t, 1)
	in := combinations["memory and SQLite"](t).start(t, host.allowed())
	items := in.bulkItems(host, 2)
	requireProblem(t, in.do(http.MethodPost, bulkPath+"apply", strings.NewReader(`{`)), http.StatusUnauthorized, "unauthenticated")
	send := func(body string) answer {
		return in.do(http.MethodPost, bulkPath+"apply", strings.NewReader(body), "Authorization", "Bearer "+in.token)
	}
	for body, detail := range map[string]string{
		`{"items":[]}`:                           "1 to 1000",
		`{"items":[` + manyOf(`{}`, 1001) + `]}`: "1 to 1000",
		`{"items":[{"subject":"song"}]}`:         `items[0]: "song" is not a kind of subject`,
		`{"items":[{"subject":"album","id":"` + albumID + `","type":"cover","url":"http://a","provider":"x"},{"ifTag":"x"}]}`: `items[1]: the item is not what is expected: unknown field "ifTag"`,
		`{"items":[7]}`:             "items[0]: the item must be a JSON object",
		`{"items":[{"type":true}]}`: "items[0]: ",
		`{"things":[]}`:             `unknown field "things"`,
		`{"items":[{"subject":"album","id":"` + albumID + `","type":"banner","url":"http://a","provider":"x"}]}`:                        "items[0]: an album has no slot",
		`{"items":[{"subject":"album","id":"` + albumID + `","type":"cover","provider":"x"}]}`:                                          "items[0]: either url or imageId",
		`{"items":[{"subject":"album","id":"` + albumID + `","type":"cover","url":"http://a","imageId":"` + userID + `"}]}`:             "items[0]: either url or imageId",
		`{"items":[{"subject":"album","id":"` + albumID + `","type":"cover","url":"http://a","provider":"` + manyOf("x", 33) + `xx"}]}`: "items[0]: provider must have",
	} {
		refused := send(body)
		requireProblem(t, refused, http.StatusBadRequest, "invalid_input")
		require.Contains(t, refused.json(t)["detail"], detail, body)
	}
	requireProblem(t, send(`{"items":[{"url":"`+strings.Repeat("x", 4<<20)+`"}]}`), http.StatusRequestEntityTooLarge, "too_large")
	items[1]["url"] = host.URL + "/1?" + strings.Repeat("x", 2<<20) // more than other routes take
	host.open()
	job := in.submit(items)
	require.Equal(t, true, in.awaitJob(job)[0].(map[string]any)["success"])
	requireProblem(t, in.send(http.MethodGet, bulkPath+albumID, nil), http.StatusNotFound, "not_found")
	requireProblem(t, in.send(http.MethodGet, bulkPath+"x", nil), http.StatusBadRequest, "invalid_input")
	requireProblem(t, in.get(bulkPath+job), http.StatusUnauthorized, "unauthenticated")
}

func manyOf(text string, n int) string { return strings.Repeat(text+",", n-1) + text }
