package integration

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	neturl "net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"gatefold/application/previewimage"
	"gatefold/test/musicfixture"
)

const previewPath = "/api/admin/metadata/candidates/image"

// TestCandidatesAreSeenThroughThisServer: every candidate has two addresses of this
// server, at which the provider's pictures are, for who may read, and for nobody else.
func TestCandidatesAreSeenThroughThisServer(t *testing.T) {
	t.Parallel()
	d, _ := searching(t, combinations["memory and SQLite"](t))
	in := d.start(t)
	in.putFindable()
	found, _ := in.search(searchCovers, "covers")
	require.NotEmpty(t, found)
	again, _ := in.search(searchCovers, "covers")
	require.Equal(t, found[0]["previewUrl"], again[0]["previewUrl"], "a browser finds its copy again")
	sizes := map[string]int{}
	for _, field := range []string{"previewUrl", "fullPreviewUrl"} {
		address := found[0][field].(string)
		require.True(t, strings.HasPrefix(address, previewPath+"?"), address)
		a := in.send(http.MethodGet, address, nil)
		require.Equal(t, http.StatusOK, a.StatusCode, string(a.body))
		require.Equal(t, "image/jpeg", a.Header.Get("Content-Type"))
		require.Equal(t, "private, max-age=600", a.Header.Get("Cache-Control"))
		require.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"))
		sizes[field] = len(a.body)
		requireProblem(t, in.get(address), http.StatusUnauthorized, "unauthenticated")
	}
	require.Less(t, sizes["previewUrl"], sizes["fullPreviewUrl"])
	requireProblem(t, in.send(http.MethodGet, previewPath, nil), http.StatusBadRequest, "invalid_input")
	requireProblem(t, in.send(http.MethodGet, found[0]["previewUrl"].(string)+"&size=thumb", nil), http.StatusBadRequest, "invalid_input")
}

// TestOnlyOfferedAddressesAreLookedAt: whoever changes anything of an address has this
// server ask nobody; and what was offered is still no way into a private network, and
// shown only if it is an image of a size that could be applied.
func TestOnlyOfferedAddressesAreLookedAt(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	host := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		switch r.URL.Path {
		case "/page":
			w.Header().Set("Content-Type", "image/png")
			_, _ = w.Write([]byte("<script>alert(1)</script>"))
		case "/huge":
			_, _ = w.Write(bytes.Repeat([]byte{0xff}, previewimage.MaxBytes+1))
		case "/away":
			http.Redirect(w, r, "http://127.0.0.2:9/", http.StatusFound)
		case "/picture":
			w.Header().Set("Content-Type", "text/html")
			_, _ = w.Write(musicfixture.Picture(8, 8, 1))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(host.Close)
	var previews *previewimage.Previews
	in := combinations["memory and SQLite"](t).startWith(t, fx.Populate(&previews), "DOWNLOAD_ALLOW_HOSTS="+strings.TrimPrefix(host.URL, "http://"))
	address := func(url string, change func(neturl.Values)) string {
		ticket := previews.Ticket(url)
		query := neturl.Values{"url": {url}, "expires": {ticket.Expires}, "signature": {ticket.MAC}}
		if change != nil {
			change(query)
		}
		return previewPath + "?" + query.Encode()
	}
	for name, change := range map[string]func(neturl.Values){
		"another URL":    func(q neturl.Values) { q.Set("url", host.URL+"/page") },
		"a later end":    func(q neturl.Values) { q.Set("expires", "9999999999") },
		"no end":         func(q neturl.Values) { q.Set("expires", "") },
		"no signature":   func(q neturl.Values) { q.Set("signature", "") },
		"another's":      func(q neturl.Values) { q.Set("signature", previews.Ticket(host.URL+"/page").MAC) },
		"an empty URL":   func(q neturl.Values) { q.Set("url", "") },
		"a file":         func(q neturl.Values) { q.Set("url", "file:///etc/passwd") },
		"a metadata URL": func(q neturl.Values) { q.Set("url", "http://169.254.169.254/latest/meta-data/") },
	} {
		a := in.send(http.MethodGet, address(host.URL+"/picture", change), nil)
		require.Equal(t, http.StatusForbidden, a.StatusCode, name)
	}
	require.Zero(t, asked.Load())

	for path, want := range map[string]verdict{
		"/page": unsupported, "/huge": tooLarge, "/away": forbidden, "/gone": notFound,
	} {
		a := in.send(http.MethodGet, address(host.URL+path, nil), nil)
		requireProblem(t, a, want.status, want.problem)
	}
	requireProblem(t, in.send(http.MethodGet, address("http://127.0.0.3:9/picture", nil), nil), forbidden.status, forbidden.problem)
	sound := in.send(http.MethodGet, address(host.URL+"/picture", nil), nil)
	require.Equal(t, http.StatusOK, sound.StatusCode)
	require.Equal(t, "image/jpeg", sound.Header.Get("Content-Type"), "it is what it is, whatever its server says")
}

// TestFormerImagesAreSeen: whatever was in force can be looked at, small too, wherever
// it came from, until it is purged; a former avatar only by its user and by admins.
func TestFormerImagesAreSeen(t *testing.T) {
	t.Parallel()
	in := combinations["memory and SQLite"](t).start(t)
	in.putArtist(artistID, "Seen")
	in.putAlbum(albumID, artistID, "Again")
	first := musicfixture.Picture(300, 300, 1)
	applyCover(t, in, first)
	applyCover(t, in, musicfixture.Picture(300, 300, 2))
	entry := in.history(albumID)[1]
	path := "/api/admin/metadata/album/" + albumID + "/images/cover/history/" + entry["imageId"].(string)

	a := in.send(http.MethodGet, path, nil)
	require.Equal(t, http.StatusOK, a.StatusCode, string(a.body))
	require.Equal(t, first, a.body)
	require.Equal(t, "private, no-cache", a.Header.Get("Cache-Control"))
	small := in.send(http.MethodGet, path+"?size=thumb&tag="+entry["tag"].(string), nil)
	require.Equal(t, http.StatusOK, small.StatusCode)
	require.Less(t, len(small.body), len(first))
	require.Equal(t, "private, max-age=31536000, immutable", small.Header.Get("Cache-Control"))

	requireProblem(t, in.get(path), http.StatusUnauthorized, "unauthenticated")
	elsewhere := strings.Replace(path, "album/"+albumID+"/images/cover", "artist/"+artistID+"/images/profile", 1)
	requireProblem(t, in.send(http.MethodGet, elsewhere, nil), http.StatusNotFound, "not_found")

	purged := in.send(http.MethodDelete, path, nil)
	require.Equal(t, http.StatusOK, purged.StatusCode, string(purged.body))
	requireProblem(t, in.send(http.MethodGet, path, nil), http.StatusNotFound, "not_found")
}
