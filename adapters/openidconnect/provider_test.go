package openidconnect_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/openidconnect"
	"gatefold/application/signin"
	"gatefold/domain/account"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/oidcfixture"
)

func open(t *testing.T, roles openidconnect.Roles) (*oidcfixture.Provider, *openidconnect.Provider) {
	t.Helper()
	fixture := oidcfixture.New(t)
	return fixture, openidconnect.New(openidconnect.Config{
		Issuer: fixture.Issuer, ClientID: oidcfixture.ClientID, ClientSecret: oidcfixture.ClientSecret,
		RedirectURL: "https://art.example.org/api/auth/oidc/callback", Scopes: []string{"openid", "profile"}, Roles: roles,
	})
}

var challenge = signin.Challenge{State: "state", Nonce: "nonce", Verifier: "a verifier that has enough characters for PKCE"}

// code goes to the provider as a browser would, and returns what it brings back.
func code(t *testing.T, provider *openidconnect.Provider) string {
	t.Helper()
	address, err := provider.AuthURL(t.Context(), challenge)
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	resp, err := http.DefaultTransport.RoundTrip(req)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, http.StatusFound, resp.StatusCode)
	back, err := url.Parse(resp.Header.Get("Location"))
	require.NoError(t, err)
	require.Equal(t, "art.example.org", back.Host)
	require.Equal(t, "state", back.Query().Get("state"))
	return back.Query().Get("code")
}

func TestSomebodyIsRecognised(t *testing.T) {
	t.Parallel()
	fixture, provider := open(t, openidconnect.Roles{})
	fixture.Recognise(map[string]any{"sub": "248289761001", "preferred_username": "ana", "name": "Ana Ñandú", "email": "ana@example.org"})
	got := code(t, provider)
	somebody, err := provider.Exchange(t.Context(), got, challenge)
	require.NoError(t, err)
	require.Equal(t, signin.External{
		Identity: account.Identity{Issuer: fixture.Issuer, Subject: "248289761001"}, Username: "ana", DisplayName: "Ana Ñandú", Role: catalog.RoleUser,
	}, somebody)
	_, err = provider.Exchange(t.Context(), got, challenge)
	require.Equal(t, artwork.Unauthenticated, artwork.KindOf(err), "a code is good once")
}

func TestWhatIsNotBelieved(t *testing.T) {
	t.Parallel()
	fixture, provider := open(t, openidconnect.Roles{})
	refused := func(name string, presented string, asked signin.Challenge) {
		_, err := provider.Exchange(t.Context(), presented, asked)
		require.Equal(t, artwork.Unauthenticated, artwork.KindOf(err), "%s: %v", name, err)
	}
	fixture.Recognise(map[string]any{"sub": "1"})
	refused("a code that was not given", "x", challenge)
	other := challenge
	other.Verifier = "another verifier that has enough characters"
	refused("another verifier", code(t, provider), other)
	for name, value := range map[string]any{
		"nonce": "another", "aud": "another client", "iss": "https://login.example.com", "exp": time.Now().Add(-time.Hour).Unix(),
	} {
		fixture.Recognise(map[string]any{"sub": "1", name: value})
		refused(name, code(t, provider), challenge)
	}
	fixture.Recognise(map[string]any{"sub": "1"})
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	fixture.SignWith(stranger)
	refused("another key", code(t, provider), challenge)
	fixture.SignWith(nil)
	_, err = provider.Exchange(t.Context(), code(t, provider), challenge)
	require.NoError(t, err)
}

// TestAProviderThatIsDown is asked again.
func TestAProviderThatIsDown(t *testing.T) {
	t.Parallel()
	fixture, provider := open(t, openidconnect.Roles{})
	fixture.Recognise(map[string]any{"sub": "1"})
	fixture.SetDown(true)
	_, err := provider.AuthURL(t.Context(), challenge)
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err))
	fixture.SetDown(false)
	got := code(t, provider)
	fixture.SetDown(true)
	_, err = provider.Exchange(t.Context(), got, challenge)
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err))
	require.NotContains(t, err.Error(), got)
	fixture.SetDown(false)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = provider.Exchange(ctx, got, challenge)
	require.ErrorIs(t, err, context.Canceled)
}

func TestRoles(t *testing.T) {
	t.Parallel()
	mapped := openidconnect.Roles{Claim: "groups", Admin: []string{"ops", "Art Admins"}, Editor: []string{"librarians"}}
	nested := openidconnect.Roles{Claim: "realm_access.roles", Admin: []string{"ops"}}
	closed := openidconnect.Roles{Claim: "https://example.org/roles", Editor: []string{"librarians"}, User: []string{"staff"}}
	for name, c := range map[string]struct {
		roles   openidconnect.Roles
		claims  map[string]any
		want    catalog.Role
		decides bool
	}{
		"nothing mapped":    {openidconnect.Roles{Claim: "groups"}, map[string]any{"groups": []string{"ops"}}, catalog.RoleUser, false},
		"one of several":    {mapped, map[string]any{"groups": []string{"x", "Art Admins", "librarians"}}, catalog.RoleAdmin, true},
		"a single text":     {mapped, map[string]any{"groups": "librarians"}, catalog.RoleEditor, true},
		"none":              {mapped, map[string]any{"groups": []string{"OPS"}}, catalog.RoleUser, true},
		"no claim":          {mapped, nil, catalog.RoleUser, true},
		"not texts":         {mapped, map[string]any{"groups": []any{1, nil, map[string]any{}}}, catalog.RoleUser, true},
		"a claim in one":    {nested, map[string]any{"realm_access": map[string]any{"roles": []string{"ops"}}}, catalog.RoleAdmin, true},
		"not in one":        {nested, map[string]any{"realm_access": "ops"}, catalog.RoleUser, true},
		"a claim with dots": {closed, map[string]any{"https://example.org/roles": []string{"librarians"}}, catalog.RoleEditor, true},
		"let in":            {closed, map[string]any{"https://example.org/roles": "staff"}, catalog.RoleUser, true},
		"not let in":        {closed, map[string]any{"groups": "staff"}, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fixture, provider := open(t, c.roles)
			claims := map[string]any{"sub": "1", "email": "ana@example.org"}
			for name, value := range c.claims {
				claims[name] = value
			}
			fixture.Recognise(claims)
			somebody, err := provider.Exchange(t.Context(), code(t, provider), challenge)
			require.NoError(t, err)
			require.Equal(t, c.want, somebody.Role)
			require.Equal(t, c.decides, somebody.Roles)
			require.Equal(t, "ana@example.org", somebody.Username)
		})
	}
}
