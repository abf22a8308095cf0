package integration

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"gatefold/adapters/jwttokens"
	"gatefold/adapters/rest"
	"gatefold/application/accesstoken"
	"gatefold/application/keyring"
	"gatefold/application/manageaccounts"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// What a route needs.
const (
	toEverybody = "nothing"
	toItself    = "nothing, and it says 401 itself" // of what is in the body or in a cookie
	toRead      = "read"
	toWrite     = "write"
	toAdmin     = "admin"
	toOwners    = "admin, or to be the user"
	toOneself   = "admin, or to be whoever asks" // of a route that names nobody
	toUsers     = "to be a user"
)

// needs is the right to every route. One that is added fails the walk until it is here.
var needs = map[string]string{
	"GET /":                                       toEverybody,
	"GET /health":                                 toEverybody,
	"GET /health/live":                            toEverybody,
	"GET /health/ready":                           toEverybody,
	"GET /metrics":                                toEverybody,
	"GET /admin":                                  toEverybody,
	"GET /admin/*file":                            toEverybody,
	"GET /api/health":                             toEverybody,
	"GET /api/openapi.json":                       toEverybody,
	"GET /api/docs":                               toEverybody,
	"GET /api/docs/:file":                         toEverybody,
	"GET /api/artists":                            toEverybody,
	"GET /api/artists/:id":                        toEverybody,
	"GET /api/albums":                             toEverybody,
	"GET /api/albums/:id":                         toEverybody,
	"GET /api/albums/:id/cover":                   toEverybody,
	"GET /api/images/artists/:id/:type":           toEverybody,
	"GET /api/images/artists/:id/:type/exists":    toEverybody,
	"GET /api/images/artists/:id/all":             toEverybody,
	"GET /api/images/artists/:id/custom/:imageId": toEverybody,
	"GET /api/images/albums/:id/cover":            toEverybody,
	"GET /api/images/albums/:id/cover/exists":     toEverybody,
	"GET /api/images/albums/:id/cover/metadata":   toEverybody,
	"GET /api/images/albums/:id/custom/:imageId":  toEverybody,
	"GET /api/images/users/:id/avatar":            toEverybody,
	"POST /api/images/sign":                       toRead,

	"POST /api/auth/login":        toEverybody,
	"POST /api/auth/refresh":      toItself,
	"POST /api/auth/logout":       toItself,
	"GET /api/auth/first-run":     toEverybody,
	"POST /api/auth/first-run":    toEverybody,
	"GET /api/auth/oidc/login":    toEverybody,
	"GET /api/auth/oidc/callback": toEverybody,
	"GET /api/auth/methods":       toEverybody,
	"GET /api/auth/me":            toRead,
	"POST /api/auth/password":     toUsers,
	"POST /api/auth/oidc/link":    toUsers,

	"PUT /api/artists/:id": toWrite,
	"PUT /api/albums/:id":  toWrite,

	"DELETE /api/artists/:id":       toWrite,
	"DELETE /api/albums/:id":        toWrite,
	"DELETE /api/users/:id":         toAdmin,
	"POST /api/artists/:id/restore": toWrite,
	"POST /api/albums/:id/restore":  toWrite,
	"POST /api/users/:id/restore":   toAdmin,
	"GET /api/deleted":              toWrite,

	"GET /api/users":              toRead,
	"GET /api/users/:id":          toRead,
	"PUT /api/users/:id":          toAdmin,
	"PUT /api/users/:id/password": toAdmin,
	"PUT /api/users/:id/disabled": toAdmin,
	"POST /api/users/avatar":      toOneself,
	"DELETE /api/users/avatar":    toOneself,
	"GET /api/events/stream":      toRead,

	"GET /api/admin/settings":                           toAdmin,
	"PUT /api/admin/settings/order":                     toAdmin,
	"DELETE /api/admin/settings/order":                  toAdmin,
	"GET /api/admin/settings/providers/:provider":       toAdmin,
	"PATCH /api/admin/settings/providers/:provider":     toAdmin,
	"DELETE /api/admin/settings/providers/:provider":    toAdmin,
	"POST /api/admin/settings/providers/:provider/test": toAdmin,
	"POST /api/admin/metadata/fill":                     toWrite,
	"GET /api/admin/metadata/fill":                      toRead,
	"GET /api/admin/metadata/fill/:jobId":               toRead,
	"POST /api/admin/metadata/fill/:jobId/apply":        toWrite,
	"POST /api/admin/metadata/fill/:jobId/pause":        toWrite,
	"POST /api/admin/metadata/fill/:jobId/resume":       toWrite,
	"POST /api/admin/metadata/fill/:jobId/cancel":       toWrite,
	"GET /api/admin/activity":                           toAdmin,
	"GET /api/admin/accounts":                           toAdmin,
	"GET /api/admin/tokens":                             toAdmin,
	"POST /api/admin/tokens":                            toAdmin,
	"DELETE /api/admin/tokens/:id":                      toAdmin,
	"GET /api/admin/cache/stats":                        toAdmin,
	"GET /api/admin/cache/instances":                    toAdmin,
	"GET /api/admin/cache/history":                      toAdmin,
	"GET /api/admin/cache/entries":                      toAdmin,
	"POST /api/admin/cache/invalidate":                  toAdmin,
	"POST /api/admin/cache/flush":                       toAdmin,
	"POST /api/admin/cache/warm":                        toAdmin,
	"GET /api/admin/cache/mode":                         toAdmin,
	"PUT /api/admin/cache/mode":                         toAdmin,

	"POST /api/admin/metadata/bulk/apply":                                 toWrite,
	"GET /api/admin/metadata/bulk":                                        toRead,
	"GET /api/admin/metadata/bulk/:jobId":                                 toRead,
	"POST /api/admin/metadata/bulk/:jobId/cancel":                         toWrite,
	"POST /api/admin/metadata/artist/avatars/apply":                       toWrite,
	"POST /api/admin/metadata/album/covers/apply":                         toWrite,
	"PATCH /api/admin/metadata/artist/background-position":                toWrite,
	"GET /api/admin/metadata/artist/:id/avatars/search":                   toRead,
	"GET /api/admin/metadata/artist/:id/mbid/search":                      toRead,
	"GET /api/admin/metadata/album/:id/covers/search":                     toRead,
	"GET /api/admin/metadata/album/:id/mbid/search":                       toRead,
	"GET /api/admin/metadata/artist/custom-images/:id":                    toRead,
	"POST /api/admin/metadata/artist/custom-images/:id/upload":            toWrite,
	"POST /api/admin/metadata/artist/custom-images/:id/apply/:imageId":    toWrite,
	"DELETE /api/admin/metadata/artist/custom-images/:id/:imageId":        toWrite,
	"GET /api/admin/metadata/album/custom-covers/:id":                     toRead,
	"POST /api/admin/metadata/album/custom-covers/:id/upload":             toWrite,
	"POST /api/admin/metadata/album/custom-covers/:id/apply/:imageId":     toWrite,
	"DELETE /api/admin/metadata/album/custom-covers/:id/:imageId":         toWrite,
	"GET /api/admin/metadata/artist/:id/images/:type/why":                 toRead,
	"GET /api/admin/metadata/candidates/image":                            toRead,
	"GET /api/admin/metadata/artist/:id/images/:type/history/:imageId":    toRead,
	"GET /api/admin/metadata/album/:id/images/:type/history/:imageId":     toRead,
	"GET /api/admin/metadata/user/:id/images/:type/history/:imageId":      toOwners,
	"GET /api/admin/metadata/artist/:id/history":                          toRead,
	"POST /api/admin/metadata/artist/:id/restore":                         toWrite,
	"DELETE /api/admin/metadata/artist/:id/history":                       toAdmin,
	"PUT /api/admin/metadata/artist/:id/lock":                             toWrite,
	"PUT /api/admin/metadata/artist/:id/focal-point":                      toWrite,
	"DELETE /api/admin/metadata/artist/:id/images/:type":                  toWrite,
	"DELETE /api/admin/metadata/artist/:id/images/:type/history/:imageId": toWrite,
	"GET /api/admin/metadata/album/:id/images/:type/why":                  toRead,
	"GET /api/admin/metadata/album/:id/history":                           toRead,
	"POST /api/admin/metadata/album/:id/restore":                          toWrite,
	"DELETE /api/admin/metadata/album/:id/history":                        toAdmin,
	"PUT /api/admin/metadata/album/:id/lock":                              toWrite,
	"PUT /api/admin/metadata/album/:id/focal-point":                       toWrite,
	"DELETE /api/admin/metadata/album/:id/images/:type":                   toWrite,
	"DELETE /api/admin/metadata/album/:id/images/:type/history/:imageId":  toWrite,
	"GET /api/admin/metadata/user/:id/images/:type/why":                   toRead,
	"GET /api/admin/metadata/user/:id/history":                            toRead,
	"POST /api/admin/metadata/user/:id/restore":                           toOwners,
	"DELETE /api/admin/metadata/user/:id/history":                         toAdmin,
	"PUT /api/admin/metadata/user/:id/lock":                               toOwners,
	"PUT /api/admin/metadata/user/:id/focal-point":                        toOwners,
	"DELETE /api/admin/metadata/user/:id/images/:type":                    toOwners,
	"DELETE /api/admin/metadata/user/:id/images/:type/history/:imageId":   toOwners,
}

// credential is one that a walk tries.
type credential struct {
	name   string
	header string
	scope  accesstoken.Scope // "" if it is not valid
	user   bool
}

// allowed reports whether the credential is enough for a route, which names nobody that
// there is.
func (c credential) allowed(need string) bool {
	switch need {
	case toUsers:
		return c.user
	case toOwners:
		return c.scope == accesstoken.Admin
	case toOneself:
		return c.user || c.scope == accesstoken.Admin
	default:
		return c.scope.Allows(accesstoken.Scope(need))
	}
}

// walker is an instance with credentials of every kind.
type walker struct {
	*instance
	credentials []credential
}

func newWalker(t *testing.T, d deployment) (walker, *rest.Router) {
	t.Helper()
	var router *rest.Router
	var tokens accesstoken.Repository
	in := d.startWith(t, fx.Populate(&router, &tokens))
	w := walker{instance: in, credentials: []credential{
		{name: "none"}, {name: "an empty one", header: "Bearer "}, {name: "another scheme", header: "Basic " + in.token}, {name: "no scheme", header: in.token},
		{name: "a wrong token", header: "Bearer gf_wrong"}, {name: "a wrong access token", header: "Bearer eyJhbGciOiJub25lIn0.e30."},
	}}
	expired := accesstoken.Token{ID: artwork.NewID(), Name: "expired", Scope: accesstoken.Admin, Hash: accesstoken.HashOf("gf_expired"), CreatedAt: time.Now(), ExpiresAt: time.Now().Add(-time.Second)}
	require.NoError(t, tokens.AddToken(t.Context(), artwork.Actor{Name: "test"}, expired))
	w.credentials = append(w.credentials, credential{name: "an expired token", header: "Bearer gf_expired"})
	for scope, role := range map[accesstoken.Scope]catalog.Role{accesstoken.Read: catalog.RoleUser, accesstoken.Write: catalog.RoleEditor, accesstoken.Admin: catalog.RoleAdmin} {
		secret, err := in.server.CreateToken(t.Context(), accesstoken.CreateIn{Name: string(scope), Scope: scope})
		require.NoError(t, err)
		_, err = in.server.CreateUser(t.Context(), manageaccounts.CreateIn{Username: string(role), Role: role, Password: aPassword})
		require.NoError(t, err)
		w.credentials = append(w.credentials,
			credential{"a token to " + string(scope), "bearer " + secret, scope, false},
			credential{"the access token of a user who may " + string(scope), "Bearer " + in.signIn(string(role)).access, scope, true})
	}
	w.credentials = append(w.credentials, credential{name: "an expired access token", header: "Bearer " + in.expiredAccess(t)},
		credential{name: "the access token of a session that has ended", header: "Bearer " + in.endedAccess()})
	return w, router
}

// expiredAccess is what a session of an administrator was signed in with long ago.
func (in *instance) expiredAccess(t *testing.T) string {
	t.Helper()
	keys, err := keyring.New(strings.TrimPrefix(basics[slices.IndexFunc(basics, func(s string) bool { return strings.HasPrefix(s, "AUTH_SECRET=") })], "AUTH_SECRET="))
	require.NoError(t, err)
	access := jwttokens.New(keys, time.Now)
	claims, err := access.Read(in.signIn("admin").access)
	require.NoError(t, err)
	claims.IssuedAt, claims.ExpiresAt = time.Now().Add(-2*time.Hour), time.Now().Add(-time.Hour)
	token, err := access.Issue(claims)
	require.NoError(t, err)
	return token
}

func (in *instance) endedAccess() string {
	signed := in.signIn("admin")
	a := in.do(http.MethodPost, "/api/auth/logout", nil, "Authorization", "Bearer "+signed.access)
	require.Equal(in.t, http.StatusNoContent, a.StatusCode, string(a.body))
	return signed.access
}

// TestWhoMayDoWhat walks over every route with every kind of credential, an empty body
// and the ids of nothing that there is: 401 and 403 come before all of that.
func TestWhoMayDoWhat(t *testing.T) {
	t.Parallel()
	w, router := newWalker(t, combinations["memory and SQLite"](t))
	walked := map[string]bool{}
	for _, endpoint := range router.Endpoints() {
		method := endpoint.Method
		if method == http.MethodHead {
			method = http.MethodGet // it needs the same
		}
		need, known := needs[method+" "+endpoint.Path]
		require.True(t, known, "%s %s is not in the walk", endpoint.Method, endpoint.Path)
		walked[method+" "+endpoint.Path] = true
		w.walk(endpoint, need)
	}
	for route := range needs {
		require.True(t, walked[route], "%s does not exist any more", route)
	}
	for _, c := range w.credentials {
		if _, secret, ok := strings.Cut(c.header, " "); ok && c.scope != "" {
			require.NotContains(t, w.log.String(), secret, "a secret in the log")
		}
	}
}

func (w walker) walk(endpoint rest.Endpoint, need string) {
	w.t.Helper()
	path := pathOf(endpoint.Path)
	for _, c := range w.credentials {
		what := endpoint.Method + " " + path + " with " + c.name
		if need == toItself && c.scope != "" {
			continue // it signs out
		}
		if c.allowed(need) && strings.HasSuffix(path, "/events/stream") && endpoint.Method == http.MethodGet {
			continue // it does not end; its HEAD is walked
		}
		var header []string
		if c.header != "" {
			header = []string{"Authorization", c.header}
		}
		a := w.do(endpoint.Method, path, nil, header...)
		require.Less(w.t, a.StatusCode, http.StatusInternalServerError, "%s: %s", what, a.body)
		switch {
		case need == toItself:
		case need == toEverybody || c.allowed(need):
			require.NotContains(w.t, []int{http.StatusUnauthorized, http.StatusForbidden}, a.StatusCode, "%s: %s", what, a.body)
		case c.scope == "":
			require.Equal(w.t, http.StatusUnauthorized, a.StatusCode, what)
			require.NotEmpty(w.t, a.Header.Get("WWW-Authenticate"), what)
		default:
			require.Equal(w.t, http.StatusForbidden, a.StatusCode, what)
		}
	}
}

// pathOf names things that there are not.
func pathOf(pattern string) string {
	parts := strings.Split(pattern, "/")
	for i, part := range parts {
		switch {
		case part == ":type":
			parts[i] = "profile"
		case strings.HasPrefix(part, ":"), strings.HasPrefix(part, "*"):
			parts[i] = artwork.NewID().String()
		}
	}
	return strings.Join(parts, "/")
}

// TestAvatarsAreTheirUsers: of whatever role, by whatever route.
func TestAvatarsAreTheirUsers(t *testing.T) {
	t.Parallel()
	in := combinations["memory and SQLite"](t).start(t)
	ids, access := map[string]string{}, map[string]string{}
	for _, role := range []catalog.Role{catalog.RoleUser, catalog.RoleEditor, catalog.RoleAdmin} {
		id, err := in.server.CreateUser(t.Context(), manageaccounts.CreateIn{Username: string(role), Role: role, Password: aPassword})
		require.NoError(t, err)
		ids[string(role)], access[string(role)] = id.String(), in.signIn(string(role)).access
	}
	writer, err := in.server.CreateToken(t.Context(), accesstoken.CreateIn{Name: "writer", Scope: accesstoken.Write})
	require.NoError(t, err)
	access["a token to write"] = writer
	for who, credential := range access {
		for whose, id := range ids {
			want := map[bool]int{true: http.StatusOK, false: http.StatusForbidden}[who == whose || who == "admin"]
			as := *in
			as.token = credential
			uploaded := as.upload("/api/users/avatar", aPicture, "userId", id)
			require.Equal(t, want, uploaded.StatusCode, "%s for %s: %s", who, whose, uploaded.body)
			locked := as.send(http.MethodPut, "/api/admin/metadata/user/"+id+"/lock", map[string]any{"type": "avatar", "locked": false})
			require.Equal(t, want, locked.StatusCode, "%s for %s: %s", who, whose, locked.body)
			removed := as.send(http.MethodDelete, "/api/users/avatar?userId="+id, nil)
			require.Equal(t, map[int]int{http.StatusOK: http.StatusNoContent}[want]+map[int]int{http.StatusForbidden: want}[want], removed.StatusCode, "%s for %s", who, whose)
			if who == "user" {
				continue
			}
			bulk := as.send(http.MethodPost, bulkPath+"apply", map[string]any{"items": []any{map[string]any{"subject": "user", "id": id, "type": "avatar", "url": "http://127.0.0.1:1/a.jpg", "provider": "deezer"}}})
			require.Equal(t, map[int]int{http.StatusOK: http.StatusAccepted}[want]+map[int]int{http.StatusForbidden: want}[want], bulk.StatusCode, "%s for %s: %s", who, whose, bulk.body)
		}
	}
	mine := *in
	mine.token = access["user"]
	require.Equal(t, http.StatusOK, mine.upload("/api/users/avatar", aPicture).StatusCode, "nobody need name themselves")
	require.Equal(t, http.StatusOK, in.get("/api/images/users/"+ids["user"]+"/avatar").StatusCode)
	require.Equal(t, http.StatusNoContent, mine.send(http.MethodDelete, "/api/users/avatar", nil).StatusCode)
	requireProblem(t, in.upload("/api/users/avatar", aPicture), http.StatusBadRequest, "invalid_input")
}
