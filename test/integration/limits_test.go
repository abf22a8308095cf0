package integration

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"gatefold/adapters/rest"
	"gatefold/application/accesstoken"
	"gatefold/domain/artwork"
	"gatefold/test/musicfixture"
	"gatefold/test/testenv"
	"gatefold/test/testenv/migrated"
)

// TestLimitsHoldForAllInstancesTogether, and for each alone while Redis is gone: no
// request fails for it, or takes noticeably longer.
func TestLimitsHoldForAllInstancesTogether(t *testing.T) {
	t.Parallel()
	redis := testenv.RedisServer(t)
	d := deployment{environ: []string{
		"DATA_DIR=" + t.TempDir(), "DATABASE_URL=" + migrated.Postgres(t), "REDIS_URL=redis://" + redis.Addr,
		"TRUSTED_PROXIES=127.0.0.1", "RATE_LIMIT_REQUESTS=6", "RATE_LIMIT_UPLOADS=3",
	}}
	instances := []*instance{d.start(t), d.start(t)}
	ask := func(i int, client string) answer {
		return instances[i%2].get("/api/artists?pageSize=1", "X-Forwarded-For", client)
	}
	requireLimited := func(client string, limit int) {
		t.Helper()
		for i := range limit {
			a := ask(i, client)
			require.Equal(t, http.StatusOK, a.StatusCode)
			require.Equal(t, fmt.Sprintf(`"requests";r=%d`, limit-1-i), a.Header.Get("RateLimit"))
		}
		for i := range 4 {
			a := ask(i, client)
			requireProblem(t, a, http.StatusTooManyRequests, "too_many_requests")
			seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
			require.NoError(t, err)
			require.Greater(t, seconds, 0)
			require.LessOrEqual(t, seconds, 65)
		}
	}
	requireLimited("192.0.2.1", 6)
	requireLimited("192.0.2.2", 6)
	image := "/api/images/albums/" + albumID + "/cover"
	for range 20 {
		require.Equal(t, http.StatusNotFound, instances[0].get(image, "X-Forwarded-For", "192.0.2.1").StatusCode)
		require.Equal(t, http.StatusOK, instances[0].get("/health/live", "X-Forwarded-For", "192.0.2.1").StatusCode)
	}

	redis.Pause()
	defer redis.Resume()
	begin := time.Now()
	for _, in := range instances {
		for range 6 {
			require.Equal(t, http.StatusOK, in.get("/api/artists?pageSize=1", "X-Forwarded-For", "192.0.2.3").StatusCode)
		}
		requireProblem(t, in.get("/api/artists", "X-Forwarded-For", "192.0.2.3"), http.StatusTooManyRequests, "too_many_requests")
	}
	require.Less(t, time.Since(begin), 10*time.Second)
	require.Contains(t, instances[0].log.String(), "each keeps to the limits alone")
}

// TestAnApplicationTokenHasNoLimit unless it is given one.
func TestAnApplicationTokenHasNoLimit(t *testing.T) {
	t.Parallel()
	d := deployment{environ: []string{"DATA_DIR=" + t.TempDir(), "RATE_LIMIT_REQUESTS=2", "RATE_LIMIT_UPLOADS=2"}}
	in := d.start(t)
	in.putArtist(artistID, "Many")
	for range 10 {
		require.Equal(t, http.StatusOK, in.send(http.MethodGet, "/api/users", nil).StatusCode)
		a := in.upload("/api/admin/metadata/artist/custom-images/"+artistID+"/upload", musicfixture.Picture(20, 20, 1), "imageType", "logo")
		require.Equal(t, http.StatusOK, a.StatusCode, string(a.body))
	}
}

// TestPrivateImages walks over all routes: without images for everybody, everybody has
// what is named and nothing else; and who may read has all the same as before.
func TestPrivateImages(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		var router *rest.Router
		in := d.startWith(t, fx.Populate(&router), "PUBLIC_IMAGES=false")
		in.putArtist(artistID, "Private")
		in.putAlbum(albumID, artistID, "Private")
		in.putUser(userID, "ana")
		picture := musicfixture.Picture(30, 30, 1)
		tag := applyCover(t, in, picture)
		reader, err := in.server.CreateToken(t.Context(), accesstoken.CreateIn{Name: "reader", Scope: accesstoken.Read})
		require.NoError(t, err)
		in.requireClosed(router.Endpoints(), reader)

		path := "/api/images/albums/" + albumID + "/cover"
		bearer := []string{"Authorization", "Bearer " + reader}
		served := in.get(path, bearer...)
		require.Equal(t, picture, served.body)
		require.Equal(t, "private, no-cache", served.Header.Get("Cache-Control"))
		require.Equal(t, "Authorization, Cookie", served.Header.Get("Vary"))
		require.Equal(t, "sandbox", served.Header.Get("Content-Security-Policy"))
		require.Equal(t, "private, max-age=31536000, immutable", in.get(path+"?tag="+tag, bearer...).Header.Get("Cache-Control"))
		in.requireSigned(path, tag, picture, reader)
		if d.shared {
			d.start(t, "PUBLIC_IMAGES=false").requireSigned(path, tag, picture, reader)
		}
	})
}

// requireClosed requires that without a credential only what is named is answered.
func (in *instance) requireClosed(endpoints []rest.Endpoint, reader string) {
	in.t.Helper()
	open := []string{"/", "/health", "/health/live", "/health/ready", "/api/health", "/metrics"}
	closed := 0
	for _, e := range endpoints {
		path := strings.NewReplacer(":id", albumID, ":type", "logo", ":imageId", artistID, ":jobId", artistID).Replace(e.Path)
		a := in.do(e.Method, path, nil)
		if isWayIn(e) {
			require.NotEqual(in.t, http.StatusForbidden, a.StatusCode, path)
			continue
		}
		if slices.Contains(open, e.Path) {
			require.Less(in.t, a.StatusCode, 300, path)
			continue
		}
		require.Equal(in.t, http.StatusUnauthorized, a.StatusCode, "%s %s", e.Method, path)
		if e.Method == http.MethodGet && (strings.HasPrefix(path, "/api/images") || strings.HasPrefix(path, "/api/artists") || strings.HasPrefix(path, "/api/albums")) {
			closed++
			a := in.get(path, "Authorization", "Bearer "+reader)
			require.Contains(in.t, []int{http.StatusOK, http.StatusNotFound}, a.StatusCode, path)
			require.NotContains(in.t, a.Header.Get("Cache-Control"), "public", path)
		}
	}
	require.GreaterOrEqual(in.t, closed, 14)
}

// isWayIn reports whether the route is one by which a stranger signs in, or reads how
// that is done. What it says to nobody in particular, TestWhoMayDoWhat knows.
func isWayIn(e rest.Endpoint) bool {
	need := needs[strings.Replace(e.Method, http.MethodHead, http.MethodGet, 1)+" "+e.Path]
	way := strings.HasPrefix(e.Path, "/api/auth/") || strings.HasPrefix(e.Path, "/api/docs") || strings.HasPrefix(e.Path, "/admin") || e.Path == "/api/openapi.json"
	return way && (need == toEverybody || need == toItself)
}

// requireSigned signs the path, and requires that the URL is good for the image, and for
// nothing else.
func (in *instance) requireSigned(path, tag string, picture []byte, reader string) {
	t := in.t
	t.Helper()
	body := strings.NewReader(`{"paths":["` + path + `","` + path + `?tag=` + tag + `"],"expiresIn":600}`)
	signed := in.do(http.MethodPost, "/api/images/sign", body, "Authorization", "Bearer "+reader).json(t)
	urls := signed["urls"].([]any)
	plain := urls[0].(map[string]any)["url"].(string)
	tagged := urls[1].(map[string]any)["url"].(string)
	for target, policy := range map[string]string{plain: "private, no-cache", tagged: "private, max-age=31536000, immutable"} {
		a := in.get(target)
		require.Equal(t, picture, a.body, target)
		require.Equal(t, policy, a.Header.Get("Cache-Control"))
		require.Empty(t, a.Header.Get("Vary"))
		require.Equal(t, http.StatusNotModified, in.get(target, "If-None-Match", a.Header.Get("ETag")).StatusCode)
		head := in.do(http.MethodHead, target, nil)
		require.Equal(t, http.StatusOK, head.StatusCode)
		require.EqualValues(t, len(picture), head.ContentLength)
	}
	require.Equal(t, http.StatusBadRequest, in.get(plain+"&colour=red").StatusCode)
	query, err := url.Parse(plain)
	require.NoError(t, err)
	other := "/api/images/artists/" + artistID + "/logo?" + query.RawQuery
	requireProblem(t, in.get(other), http.StatusForbidden, "forbidden")
	requireProblem(t, in.get(plain+"0"), http.StatusForbidden, "forbidden")
	requireProblem(t, in.do(http.MethodPost, "/api/images/sign", strings.NewReader(`{"paths":["`+path+`"]}`)), http.StatusUnauthorized, "unauthenticated")
	require.NotContains(t, in.log.String(), query.Query().Get("signature"))
}

// endless is what a body never gets past.
const endless = 64 << 20

// TestNoBodyIsReadWithoutEnd: every route gives up a body that does not end, whether it
// wants one or not, and whoever sends it.
func TestNoBodyIsReadWithoutEnd(t *testing.T) {
	t.Parallel()
	var router *rest.Router
	in := deployment{environ: []string{"DATA_DIR=" + t.TempDir()}}.startWith(t, fx.Populate(&router))
	in.putArtist(artistID, "Bodies")
	var sending sync.WaitGroup // all at once: the server hangs up a while after its answer
	defer sending.Wait()
	for _, e := range router.Endpoints() {
		if e.Path == "/api/events/stream" || e.Method == http.MethodHead {
			continue // the one goes on until the client leaves; the others are as their GET
		}
		path := strings.NewReplacer(":id", artistID, ":type", "logo", ":imageId", albumID, ":jobId", albumID).Replace(e.Path)
		contentType, beginning := "application/json", `{"a":"`
		if strings.HasSuffix(path, "/upload") || path == "/api/users/avatar" {
			contentType, beginning = "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n"
		}
		for _, token := range []string{"", in.token} {
			sending.Go(func() {
				sent, err := in.sendEndlessly(t, e.Method, path, token, contentType, beginning)
				assert.Error(t, err, "%s %s", e.Method, path)
				assert.Less(t, sent, 32<<20, "%s %s", e.Method, path)
			})
		}
	}
}

// sendEndlessly returns how much of a body the server and the sockets took, and the
// error that ended it.
func (in *instance) sendEndlessly(t *testing.T, method, path, token, contentType, beginning string) (sent int, err error) {
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", in.server.Addr())
	if err != nil {
		return endless, err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return endless, err
	}
	_, err = fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer %s\r\nContent-Type: %s\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n",
		method, path, token, contentType, len(beginning), beginning)
	chunk := fmt.Sprintf("%x\r\n%s\r\n", 64<<10, strings.Repeat("a", 64<<10))
	for err == nil && sent < endless {
		var n int
		n, err = io.WriteString(conn, chunk)
		sent += n
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return endless, err
	}
	return sent, err
}

// TestHeadersAreBounded in all, and so is the line of the request.
func TestHeadersAreBounded(t *testing.T) {
	t.Parallel()
	in := deployment{environ: []string{"DATA_DIR=" + t.TempDir()}}.start(t)
	for _, long := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\nX-A: " + strings.Repeat("a", 64<<10) + "\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X-A: a\r\n", 8<<10) + "\r\n",
		"GET /?" + strings.Repeat("a", 64<<10) + " HTTP/1.1\r\nHost: a\r\n\r\n",
	} {
		conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", in.server.Addr())
		require.NoError(t, err)
		require.NoError(t, conn.SetDeadline(time.Now().Add(20*time.Second)))
		_, err = io.WriteString(conn, long)
		require.NoError(t, err)
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, answer.StatusCode)
		require.NoError(t, conn.Close())
	}
}

// TestProblemsNameTheirRequest: each has the id that the log has, and that a proxy gave.
func TestProblemsNameTheirRequest(t *testing.T) {
	t.Parallel()
	in := deployment{environ: []string{"DATA_DIR=" + t.TempDir()}}.start(t, "RATE_LIMIT_REQUESTS=4", "CORS_ORIGINS=https://app.example.org")
	id := artwork.NewID().String()
	for i, c := range []struct {
		method, path string
		status       int
	}{
		{http.MethodGet, "/no/such/path", http.StatusNotFound},
		{http.MethodDelete, "/api/artists", http.StatusMethodNotAllowed},
		{http.MethodGet, "/api/images/artists/" + id + "/nose", http.StatusBadRequest},
		{http.MethodGet, "/api/users", http.StatusUnauthorized},
		{http.MethodGet, "/api/artists/" + id, http.StatusNotFound},
		{http.MethodGet, "/api/artists/" + id, http.StatusNotFound},
		{http.MethodGet, "/api/artists/" + id, http.StatusNotFound},
		{http.MethodGet, "/api/artists/" + id, http.StatusTooManyRequests},
		{http.MethodGet, "/api/users", http.StatusTooManyRequests},
	} {
		name := fmt.Sprint("request-", i)
		a := in.do(c.method, c.path, nil, "X-Request-Id", name, "Origin", "https://app.example.org")
		require.Equal(t, c.status, a.StatusCode, c.path)
		require.Equal(t, name, a.json(t)["requestId"])
		require.Equal(t, name, a.Header.Get("X-Request-Id"))
		require.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"))
		require.Equal(t, "https://app.example.org", a.Header.Get("Access-Control-Allow-Origin"))
		require.Contains(t, in.log.String(), "requestId="+name)
	}
}
