package rest

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/application/manageaccounts"
	"gatefold/domain/artwork"
)

// Accounts are the routes by which administrators decide who gets in: users with their
// passwords, and API tokens.
type Accounts struct {
	manage *manageaccounts.Manage
	create *accesstoken.Create
	tokens *accesstoken.Manage
}

// NewAccounts returns the routes.
func NewAccounts(manage *manageaccounts.Manage, create *accesstoken.Create, tokens *accesstoken.Manage) *Accounts {
	return &Accounts{manage, create, tokens}
}

// Register implements Routes.
func (h *Accounts) Register(r *Router) {
	r.guarded(http.MethodPut, "/api/users/:id/password", accesstoken.Admin, byID(h.setPassword))
	r.guarded(http.MethodPut, "/api/users/:id/disabled", accesstoken.Admin, byID(h.setDisabled))
	r.guarded(http.MethodGet, "/api/admin/accounts", accesstoken.Admin, h.listAccounts)
	r.guarded(http.MethodGet, "/api/admin/tokens", accesstoken.Admin, h.listTokens)
	r.guarded(http.MethodPost, "/api/admin/tokens", accesstoken.Admin, h.createToken)
	r.guarded(http.MethodDelete, "/api/admin/tokens/:id", accesstoken.Admin, byID(h.revokeToken))
}

// setPassword gives a user a password, who may have come from another system without
// one. Their sessions end.
func (h *Accounts) setPassword(c *gin.Context, user artwork.ID) error {
	var in api.NewPassword
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	if err := h.manage.SetPassword(c.Request.Context(), caller(c), user, in.Password, artwork.ID{}); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

func (h *Accounts) setDisabled(c *gin.Context, user artwork.ID) error {
	var in api.Disabling
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	if err := h.manage.SetDisabled(c.Request.Context(), caller(c), user, in.Disabled); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

// listAccounts tells who has a way to sign in, and of their passwords only whether they
// have one.
func (h *Accounts) listAccounts(c *gin.Context) error {
	if err := onlyQuery(c); err != nil {
		return err
	}
	accounts, err := h.manage.List(c.Request.Context())
	if err != nil {
		return err
	}
	out := api.Accounts{Items: make([]api.Account, len(accounts)), Total: len(accounts)}
	for i, a := range accounts {
		out.Items[i] = api.Account{
			ID: a.User.ID, Username: a.User.Username, DisplayName: a.User.DisplayName, Role: a.User.Role,
			CreatedAt: a.User.CreatedAt, UpdatedAt: a.User.UpdatedAt,
			HasPassword: a.PasswordHash != "", Identities: a.Identities, Disabled: a.Disabled, LastSignInAt: a.LastSignIn,
		}
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, out)
	return nil
}

func (h *Accounts) listTokens(c *gin.Context) error {
	tokens, err := h.tokens.List(c.Request.Context())
	if err != nil {
		return err
	}
	out := api.Tokens{Items: make([]api.Token, len(tokens)), Total: len(tokens)}
	for i, t := range tokens {
		out.Items[i] = api.Token{ID: t.ID, Name: t.Name, Scope: t.Scope, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, LastUsedAt: t.LastUsedAt}
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, out)
	return nil
}

func (h *Accounts) createToken(c *gin.Context) error {
	var in api.TokenFields
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	token, secret, err := h.create.Issue(c.Request.Context(), caller(c), accesstoken.CreateIn{Name: in.Name, Scope: in.Scope, ExpiresAt: in.ExpiresAt})
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusCreated, api.CreatedToken{
		ID: token.ID, Name: token.Name, Scope: token.Scope, CreatedAt: token.CreatedAt, ExpiresAt: token.ExpiresAt, Token: secret,
	})
	return nil
}

func (h *Accounts) revokeToken(c *gin.Context, token artwork.ID) error {
	if err := h.tokens.Revoke(c.Request.Context(), caller(c), token); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}
