package signin

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"strings"
	"time"

	"gatefold/domain/account"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// FirstRunLife is how long the link for the first administrator is good.
const FirstRunLife = time.Hour

// theProgram is who creates the administrator that the configuration names.
var theProgram = artwork.Actor{Name: "first run"}

const firstRunPrefix = "gff_"

// FirstRun makes the first administrator of a deployment, once, on whichever instance.
type FirstRun struct {
	accounts account.Accounts
	hasher   Hasher
	granter  *Granter
}

// NewFirstRun returns the use case.
func NewFirstRun(accounts account.Accounts, hasher Hasher, granter *Granter) *FirstRun {
	return &FirstRun{accounts, hasher, granter}
}

// Ensure creates the administrator if there is none; one that exists is left alone,
// whatever they are called. Conflict: somebody else has the name. InvalidInput: the
// name or the password cannot be one.
func (f *FirstRun) Ensure(ctx context.Context, username, password string) (created bool, err error) {
	user := firstAdmin(username)
	if err := checkNew(user, password); err != nil {
		return false, err
	}
	hash, err := f.hasher.Hash(ctx, password)
	if err != nil {
		return false, artwork.Wrap(artwork.Internal, "signin.FirstRun", err)
	}
	created, err = f.accounts.CreateFirst(ctx, theProgram, user, hash, nil)
	return created, artwork.Wrap(artwork.Internal, "signin.FirstRun", err)
}

// Offer returns a new token with which somebody may become the first administrator
// until FirstRunLife has passed; "" if there is one.
func (f *FirstRun) Offer(ctx context.Context) (token string, err error) {
	var random secret
	_, _ = rand.Read(random[:]) // never fails, see crypto/rand
	offered, err := f.accounts.OfferFirst(ctx, random.hash(), FirstRunLife)
	if err != nil || !offered {
		return "", artwork.Wrap(artwork.Internal, "signin.Offer", err)
	}
	return firstRunPrefix + base64.RawURLEncoding.EncodeToString(random[:]), nil
}

// Claim creates the first administrator and signs them in. Unauthenticated: the token
// is not one that was offered, or not any more. Conflict: there is an administrator, or
// somebody else has the name.
func (f *FirstRun) Claim(ctx context.Context, from artwork.Actor, token, username, password string) (Grant, error) {
	text, ok := strings.CutPrefix(token, firstRunPrefix)
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if !ok || err != nil || len(raw) != secretSize {
		return Grant{}, artwork.Errorf(artwork.Unauthenticated, "the link is not valid, or not any more")
	}
	user := firstAdmin(username)
	if err := checkNew(user, password); err != nil {
		return Grant{}, err
	}
	hash, err := f.hasher.Hash(ctx, password)
	if err != nil {
		return Grant{}, artwork.Wrap(artwork.Internal, "signin.Claim", err)
	}
	link := secret(raw).hash()
	by := from
	by.Name, by.ID = user.Username, user.ID
	created, err := f.accounts.CreateFirst(ctx, by, user, hash, &link)
	if err != nil {
		return Grant{}, artwork.Wrap(artwork.Internal, "signin.Claim", err)
	}
	if !created {
		return Grant{}, artwork.Errorf(artwork.Conflict, "there is an administrator already")
	}
	return f.granter.begin(ctx, from, user, account.ByFirstRun, "")
}

func firstAdmin(username string) catalog.User {
	return catalog.User{ID: artwork.NewID(), Username: strings.TrimSpace(username), Role: catalog.RoleAdmin}
}

func checkNew(user catalog.User, password string) error {
	if err := user.Check(); err != nil {
		return err
	}
	return account.CheckPassword(password)
}
