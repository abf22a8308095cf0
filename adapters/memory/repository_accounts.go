package memory

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"gatefold/domain/account"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Accounts is the view of a Repository as store of how users sign in.
type Accounts struct{ r *Repository }

// Sessions is the view of a Repository as store of who is signed in.
type Sessions struct{ r *Repository }

// Attempts is the view of a Repository as store of who has tried to sign in.
type Attempts struct{ r *Repository }

var (
	_ account.Accounts = (*Accounts)(nil)
	_ account.Sessions = (*Sessions)(nil)
	_ account.Attempts = (*Attempts)(nil)
)

// Accounts returns the accounts of the repository.
func (r *Repository) Accounts() *Accounts { return &Accounts{r} }

// Sessions returns the sessions of the repository.
func (r *Repository) Sessions() *Sessions { return &Sessions{r} }

// Attempts returns the attempts to sign in of the repository.
func (r *Repository) Attempts() *Attempts { return &Attempts{r} }

// identityState is how users sign in, and who is signed in.
type identityState struct {
	accounts map[artwork.ID]accountState // by user
	linked   map[account.Identity]artwork.ID
	links    map[account.Hash]time.Time // of the first run, and until when
	sessions map[artwork.ID]sessionState
	attempts map[string]attemptState // by folded name
}

type accountState struct {
	passwordHash string
	disabled     bool
	lastSignIn   time.Time
}

type sessionState struct {
	session  account.Session
	previous *account.Hash

	beganAt, rotatedAt, expires time.Time
}

type attemptState struct {
	number          int
	lastAt, blocked time.Time
}

func newIdentityState() identityState {
	return identityState{
		accounts: map[artwork.ID]accountState{}, linked: map[account.Identity]artwork.ID{}, links: map[account.Hash]time.Time{},
		sessions: map[artwork.ID]sessionState{}, attempts: map[string]attemptState{},
	}
}

func errNoUser() error { return notFound("such user") }

// account returns the account of a user that is known.
func (r *Repository) account(user artwork.ID) account.Account {
	state := r.identity.accounts[user]
	a := account.Account{User: r.users[user], PasswordHash: state.passwordHash, Disabled: state.disabled, LastSignIn: state.lastSignIn}
	for _, linked := range r.identity.linked {
		if linked == user {
			a.Identities++
		}
	}
	return a
}

// find returns the account of the first user that fits.
func (a *Accounts) find(ctx context.Context, fits func(catalog.User) bool) (found account.Account, err error) {
	err = a.r.read(ctx, func() error {
		for _, user := range a.r.users {
			if fits(user) {
				found = a.r.account(user.ID)
				return nil
			}
		}
		return errNoUser()
	})
	return found, err
}

// Get implements account.Accounts.
func (a *Accounts) Get(ctx context.Context, user artwork.ID) (account.Account, error) {
	return a.find(ctx, func(u catalog.User) bool { return u.ID == user })
}

// ByName implements account.Accounts.
func (a *Accounts) ByName(ctx context.Context, username string) (account.Account, error) {
	folded := catalog.FoldName(username)
	return a.find(ctx, func(u catalog.User) bool { return catalog.FoldName(u.Username) == folded })
}

// ByIdentity implements account.Accounts.
func (a *Accounts) ByIdentity(ctx context.Context, identity account.Identity) (account.Account, error) {
	return a.find(ctx, func(u catalog.User) bool {
		linked, ok := a.r.identity.linked[identity]
		return ok && linked == u.ID
	})
}

// List implements account.Accounts.
func (a *Accounts) List(ctx context.Context) (all []account.Account, err error) {
	all = []account.Account{}
	err = a.r.read(ctx, func() error {
		for user := range a.r.users {
			if found := a.r.account(user); found.PasswordHash != "" || found.Identities > 0 {
				all = append(all, found)
			}
		}
		return nil
	})
	slices.SortFunc(all, func(x, y account.Account) int {
		return cmp.Or(strings.Compare(catalog.FoldName(x.User.Username), catalog.FoldName(y.User.Username)), bytes.Compare(x.User.ID[:], y.User.ID[:]))
	})
	return all, err
}

// Create implements account.Accounts.
func (a *Accounts) Create(ctx context.Context, by artwork.Actor, user catalog.User, passwordHash string) error {
	return a.create(ctx, by, user, passwordHash, nil, nil)
}

// CreateLinked implements account.Accounts.
func (a *Accounts) CreateLinked(ctx context.Context, by artwork.Actor, user catalog.User, identity account.Identity) error {
	if err := identity.Check(); err != nil {
		return err
	}
	return a.create(ctx, by, user, "", &identity, func() error {
		return a.r.mayLink(identity)
	})
}

// Link implements account.Accounts.
func (a *Accounts) Link(ctx context.Context, by artwork.Actor, user artwork.ID, identity account.Identity) error {
	if err := cmp.Or(by.Check(), identity.Check()); err != nil {
		return err
	}
	return a.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		known, ok := a.r.users[user]
		if !ok {
			return nil, errNoUser()
		}
		if err := a.r.account(user).CheckLink(); err != nil {
			return nil, err
		}
		if holder, linked := a.r.identity.linked[identity]; linked && holder == user {
			return func() {}, nil
		}
		if err := a.r.mayLink(identity); err != nil {
			return nil, err
		}
		kept, err := keptOf(account.OfLink(by, known, identity))
		return func() {
			a.r.identity.linked[identity] = user
			a.r.note(kept...)
		}, err
	})
}

// mayLink returns an error if the identity is that of somebody else, or of somebody who
// was deleted.
func (r *Repository) mayLink(identity account.Identity) error {
	if _, linked := r.identity.linked[identity]; linked {
		return account.LinkedError()
	}
	for _, state := range r.deleted {
		if slices.Contains(state.identities, identity) {
			return account.DeletedError()
		}
	}
	return nil
}

// CreateFirst implements account.Accounts.
func (a *Accounts) CreateFirst(ctx context.Context, by artwork.Actor, user catalog.User, passwordHash string, link *account.Hash) (created bool, err error) {
	there := false
	err = a.create(ctx, by, user, passwordHash, nil, func() error {
		if there = a.r.administered(); there {
			return errAdministered
		}
		if link != nil && !time.Now().Before(a.r.identity.links[*link]) {
			return artwork.Errorf(artwork.Unauthenticated, "the link is not valid, or not any more")
		}
		return nil
	})
	if there {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, nil
}

var errAdministered = artwork.Errorf(artwork.Conflict, "there is an administrator")

// OfferFirst implements account.Accounts.
func (a *Accounts) OfferFirst(ctx context.Context, link account.Hash, life time.Duration) (offered bool, err error) {
	err = a.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		offered = !a.r.administered()
		return func() {
			if offered {
				a.r.identity.links[link] = time.Now().Add(life)
			}
		}, nil
	})
	return offered && err == nil, err
}

// administered reports whether there is an administrator who could sign in if they
// were not disabled.
func (r *Repository) administered() bool {
	for id, user := range r.users {
		if found := r.account(id); user.Role == catalog.RoleAdmin && (found.PasswordHash != "" || found.Identities > 0) {
			return true
		}
	}
	return false
}

// create adds a user, if guard lets it. With a password all links of the first run have
// ended afterwards if the user is an administrator.
func (a *Accounts) create(ctx context.Context, by artwork.Actor, user catalog.User, hash string, identity *account.Identity, guard func() error) error {
	if err := cmp.Or(by.Check(), user.Check()); err != nil {
		return err
	}
	if user.ID.IsZero() {
		return artwork.Errorf(artwork.InvalidInput, "the user has no ID")
	}
	user.CreatedAt = stored(time.Now())
	user.UpdatedAt = user.CreatedAt
	entries := []activity.Entry{account.OfCreation(by, user)}
	if identity != nil {
		entries = append(entries, account.OfLink(by, user, *identity))
	} else {
		entries = append(entries, account.OfPassword(by, user, false))
	}
	return a.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		if guard != nil {
			if err := guard(); err != nil {
				return nil, err
			}
		}
		if _, held := a.r.users[user.ID]; held {
			return nil, errHeld(artwork.User(user.ID), "ID")
		}
		if err := a.r.checkUsername(user); err != nil {
			return nil, err
		}
		kept, err := keptOf(entries...)
		return func() {
			a.r.users[user.ID] = user
			a.r.identity.accounts[user.ID] = accountState{passwordHash: hash}
			if identity != nil {
				a.r.identity.linked[*identity] = user.ID
			}
			if user.Role == catalog.RoleAdmin {
				clear(a.r.identity.links)
			}
			a.r.note(kept...)
		}, err
	})
}

// keptOf returns entries as the log keeps them.
func keptOf(entries ...activity.Entry) ([]activity.Entry, error) {
	for i, entry := range entries {
		kept, err := entry.Kept()
		if err != nil {
			return nil, err
		}
		entries[i] = kept
	}
	return entries, nil
}

// SetPassword implements account.Accounts.
func (a *Accounts) SetPassword(ctx context.Context, by artwork.Actor, user artwork.ID, passwordHash string, keep artwork.ID) error {
	return a.alter(ctx, by, user, func(was account.Account, state *accountState) *activity.Entry {
		state.passwordHash = passwordHash
		entry := account.OfPassword(by, was.User, was.PasswordHash != "")
		return &entry
	}, func() { a.r.endSessions(user, keep) })
}

// Rehash implements account.Accounts.
func (a *Accounts) Rehash(ctx context.Context, user artwork.ID, from, to string) error {
	return a.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		return func() {
			if state, ok := a.r.identity.accounts[user]; ok && state.passwordHash == from {
				state.passwordHash = to
				a.r.identity.accounts[user] = state
			}
		}, nil
	})
}

// SetDisabled implements account.Accounts.
func (a *Accounts) SetDisabled(ctx context.Context, by artwork.Actor, user artwork.ID, disabled bool) error {
	return a.alter(ctx, by, user, func(was account.Account, state *accountState) *activity.Entry {
		if was.Disabled == disabled {
			return nil
		}
		state.disabled = disabled
		entry := account.OfDisabling(by, was.User, disabled)
		return &entry
	}, func() {
		if disabled {
			a.r.endSessions(user, artwork.ID{})
		}
	})
}

// alter changes the account of a user; also does what else has to be done.
func (a *Accounts) alter(ctx context.Context, by artwork.Actor, user artwork.ID, do func(was account.Account, state *accountState) *activity.Entry, also func()) error {
	if err := by.Check(); err != nil {
		return err
	}
	return a.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		if _, known := a.r.users[user]; !known {
			return nil, errNoUser()
		}
		state := a.r.identity.accounts[user]
		entry := do(a.r.account(user), &state)
		var kept []activity.Entry
		if entry != nil {
			var err error
			if kept, err = keptOf(*entry); err != nil {
				return nil, err
			}
		}
		return func() {
			a.r.identity.accounts[user] = state
			also()
			a.r.note(kept...)
		}, nil
	})
}

// endSessions ends the sessions of a user but one, and returns how many.
func (r *Repository) endSessions(user, keep artwork.ID) (ended int) {
	maps.DeleteFunc(r.identity.sessions, func(id artwork.ID, s sessionState) bool {
		ends := s.session.UserID == user && id != keep
		if ends {
			ended++
		}
		return ends
	})
	return ended
}

// Begin implements account.Sessions.
func (s *Sessions) Begin(ctx context.Context, by artwork.Actor, session account.Session, life time.Duration) error {
	if err := by.Check(); err != nil {
		return err
	}
	return s.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		a := s.r.account(session.UserID)
		if !a.CanSignIn() || session.Method == account.ByPassword && session.Proof != a.PasswordHash {
			return nil, artwork.Errorf(artwork.Forbidden, "the user cannot sign in, or not with this any more")
		}
		if _, held := s.r.identity.sessions[session.ID]; held {
			return nil, artwork.Errorf(artwork.Conflict, "there is such a session already")
		}
		kept, err := keptOf(account.OfSignIn(by, a.User, session.Method))
		return func() {
			now := time.Now()
			s.makeRoom(session.UserID, now)
			s.r.identity.sessions[session.ID] = sessionState{session: session, beganAt: now, rotatedAt: now, expires: now.Add(life)}
			state := s.r.identity.accounts[session.UserID]
			state.lastSignIn = stored(now)
			s.r.identity.accounts[session.UserID] = state
			s.r.note(kept...)
		}, err
	})
}

// makeRoom removes what has expired, and the user's sessions that are one too many.
func (s *Sessions) makeRoom(user artwork.ID, now time.Time) {
	maps.DeleteFunc(s.r.identity.sessions, func(_ artwork.ID, st sessionState) bool { return !now.Before(st.expires) })
	var own []sessionState
	for _, st := range s.r.identity.sessions {
		if st.session.UserID == user {
			own = append(own, st)
		}
	}
	slices.SortFunc(own, func(x, y sessionState) int { return x.rotatedAt.Compare(y.rotatedAt) })
	for _, st := range own[:max(len(own)-(account.MaxSessions-1), 0)] {
		delete(s.r.identity.sessions, st.session.ID)
	}
}

// live returns a session that has not ended, and its user.
func (r *Repository) live(session artwork.ID) (sessionState, catalog.User, error) {
	st, ok := r.identity.sessions[session]
	if !ok || !time.Now().Before(st.expires) {
		return sessionState{}, catalog.User{}, notFound("such session")
	}
	return st, r.users[st.session.UserID], nil
}

// Find implements account.Sessions.
func (s *Sessions) Find(ctx context.Context, session artwork.ID) (user catalog.User, err error) {
	err = s.r.read(ctx, func() error {
		_, user, err = s.r.live(session)
		return err
	})
	return user, err
}

// Rotate implements account.Sessions.
func (s *Sessions) Rotate(ctx context.Context, by artwork.Actor, session artwork.ID, presented, next account.Hash, terms account.Terms) (done account.Rotation, err error) {
	if err := by.Check(); err != nil {
		return done, err
	}
	err = s.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		st, user, err := s.r.live(session)
		if err != nil {
			return nil, err
		}
		now := time.Now()
		life := terms.LifeAt(now.Sub(st.beganAt))
		switch {
		case terms.MaxAge > 0 && life <= 0:
			return nil, notFound("such session")
		case st.session.Token == presented:
			done = account.Rotation{Outcome: account.Rotated, User: user, InForce: next, Life: life}
			st.previous, st.session.Token, st.rotatedAt, st.expires = &presented, next, now, now.Add(life)
			return func() { s.r.identity.sessions[session] = st }, nil
		case st.previous != nil && *st.previous == presented && now.Sub(st.rotatedAt) < terms.Grace:
			done = account.Rotation{Outcome: account.Repeated, User: user, InForce: st.session.Token, Life: life}
			return func() {}, nil
		}
		done = account.Rotation{Outcome: account.Reused, User: user}
		kept, err := keptOf(account.OfReuse(by, user))
		return func() {
			delete(s.r.identity.sessions, session)
			s.r.note(kept...)
		}, err
	})
	return done, err
}

// End implements account.Sessions.
func (s *Sessions) End(ctx context.Context, by artwork.Actor, session artwork.ID) error {
	if err := by.Check(); err != nil {
		return err
	}
	return s.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		_, user, err := s.r.live(session)
		if err != nil {
			return nil, err
		}
		kept, err := keptOf(account.OfSignOut(by, user, 1))
		return func() {
			delete(s.r.identity.sessions, session)
			s.r.note(kept...)
		}, err
	})
}

// EndAll implements account.Sessions.
func (s *Sessions) EndAll(ctx context.Context, by artwork.Actor, user artwork.ID) (ended int, err error) {
	if err := by.Check(); err != nil {
		return 0, err
	}
	err = s.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		return func() {
			if ended = s.r.endSessions(user, artwork.ID{}); ended > 0 {
				entry, _ := account.OfSignOut(by, s.r.users[user], ended).Kept() // numbers and names can be kept
				s.r.note(entry)
			}
		}, nil
	})
	return ended, err
}

// Begin implements account.Attempts.
func (a *Attempts) Begin(ctx context.Context, username string, throttle account.Throttle) (attempt account.Attempt, err error) {
	folded := catalog.FoldName(username)
	err = a.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		return func() {
			now := time.Now()
			maps.DeleteFunc(a.r.identity.attempts, func(_ string, st attemptState) bool {
				return now.Sub(st.lastAt) >= throttle.Forget && !now.Before(st.blocked)
			})
			st := a.r.identity.attempts[folded]
			if attempt.Refused = max(st.blocked.Sub(now), 0); attempt.Refused > 0 {
				attempt.Number = st.number
				return
			}
			attempt.Number = st.number + 1
			attempt.Wait = throttle.Wait(attempt.Number)
			a.r.identity.attempts[folded] = attemptState{attempt.Number, now, now.Add(attempt.Wait)}
		}, nil
	})
	return attempt, err
}

// Succeeded implements account.Attempts.
func (a *Attempts) Succeeded(ctx context.Context, username string) error {
	return a.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		return func() { delete(a.r.identity.attempts, catalog.FoldName(username)) }, nil
	})
}
