package rest

import (
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func panelAnswer(files fs.FS, target string, header ...string) *httptest.ResponseRecorder {
	r := NewRouter(nil, nil, slog.New(slog.DiscardHandler), []Routes{NewPanel(files)})
	req := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	r.ServeHTTP(w, req)
	return w
}

var builtPanel = fstest.MapFS{
	"index.html":           {Data: []byte(`<script nonce="CSP_NONCE" src="/admin/assets/a-1.js"></script><meta nonce="CSP_NONCE">`)},
	"icon.svg":             {Data: []byte(`<svg/>`)},
	"assets/a-1.js":        {Data: []byte(`plain`)},
	"assets/a-1.js.br":     {Data: []byte(`brotli`)},
	"assets/a-1.js.gz":     {Data: []byte(`gzip`)},
	"assets/style-2.css":   {Data: []byte(`css`)},
	"assets/deep/more.txt": {Data: []byte(`deep`)},
}

func TestThePanelsPageHasANewNonceEachTime(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"/admin/", "/admin/albums", "/admin/artists/6d1d3b8e", "/admin/index.html", "/admin/assets"} {
		first, second := panelAnswer(builtPanel, target), panelAnswer(builtPanel, target)
		require.Equal(t, http.StatusOK, first.Code, target)
		require.Equal(t, "no-store", first.Header().Get("Cache-Control"))
		require.NotContains(t, first.Body.String(), panelNonce)
		require.NotEqual(t, first.Body.String(), second.Body.String(), target)
		_, rest, found := strings.Cut(first.Header().Get("Content-Security-Policy"), "'nonce-")
		require.True(t, found)
		nonce, _, _ := strings.Cut(rest, "'")
		require.Equal(t, 2, strings.Count(first.Body.String(), nonce))
		require.NotContains(t, first.Header().Get("Content-Security-Policy"), "unsafe")
	}
	require.Equal(t, "/admin/", panelAnswer(builtPanel, "/admin").Header().Get("Location"))
}

func TestThePanelsFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ target, accepted, body, coding, caching string }{
		{"/admin/assets/a-1.js", "gzip, br", "brotli", "br", "public, max-age=31536000, immutable"},
		{"/admin/assets/a-1.js", "GZIP;q=0.5", "gzip", "gzip", "public, max-age=31536000, immutable"},
		{"/admin/assets/a-1.js", "br;q=0, gzip; q=0.0", "plain", "", "public, max-age=31536000, immutable"},
		{"/admin/assets/a-1.js", "", "plain", "", "public, max-age=31536000, immutable"},
		{"/admin/assets/style-2.css", "br", "css", "", "public, max-age=31536000, immutable"},
		{"/admin/icon.svg", "br", "<svg/>", "", "no-cache"},
	} {
		a := panelAnswer(builtPanel, c.target, "Accept-Encoding", c.accepted)
		require.Equal(t, http.StatusOK, a.Code, c)
		require.Equal(t, c.body, a.Body.String(), c)
		require.Equal(t, c.coding, a.Header().Get("Content-Encoding"), c)
		require.Equal(t, c.caching, a.Header().Get("Cache-Control"), c)
		require.Equal(t, "Accept-Encoding", a.Header().Get("Vary"))
	}
	require.Equal(t, "text/javascript; charset=utf-8", panelAnswer(builtPanel, "/admin/assets/a-1.js").Header().Get("Content-Type"))
}

func TestWhatThePanelHasNot(t *testing.T) {
	t.Parallel()
	old := panelAnswer(builtPanel, "/admin/assets/a-0.js")
	require.Equal(t, http.StatusNotFound, old.Code, "a page of an older version must not get HTML for a script")
	require.Contains(t, old.Body.String(), "another version")
	require.Equal(t, http.StatusOK, panelAnswer(builtPanel, "/admin/../../etc/passwd").Code, "it is the page")
	none := panelAnswer(nil, "/admin/")
	require.Equal(t, http.StatusNotFound, none.Code)
	require.Contains(t, none.Body.String(), "make build")
}
