// Package oidcfixture is an OpenID Connect provider for tests, which lets everybody in
// as whoever the test says.
package oidcfixture

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"gatefold/test/testenv"
)

// The client that the provider knows.
const (
	ClientID     = "gatefold-test"
	ClientSecret = "a client's secret"
)

// key signs the tokens of all providers of a test process: making one takes long.
var key = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// Provider is a provider on a port of its own, which ends with the test.
type Provider struct {
	Issuer string

	mu      sync.Mutex
	claims  jwt.MapClaims
	signer  *rsa.PrivateKey
	down    bool
	waiting map[string]request // by code
}

// request is what the authorization endpoint was asked for.
type request struct{ nonce, challenge, redirect string }

// New starts a provider.
func New(tb testenv.TB) *Provider {
	tb.Helper()
	p := &Provider{signer: key(), waiting: map[string]request{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", p.discovery)
	mux.HandleFunc("GET /keys", p.keys)
	mux.HandleFunc("GET /authorize", p.authorize)
	mux.HandleFunc("POST /token", p.token)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.isDown() {
			http.Error(w, "down", http.StatusBadGateway)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	tb.Cleanup(server.Close)
	p.Issuer = server.URL
	return p
}

// Recognise has the provider say this of everybody who signs in from now on; sub is
// the least. What the provider says by itself (iss, aud, nonce, …) can be replaced.
func (p *Provider) Recognise(claims map[string]any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.claims = claims
}

// SignWith has tokens signed with another key than the one that is published; nil: the
// right one again.
func (p *Provider) SignWith(other *rsa.PrivateKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.signer = other; other == nil {
		p.signer = key()
	}
}

// SetDown says whether the provider answers nothing but errors.
func (p *Provider) SetDown(down bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = down
}

func (p *Provider) isDown() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.down
}

func answer(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that has gone needs no answer
}

func (p *Provider) discovery(w http.ResponseWriter, _ *http.Request) {
	answer(w, map[string]any{
		"issuer": p.Issuer, "authorization_endpoint": p.Issuer + "/authorize", "token_endpoint": p.Issuer + "/token", "jwks_uri": p.Issuer + "/keys",
		"id_token_signing_alg_values_supported": []string{"RS256"}, "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
	})
}

func (p *Provider) keys(w http.ResponseWriter, _ *http.Request) {
	public := key().PublicKey
	answer(w, map[string]any{"keys": []any{map[string]string{
		"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "1",
		"n": base64.RawURLEncoding.EncodeToString(public.N.Bytes()),
		"e": base64.RawURLEncoding.EncodeToString(big.NewInt(int64(public.E)).Bytes()),
	}}})
}

// authorize lets the browser in and sends it back with a code.
func (p *Provider) authorize(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	if query.Get("client_id") != ClientID || query.Get("response_type") != "code" || query.Get("code_challenge_method") != "S256" || query.Get("state") == "" {
		http.Error(w, "not an authorization request with PKCE and a state", http.StatusBadRequest)
		return
	}
	code := rand.Text()
	p.mu.Lock()
	p.waiting[code] = request{query.Get("nonce"), query.Get("code_challenge"), query.Get("redirect_uri")}
	p.mu.Unlock()
	http.Redirect(w, r, query.Get("redirect_uri")+"?"+url.Values{"code": {code}, "state": {query.Get("state")}}.Encode(), http.StatusFound)
}

// token exchanges a code, once, for the token of who was let in.
func (p *Provider) token(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	secret, err := url.QueryUnescape(secret)
	p.mu.Lock()
	defer p.mu.Unlock()
	asked, known := p.waiting[r.PostFormValue("code")]
	delete(p.waiting, r.PostFormValue("code"))
	verifier := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if err != nil || id != ClientID || secret != ClientSecret || !known || r.PostFormValue("redirect_uri") != asked.redirect ||
		base64.RawURLEncoding.EncodeToString(verifier[:]) != asked.challenge {
		w.WriteHeader(http.StatusBadRequest)
		answer(w, map[string]string{"error": "invalid_grant"})
		return
	}
	claims := jwt.MapClaims{
		"iss": p.Issuer, "aud": ClientID, "nonce": asked.nonce, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	}
	for name, value := range p.claims {
		claims[name] = value
	}
	token := jwt.NewWithClaims(jwt.SigningMethodRS256, claims)
	token.Header["kid"] = "1"
	signed, err := token.SignedString(p.signer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, map[string]any{"access_token": rand.Text(), "token_type": "Bearer", "expires_in": 3600, "id_token": signed})
}
