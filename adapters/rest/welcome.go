package rest

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"
)

//go:embed welcome.html
var welcomePage string

// Welcome is the page at the root: what is in the library, at a glance.
type Welcome struct{ policy string }

// NewWelcome returns the route.
func NewWelcome() *Welcome {
	return &Welcome{"default-src 'none'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
		"script-src " + hashSource("script") + "; style-src " + hashSource("style")}
}

// hashSource lets exactly the page's own inline element run
// (www.w3.org/TR/CSP3/#grammardef-hash-source).
func hashSource(element string) string {
	_, rest, _ := strings.Cut(welcomePage, "<"+element+">")
	content, _, _ := strings.Cut(rest, "</"+element+">")
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// Register implements Routes.
func (h *Welcome) Register(r *Router) { r.public("/", h.page) }

func (h *Welcome) page(c *gin.Context) error {
	setPolicy(c.Writer.Header(), h.policy)
	c.Header("Cache-Control", noCache)
	c.Data(http.StatusOK, "text/html; charset=utf-8", []byte(welcomePage))
	return nil
}
