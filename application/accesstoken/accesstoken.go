// Package accesstoken issues and checks the API tokens that guard everything
// that changes something.
package accesstoken

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"time"

	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

// Scope is how much a token may do. Each includes the ones before it.
type Scope string

// The scopes.
const (
	Read  Scope = "read"  // read what is not public
	Write Scope = "write" // also change images, locks and the catalogue
	Admin Scope = "admin" // also users, tokens, settings, cache, activity
)

var ranks = map[Scope]int{Read: 1, Write: 2, Admin: 3}

// Allows reports whether a token of this scope may do what needs the other.
func (s Scope) Allows(needed Scope) bool { return ranks[s] >= ranks[needed] }

// Token is an API token without its secret, of which only the hash is kept.
type Token struct {
	ID        artwork.ID
	Name      string
	Scope     Scope
	Hash      [sha256.Size]byte
	CreatedAt time.Time
}

// Check returns an InvalidInput error unless the token has an ID and a name that
// can be kept.
func (t Token) Check() error {
	if t.ID.IsZero() {
		return artwork.Errorf(artwork.InvalidInput, "the token has no ID")
	}
	return artwork.CheckText("name", t.Name)
}

// Creation is what the activity log says of a new token: never its secret, nor the
// hash.
func (t Token) Creation(by artwork.Actor) activity.Entry {
	return activity.Entry{
		Actor: by, Action: activity.TokenCreate, Subject: activity.Subject{Kind: activity.Token, ID: t.ID, Name: t.Name},
		After: activity.FactsOf(struct {
			Name  string `json:"name"`
			Scope Scope  `json:"scope"`
		}{activity.Text(t.Name), t.Scope}),
	}
}

// Repository keeps tokens. Methods may be called concurrently.
type Repository interface {
	// AddToken stores a token that by wants; the activity log has its Creation, in the
	// same transaction. Conflict: there is one with this ID or hash. InvalidInput: it
	// has no ID, or a name that cannot be kept (Token.Check).
	AddToken(ctx context.Context, by artwork.Actor, token Token) error
	// FindToken returns the token with the hash. NotFound: there is none.
	FindToken(ctx context.Context, hash [sha256.Size]byte) (Token, error)
}

// prefix lets people and secret scanners recognise a token.
const prefix = "gf_"

// Create makes API tokens.
type Create struct {
	tokens Repository
	now    func() time.Time
}

// NewCreate returns the use case.
func NewCreate(tokens Repository) *Create { return &Create{tokens: tokens, now: time.Now} }

// CreateIn says which token is wanted.
type CreateIn struct {
	Name  string `json:"name"`
	Scope Scope  `json:"scope"`
}

// Run stores a new token that by wants and returns its secret, which is shown once and kept
// nowhere: 256 random bits, so that a plain hash protects it.
func (c *Create) Run(ctx context.Context, by artwork.Actor, in CreateIn) (secret string, err error) {
	if ranks[in.Scope] == 0 {
		return "", artwork.Errorf(artwork.InvalidInput, "%q is not a scope: use read, write or admin", in.Scope)
	}
	if name := strings.TrimSpace(in.Name); name == "" || len(name) > 64 {
		return "", artwork.Errorf(artwork.InvalidInput, "a token needs a name of 1 to 64 bytes")
	}
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails, see crypto/rand
	secret = prefix + base64.RawURLEncoding.EncodeToString(random[:])
	token := Token{ID: artwork.NewID(), Name: in.Name, Scope: in.Scope, Hash: sha256.Sum256([]byte(secret)), CreatedAt: c.now().UTC()}
	if err := c.tokens.AddToken(ctx, by, token); err != nil {
		return "", artwork.Wrap(artwork.Internal, "accesstoken.Create", err)
	}
	return secret, nil
}

// Authenticate recognises tokens.
type Authenticate struct{ tokens Repository }

// NewAuthenticate returns the use case.
func NewAuthenticate(tokens Repository) *Authenticate { return &Authenticate{tokens} }

// Run returns the token a secret belongs to. Unauthenticated: there is none.
func (a *Authenticate) Run(ctx context.Context, secret string) (Token, error) {
	if !strings.HasPrefix(secret, prefix) {
		return Token{}, artwork.Errorf(artwork.Unauthenticated, "the token is not valid")
	}
	token, err := a.tokens.FindToken(ctx, sha256.Sum256([]byte(secret)))
	if artwork.KindOf(err) == artwork.NotFound {
		return Token{}, artwork.Errorf(artwork.Unauthenticated, "the token is not valid")
	}
	return token, artwork.Wrap(artwork.Internal, "accesstoken.Authenticate", err)
}
