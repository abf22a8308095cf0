// Package accesstoken issues and checks the API tokens that guard everything
// that changes something.
package accesstoken

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"log/slog"
	"maps"
	"strings"
	"sync"
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
	ExpiresAt time.Time // zero: it does not
	// LastUsedAt is when it was last used, up to UseNoted earlier; zero if it never
	// was.
	LastUsedAt time.Time
}

// Expired reports whether the token is good for nothing any more.
func (t Token) Expired(now time.Time) bool { return !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt) }

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
		After: t.facts(),
	}
}

// Revocation is what it says of a token that is good for nothing any more.
func (t Token) Revocation(by artwork.Actor) activity.Entry {
	return activity.Entry{
		Actor: by, Action: activity.TokenRevoke, Subject: activity.Subject{Kind: activity.Token, ID: t.ID, Name: t.Name},
		Before: t.facts(),
	}
}

func (t Token) facts() activity.Facts {
	return activity.FactsOf(struct {
		Name      string    `json:"name"`
		Scope     Scope     `json:"scope"`
		ExpiresAt time.Time `json:"expiresAt,omitzero"`
	}{activity.Text(t.Name), t.Scope, t.ExpiresAt})
}

// Repository keeps tokens. Methods may be called concurrently.
type Repository interface {
	// AddToken stores a token that by wants; the activity log has its Creation, in the
	// same transaction. Conflict: there is one with this ID or hash. InvalidInput: it
	// has no ID, or a name that cannot be kept (Token.Check).
	AddToken(ctx context.Context, by artwork.Actor, token Token) error
	// FindToken returns the token with the hash. NotFound: there is none.
	FindToken(ctx context.Context, hash [sha256.Size]byte) (Token, error)
	// ListTokens returns all tokens, the oldest first.
	ListTokens(ctx context.Context) ([]Token, error)
	// RevokeToken removes the token with the ID; the activity log has its Revocation,
	// in the same transaction. NotFound: there is none.
	RevokeToken(ctx context.Context, by artwork.Actor, id artwork.ID) error
	// TouchToken says that the token was used at the time, unless it was used later;
	// an ID that is not known is no error.
	TouchToken(ctx context.Context, id artwork.ID, at time.Time) error
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
	// ExpiresAt is when the token ends; zero: never.
	ExpiresAt time.Time `json:"expiresAt,omitzero"`
}

// Run is Issue for callers who need the secret only.
func (c *Create) Run(ctx context.Context, by artwork.Actor, in CreateIn) (secret string, err error) {
	_, secret, err = c.Issue(ctx, by, in)
	return secret, err
}

// Issue stores a new token that by wants and returns it with its secret, which is shown once and kept
// nowhere: 256 random bits, so that a plain hash protects it. InvalidInput: there is no
// such token.
func (c *Create) Issue(ctx context.Context, by artwork.Actor, in CreateIn) (token Token, secret string, err error) {
	if ranks[in.Scope] == 0 {
		return Token{}, "", artwork.Errorf(artwork.InvalidInput, "%q is not a scope: use read, write or admin", in.Scope)
	}
	if name := strings.TrimSpace(in.Name); name == "" || len(name) > 64 {
		return Token{}, "", artwork.Errorf(artwork.InvalidInput, "a token needs a name of 1 to 64 bytes")
	}
	now := c.now().UTC()
	if !in.ExpiresAt.IsZero() && (!now.Before(in.ExpiresAt) || in.ExpiresAt.Year() > 9999) {
		return Token{}, "", artwork.Errorf(artwork.InvalidInput, "expiresAt is not in the future")
	}
	var random [32]byte
	_, _ = rand.Read(random[:]) // never fails, see crypto/rand
	secret = prefix + base64.RawURLEncoding.EncodeToString(random[:])
	token = Token{
		ID: artwork.NewID(), Name: in.Name, Scope: in.Scope, Hash: HashOf(secret),
		CreatedAt: now, ExpiresAt: in.ExpiresAt.UTC(),
	}
	if err := c.tokens.AddToken(ctx, by, token); err != nil {
		return Token{}, "", artwork.Wrap(artwork.Internal, "accesstoken.Create", err)
	}
	return token, secret, nil
}

// Manage looks at tokens, and takes them back.
type Manage struct{ tokens Repository }

// NewManage returns the use case.
func NewManage(tokens Repository) *Manage { return &Manage{tokens} }

// List returns all tokens, without their secrets, the oldest first.
func (m *Manage) List(ctx context.Context) ([]Token, error) {
	tokens, err := m.tokens.ListTokens(ctx)
	return tokens, artwork.Wrap(artwork.Internal, "accesstoken.List", err)
}

// Revoke makes the token good for nothing, on every instance, before it returns.
// NotFound: there is none.
func (m *Manage) Revoke(ctx context.Context, by artwork.Actor, id artwork.ID) error {
	return artwork.Wrap(artwork.Internal, "accesstoken.Revoke", m.tokens.RevokeToken(ctx, by, id))
}

// HashOf returns what is kept of the secret of a token.
func HashOf(secret string) [sha256.Size]byte { return sha256.Sum256([]byte(secret)) }

// IsToken reports whether a credential looks like an API token.
func IsToken(secret string) bool { return strings.HasPrefix(secret, prefix) }

// UseNoted is how precisely the last use of a token is known: it is written down once
// in this time by each process, not with each request.
const UseNoted = 10 * time.Minute

// Authenticate recognises tokens. It is safe for concurrent use.
type Authenticate struct {
	tokens Repository
	log    *slog.Logger
	now    func() time.Time

	mu    sync.Mutex
	noted map[artwork.ID]time.Time // when this process last noted a use
}

// NewAuthenticate returns the use case.
func NewAuthenticate(tokens Repository, log *slog.Logger) *Authenticate {
	return &Authenticate{tokens: tokens, log: log, now: time.Now, noted: map[artwork.ID]time.Time{}}
}

// Run returns the token a secret belongs to. Unauthenticated: there is none, or it has
// expired. A token that was revoked is not found from then on, on any instance.
func (a *Authenticate) Run(ctx context.Context, secret string) (Token, error) {
	if !IsToken(secret) {
		return Token{}, artwork.Errorf(artwork.Unauthenticated, "the token is not valid")
	}
	token, err := a.tokens.FindToken(ctx, HashOf(secret))
	if artwork.KindOf(err) == artwork.NotFound {
		return Token{}, artwork.Errorf(artwork.Unauthenticated, "the token is not valid")
	}
	if err != nil {
		return Token{}, artwork.Wrap(artwork.Internal, "accesstoken.Authenticate", err)
	}
	if token.Expired(a.now()) {
		return Token{}, artwork.Errorf(artwork.Unauthenticated, "the token has expired")
	}
	a.noteUse(ctx, token)
	return token, nil
}

// touchBudget bounds how long a request waits until it is noted that its token was
// used.
const touchBudget = time.Second

// noteUse writes down that the token is in use, if that was not done lately. A request
// does not fail because of it.
func (a *Authenticate) noteUse(ctx context.Context, token Token) {
	now := a.now()
	if now.Sub(token.LastUsedAt) < UseNoted || !a.mayNote(token.ID, now) {
		return
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), touchBudget)
	defer cancel()
	if err := a.tokens.TouchToken(bounded, token.ID, now); err != nil {
		a.log.DebugContext(ctx, "The use of a token is not noted", "token", token.Name, "error", err.Error())
	}
}

// mayNote reports whether it is this request's turn: one at a time writes, and none
// tries again soon if that has failed.
func (a *Authenticate) mayNote(id artwork.ID, now time.Time) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if now.Sub(a.noted[id]) < UseNoted {
		return false
	}
	maps.DeleteFunc(a.noted, func(_ artwork.ID, at time.Time) bool { return now.Sub(at) >= UseNoted })
	a.noted[id] = now
	return true
}
