package jwttokens_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"gatefold/adapters/jwttokens"
	"gatefold/application/keyring"
	"gatefold/application/signin"
	"gatefold/domain/artwork"
)

const (
	oldSecret = "the secret of a deployment that is tested"
	newSecret = "the secret that comes after it, for a test"
)

var begin = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC)

func tokens(t *testing.T, now time.Time, secrets ...string) *jwttokens.Tokens {
	t.Helper()
	keys, err := keyring.New(secrets[0], secrets[1:]...)
	require.NoError(t, err)
	return jwttokens.New(keys, func() time.Time { return now })
}

func someClaims() signin.Claims {
	return signin.Claims{User: artwork.NewID(), Session: artwork.NewID(), IssuedAt: begin, ExpiresAt: begin.Add(time.Hour)}
}

func issue(t *testing.T, claims signin.Claims) string {
	t.Helper()
	token, err := tokens(t, begin, oldSecret).Issue(claims)
	require.NoError(t, err)
	return token
}

func TestATokenSaysWhatWasIssued(t *testing.T) {
	claims := someClaims()
	token := issue(t, claims)
	read, err := tokens(t, begin, oldSecret).Read(token)
	require.NoError(t, err)
	require.Equal(t, claims, read)
	require.NotEqual(t, token, issue(t, claims), "each has an ID")

	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[1])
	require.NoError(t, err)
	var said map[string]any
	require.NoError(t, json.Unmarshal(payload, &said))
	require.Equal(t, "gatefold", said["iss"])
	require.Equal(t, []any{"gatefold"}, said["aud"])
}

func TestTheSecretIsReplacedWhileTokensCount(t *testing.T) {
	token := issue(t, someClaims())
	_, err := tokens(t, begin, newSecret, oldSecret).Read(token)
	require.NoError(t, err)
	_, err = tokens(t, begin, newSecret).Read(token)
	require.Equal(t, artwork.Unauthenticated, artwork.KindOf(err))
}

func TestATokenHasItsTime(t *testing.T) {
	token := issue(t, someClaims())
	for at, good := range map[time.Duration]bool{
		-31 * time.Second: false, -29 * time.Second: true, 0: true, time.Hour: true, time.Hour + 29*time.Second: true, time.Hour + 31*time.Second: false,
	} {
		_, err := tokens(t, begin.Add(at), oldSecret).Read(token)
		require.Equal(t, good, err == nil, "%s: %v", at, err)
	}
}

// TestForgeries: what is signed with the right key is still no access token unless all
// of it is as it should be.
func TestForgeries(t *testing.T) {
	keys, err := keyring.New(oldSecret)
	require.NoError(t, err)
	key := keys.Keys("access token")[0]
	good := func() jwt.MapClaims {
		return jwt.MapClaims{
			"iss": "gatefold", "aud": "gatefold", "sub": artwork.NewID().String(), "sid": artwork.NewID().String(),
			"iat": begin.Unix(), "nbf": begin.Unix(), "exp": begin.Add(time.Hour).Unix(),
		}
	}
	sign := func(method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
		token, err := jwt.NewWithClaims(method, claims).SignedString(key)
		require.NoError(t, err)
		return token
	}
	reader := tokens(t, begin, oldSecret)
	_, err = reader.Read(sign(jwt.SigningMethodHS256, key, good()))
	require.NoError(t, err)

	forged := map[string]string{
		"unsigned":          sign(jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good()),
		"another algorithm": sign(jwt.SigningMethodHS512, key, good()),
		"another purpose":   sign(jwt.SigningMethodHS256, keys.Keys("refresh token")[0], good()),
		"the secret itself": sign(jwt.SigningMethodHS256, []byte(oldSecret), good()),
		"empty":             "", "two parts": "a.b", "garbage": "a.b.c",
	}
	for name, value := range map[string]any{
		"iss": "others", "aud": "others", "sub": "ana", "sid": "x", "exp": begin.Add(-time.Hour).Unix(), "nbf": begin.Add(time.Hour).Unix(), "iat": begin.Add(time.Hour).Unix(),
	} {
		wrong, missing := good(), good()
		wrong[name] = value
		delete(missing, name)
		forged["another "+name] = sign(jwt.SigningMethodHS256, key, wrong)
		forged["no "+name] = sign(jwt.SigningMethodHS256, key, missing)
	}
	for name, token := range forged {
		_, err := reader.Read(token)
		require.Equal(t, artwork.Unauthenticated, artwork.KindOf(err), name)
	}
}
