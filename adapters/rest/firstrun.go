package rest

import (
	"bufio"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"io"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/domain/artwork"
)

//go:embed firstrun.html
var firstRunText string

var firstRunTemplate = template.Must(template.New("first-run").Parse(firstRunText))

// firstRunPolicy lets the page do nothing but look as it is written, and send its form.
var firstRunPolicy = "default-src 'none'; style-src " + styleHash(firstRunText) + "; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// styleHash returns the source of a policy that lets the page's own style in, and no other.
func styleHash(page string) string {
	_, rest, _ := strings.Cut(page, "<style>")
	style, _, _ := strings.Cut(rest, "</style>")
	sum := sha256.Sum256([]byte(style))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// firstRunPage is where the link leads that a new deployment prints: a form, without
// scripts. Whether the token is good is found when the form is sent.
func (h *Auth) firstRunPage(c *gin.Context) error {
	return h.showFirstRun(c, http.StatusOK, gin.H{"Token": c.Query("token")})
}

func (h *Auth) showFirstRun(c *gin.Context, status int, data gin.H) error {
	var page strings.Builder
	if err := firstRunTemplate.Execute(&page, data); err != nil {
		return artwork.Wrap(artwork.Internal, "rest.firstRun", err)
	}
	c.Header("Content-Security-Policy", firstRunPolicy)
	c.Header("X-Content-Type-Options", "nosniff")
	c.Header("Referrer-Policy", "no-referrer") // the token is in the address
	c.Header("Cache-Control", "no-store")
	c.Data(status, "text/html; charset=utf-8", []byte(page.String()))
	return nil
}

const formType = "application/x-www-form-urlencoded"

// isForm reports whether a form is sent, and not JSON that a program says is a form
// because it says nothing else by default, as curl does. The body can still be read.
func isForm(c *gin.Context) bool {
	body := bufio.NewReader(c.Request.Body)
	first, err := body.Peek(1)
	c.Request.Body = struct {
		io.Reader
		io.Closer
	}{body, c.Request.Body}
	return c.ContentType() == formType && err == nil && first[0] != '{'
}

// claim makes the first administrator, and signs them in. The page sends a form, a
// program JSON.
func (h *Auth) claim(c *gin.Context) error {
	if !isForm(c) {
		var in api.FirstAdministrator
		if err := decodeJSON(c, &in); err != nil {
			return err
		}
		g, err := h.firstRun.Claim(c.Request.Context(), stranger(c), in.Token, in.Username, in.Password)
		if err != nil {
			return err
		}
		h.grant(c, g, http.StatusCreated, false)
		return nil
	}
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxJSON)
	if err := c.Request.ParseForm(); err != nil {
		return artwork.Errorf(artwork.InvalidInput, "the form cannot be read")
	}
	form := c.Request.PostForm
	in := api.FirstAdministrator{Token: form.Get("token"), Username: form.Get("username"), Password: form.Get("password")}
	g, err := h.firstRun.Claim(c.Request.Context(), stranger(c), in.Token, in.Username, in.Password)
	if err != nil {
		if kind := artwork.KindOf(err); statuses[kind] < http.StatusInternalServerError {
			if kind == artwork.Unauthenticated {
				c.Header("WWW-Authenticate", challenge)
			}
			return h.showFirstRun(c, statuses[kind], gin.H{"Token": in.Token, "Username": in.Username, "Problem": messageOf(err)})
		}
		return err
	}
	h.setCookies(c, g)
	return h.showFirstRun(c, http.StatusCreated, gin.H{"Done": g.User.Username})
}
