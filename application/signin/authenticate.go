package signin

import (
	"context"
	"sync"
	"time"

	"gatefold/application/accesstoken"
	"gatefold/domain/account"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// RevocationBound is how long a session can still be taken for good, on another
// instance, after it has ended, and a role for what it was: what the database says of
// a session is believed for so long.
const RevocationBound = time.Second

// maxRecent bounds how many sessions are remembered.
const maxRecent = 10_000

// Recent answers Find from what was read less than RevocationBound ago; what is
// changed through it counts at once in this process. It is safe for concurrent use.
type Recent struct {
	account.Sessions
	now func() time.Time

	mu    sync.Mutex
	known map[artwork.ID]recentSession
	turn  uint64 // counts what makes answers old that are under way
}

type recentSession struct {
	user  catalog.User
	until time.Time
}

var _ account.Sessions = (*Recent)(nil)

// NewRecent returns the sessions, with the recent ones remembered.
func NewRecent(sessions account.Sessions) *Recent {
	return &Recent{Sessions: sessions, now: time.Now, known: map[artwork.ID]recentSession{}}
}

// Find implements account.Sessions.
func (r *Recent) Find(ctx context.Context, session artwork.ID) (catalog.User, error) {
	began := r.now()
	r.mu.Lock()
	recent, ok := r.known[session]
	turn := r.turn
	r.mu.Unlock()
	if ok && began.Before(recent.until) {
		return recent.user, nil
	}
	user, err := r.Sessions.Find(ctx, session)
	if err != nil {
		return catalog.User{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if turn == r.turn {
		if len(r.known) >= maxRecent {
			clear(r.known)
		}
		r.known[session] = recentSession{user, began.Add(RevocationBound)}
	}
	return user, nil
}

// Forget has everything asked for again.
func (r *Recent) Forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn++
	clear(r.known)
}

// Rotate implements account.Sessions.
func (r *Recent) Rotate(ctx context.Context, by artwork.Actor, session artwork.ID, presented, next account.Hash, terms account.Terms) (account.Rotation, error) {
	done, err := r.Sessions.Rotate(ctx, by, session, presented, next, terms)
	if done.Outcome == account.Reused {
		r.Forget()
	}
	return done, err
}

// Begin implements account.Sessions.
func (r *Recent) Begin(ctx context.Context, by artwork.Actor, session account.Session, life time.Duration) error {
	defer r.Forget() // it may have ended another
	return r.Sessions.Begin(ctx, by, session, life)
}

// End implements account.Sessions.
func (r *Recent) End(ctx context.Context, by artwork.Actor, session artwork.ID) error {
	defer r.Forget()
	return r.Sessions.End(ctx, by, session)
}

// EndAll implements account.Sessions.
func (r *Recent) EndAll(ctx context.Context, by artwork.Actor, user artwork.ID) (int, error) {
	defer r.Forget()
	return r.Sessions.EndAll(ctx, by, user)
}

// Authenticate says whose a credential is.
type Authenticate struct {
	tokens   *accesstoken.Authenticate
	access   AccessTokens
	sessions *Recent
}

// NewAuthenticate returns the use case.
func NewAuthenticate(tokens *accesstoken.Authenticate, access AccessTokens, sessions *Recent) *Authenticate {
	return &Authenticate{tokens, access, sessions}
}

// Run returns whose the credential is, an API token or an access token, and what they
// may do now. Unauthenticated: it is not, or not any more, that of anybody. A session
// that has ended counts for RevocationBound at most.
func (a *Authenticate) Run(ctx context.Context, credential string) (Principal, error) {
	if accesstoken.IsToken(credential) {
		token, err := a.tokens.Run(ctx, credential)
		if err != nil {
			return Principal{}, err
		}
		return Principal{Kind: APIToken, ID: token.ID, Name: token.Name, Scope: token.Scope}, nil
	}
	claims, err := a.access.Read(credential)
	if err != nil {
		return Principal{}, err
	}
	user, err := a.sessions.Find(ctx, claims.Session)
	if artwork.KindOf(err) == artwork.NotFound || err == nil && user.ID != claims.User {
		return Principal{}, artwork.Errorf(artwork.Unauthenticated, "the session has ended: sign in again")
	}
	if err != nil {
		return Principal{}, artwork.Wrap(artwork.Internal, "signin.Authenticate", err)
	}
	return Principal{Kind: User, ID: user.ID, Name: user.Username, Scope: ScopeOf(user.Role), Session: claims.Session, Account: user}, nil
}
