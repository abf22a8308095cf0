package signin

import (
	"context"
	"log/slog"
	"time"

	"gatefold/application/keepactivity"
	"gatefold/domain/account"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// throttle slows down guessing at one account, however many clients it comes from:
// ten attempts, and then one in 30 seconds, in a minute, and so on, up to a quarter of
// an hour. It ends with the right password, or an hour after the last attempt.
var throttle = account.Throttle{Free: 10, First: 30 * time.Second, Most: 15 * time.Minute, Forget: time.Hour}

// maxTyped bounds what is taken for a password, in bytes.
const maxTyped = 4 * account.MaxPassword

// Password signs users in with their password.
type Password struct {
	accounts account.Accounts
	attempts account.Attempts
	hasher   Hasher
	granter  *Granter
	recorder *keepactivity.Recorder
	log      *slog.Logger
}

// NewPassword returns the use case.
func NewPassword(accounts account.Accounts, attempts account.Attempts, hasher Hasher, granter *Granter, recorder *keepactivity.Recorder, log *slog.Logger) *Password {
	return &Password{accounts, attempts, hasher, granter, recorder, log}
}

// Run signs in; from has the address and the request. Unauthenticated: there is no
// such user, or the password is another, or the user is disabled or has none: which of
// these is neither said, nor can it be told from how long that takes. TooManyRequests:
// too many attempts were made with this name, whether there is such a user or not.
func (p *Password) Run(ctx context.Context, from artwork.Actor, username, password string) (Grant, error) {
	found, err := p.check(ctx, from, username, password)
	if err != nil {
		return Grant{}, err
	}
	granted, err := p.granter.begin(ctx, from, found.User, account.ByPassword, found.PasswordHash)
	if artwork.KindOf(err) == artwork.Forbidden {
		return Grant{}, errWrong() // it was changed at this moment
	}
	return granted, err
}

// Confirm returns nil if the password is that of the user. Errors are those of Run.
func (p *Password) Confirm(ctx context.Context, from artwork.Actor, user catalog.User, password string) error {
	_, err := p.check(ctx, from, user.Username, password)
	return err
}

func (p *Password) check(ctx context.Context, from artwork.Actor, username, password string) (account.Account, error) {
	if err := catalog.CheckName("username", username); err != nil {
		return account.Account{}, err
	}
	if len(password) > maxTyped {
		return account.Account{}, artwork.Errorf(artwork.InvalidInput, "the password is longer than %d bytes", maxTyped)
	}
	attempt, err := p.attempts.Begin(ctx, username, throttle)
	if err != nil {
		return account.Account{}, artwork.Wrap(artwork.Internal, "signin.Password", err)
	}
	if attempt.Refused > 0 {
		return account.Account{}, &artwork.Error{
			Kind: artwork.TooManyRequests, RetryAfter: attempt.Refused,
			Msg: "there were too many attempts to sign in with this name: wait, and try again",
		}
	}
	found, err := p.accounts.ByName(ctx, username)
	if err != nil && artwork.KindOf(err) != artwork.NotFound {
		return account.Account{}, artwork.Wrap(artwork.Internal, "signin.Password", err)
	}
	matches, outdated, err := p.hasher.Matches(ctx, password, found.PasswordHash)
	if err != nil {
		return account.Account{}, artwork.Wrap(artwork.Internal, "signin.Password", err)
	}
	if !matches || found.Disabled {
		p.failed(ctx, from, found.User, attempt)
		return account.Account{}, errWrong()
	}
	return p.succeeded(ctx, found, password, outdated)
}

func errWrong() error {
	return artwork.Errorf(artwork.Unauthenticated, "the user name or the password is wrong")
}

// failed notes a failure: each in the program's log, and in the activity log those
// after which others have to wait, so that guessing does not fill it. The same is done
// for a name that nobody has. What was typed as a name is not noted: it may be a
// password.
func (p *Password) failed(ctx context.Context, from artwork.Actor, user catalog.User, attempt account.Attempt) {
	id := "" // of nobody
	if !user.ID.IsZero() {
		id = user.ID.String()
	}
	p.log.LogAttrs(ctx, slog.LevelInfo, "A sign-in failed", slog.String("userId", id), slog.Int("attempts", attempt.Number),
		slog.Duration("wait", attempt.Wait), slog.String("address", from.Address), slog.String("requestId", from.RequestID))
	if attempt.Wait > 0 {
		from.Name = "anonymous"
		p.recorder.Record(ctx, account.OfFailure(from, user, attempt))
	}
}

// succeeded forgets the attempts, and has the hash made anew if that takes more effort
// by now.
func (p *Password) succeeded(ctx context.Context, found account.Account, password string, outdated bool) (account.Account, error) {
	if err := p.attempts.Succeeded(ctx, found.User.Username); err != nil {
		return account.Account{}, artwork.Wrap(artwork.Internal, "signin.Password", err)
	}
	if !outdated {
		return found, nil
	}
	hash, err := p.hasher.Hash(ctx, password)
	if err == nil {
		err = p.accounts.Rehash(ctx, found.User.ID, found.PasswordHash, hash)
	}
	if err != nil { // the next sign-in tries again
		p.log.WarnContext(ctx, "A password is still kept as it was hashed before", "userId", found.User.ID.String(), "error", err.Error())
		return found, nil
	}
	found.PasswordHash = hash
	return found, nil
}
