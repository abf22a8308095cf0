package control

import (
	"context"
	"net/http"

	"gatefold/application/accesstoken"
	"gatefold/application/manageaccounts"
	"gatefold/domain/account"
	"gatefold/domain/artwork"
)

// Paths of the verbs on accounts and tokens.
const (
	listTokensPath  = "/tokens"
	revokeTokenPath = "/token/revoke"
	listUsersPath   = "/users"
	createUserPath  = "/user/create"
	passwordPath    = "/user/password"
	disabledPath    = "/user/disabled"
)

// AccountManager has the verbs on who gets in. Users are named by their user names.
type AccountManager interface {
	ListTokens(ctx context.Context) ([]accesstoken.Token, error)
	RevokeToken(ctx context.Context, id artwork.ID) error
	// ListUsers returns those who have a way to sign in, without what it is.
	ListUsers(ctx context.Context) ([]account.Account, error)
	CreateUser(ctx context.Context, in manageaccounts.CreateIn) (artwork.ID, error)
	SetPassword(ctx context.Context, username, password string) error
	SetDisabled(ctx context.Context, username string, disabled bool) error
}

type passwordIn struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

type disabledIn struct {
	Username string `json:"username"`
	Disabled bool   `json:"disabled"`
}

// accountVerbs adds the paths of an AccountManager.
func (s *Server) accountVerbs(mux *http.ServeMux) {
	mux.HandleFunc("POST "+listTokensPath, serve(s, func(ctx context.Context, _ nothing) ([]accesstoken.Token, error) { return s.verbs.ListTokens(ctx) }))
	mux.HandleFunc("POST "+revokeTokenPath, serve(s, func(ctx context.Context, id artwork.ID) (nothing, error) {
		return nothing{}, s.verbs.RevokeToken(ctx, id)
	}))
	mux.HandleFunc("POST "+listUsersPath, serve(s, func(ctx context.Context, _ nothing) ([]account.Account, error) { return s.verbs.ListUsers(ctx) }))
	mux.HandleFunc("POST "+createUserPath, serve(s, s.verbs.CreateUser))
	mux.HandleFunc("POST "+passwordPath, serve(s, func(ctx context.Context, in passwordIn) (nothing, error) {
		return nothing{}, s.verbs.SetPassword(ctx, in.Username, in.Password)
	}))
	mux.HandleFunc("POST "+disabledPath, serve(s, func(ctx context.Context, in disabledIn) (nothing, error) {
		return nothing{}, s.verbs.SetDisabled(ctx, in.Username, in.Disabled)
	}))
}

// ListTokens implements AccountManager.
func (c *Client) ListTokens(ctx context.Context) ([]accesstoken.Token, error) {
	return call[[]accesstoken.Token](ctx, c, listTokensPath, nothing{})
}

// RevokeToken implements AccountManager.
func (c *Client) RevokeToken(ctx context.Context, id artwork.ID) error {
	_, err := call[nothing](ctx, c, revokeTokenPath, id)
	return err
}

// ListUsers implements AccountManager.
func (c *Client) ListUsers(ctx context.Context) ([]account.Account, error) {
	return call[[]account.Account](ctx, c, listUsersPath, nothing{})
}

// CreateUser implements AccountManager.
func (c *Client) CreateUser(ctx context.Context, in manageaccounts.CreateIn) (artwork.ID, error) {
	return call[artwork.ID](ctx, c, createUserPath, in)
}

// SetPassword implements AccountManager.
func (c *Client) SetPassword(ctx context.Context, username, password string) error {
	_, err := call[nothing](ctx, c, passwordPath, passwordIn{username, password})
	return err
}

// SetDisabled implements AccountManager.
func (c *Client) SetDisabled(ctx context.Context, username string, disabled bool) error {
	_, err := call[nothing](ctx, c, disabledPath, disabledIn{username, disabled})
	return err
}
