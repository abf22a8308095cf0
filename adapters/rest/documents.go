package rest

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/swaggest/swgui/v5/static"

	"gatefold/domain/artwork"
)

//go:embed docs.html
var docsPage []byte

//go:embed docs.js
var docsScript []byte

// docsPolicy lets the documentation page run what it is made of, and talk to this
// server only. Its icons are in data URLs.
const docsPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// document is something that stays as it is while the program runs.
type document struct {
	contentType string
	gzipped     []byte
	tag         string
}

func newDocument(contentType string, content []byte) *document {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // which is a level
	_, _ = w.Write(content)                               // a buffer takes everything
	_ = w.Close()
	return newGzippedDocument(contentType, b.Bytes())
}

func newGzippedDocument(contentType string, gzipped []byte) *document {
	sum := sha256.Sum256(gzipped)
	return &document{contentType, gzipped, hex.EncodeToString(sum[:8])}
}

// serve answers with the whole document, compressed for whom that is right. Caches ask
// whether it has changed, which it does with every release.
func (d *document) serve(c *gin.Context) error {
	header := c.Writer.Header()
	header.Set("Content-Type", d.contentType)
	header.Set("Cache-Control", noCache)
	header.Set("Vary", "Accept-Encoding")
	header.Set("X-Content-Type-Options", "nosniff")
	body, tag := d.gzipped, d.tag+"-gzip"
	if acceptsGzip(c.GetHeader("Accept-Encoding")) {
		header.Set("Content-Encoding", "gzip")
	} else {
		plain, err := gunzip(d.gzipped)
		if err != nil {
			return err
		}
		body, tag = plain, d.tag
	}
	header.Set("ETag", `"`+tag+`"`)
	c.Request.Header.Del("Range") // it is small
	http.ServeContent(c.Writer, c.Request, "", time.Time{}, bytes.NewReader(body))
	return nil
}

// acceptsGzip reads an Accept-Encoding (RFC 9110, section 12.5.3).
func acceptsGzip(header string) bool {
	for part := range strings.SplitSeq(header, ",") {
		coding, weight, weighted := strings.Cut(part, ";")
		if !strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimPrefix(strings.TrimSpace(weight), "q="), 64)
		return !weighted || err == nil && q > 0
	}
	return false
}

func gunzip(gzipped []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(gzipped))
	if err != nil {
		return nil, artwork.Wrap(artwork.Internal, "rest.gunzip", err)
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return nil, artwork.Wrap(artwork.Internal, "rest.gunzip", err)
	}
	return plain, nil
}

// documents are the contract, and the page that shows it: Swagger UI, from this
// program and nowhere else.
type documents struct {
	contract, page *document
	files          map[string]*document
}

func newDocuments(k *contract) (*documents, error) {
	d := &documents{
		contract: newDocument("application/json", k.published),
		page:     newDocument("text/html; charset=utf-8", docsPage),
		files:    map[string]*document{"docs.js": newDocument("text/javascript; charset=utf-8", docsScript)},
	}
	for name, contentType := range map[string]string{
		"swagger-ui-bundle.js": "text/javascript; charset=utf-8", "swagger-ui.css": "text/css; charset=utf-8",
	} {
		gzipped, err := static.FS.ReadFile(name + ".gz")
		if err != nil {
			return nil, err
		}
		d.files[name] = newGzippedDocument(contentType, gzipped)
	}
	return d, nil
}

// Register implements Routes.
func (d *documents) Register(r *Router) {
	r.public("/api/openapi.json", d.contract.serve)
	r.public("/api/docs", func(c *gin.Context) error {
		c.Header("Content-Security-Policy", docsPolicy)
		return d.page.serve(c)
	})
	r.public("/api/docs/:file", func(c *gin.Context) error {
		file := d.files[c.Param("file")]
		if file == nil {
			return artwork.Errorf(artwork.NotFound, "there is nothing at this path")
		}
		return file.serve(c)
	})
}
