// Package jwttokens makes access tokens as JSON Web Tokens (RFC 7519).
package jwttokens

import (
	"time"

	"github.com/golang-jwt/jwt/v5"

	"gatefold/application/keyring"
	"gatefold/application/signin"
	"gatefold/domain/artwork"
)

const (
	purpose = "access token"
	// name is who issues tokens, and for whom.
	name = "gatefold"
	// leeway is how far the clocks of instances may differ.
	leeway = 30 * time.Second
)

// Tokens is a signin.AccessTokens whose tokens are signed with HMAC-SHA256 under the
// deployment's secret: those of the secret before still count.
type Tokens struct {
	keys   *keyring.Keyring
	parser *jwt.Parser
}

var _ signin.AccessTokens = (*Tokens)(nil)

// New returns the tokens of a deployment.
func New(keys *keyring.Keyring, now func() time.Time) *Tokens {
	return &Tokens{keys: keys, parser: jwt.NewParser(
		jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
		jwt.WithIssuer(name), jwt.WithAudience(name), jwt.WithExpirationRequired(), jwt.WithIssuedAt(),
		jwt.WithLeeway(leeway), jwt.WithTimeFunc(now), jwt.WithStrictDecoding(),
	)}
}

// claims are those registered in RFC 7519, and the session as OpenID Connect calls it.
type claims struct {
	jwt.RegisteredClaims
	Session string `json:"sid"`
}

// Issue implements signin.AccessTokens.
func (t *Tokens) Issue(c signin.Claims) (string, error) {
	issued := jwt.NewNumericDate(c.IssuedAt)
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, claims{
		RegisteredClaims: jwt.RegisteredClaims{
			Issuer: name, Audience: jwt.ClaimStrings{name}, Subject: c.User.String(), ID: artwork.NewID().String(),
			IssuedAt: issued, NotBefore: issued, ExpiresAt: jwt.NewNumericDate(c.ExpiresAt),
		},
		Session: c.Session.String(),
	}).SignedString(t.keys.Keys(purpose)[0])
	return token, artwork.Wrap(artwork.Internal, "jwttokens.Issue", err)
}

// Read implements signin.AccessTokens. A token must have been issued by Gatefold, for
// it, with this algorithm, and must say when it ends and from when it counts.
func (t *Tokens) Read(token string) (signin.Claims, error) {
	var c claims
	_, err := t.parser.ParseWithClaims(token, &c, func(*jwt.Token) (any, error) {
		set := jwt.VerificationKeySet{}
		for _, key := range t.keys.Keys(purpose) {
			set.Keys = append(set.Keys, key)
		}
		return set, nil
	})
	if err != nil || c.NotBefore == nil || c.IssuedAt == nil {
		return signin.Claims{}, invalid(err)
	}
	user, err := artwork.ParseID(c.Subject)
	if err != nil {
		return signin.Claims{}, invalid(err)
	}
	session, err := artwork.ParseID(c.Session)
	if err != nil {
		return signin.Claims{}, invalid(err)
	}
	return signin.Claims{User: user, Session: session, IssuedAt: c.IssuedAt.UTC(), ExpiresAt: c.ExpiresAt.UTC()}, nil
}

func invalid(err error) error {
	return &artwork.Error{
		Kind: artwork.Unauthenticated, Op: "jwttokens.Read", Msg: "the access token is not valid, or not any more: refresh it, or sign in again", Err: err,
	}
}
