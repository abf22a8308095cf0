package rest

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/application/applyimage"
	"gatefold/application/limitrequests"
	"gatefold/application/signin"
	"gatefold/domain/artwork"
)

// stubs are routes of every kind that answer nothing. The login is wrong unless it is
// for "right".
type stubs struct{}

func done(c *gin.Context) error {
	c.Status(http.StatusNoContent)
	return nil
}

// Register implements Routes.
func (stubs) Register(r *Router) {
	for _, path := range []string{
		"/", "/health", "/api/health", "/metrics", "/admin/", "/api/artists", "/api/artists/:id",
		"/api/images/albums/:id/cover", "/api/images/albums/:id/cover/metadata", "/api/albums/:id/cover", "/api/images/artists/:id/:type", "/api/images/artists/:id/all",
	} {
		r.public(path, done)
	}
	r.guarded(http.MethodGet, "/api/users", accesstoken.Read, done)
	r.guarded(http.MethodPost, "/api/users/avatar", accesstoken.Write, done)
	r.everybody(http.MethodPost, "/api/auth/login", func(c *gin.Context) error {
		var in api.SignIn
		if err := decodeJSON(c, &in); err != nil {
			return err
		}
		if in.Password != "right" {
			return artwork.Errorf(artwork.Unauthenticated, "wrong")
		}
		return done(c)
	})
}

// slowUploads are routes of uploads that read their body and then wait.
type slowUploads struct{ reading, read chan struct{} }

// Register implements Routes.
func (u slowUploads) Register(r *Router) {
	r.guarded(http.MethodPost, "/api/users/avatar", accesstoken.Write, func(c *gin.Context) error {
		u.reading <- struct{}{}
		<-u.read
		return done(c)
	})
}

// TestUploadsAreBoundedTogether, by what they say that they have, or may have.
func TestUploadsAreBoundedTogether(t *testing.T) {
	t.Parallel()
	const avatars = MinUploadRoom / (applyimage.MaxAvatarBytes + maxFraming)
	tokens := memory.NewRepository().Tokens()
	token, err := accesstoken.NewCreate(tokens).Run(t.Context(), artwork.Actor{Name: "test"}, accesstoken.CreateIn{Name: "t", Scope: accesstoken.Write})
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	uploads := slowUploads{make(chan struct{}), make(chan struct{})}
	r := NewRouter(signin.NewAuthenticate(accesstoken.NewAuthenticate(tokens, log), nil, nil), nil, log, []Routes{uploads}, WithUploadRoom(1))
	send := func(length int64) *httptest.ResponseRecorder {
		req := httptest.NewRequest(http.MethodPost, "/api/users/avatar", strings.NewReader("x"))
		req.ContentLength = length
		req.Header.Set("Authorization", "Bearer "+token)
		got := httptest.NewRecorder()
		r.ServeHTTP(got, req)
		return got
	}
	ended := make(chan int, avatars)
	for range avatars {
		go func() { ended <- send(-1).Code }() // of no length that is known: it may be the longest
		<-uploads.reading
	}
	for _, length := range []int64{-1, 1 << 40} { // what is too long takes what it may have
		answered := make(chan *httptest.ResponseRecorder, 1)
		go func() { answered <- send(length) }()
		select {
		case refused := <-answered:
			require.Equal(t, http.StatusServiceUnavailable, refused.Code)
			require.NotEmpty(t, refused.Header().Get("Retry-After"))
		case <-uploads.reading:
			close(uploads.read)
			require.FailNow(t, "more is read than there is room for")
		}
	}
	go func() { ended <- send(1).Code }() // there is room for a byte
	<-uploads.reading
	for range avatars + 1 {
		uploads.read <- struct{}{}
		require.Equal(t, http.StatusNoContent, <-ended)
	}
	go func() { ended <- send(-1).Code }()
	<-uploads.reading
	uploads.read <- struct{}{}
	require.Equal(t, http.StatusNoContent, <-ended, "what has ended makes room")
}

// stubbed is a router of stubs that has a token of each scope.
type stubbed struct {
	*Router
	tokens map[accesstoken.Scope]string
	log    *bytes.Buffer
}

func newStubbed(t *testing.T, options ...Option) stubbed {
	t.Helper()
	tokens := memory.NewRepository().Tokens()
	s := stubbed{tokens: map[accesstoken.Scope]string{}, log: &bytes.Buffer{}}
	for _, scope := range []accesstoken.Scope{accesstoken.Read, accesstoken.Write, accesstoken.Admin} {
		secret, err := accesstoken.NewCreate(tokens).Run(t.Context(), artwork.Actor{Name: "test"}, accesstoken.CreateIn{Name: string(scope), Scope: scope})
		require.NoError(t, err)
		s.tokens[scope] = secret
	}
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	proxies := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	s.Router = NewRouter(signin.NewAuthenticate(accesstoken.NewAuthenticate(tokens, log), nil, nil), proxies, log, []Routes{stubs{}}, options...)
	return s
}

func withLimits(limits limitrequests.Limits) Option {
	return WithLimits(limitrequests.New(limits, nil, memory.NewMeter(1000), slog.New(slog.DiscardHandler)))
}

// ask sends a request from an address; header is a list of names and values.
func (s stubbed) ask(t *testing.T, method, path, from string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	return s.send(t, method, path, "", from, header...)
}

// send is ask with a body.
func (s stubbed) send(t *testing.T, method, path, body, from string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	req := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
	req.RemoteAddr = netip.AddrPortFrom(netip.MustParseAddr(from), 4711).String()
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	got := httptest.NewRecorder()
	s.ServeHTTP(got, req)
	return got
}

// requireTooMany requires a problem that says when to come again.
func requireTooMany(t *testing.T, got *httptest.ResponseRecorder) {
	t.Helper()
	require.Equal(t, http.StatusTooManyRequests, got.Code, got.Body)
	require.Equal(t, "application/problem+json", got.Header().Get("Content-Type"))
	require.Contains(t, got.Body.String(), "urn:gatefold:problem:too_many_requests")
	require.Contains(t, got.Body.String(), `"requestId"`)
	seconds, err := strconv.Atoi(got.Header().Get("Retry-After"))
	require.NoError(t, err)
	require.Greater(t, seconds, 30)
	require.LessOrEqual(t, seconds, 65)
}

const (
	here      = "192.0.2.1"
	elsewhere = "192.0.2.2"
)

func TestRequestsOfAnAnonymousClient(t *testing.T) {
	t.Parallel()
	s := newStubbed(t, withLimits(limitrequests.Limits{Requests: 5, Logins: 5}))
	id := artwork.NewID().String()
	for i := range 5 {
		path := []string{"/api/artists", "/api/artists/" + id}[i%2]
		got := s.ask(t, []string{http.MethodGet, http.MethodHead}[i%2], path, here)
		require.Equal(t, http.StatusNoContent, got.Code)
		require.Equal(t, `"requests";q=5;w=60`, got.Header().Get("RateLimit-Policy"))
		require.Equal(t, fmt.Sprintf(`"requests";r=%d`, 4-i), got.Header().Get("RateLimit"))
	}
	refused := s.ask(t, http.MethodGet, "/api/artists", here)
	requireTooMany(t, refused)
	require.Regexp(t, `^"requests";r=0;t=[3-6]\d$`, refused.Header().Get("RateLimit"))
	require.Equal(t, http.StatusNoContent, s.ask(t, http.MethodGet, "/api/artists", elsewhere).Code)

	for _, path := range []string{
		"/", "/health", "/api/health", "/metrics", "/admin/", "/api/images/albums/" + id + "/cover", "/api/images/albums/" + id + "/cover/metadata",
		"/api/albums/" + id + "/cover", "/api/images/artists/" + id + "/logo", "/api/images/artists/" + id + "/all",
	} {
		got := s.ask(t, http.MethodGet, path, here)
		require.Equal(t, http.StatusNoContent, got.Code, path)
		require.Empty(t, got.Header().Get("RateLimit"), path)
	}
	require.Equal(t, http.StatusOK, s.ask(t, http.MethodGet, "/api/docs", here).Code)
}

// TestAClientIsWhoTheProxySays, if it is a trusted one; and a network of IPv6.
func TestAClientIsWhoTheProxySays(t *testing.T) {
	t.Parallel()
	s := newStubbed(t, withLimits(limitrequests.Limits{Requests: 1}))
	ask := func(from, forwarded string) int {
		return s.ask(t, http.MethodGet, "/api/artists", from, "X-Forwarded-For", forwarded).Code
	}
	require.Equal(t, http.StatusNoContent, ask("10.0.0.1", "192.0.2.7"))
	require.Equal(t, http.StatusTooManyRequests, ask("10.0.0.2", "192.0.2.7"))
	require.Equal(t, http.StatusTooManyRequests, ask("10.0.0.2", "192.0.2.8, 192.0.2.7"), "what the client itself has written")
	require.Equal(t, http.StatusNoContent, ask("10.0.0.1", "192.0.2.8"))
	require.Equal(t, http.StatusNoContent, ask(elsewhere, "192.0.2.9"))
	require.Equal(t, http.StatusTooManyRequests, ask(elsewhere, "192.0.2.10"), "nobody else is believed")
	require.Equal(t, http.StatusNoContent, ask("2001:db8::1", ""))
	require.Equal(t, http.StatusTooManyRequests, ask("2001:db8::2", ""))
	require.Equal(t, http.StatusNoContent, ask("2001:db8:0:1::1", ""))
}

func TestTokensHaveNoLimitUnlessGivenOne(t *testing.T) {
	t.Parallel()
	for tokens, want := range map[int]int{0: http.StatusNoContent, 3: http.StatusTooManyRequests} {
		s := newStubbed(t, withLimits(limitrequests.Limits{Requests: 2, Uploads: 2, Tokens: tokens}))
		bearer := []string{"Authorization", "Bearer " + s.tokens[accesstoken.Write]}
		for range 3 {
			require.Equal(t, http.StatusNoContent, s.ask(t, http.MethodPost, "/api/users/avatar", here, bearer...).Code)
		}
		require.Equal(t, want, s.ask(t, http.MethodGet, "/api/users", here, bearer...).Code)
		require.Equal(t, http.StatusNoContent, s.ask(t, http.MethodGet, "/api/users", here, "Authorization", "Bearer "+s.tokens[accesstoken.Read]).Code)
	}
}

func TestEveryRouteHasItsClass(t *testing.T) {
	t.Parallel()
	for route, want := range map[string]limitrequests.Class{
		"POST /api/auth/login": limitrequests.Logins, "POST /api/auth/refresh": limitrequests.Requests, "POST /api/users/avatar": limitrequests.Avatars,
		"DELETE /api/users/avatar":                                        limitrequests.Requests,
		"POST /api/admin/metadata/artist/custom-images/:id/upload":        limitrequests.Uploads,
		"POST /api/admin/metadata/album/custom-covers/:id/upload":         limitrequests.Uploads,
		"POST /api/admin/metadata/album/custom-covers/:id/apply/:imageId": limitrequests.Requests,
		"GET /api/admin/metadata/album/custom-covers/:id":                 limitrequests.Requests,
		"POST /api/images/sign":                                           limitrequests.Requests,
		"GET /api/images/albums/:id/custom/:imageId":                      limitrequests.Exempt,
		"GET /api/events/stream":                                          limitrequests.Requests,
		"GET /api/albums/:id":                                             limitrequests.Requests,
		"GET /api/albums/:id/cover":                                       limitrequests.Exempt,
		"GET /health/ready":                                               limitrequests.Exempt,
		"GET /admin/*file":                                                limitrequests.Exempt,
	} {
		var method, path string
		_, err := fmt.Sscan(route, &method, &path)
		require.NoError(t, err)
		require.Equal(t, want, limitClass(method, path), route)
	}
}

// TestLogins are counted by client; package signin counts them by account.
func TestLogins(t *testing.T) {
	t.Parallel()
	s := newStubbed(t, withLimits(limitrequests.Limits{Requests: 100, Logins: 5}))
	login := func(from, password string) *httptest.ResponseRecorder {
		return s.send(t, http.MethodPost, "/api/auth/login", `{"username":"ana","password":"`+password+`"}`, from)
	}
	for range 5 {
		require.Equal(t, http.StatusUnauthorized, login(here, "wrong").Code)
	}
	refused := login(here, "right")
	requireTooMany(t, refused)
	require.Equal(t, `"logins";q=5;w=60`, refused.Header().Get("RateLimit-Policy"))
	require.Equal(t, http.StatusNoContent, login(elsewhere, "right").Code)

	unlimited := newStubbed(t)
	for range 20 {
		require.Equal(t, http.StatusNoContent, unlimited.send(t, http.MethodPost, "/api/auth/login", `{"username":"ana","password":"right"}`, here).Code)
	}
}

// TestGuessedTokens: a client that tries tokens uses up its requests, and then is not
// told any more which one is right; a token that was in use there stays so.
func TestGuessedTokens(t *testing.T) {
	t.Parallel()
	s := newStubbed(t, withLimits(limitrequests.Limits{Requests: 5}))
	ask := func(from, token string) *httptest.ResponseRecorder {
		return s.ask(t, http.MethodGet, "/api/users", from, "Authorization", "Bearer "+token)
	}
	require.Equal(t, http.StatusNoContent, ask(here, s.tokens[accesstoken.Read]).Code)
	for i := range 5 {
		require.Equal(t, http.StatusUnauthorized, ask(here, fmt.Sprint("gf_guess", i)).Code)
	}
	requireTooMany(t, ask(here, "gf_guess"))
	requireTooMany(t, ask(here, s.tokens[accesstoken.Write]))
	requireTooMany(t, s.ask(t, http.MethodGet, "/api/artists", here))
	require.Equal(t, http.StatusNoContent, ask(here, s.tokens[accesstoken.Read]).Code, "it was good before")
	require.Equal(t, http.StatusNoContent, ask(elsewhere, s.tokens[accesstoken.Write]).Code)
	require.Equal(t, http.StatusUnauthorized, s.ask(t, http.MethodGet, "/api/users", elsewhere).Code)
}
