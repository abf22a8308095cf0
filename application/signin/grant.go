package signin

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"gatefold/application/keyring"
	"gatefold/domain/account"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Config says how long credentials last.
type Config struct {
	AccessLife  time.Duration // of an access token
	RefreshLife time.Duration // of a refresh token that is not used
	MaxAge      time.Duration // of a session, however often it is refreshed; 0: it does not end by that
}

// terms are those of refresh tokens.
func (c Config) terms() account.Terms {
	return account.Terms{Life: c.RefreshLife, Grace: repeatGrace, MaxAge: c.MaxAge}
}

// repeatGrace is how long a refresh token that was used already gives the same answer
// again.
const repeatGrace = 10 * time.Second

// Grant is what somebody gets who has signed in.
type Grant struct {
	User             catalog.User
	AccessToken      string
	AccessExpiresAt  time.Time
	RefreshToken     string
	RefreshExpiresAt time.Time
}

// Granter hands out and renews credentials.
//
// A refresh token is a random secret and the ID of its session. The secret that comes
// after it follows from it and from the deployment's secret: who repeats a call whose
// answer was lost gets the same answer, from any instance, and nobody who reads the
// database can tell a token from its hash.
type Granter struct {
	sessions account.Sessions
	access   AccessTokens
	keys     *keyring.Keyring
	cfg      Config
	now      func() time.Time
}

// NewGranter returns what grants by the configuration.
func NewGranter(sessions *Recent, access AccessTokens, keys *keyring.Keyring, cfg Config) *Granter {
	return &Granter{sessions, access, keys, cfg, time.Now}
}

const (
	refreshPrefix  = "gfr_" // lets people and secret scanners recognise one
	refreshPurpose = "refresh token"
	secretSize     = 32
)

// secret is what a refresh token is made of, beside the session.
type secret [secretSize]byte

func (s secret) hash() account.Hash { return account.HashOf(s[:]) }

// begin signs the user in. Forbidden: they cannot, or not with this any more.
func (g *Granter) begin(ctx context.Context, from artwork.Actor, user catalog.User, method account.Method, proof string) (Grant, error) {
	var first secret
	_, _ = rand.Read(first[:]) // never fails, see crypto/rand
	session := account.Session{ID: artwork.NewID(), UserID: user.ID, Method: method, Token: first.hash(), Proof: proof}
	life := g.cfg.terms().LifeAt(0)
	if err := g.sessions.Begin(ctx, from, session, life); err != nil {
		return Grant{}, artwork.Wrap(artwork.Internal, "signin.begin", err)
	}
	return g.grant(user, session.ID, first, life)
}

func (g *Granter) grant(user catalog.User, session artwork.ID, refresh secret, life time.Duration) (Grant, error) {
	now := g.now().UTC().Truncate(time.Second)
	claims := Claims{User: user.ID, Session: session, IssuedAt: now, ExpiresAt: now.Add(g.cfg.AccessLife)}
	access, err := g.access.Issue(claims)
	if err != nil {
		return Grant{}, artwork.Wrap(artwork.Internal, "signin.grant", err)
	}
	return Grant{
		User: user, AccessToken: access, AccessExpiresAt: claims.ExpiresAt,
		RefreshToken: formatRefresh(session, refresh), RefreshExpiresAt: now.Add(life),
	}, nil
}

func formatRefresh(session artwork.ID, s secret) string {
	return refreshPrefix + base64.RawURLEncoding.EncodeToString(slices.Concat(session[:], s[:]))
}

func parseRefresh(token string) (session artwork.ID, s secret, err error) {
	text, ok := strings.CutPrefix(token, refreshPrefix)
	raw, decodeErr := base64.RawURLEncoding.Strict().DecodeString(text)
	if !ok || decodeErr != nil || len(raw) != len(session)+len(s) {
		return session, s, errRefresh()
	}
	copy(session[:], raw)
	copy(s[:], raw[len(session):])
	return session, s, nil
}

func errRefresh() error {
	return artwork.Errorf(artwork.Unauthenticated, "the refresh token is not valid, or not any more: sign in again")
}

// next returns the secret that comes after another, under a key.
func next(key []byte, session artwork.ID, s secret) secret {
	mac := hmac.New(sha256.New, key)
	mac.Write(session[:])
	mac.Write(s[:])
	return secret(mac.Sum(nil))
}

// Refresh renews credentials: the refresh token is good for nothing afterwards, except
// that it gives the same answer again for ten seconds. Unauthenticated: it is not in
// force; if it ever was, its session has ended, because somebody else may have it.
func (g *Granter) Refresh(ctx context.Context, from artwork.Actor, token string) (Grant, error) {
	session, presented, err := parseRefresh(token)
	if err != nil {
		return Grant{}, err
	}
	keys := g.keys.Keys(refreshPurpose)
	following := next(keys[0], session, presented)
	done, err := g.sessions.Rotate(ctx, from, session, presented.hash(), following.hash(), g.cfg.terms())
	if artwork.KindOf(err) == artwork.NotFound {
		return Grant{}, errRefresh()
	}
	if err != nil {
		return Grant{}, artwork.Wrap(artwork.Internal, "signin.Refresh", err)
	}
	if done.Outcome == account.Reused {
		return Grant{}, errRefresh()
	}
	// The deployment's secret may have been replaced between the call and its
	// repetition.
	for _, key := range keys {
		if following = next(key, session, presented); following.hash() == done.InForce {
			return g.grant(done.User, session, following, done.Life)
		}
	}
	return Grant{}, errRefresh()
}

// SignOut ends the session of a refresh token, or all of its user's. Unauthenticated: it
// is not in force.
func (g *Granter) SignOut(ctx context.Context, from artwork.Actor, token string, everywhere bool) error {
	granted, err := g.Refresh(ctx, from, token)
	if err != nil {
		return err
	}
	session, _, err := parseRefresh(granted.RefreshToken)
	if err != nil {
		return err
	}
	from.Name, from.ID = granted.User.Username, granted.User.ID
	if everywhere {
		return g.EndAll(ctx, from, granted.User.ID)
	}
	return g.End(ctx, from, session)
}

// End ends a session; one that has ended already is no error.
func (g *Granter) End(ctx context.Context, by artwork.Actor, session artwork.ID) error {
	err := g.sessions.End(ctx, by, session)
	if artwork.KindOf(err) == artwork.NotFound {
		return nil
	}
	return artwork.Wrap(artwork.Internal, "signin.End", err)
}

// EndAll ends all sessions of a user.
func (g *Granter) EndAll(ctx context.Context, by artwork.Actor, user artwork.ID) error {
	_, err := g.sessions.EndAll(ctx, by, user)
	return artwork.Wrap(artwork.Internal, "signin.EndAll", err)
}
