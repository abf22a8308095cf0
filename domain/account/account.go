// Package account knows how users sign in: with which credentials, for how long, and
// how that is taken back.
package account

import (
	"crypto/sha256"
	"time"
	"unicode/utf8"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Hash is the SHA-256 of a random secret, which is all that is kept of one.
type Hash [sha256.Size]byte

// HashOf returns the hash of a secret that nobody can guess.
func HashOf(secret []byte) Hash { return sha256.Sum256(secret) }

// Account is what there is of a user beside the catalogue: how they sign in.
type Account struct {
	User catalog.User
	// PasswordHash is what a Hasher made of the password; "" if there is none.
	PasswordHash string
	// Identities counts what identity providers call the user.
	Identities int
	// Disabled users cannot sign in, and have no sessions.
	Disabled bool
	// LastSignIn is when a session was last begun; zero if none was.
	LastSignIn time.Time
}

// CanSignIn reports whether there is any way for the user to sign in.
func (a Account) CanSignIn() bool {
	return !a.Disabled && (a.PasswordHash != "" || a.Identities > 0)
}

// Bounds of a password, in characters: the least is that of NIST SP 800-63B for a
// password that is one of two factors at most, and the most bounds the work.
const (
	MinPassword = 10
	MaxPassword = 256
)

// CheckPassword returns an InvalidInput error, which does not repeat it, unless the
// text can be a password: what it is made of is the user's business.
func CheckPassword(password string) error {
	if !utf8.ValidString(password) {
		return artwork.Errorf(artwork.InvalidInput, "the password is not valid UTF-8")
	}
	if n := utf8.RuneCountInString(password); n < MinPassword || n > MaxPassword {
		return artwork.Errorf(artwork.InvalidInput, "a password has %d to %d characters", MinPassword, MaxPassword)
	}
	return nil
}

// Method is how somebody has signed in.
type Method string

// The methods.
const (
	ByPassword Method = "password"
	ByOpenID   Method = "openid"
	ByFirstRun Method = "first-run" // by the link that a new deployment prints
)

// Session is a family of refresh tokens: one is in force, and each gives the next.
// It lasts until it is ended, until no token has been refreshed for its life, or until
// it is as old as a session may become.
type Session struct {
	// ID is known to the user and to nobody else: it is in no log.
	ID     artwork.ID
	UserID artwork.ID
	Method Method
	Token  Hash // of the refresh token in force
	// Proof is the PasswordHash that was found to match, if the method is
	// ByPassword.
	Proof string
}

// MaxSessions bounds the sessions of a user. One more ends the one that was refreshed
// the longest time ago.
const MaxSessions = 50

// Terms say how long refresh tokens last.
type Terms struct {
	Life time.Duration // of one that is not used
	// MaxAge is when a session ends, counted from its begin, however often it is
	// refreshed; 0: it does not by that.
	MaxAge time.Duration
	// Grace is how long the one before is still taken for a repetition: an answer can
	// be lost, and two windows of a browser can ask at once.
	Grace time.Duration
}

// LifeAt returns how long a token lasts that is given in a session of an age: nothing, or
// less, if the session has ended.
func (t Terms) LifeAt(age time.Duration) time.Duration {
	if t.MaxAge == 0 {
		return t.Life
	}
	return min(t.Life, t.MaxAge-age)
}

// Outcome is what came of a refresh token that was presented.
type Outcome int

// The outcomes.
const (
	// Rotated: it was in force, and now the next is.
	Rotated Outcome = iota
	// Repeated: it was in force until a moment ago. Nothing has changed.
	Repeated
	// Reused: it is not in force, so somebody else has it or had it. The session has
	// ended.
	Reused
)

// Rotation is the outcome, and what is so after it.
type Rotation struct {
	Outcome Outcome
	User    catalog.User
	InForce Hash // of the token; zero if the session has ended
	// Life is how long the token in force lasts, from now, at most.
	Life time.Duration
}

// Identity is what an identity provider calls somebody: the pair is unique, and is
// never given to anybody else (OpenID Connect Core 1.0, 5.7).
type Identity struct{ Issuer, Subject string }

// maxIdentity bounds each part in bytes; a subject has at most 255 by the
// specification.
const maxIdentity = 1000

// Check returns an InvalidInput error unless the identity can be kept.
func (i Identity) Check() error {
	for _, part := range []string{i.Issuer, i.Subject} {
		if part == "" || len(part) > maxIdentity {
			return artwork.Errorf(artwork.InvalidInput, "an identity has an issuer and a subject of 1 to %d bytes", maxIdentity)
		}
		if err := artwork.CheckText("the identity", part); err != nil {
			return err
		}
	}
	return nil
}

// DeletedError is the Forbidden of an identity that was linked to a user who was deleted
// and can be restored: whoever has it is not let in as somebody new meanwhile.
func DeletedError() error {
	return artwork.Errorf(artwork.Forbidden, "your account was deleted: an administrator can restore it")
}

// LinkedError is the Conflict of an identity that is linked to another user.
func LinkedError() error {
	return artwork.Errorf(artwork.Conflict, "the identity is linked to another user")
}

// CheckLink returns a Forbidden error if no identity is to be linked to the account.
func (a Account) CheckLink() error {
	if a.Disabled {
		return artwork.Errorf(artwork.Forbidden, "the user is disabled")
	}
	return nil
}

// Throttle says how attempts to sign in are slowed down.
type Throttle struct {
	Free   int           // attempts in a row that are not
	First  time.Duration // the wait after those; each further attempt doubles it
	Most   time.Duration // the longest wait
	Forget time.Duration // attempts are forgotten after so long without one
}

// Wait returns how long nobody may try after so many attempts in a row.
func (t Throttle) Wait(attempts int) time.Duration {
	wait := t.First
	switch over := attempts - t.Free; {
	case over < 0:
		return 0
	default:
		for range over {
			if wait *= 2; wait >= t.Most {
				return t.Most
			}
		}
		return min(wait, t.Most)
	}
}

// Attempt is one that was made.
type Attempt struct {
	// Refused is how long it is too early for it; 0 if it may be made.
	Refused time.Duration
	// Number counts the attempts since the last that succeeded, with this one.
	Number int
	// Wait is how long nobody may try after this one, unless it succeeds.
	Wait time.Duration
}
