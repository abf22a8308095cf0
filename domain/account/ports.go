package account

import (
	"context"
	"time"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Accounts keeps how users sign in. All methods may be called concurrently, also from
// several processes. Every method may fail with Unavailable when the database cannot
// be reached, and with ctx's error when ctx ends.
//
// Methods that take an actor fail with InvalidInput if it cannot be kept
// (Actor.Check). What they change is in the activity log, in the same transaction.
type Accounts interface {
	// Get returns the account of a user. NotFound: there is no such user.
	Get(ctx context.Context, user artwork.ID) (Account, error)
	// ByName returns the account of the user with the name, without regard to case,
	// accents and composition (catalog.FoldName). NotFound: there is none.
	ByName(ctx context.Context, username string) (Account, error)
	// ByIdentity returns the account that the identity is linked to. NotFound: it is
	// linked to none.
	ByIdentity(ctx context.Context, identity Identity) (Account, error)
	// List returns all accounts that could sign in if they were not disabled, by
	// user name.
	List(ctx context.Context) ([]Account, error)

	// Create adds a user who signs in with a password, of which this is the hash.
	// Conflict: the ID or the name is held; the message names the holder of the name.
	// InvalidInput: the user cannot be stored.
	Create(ctx context.Context, by artwork.Actor, user catalog.User, passwordHash string) error
	// CreateLinked adds a user who signs in with an identity. Errors are those of
	// Create; Conflict too if the identity is linked. Forbidden: it was linked to a user
	// who was deleted, and can be restored.
	CreateLinked(ctx context.Context, by artwork.Actor, user catalog.User, identity Identity) error
	// Link lets a user sign in with an identity, too; what is so already is no
	// activity. NotFound: there is no such user. Conflict: the identity is linked to
	// another user. Forbidden: the user is disabled, or the identity was linked to a
	// user who was deleted, and can be restored.
	Link(ctx context.Context, by artwork.Actor, user artwork.ID, identity Identity) error
	// CreateFirst is Create for the first administrator: if any exists who could sign
	// in if they were not disabled, created is false and nothing changes. With a
	// link, it needs one that was offered, and all links have ended when it was
	// created. Unauthenticated: the link is none. Of several calls at once one creates.
	CreateFirst(ctx context.Context, by artwork.Actor, user catalog.User, passwordHash string, link *Hash) (created bool, err error)
	// OfferFirst keeps a link for CreateFirst for the time given. If there is an
	// administrator, offered is false and nothing is kept.
	OfferFirst(ctx context.Context, link Hash, life time.Duration) (offered bool, err error)

	// SetPassword replaces the hash, and ends all sessions of the user but the one
	// named (none: zero). NotFound: there is no such user.
	SetPassword(ctx context.Context, by artwork.Actor, user artwork.ID, passwordHash string, keep artwork.ID) error
	// Rehash replaces the hash by another of the same password, if it is still the
	// one given. Sessions go on, and it is no activity.
	Rehash(ctx context.Context, user artwork.ID, from, to string) error
	// SetDisabled says whether the user can sign in; who cannot has no sessions any
	// more. What is so already is no activity. NotFound: there is no such user.
	SetDisabled(ctx context.Context, by artwork.Actor, user artwork.ID, disabled bool) error
}

// Sessions keeps who is signed in. What is said of Accounts holds for it too.
type Sessions interface {
	// Begin adds a session that lasts for life unless it is refreshed; the activity
	// log has it. Of the sessions of the user, MaxSessions are left. Forbidden: the
	// user is disabled, has no credential, or has not the password any more that was
	// the proof; a change of any of these that was made before is never missed.
	// Conflict: there is a session with this ID.
	Begin(ctx context.Context, by artwork.Actor, session Session, life time.Duration) error
	// Find returns the user as they are now. NotFound: there is no such session, or
	// it has expired.
	Find(ctx context.Context, session artwork.ID) (catalog.User, error)
	// Rotate puts next in force if presented is, and the session lasts for
	// terms.Life from now on, but not longer than terms.MaxAge from its begin. Of several calls with the same token one rotates, and
	// within terms.Grace the others repeat. Another token is reused, which ends the
	// session; the activity log has that, as done by the user from the address and
	// with the request of by. It returns the user, and the hash of the token in
	// force. NotFound: there is no such session, or it has expired, or is older than
	// terms.MaxAge.
	Rotate(ctx context.Context, by artwork.Actor, session artwork.ID, presented, next Hash, terms Terms) (Rotation, error)
	// End ends a session; the activity log has it. NotFound: there is none.
	End(ctx context.Context, by artwork.Actor, session artwork.ID) error
	// EndAll ends all sessions of the user and returns how many those were; the
	// activity log has it if there were any.
	EndAll(ctx context.Context, by artwork.Actor, user artwork.ID) (ended int, err error)
}

// Attempts keeps who has tried to sign in. What is said of Accounts holds for it too.
type Attempts interface {
	// Begin counts an attempt with a user name, whether there is such a user or not,
	// before it is made: those that are made at once are all counted. One that is too
	// early is not counted. Names are compared as by Accounts.ByName. What was
	// forgotten long ago is removed.
	Begin(ctx context.Context, username string, throttle Throttle) (Attempt, error)
	// Succeeded forgets the attempts with the name.
	Succeeded(ctx context.Context, username string) error
}
