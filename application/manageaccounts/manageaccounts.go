// Package manageaccounts gives users passwords, and takes their access away.
package manageaccounts

import (
	"context"
	"strings"

	"gatefold/application/signin"
	"gatefold/domain/account"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Manage has what administrators do with accounts. What it changes counts at once in
// this process, and within signin.RevocationBound in all others.
type Manage struct {
	accounts account.Accounts
	hasher   signin.Hasher
	recent   *signin.Recent
}

// New returns the use case.
func New(accounts account.Accounts, hasher signin.Hasher, recent *signin.Recent) *Manage {
	return &Manage{accounts, hasher, recent}
}

// CreateIn says which user is wanted.
type CreateIn struct {
	Username    string       `json:"username"`
	DisplayName string       `json:"displayName"`
	Role        catalog.Role `json:"role"`
	Password    string       `json:"password"`
}

// Create adds a user who signs in with the password. Conflict: the name is held.
// InvalidInput: the user or the password cannot be one.
func (m *Manage) Create(ctx context.Context, by artwork.Actor, in CreateIn) (catalog.User, error) {
	user := catalog.User{ID: artwork.NewID(), Username: strings.TrimSpace(in.Username), DisplayName: in.DisplayName, Role: in.Role}
	if err := user.Check(); err != nil {
		return catalog.User{}, err
	}
	hash, err := m.hash(ctx, in.Password)
	if err != nil {
		return catalog.User{}, err
	}
	err = m.accounts.Create(ctx, by, user, hash)
	return user, artwork.Wrap(artwork.Internal, "manageaccounts.Create", err)
}

func (m *Manage) hash(ctx context.Context, password string) (string, error) {
	if err := account.CheckPassword(password); err != nil {
		return "", err
	}
	hash, err := m.hasher.Hash(ctx, password)
	return hash, artwork.Wrap(artwork.Internal, "manageaccounts.hash", err)
}

// SetPassword gives the user another password, or a first one, and ends their sessions
// but the one named (none: zero). NotFound: there is no such user. InvalidInput: the
// password cannot be one.
func (m *Manage) SetPassword(ctx context.Context, by artwork.Actor, user artwork.ID, password string, keep artwork.ID) error {
	hash, err := m.hash(ctx, password)
	if err != nil {
		return err
	}
	defer m.recent.Forget()
	return artwork.Wrap(artwork.Internal, "manageaccounts.SetPassword", m.accounts.SetPassword(ctx, by, user, hash, keep))
}

// SetDisabled says whether the user is kept out; their sessions have ended then.
// NotFound: there is no such user.
func (m *Manage) SetDisabled(ctx context.Context, by artwork.Actor, user artwork.ID, disabled bool) error {
	defer m.recent.Forget()
	return artwork.Wrap(artwork.Internal, "manageaccounts.SetDisabled", m.accounts.SetDisabled(ctx, by, user, disabled))
}

// Named returns the account of the user with the name. NotFound: there is none.
func (m *Manage) Named(ctx context.Context, username string) (account.Account, error) {
	found, err := m.accounts.ByName(ctx, username)
	if artwork.KindOf(err) == artwork.NotFound {
		return account.Account{}, artwork.Errorf(artwork.NotFound, "there is no user %q", username)
	}
	return found, artwork.Wrap(artwork.Internal, "manageaccounts.Named", err)
}

// List returns the accounts of all who have a way to sign in, by name.
func (m *Manage) List(ctx context.Context) ([]account.Account, error) {
	accounts, err := m.accounts.List(ctx)
	return accounts, artwork.Wrap(artwork.Internal, "manageaccounts.List", err)
}
