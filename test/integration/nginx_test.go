package integration

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/test/musicfixture"
	"gatefold/test/sse"
	"gatefold/test/testenv"
)

// behindNginx returns a client of the instance by way of the deployed nginx, whose
// second instance is down.
func behindNginx(t *testing.T, in *instance, more ...string) *instance {
	t.Helper()
	nobody := "127.0.0.1:" + itoa(testenv.FreePort(t))
	nginx := testenv.NginxDeployed(t, "../../deploy/nginx/nginx.conf", more,
		"server gatefold:8080", "server "+strings.TrimPrefix(in.base, "http://"), "server gatefold-2:8080", "server "+nobody)
	return &instance{t: t, base: nginx.URL, token: in.token}
}

// TestBehindNginx: one of two instances is enough for everything, events come as they
// happen, and what is for the inside stays there.
func TestBehindNginx(t *testing.T) {
	t.Parallel()
	in := combinations["memory and SQLite"](t).start(t, "TRUSTED_PROXIES=127.0.0.1")
	in.putSolMar()
	outside := behindNginx(t, in)
	stream := sse.Open(t, outside.base+eventsPath, "Authorization", "Bearer "+in.token)
	require.Equal(t, "connected", stream.Next().Name)
	for seed := range int64(4) { // with POST, which is never sent twice
		tag := applyCover(t, outside, musicfixture.Picture(30, 30, seed))
		requireCoverUpdated(t, stream.Next(), tag)
		require.Equal(t, `"`+tag+`"`, outside.get(coverPath).Header.Get("ETag"))
	}
	require.Equal(t, http.StatusOK, outside.get("/health").StatusCode)
	client := &http.Client{}
	for _, path := range []string{"/metrics", "/health/ready", "/health/live"} {
		resp, err := client.Get(outside.base + path)
		require.NoError(t, err)
		require.NoError(t, resp.Body.Close())
		require.Equal(t, http.StatusNotFound, resp.StatusCode, path)
	}
	big := make([]byte, 19<<20) // nginx lets pass what Gatefold takes
	require.NotEqual(t, http.StatusRequestEntityTooLarge, outside.upload("/api/admin/metadata/album/custom-covers/"+albumID+"/upload", big).StatusCode)
}

// TestTheCacheOfNginx holds images under their tag, and nothing else.
func TestTheCacheOfNginx(t *testing.T) {
	t.Parallel()
	in := combinations["memory and SQLite"](t).start(t, "TRUSTED_PROXIES=127.0.0.1")
	in.putSolMar()
	outside := behindNginx(t, in, "../../deploy/nginx/image-cache.conf")
	ask := func(path string) (state string, body []byte) {
		a := outside.get(path)
		require.Equal(t, http.StatusOK, a.StatusCode)
		return a.Header.Get("X-Cache-Status"), a.body
	}
	ask(coverPath) // the default picture
	for seed := range int64(3) {
		picture := musicfixture.Picture(30, 30, seed)
		tag := applyCover(t, outside, picture)
		for range 3 {
			state, body := ask(coverPath)
			require.NotEqual(t, "HIT", state)
			require.Equal(t, picture, body, "a change is seen at once")
		}
		_, body := ask(coverPath + "?tag=" + tag)
		require.Equal(t, picture, body)
		state, body := ask(coverPath + "?tag=" + tag)
		require.Equal(t, "HIT", state)
		require.Equal(t, picture, body)
		for range 2 {
			state, body = ask(coverPath + "?tag=0123456789abcdef")
			require.NotEqual(t, "HIT", state, "not the current tag")
			require.Equal(t, picture, body)
			state, _ = ask("/api/albums/" + albumID)
			require.NotEqual(t, "HIT", state)
		}
	}
}
