package rest

import (
	"cmp"
	"encoding/base64"
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/signin"
	"gatefold/domain/artwork"
)

// beginExternal sends the browser to the identity provider.
func (h *Auth) beginExternal(c *gin.Context) error {
	returnTo, err := ownPath(c.DefaultQuery("returnTo", "/"))
	if err != nil {
		return err
	}
	url, kept, err := h.external.Begin(c.Request.Context(), returnTo)
	if err != nil {
		return err
	}
	h.router.setCookie(c, pendingCookie, base64.RawURLEncoding.EncodeToString(kept), time.Now().Add(signin.ExternalPatience))
	c.Header("Cache-Control", "no-store")
	c.Redirect(http.StatusFound, url)
	return nil
}

// beginLink says where the browser of a user who is signed in has to go, so that the
// identity provider links who it recognises to the user.
func (h *Auth) beginLink(c *gin.Context) error {
	var in api.LinkRequest
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	returnTo, err := ownPath(cmp.Or(in.ReturnTo, "/"))
	if err != nil {
		return err
	}
	if err := h.confirm(c, in.CurrentPassword); err != nil {
		return err
	}
	url, kept, err := h.external.BeginLink(c.Request.Context(), principal(c), returnTo)
	if err != nil {
		return err
	}
	h.router.setCookie(c, pendingCookie, base64.RawURLEncoding.EncodeToString(kept), time.Now().Add(signin.ExternalPatience))
	c.JSON(http.StatusOK, api.LinkBegun{URL: url})
	return nil
}

// ownPath returns a path of this server: a browser must not be sent elsewhere.
func ownPath(path string) (string, error) {
	if !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//") || strings.ContainsRune(path, '\\') || strings.ContainsFunc(path, unicode.IsControl) {
		return "", artwork.Errorf(artwork.InvalidInput, "returnTo must be a path of this server, such as /admin/")
	}
	return path, nil
}

// finishExternal is where the identity provider sends the browser back to.
func (h *Auth) finishExternal(c *gin.Context) error {
	c.Header("Cache-Control", "no-store")
	c.Header("Referrer-Policy", "no-referrer") // the code is in the address
	kept, _ := base64.RawURLEncoding.DecodeString(h.router.cookie(c, pendingCookie))
	h.router.setCookie(c, pendingCookie, "", time.Time{})
	if reason := c.Query("error"); reason != "" {
		return artwork.Errorf(artwork.Unauthenticated, "the identity provider has not let you in: %.100q", reason)
	}
	g, returnTo, err := h.external.Finish(c.Request.Context(), stranger(c), kept, c.Query("state"), c.Query("code"))
	if err != nil {
		return err
	}
	if g.AccessToken != "" { // to link is not to sign in
		h.setCookies(c, g)
	}
	c.Redirect(http.StatusSeeOther, returnTo)
	return nil
}
