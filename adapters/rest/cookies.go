package rest

import (
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/gin-gonic/gin"
)

// The cookies of a browser that is signed in, or is about to be. Scripts cannot read
// them.
const (
	sessionCookie = "gatefold_session" // the access token
	refreshCookie = "gatefold_refresh"
	pendingCookie = "gatefold_pending" // what is kept while the browser is at an identity provider
)

// cookiePaths say where cookies are sent. Only the access token goes everywhere.
var cookiePaths = map[string]string{sessionCookie: "/", refreshCookie: authPrefix, pendingCookie: authPrefix + "oidc"}

// sites say whether a cookie comes along when another site sends the browser here:
// only the one that the answer of an identity provider needs.
var sites = map[string]http.SameSite{
	sessionCookie: http.SameSiteStrictMode, refreshCookie: http.SameSiteStrictMode, pendingCookie: http.SameSiteLaxMode,
}

// secure reports whether the client's connection is encrypted, by the word of the
// proxy if one is in front.
func (r *Router) secure(c *gin.Context) bool {
	if c.Request.TLS != nil {
		return true
	}
	peer, err := netip.ParseAddr(c.RemoteIP())
	proxied := err == nil && slices.ContainsFunc(r.proxies, func(p netip.Prefix) bool { return p.Contains(peer.Unmap()) })
	return proxied && c.GetHeader("X-Forwarded-Proto") == "https"
}

// cookieName returns the name with the prefix by which browsers accept it from an
// encrypted connection only, and from this very host (RFC 6265bis, 4.1.3).
func (r *Router) cookieName(c *gin.Context, name string) string {
	switch {
	case !r.secure(c):
		return name
	case cookiePaths[name] == "/":
		return "__Host-" + name
	default:
		return "__Secure-" + name
	}
}

// cookie returns the value; "" if there is none.
func (r *Router) cookie(c *gin.Context, name string) string {
	cookie, err := c.Request.Cookie(r.cookieName(c, name))
	if err != nil {
		return ""
	}
	return cookie.Value
}

// setCookie gives the browser a cookie until the time; one in the past takes it away.
func (r *Router) setCookie(c *gin.Context, name, value string, until time.Time) {
	cookie := &http.Cookie{ //nolint:gosec // Secure follows the connection, and SameSite is in sites
		Name: r.cookieName(c, name), Value: value, Path: cookiePaths[name], Expires: until,
		HttpOnly: true, Secure: r.secure(c), SameSite: sites[name],
	}
	if value == "" {
		cookie.MaxAge, cookie.Expires = -1, time.Time{}
	}
	http.SetCookie(c.Writer, cookie)
}

// dropCookies signs the browser out, as far as it knows.
func (r *Router) dropCookies(c *gin.Context) {
	for _, name := range []string{sessionCookie, refreshCookie} {
		r.setCookie(c, name, "", time.Time{})
	}
}
