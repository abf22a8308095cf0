package rest

import (
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/jub0bs/cors"

	"gatefold/domain/artwork"
)

// Values of headers that are the same on every answer: nobody changes what a header
// holds, they are replaced.
var (
	nosniff       = []string{"nosniff"}
	noReferrer    = []string{"no-referrer"}
	noPermissions = []string{"camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"}
	noContent     = []string{"default-src 'none'; frame-ancestors 'none'"}
	onlyOwnOrigin = []string{"same-origin"}
	anyOrigin     = []string{"cross-origin"}
	sandboxed     = []string{"sandbox"}
	bytesUnit     = []string{"bytes"}
	notStored     = []string{"no-store"}
)

// protect writes what holds of every answer but images, whatever becomes of the request. An
// answer that is a page says what it may load by setPolicy.
func protect(header http.Header, req *http.Request) {
	header["X-Content-Type-Options"] = nosniff
	header["Referrer-Policy"] = noReferrer
	header["Permissions-Policy"] = noPermissions
	header["Content-Security-Policy"] = noContent
	header["Cross-Origin-Resource-Policy"] = onlyOwnOrigin
	if below, ok := strings.CutPrefix(req.URL.Path, panelPath); ok && (below == "" || below[0] == '/') {
		setPolicy(header, panelPolicy)
	}
}

// protectRoute protects the answers of all routes but those that serve images: what they
// would have to take back is not written. They say by protectImage what holds of an image,
// and an answer of theirs that is none is a problem document.
func (r *Router) protectRoute(c *gin.Context) {
	if !servesImage(c.FullPath()) {
		protect(c.Writer.Header(), c.Request)
	}
}

// protectImage is for bytes that somebody has uploaded: any page may show them, and
// nothing in them can run, so that there is nothing else to forbid.
func protectImage(header http.Header) {
	header["X-Content-Type-Options"] = nosniff
	header["Content-Security-Policy"] = sandboxed
	header["Cross-Origin-Resource-Policy"] = anyOrigin
}

// imageProtection is what protectImage writes, as it is sent.
const imageProtection = "X-Content-Type-Options: nosniff\r\nContent-Security-Policy: sandbox\r\nCross-Origin-Resource-Policy: cross-origin\r\n"

// unprotect takes back what protect has written, if it has, for an answer that is an image.
func unprotect(header http.Header) {
	if len(header["Referrer-Policy"]) == 0 {
		return
	}
	for _, name := range [...]string{
		"X-Content-Type-Options", "Referrer-Policy", "Permissions-Policy", "Content-Security-Policy", "Cross-Origin-Resource-Policy",
	} {
		delete(header, name)
	}
}

// panelPolicy is what the panel may load (www.w3.org/TR/CSP3): no inline code, no foreign
// code, and no page may frame it. Images of providers are shown by this server.
const panelPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data: blob:; " +
	"connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// panelPath is the path of the panel, and of all below it.
const panelPath = "/admin"

// setPolicy says what a page may load, and keeps it apart from pages of other origins
// that have opened it.
func setPolicy(header http.Header, policy string) {
	header.Set("Content-Security-Policy", policy)
	header["Cross-Origin-Opener-Policy"] = onlyOwnOrigin
}

// cameByTLS reports whether the client has connected by TLS: to Gatefold, or as a
// trusted proxy says, to that.
func (r *Router) cameByTLS(req *http.Request) bool {
	if req.TLS != nil {
		return true
	}
	if !strings.EqualFold(req.Header.Get("X-Forwarded-Proto"), "https") {
		return false
	}
	peer, err := netip.ParseAddrPort(req.RemoteAddr)
	return err == nil && slices.ContainsFunc(r.proxies, func(proxy netip.Prefix) bool { return proxy.Contains(peer.Addr().Unmap()) })
}

// CORS is what pages of other origins may do (fetch.spec.whatwg.org).
type CORS struct{ middleware *cors.Middleware }

// corsMaxAge is for how long a browser need not ask again what is allowed, in seconds.
const corsMaxAge = 7200

// NewCORS returns what lets pages of the origins read answers, and ask everything that
// the API answers. An origin is a scheme, a host and a port, unless that is the scheme's
// own; to pages of such, browsers may send what identifies the user. "*" alone are all
// origins, to which they do not. The error says which origin is none.
func NewCORS(origins []string) (*CORS, error) {
	for _, origin := range origins {
		if strings.Contains(origin, "*") && (origin != "*" || len(origins) > 1) {
			return nil, artwork.Errorf(artwork.InvalidInput, "%q is neither one origin nor all: name every origin, or * alone", origin)
		}
	}
	middleware, err := cors.NewMiddleware(cors.Config{
		Origins: origins, Credentialed: !slices.Contains(origins, "*"),
		Methods:         []string{http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete},
		RequestHeaders:  []string{"Accept", "Authorization", "Content-Type", "If-Match", "If-None-Match", "If-Modified-Since", "If-Range", "Last-Event-ID", "Range", "X-Request-Id"},
		MaxAgeInSeconds: corsMaxAge,
		ResponseHeaders: []string{"Accept-Ranges", "Content-Range", "ETag", "Location", "RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate", "X-Request-Id"},
		// Whether a network needs TLS is for who runs it to decide.
		ExtraConfig: cors.ExtraConfig{DangerouslyTolerateInsecureOrigins: true},
	})
	if err != nil {
		return nil, err
	}
	return &CORS{middleware}, nil
}

// Option is something that a router does only if it is told to.
type Option func(*Router)

// WithCORS answers pages of other origins.
func WithCORS(allowed *CORS) Option {
	return func(r *Router) { r.handler = allowed.middleware.Wrap(r.handler) }
}

// WithStrictTransport has browsers that came by TLS come by nothing else for that long
// (RFC 6797).
func WithStrictTransport(term time.Duration) Option {
	return func(r *Router) { r.transport = "max-age=" + strconv.FormatInt(int64(term/time.Second), 10) }
}
