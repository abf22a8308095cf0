package rest

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/accesstoken"
)

// TestEveryAnswerIsProtected, whatever is asked, and whatever becomes of it.
func TestEveryAnswerIsProtected(t *testing.T) {
	t.Parallel()
	s := newStubbed(t)
	for path, status := range map[string]int{
		"/": http.StatusNoContent, "/api/artists": http.StatusNoContent, "/api/users": http.StatusUnauthorized, "/no/such/path": http.StatusNotFound,
		"/administration": http.StatusNotFound,
	} {
		got := s.ask(t, http.MethodGet, path, here)
		require.Equal(t, status, got.Code, path)
		header := got.Header()
		require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"), path)
		require.Equal(t, "no-referrer", header.Get("Referrer-Policy"), path)
		require.Contains(t, header.Get("Permissions-Policy"), "camera=()", path)
		require.Equal(t, "default-src 'none'; frame-ancestors 'none'", header.Get("Content-Security-Policy"), path)
		require.Equal(t, "same-origin", header.Get("Cross-Origin-Resource-Policy"), path)
		require.Empty(t, header.Get("Strict-Transport-Security"), path)
		require.Empty(t, header.Get("Vary"), path)
		require.NotEmpty(t, header.Get("X-Request-Id"), path)
	}
	wrong := s.ask(t, http.MethodDelete, "/api/artists", here)
	require.Equal(t, http.StatusMethodNotAllowed, wrong.Code)
	require.Equal(t, "nosniff", wrong.Header().Get("X-Content-Type-Options"))
	require.Contains(t, wrong.Header().Get("Allow"), "GET")
}

// TestThePanelLoadsOnlyItsOwn code and styles.
func TestThePanelLoadsOnlyItsOwn(t *testing.T) {
	t.Parallel()
	s := newStubbed(t)
	for _, path := range []string{"/admin", "/admin/", "/admin/assets/index.js"} {
		header := s.ask(t, http.MethodGet, path, here).Header()
		policy := header.Get("Content-Security-Policy")
		for _, directive := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"} {
			require.Contains(t, strings.Split(policy, "; "), directive, path)
		}
		require.NotContains(t, policy, "unsafe", path)
		require.Equal(t, "same-origin", header.Get("Cross-Origin-Opener-Policy"), path)
	}
}

// TestStrictTransport is told to who came by TLS, by the word of a proxy that is trusted.
func TestStrictTransport(t *testing.T) {
	t.Parallel()
	s := newStubbed(t, WithStrictTransport(365*24*time.Hour))
	ask := func(from, proto string) string {
		return s.ask(t, http.MethodGet, "/", from, "X-Forwarded-Proto", proto).Header().Get("Strict-Transport-Security")
	}
	require.Equal(t, "max-age=31536000", ask("10.0.0.1", "https"))
	require.Empty(t, ask("10.0.0.1", "http"))
	require.Empty(t, ask("10.0.0.1", ""))
	require.Empty(t, ask(here, "https"), "nobody else is believed")
	require.Equal(t, "max-age=31536000", s.ask(t, http.MethodGet, "https://example.org/", here).Header().Get("Strict-Transport-Security"))
}

func newCORS(t *testing.T, origins ...string) Option {
	t.Helper()
	allowed, err := NewCORS(origins)
	require.NoError(t, err)
	return WithCORS(allowed)
}

func TestPagesOfNamedOrigins(t *testing.T) {
	t.Parallel()
	s := newStubbed(t, newCORS(t, "https://app.example.org", "http://192.168.0.7:3000"))
	for _, origin := range []string{"https://app.example.org", "http://192.168.0.7:3000"} {
		for _, path := range []string{"/api/artists", "/api/users", "/no/such/path"} {
			header := s.ask(t, http.MethodGet, path, here, "Origin", origin).Header()
			require.Equal(t, origin, header.Get("Access-Control-Allow-Origin"), path)
			require.Equal(t, "true", header.Get("Access-Control-Allow-Credentials"))
			require.Contains(t, header.Values("Vary"), "Origin")
			for _, exposed := range []string{"etag", "retry-after", "x-request-id"} {
				require.Contains(t, strings.ToLower(header.Get("Access-Control-Expose-Headers")), exposed)
			}
		}
	}
	for _, origin := range []string{"https://evil.example", "https://app.example.org.evil.example", "http://app.example.org", "https://app.example.org:8443", "null"} {
		header := s.ask(t, http.MethodGet, "/api/artists", here, "Origin", origin).Header()
		require.Empty(t, header.Get("Access-Control-Allow-Origin"), origin)
		require.Contains(t, header.Values("Vary"), "Origin")
	}
	require.Contains(t, s.ask(t, http.MethodGet, "/api/artists", here).Header().Values("Vary"), "Origin", "a cache must not give this to a page")
}

func TestPreflights(t *testing.T) {
	t.Parallel()
	s := newStubbed(t, newCORS(t, "https://app.example.org"), withLimits(oneRequest))
	preflight := func(origin, path, method, headers string) http.Header {
		got := s.ask(t, http.MethodOptions, path, here, "Origin", origin, "Access-Control-Request-Method", method, "Access-Control-Request-Headers", headers)
		require.Equal(t, "nosniff", got.Header().Get("X-Content-Type-Options"))
		return got.Header()
	}
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
		header := preflight("https://app.example.org", "/api/users", method, "authorization,content-type,if-match,if-none-match")
		require.Equal(t, "https://app.example.org", header.Get("Access-Control-Allow-Origin"), method)
		require.Equal(t, "7200", header.Get("Access-Control-Max-Age"))
		require.Contains(t, strings.ToLower(header.Get("Access-Control-Allow-Headers")), "authorization")
		require.Contains(t, strings.Join(header.Values("Vary"), ", "), "Origin")
	}
	require.Empty(t, preflight("https://evil.example", "/api/users", "PUT", "authorization").Get("Access-Control-Allow-Origin"))
	require.Empty(t, preflight("https://app.example.org", "/api/users", "PUT", "x-anything").Get("Access-Control-Allow-Headers"))
	// A credential is none of a preflight, and no request.
	require.Equal(t, http.StatusNoContent, s.ask(t, http.MethodGet, "/api/artists", here, "Origin", "https://app.example.org").Code)
	refused := s.ask(t, http.MethodGet, "/api/artists", here, "Origin", "https://app.example.org")
	requireTooMany(t, refused)
	require.Equal(t, "https://app.example.org", refused.Header().Get("Access-Control-Allow-Origin"), "a page may read why")
}

func TestPagesOfAllOrigins(t *testing.T) {
	t.Parallel()
	s := newStubbed(t, newCORS(t, "*"))
	got := s.ask(t, http.MethodGet, "/api/users", here, "Origin", "https://anybody.example", "Authorization", "Bearer "+s.tokens[accesstoken.Read])
	require.Equal(t, http.StatusNoContent, got.Code)
	require.Equal(t, "*", got.Header().Get("Access-Control-Allow-Origin"))
	require.Empty(t, got.Header().Get("Access-Control-Allow-Credentials"))
	require.Empty(t, got.Header().Get("Vary"), "the answer is the same for all")
	preflight := s.ask(t, http.MethodOptions, "/api/users", here, "Origin", "https://anybody.example",
		"Access-Control-Request-Method", "PUT", "Access-Control-Request-Headers", "authorization,if-match")
	require.Equal(t, "*", preflight.Header().Get("Access-Control-Allow-Origin"))
	require.Contains(t, strings.ToLower(preflight.Header().Get("Access-Control-Allow-Headers")), "authorization")
}

func TestNoOtherOriginUnlessConfigured(t *testing.T) {
	t.Parallel()
	s := newStubbed(t)
	got := s.ask(t, http.MethodGet, "/api/artists", here, "Origin", "https://anybody.example")
	require.Empty(t, got.Header().Get("Access-Control-Allow-Origin"))
	require.Equal(t, http.StatusMethodNotAllowed, s.ask(t, http.MethodOptions, "/api/artists", here, "Origin", "https://a.example", "Access-Control-Request-Method", "GET").Code)
}

func TestWhatIsNoOrigin(t *testing.T) {
	t.Parallel()
	for _, wrong := range [][]string{{"app.example.org"}, {"https://app.example.org/path"}, {"https://*.example.org"}, {"*", "https://app.example.org"}, {"null"}, {"https://app.example.org/"}} {
		_, err := NewCORS(wrong)
		require.Error(t, err, wrong)
	}
}
