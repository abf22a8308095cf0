package signin

import (
	"context"
	"time"

	"gatefold/domain/account"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Hasher hashes passwords, so slowly that guessing them does not pay. It is safe for
// concurrent use; how much memory and time all callers take together is bounded.
type Hasher interface {
	// Hash returns a hash of the password with a salt of its own. Unavailable: too
	// many others wait.
	Hash(ctx context.Context, password string) (string, error)
	// Matches reports whether the hash is one of the password, and whether it was
	// made with less effort than Hash makes now. With the hash "" it takes as long, and
	// reports false. Unavailable: too many others wait.
	Matches(ctx context.Context, password, hash string) (matches, outdated bool, err error)
}

// Claims are what an access token says.
type Claims struct {
	User, Session artwork.ID
	IssuedAt      time.Time
	ExpiresAt     time.Time
}

// AccessTokens issues and reads access tokens. It is safe for concurrent use.
type AccessTokens interface {
	// Issue returns a token that says this, to the second.
	Issue(claims Claims) (string, error)
	// Read returns what a token says that Issue returned, of any instance.
	// Unauthenticated: it is no such token, or it has expired.
	Read(token string) (Claims, error)
}

// IdentityProvider is an OpenID Connect provider. It is safe for concurrent use.
type IdentityProvider interface {
	// AuthURL returns where the browser is to be sent. Unavailable: the provider
	// cannot be reached.
	AuthURL(ctx context.Context, challenge Challenge) (string, error)
	// Exchange returns whom the provider has recognised. Unauthenticated: the code or
	// the token is not valid, or was not asked for with this challenge. Unavailable:
	// the provider cannot be reached.
	Exchange(ctx context.Context, code string, challenge Challenge) (External, error)
}

// Challenge ties the answer of an identity provider to the browser that asked.
type Challenge struct {
	State    string `json:"state"`    // comes back with the answer
	Nonce    string `json:"nonce"`    // is in the token
	Verifier string `json:"verifier"` // is known to who asked only (RFC 7636)
}

// External is somebody whom an identity provider has recognised.
type External struct {
	Identity    account.Identity
	Username    string // that the provider suggests; may be empty
	DisplayName string
	// Role is the one that the provider's claims give; "" if they give none, and the
	// user is not to be let in.
	Role catalog.Role
	// Roles reports whether the provider decides about the roles of users whom it has
	// recognised before.
	Roles bool
}
