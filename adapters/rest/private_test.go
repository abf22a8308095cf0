package rest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/application/keyring"
	"gatefold/application/limitrequests"
	"gatefold/application/signimages"
	"gatefold/domain/artwork"
)

var oneRequest = limitrequests.Limits{Requests: 1}

func newSigner(t *testing.T) *signimages.Signer {
	t.Helper()
	keys, err := keyring.New(strings.Repeat("k", keyring.MinSecret))
	require.NoError(t, err)
	return signimages.New(keys)
}

// sign returns the path with a signature until then.
func sign(signer *signimages.Signer, path, query string, until time.Time) string {
	signature := signer.Sign(path, until)
	return path + "?" + query + "expires=" + signature.Expires + "&signature=" + signature.MAC
}

var cover = "/api/images/albums/" + artwork.DeriveID("private").String() + "/cover"

// TestPrivateIsWhatIsNotNamed: a public route that somebody adds is closed too.
func TestPrivateIsWhatIsNotNamed(t *testing.T) {
	t.Parallel()
	s := newStubbed(t, WithPrivateImages(newSigner(t)))
	for _, endpoint := range s.Endpoints() {
		if endpoint.Method != http.MethodGet && endpoint.Method != http.MethodHead || endpoint.Path == "/api/users" || endpoint.Path == "/api/docs/:file" {
			continue
		}
		id := artwork.NewID().String()
		path := strings.NewReplacer(":id", id, ":type", "logo").Replace(endpoint.Path)
		closed := strings.HasPrefix(path, "/api/images") || strings.HasPrefix(path, "/api/artists") || strings.HasPrefix(path, "/api/albums")
		without := s.ask(t, endpoint.Method, path, here)
		with := s.ask(t, endpoint.Method, path, here, "Authorization", "Bearer "+s.tokens[accesstoken.Read])
		require.Less(t, with.Code, http.StatusMultipleChoices, path)
		if !closed {
			require.Equal(t, with.Code, without.Code, path)
			continue
		}
		require.Equal(t, http.StatusUnauthorized, without.Code, path)
		require.Equal(t, "no-store", without.Header().Get("Cache-Control"))
		require.Contains(t, with.Header().Get("Vary"), "Authorization", path)
		require.Contains(t, with.Header().Get("Vary"), "Cookie", path)
		require.Equal(t, http.StatusUnauthorized, s.ask(t, endpoint.Method, path, here, "Authorization", "Bearer gf_wrong").Code, path)
	}
}

func TestSignedURLs(t *testing.T) {
	t.Parallel()
	signer := newSigner(t)
	s := newStubbed(t, WithPrivateImages(signer))
	soon := time.Now().Add(time.Hour)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		for _, query := range []string{"", "size=small&", "size=small&format=webp&tag=1&"} {
			got := s.ask(t, method, sign(signer, cover, query, soon), here)
			require.Equal(t, http.StatusNoContent, got.Code, query)
			require.Empty(t, got.Header().Get("Vary"))
		}
	}
	other := strings.Replace(cover, "/api/images", "/api", 1)
	requireRefused := func(path, says string, header ...string) {
		t.Helper()
		got := s.ask(t, http.MethodGet, path, here, header...)
		require.Equal(t, http.StatusForbidden, got.Code, path)
		require.Contains(t, got.Body.String(), says)
		require.Contains(t, got.Body.String(), "urn:gatefold:problem:forbidden")
		require.Equal(t, "no-store", got.Header().Get("Cache-Control"))
	}
	requireRefused(sign(signer, cover, "", time.Now()), "expired")
	requireRefused(strings.Replace(sign(signer, cover, "", soon), cover, other, 1), "not valid")
	requireRefused(sign(signer, cover, "", soon)+"&expires=1", "not valid")
	requireRefused(sign(signer, cover, "", soon)+"x", "not valid")
	requireRefused(cover+"?signature=", "not valid")
	requireRefused(sign(signer, cover, "", time.Now()), "expired", "Authorization", "Bearer "+s.tokens[accesstoken.Admin])

	require.Equal(t, http.StatusUnauthorized, s.ask(t, http.MethodGet, cover+"?expires=9999999999", here).Code)
	about := cover + "/metadata"
	require.Equal(t, http.StatusUnauthorized, s.ask(t, http.MethodGet, sign(signer, about, "", soon), here).Code, "only images can be signed")
	require.Equal(t, http.StatusUnauthorized, s.ask(t, http.MethodGet, sign(signer, "/api/artists", "", soon), here).Code)
	require.NotContains(t, s.log.String(), signer.Sign(cover, soon).MAC)
	require.NotContains(t, s.log.String(), "signature")
}

// TestASignatureOfBefore is accepted where images are public again, and means nothing.
func TestASignatureOfBefore(t *testing.T) {
	t.Parallel()
	s := newStubbed(t)
	require.Equal(t, http.StatusNoContent, s.ask(t, http.MethodGet, sign(newSigner(t), cover, "", time.Now().Add(-time.Hour)), here).Code)
}

// TestHandlersSeeNoSignature: what they refuse they could repeat.
func TestHandlersSeeNoSignature(t *testing.T) {
	t.Parallel()
	signer := newSigner(t)
	for _, options := range [][]Option{nil, {WithPrivateImages(signer)}} {
		var seen *http.Request
		s := newStubbed(t, options...)
		router := NewRouter(s.authenticate, nil, s.Router.log, []Routes{seeing{&seen}}, options...)
		got := httptest.NewRecorder()
		router.ServeHTTP(got, httptest.NewRequestWithContext(t.Context(), http.MethodGet, sign(signer, cover, "size=small&tag=a%26b&", time.Now().Add(time.Hour)), nil))
		require.Equal(t, http.StatusNoContent, got.Code)
		require.Equal(t, "size=small&tag=a%26b", seen.URL.RawQuery)
		require.Equal(t, cover+"?size=small&tag=a%26b", seen.RequestURI)
	}
}

// seeing keeps the request.
type seeing struct{ seen **http.Request }

// Register implements Routes.
func (s seeing) Register(r *Router) {
	r.public("/api/images/albums/:id/cover", func(c *gin.Context) error {
		*s.seen = c.Request
		return done(c)
	})
}

func TestSigning(t *testing.T) {
	t.Parallel()
	signer := newSigner(t)
	tokens := newStubbed(t)
	router := NewRouter(tokens.authenticate, nil, tokens.Router.log, []Routes{NewSign(signer), stubs{}}, WithPrivateImages(signer))
	post := func(body string) *httptest.ResponseRecorder {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/api/images/sign", strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+tokens.tokens[accesstoken.Read])
		got := httptest.NewRecorder()
		router.ServeHTTP(got, req)
		return got
	}
	answer := post(`{"paths":["` + cover + `?size=small&tag=1","` + cover + `"],"expiresIn":60}`)
	require.Equal(t, http.StatusOK, answer.Code, answer.Body)
	require.Equal(t, "no-store", answer.Header().Get("Cache-Control"))
	var signed struct {
		URLs      []api.SignedImage `json:"urls"`
		ExpiresAt time.Time         `json:"expiresAt"`
	}
	require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &signed))
	require.Len(t, signed.URLs, 2)
	require.Equal(t, cover+"?size=small&tag=1", signed.URLs[0].Path)
	require.WithinDuration(t, time.Now().Add(75*time.Second), signed.ExpiresAt, 30*time.Second)
	for _, s := range signed.URLs {
		parsed, err := url.Parse(s.URL)
		require.NoError(t, err)
		require.Equal(t, cover, parsed.Path)
		got := httptest.NewRecorder()
		router.ServeHTTP(got, httptest.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, nil))
		require.Equal(t, http.StatusNoContent, got.Code, s.URL)
	}
	require.Contains(t, signed.URLs[0].URL, "size=small")

	thousand := `"` + strings.Repeat(cover+`","`, 999) + cover + `"`
	require.Equal(t, http.StatusOK, post(`{"paths":[`+thousand+`]}`).Code)
	for _, wrong := range []string{
		`{"paths":[` + thousand + `,"` + cover + `"]}`, `{"paths":[]}`, `{}`, `{"paths":["` + cover + `"],"expiresIn":59}`, `{"paths":["` + cover + `"],"expiresIn":86401}`,
		`{"paths":["` + cover + `"],"expiresIn":9223372036854775807}`, `{"paths":["` + cover + `"],"expiresIn":-1}`, `{"paths":["` + cover + `"],"expiresIn":0}`,
		`{"paths":["/api/users"]}`, `{"paths":["` + cover + `/"]}`, `{"paths":["` + cover + `/metadata"]}`, `{"paths":["https://example.org` + cover + `"]}`,
		`{"paths":["//example.org` + cover + `"]}`, `{"paths":["` + cover + `#a"]}`, `{"paths":["` + cover + `?signature=a"]}`, `{"paths":["` + cover + `?%zz"]}`,
		`{"paths":["/api/images/artists/x/logo"]}`, `{"paths":["/api/images/artists/` + artwork.NewID().String() + `/all"]}`, `{"paths":[""]}`, `{"paths":"` + cover + `"}`,
	} {
		require.Equal(t, http.StatusBadRequest, post(wrong).Code, wrong)
	}
}
