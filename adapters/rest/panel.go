package rest

import (
	"bytes"
	"crypto/rand"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"

	"github.com/gin-gonic/gin"

	"gatefold/domain/artwork"
)

const (
	panelPrefix = panelPath + "/"
	// panelAssets is the folder of files whose names change with their content.
	panelAssets = "assets/"
	// panelNonce is what the build writes where the nonce of a visit goes.
	panelNonce = "CSP_NONCE"
)

// Panel are the routes of the admin panel, a web application.
type Panel struct{ files fs.FS }

// NewPanel returns the routes of the panel with these files: index.html, and assets.
// Beside an asset, its name with .br and .gz may hold it compressed. Without files (nil)
// the routes say that the panel is not there.
func NewPanel(files fs.FS) *Panel { return &Panel{files} }

// Register implements Routes.
func (h *Panel) Register(r *Router) {
	r.public(panelPath, func(c *gin.Context) error {
		c.Redirect(http.StatusPermanentRedirect, panelPrefix)
		return nil
	})
	r.public(panelPrefix+"*file", h.serve)
}

// serve answers with a file or, at every other path, with the page: the application
// itself knows what is shown where.
func (h *Panel) serve(c *gin.Context) error {
	if h.files == nil {
		return artwork.Errorf(artwork.NotFound, "this Gatefold was built without the panel: `make build` builds both")
	}
	name := strings.TrimPrefix(path.Clean(c.Param("file")), "/")
	if name == "index.html" || !fs.ValidPath(name) {
		name = "."
	}
	info, err := fs.Stat(h.files, name)
	switch {
	case err == nil && !info.IsDir():
		return h.file(c, name)
	case strings.HasPrefix(name, panelAssets):
		return artwork.Errorf(artwork.NotFound, "the panel has no file %s: it may be of another version, and the page has to be loaded again", name)
	default:
		return h.page(c)
	}
}

// page answers with index.html, which is new in every version and for every visit.
func (h *Panel) page(c *gin.Context) error {
	page, err := fs.ReadFile(h.files, "index.html")
	if err != nil {
		return artwork.Wrap(artwork.Internal, "rest.Panel", err)
	}
	nonce := rand.Text()
	c.Header("Cache-Control", "no-store")
	setPolicy(c.Writer.Header(), withNonce(panelPolicy, nonce))
	c.Data(http.StatusOK, "text/html; charset=utf-8", bytes.ReplaceAll(page, []byte(panelNonce), []byte(nonce)))
	return nil
}

// withNonce lets what has the nonce run too, and lets it set styles.
func withNonce(policy, nonce string) string {
	allowed := "'self' 'nonce-" + nonce + "'"
	return strings.NewReplacer("script-src 'self'", "script-src "+allowed, "style-src 'self'", "style-src "+allowed).Replace(policy)
}

// file answers with a file that is the same for everybody, compressed if the client can
// read that and the build has done it.
func (h *Panel) file(c *gin.Context, name string) error {
	c.Header("Cache-Control", "no-cache")
	if strings.HasPrefix(name, panelAssets) {
		c.Header("Cache-Control", "public, max-age=31536000, immutable")
	}
	c.Header("Vary", "Accept-Encoding")
	kind := mime.TypeByExtension(path.Ext(name))
	for _, coding := range []struct{ name, extension string }{{"br", ".br"}, {"gzip", ".gz"}} {
		if !accepts(c.GetHeader("Accept-Encoding"), coding.name) {
			continue
		}
		if content, err := fs.ReadFile(h.files, name+coding.extension); err == nil {
			c.Header("Content-Encoding", coding.name)
			c.Data(http.StatusOK, kind, content)
			return nil
		}
	}
	content, err := fs.ReadFile(h.files, name)
	if err != nil {
		return artwork.Wrap(artwork.Internal, "rest.Panel", err)
	}
	c.Data(http.StatusOK, kind, content)
	return nil
}

// accepts reports whether an Accept-Encoding names the coding, and not with a weight of
// zero (RFC 9110, 12.5.3).
func accepts(header, coding string) bool {
	for _, entry := range strings.Split(header, ",") {
		name, weight, _ := strings.Cut(entry, ";")
		if !strings.EqualFold(strings.TrimSpace(name), coding) {
			continue
		}
		weight = strings.TrimLeft(strings.TrimPrefix(strings.TrimSpace(weight), "q="), " ")
		return strings.Trim(weight, "0.") != "" || weight == ""
	}
	return false
}
