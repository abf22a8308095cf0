package rest

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

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
	r.guarded(http.MethodGet, "/api/admin/tokens", accesstoken.Admin, h.listTokens)
	r.guarded(http.MethodPost, "/api/admin/tokens", accesstoken.Admin, h.createToken)
	r.guarded(http.MethodDelete, "/api/admin/tokens/:id", accesstoken.Admin, byID(h.revokeToken))
}

// setPassword gives a user a password, who may have come from another system without
// one. Their sessions end.
func (h *Accounts) setPassword(c *gin.Context, user artwork.ID) error {
	var in struct {
		Password string `json:"password"`
	}
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
	var in struct {
		Disabled *bool `json:"disabled"`
	}
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	if in.Disabled == nil {
		return artwork.Errorf(artwork.InvalidInput, "disabled must be true or false")
	}
	if err := h.manage.SetDisabled(c.Request.Context(), caller(c), user, *in.Disabled); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

// tokenBody is what is told of an API token.
type tokenBody struct {
	ID         artwork.ID        `json:"id"`
	Name       string            `json:"name"`
	Scope      accesstoken.Scope `json:"scope"`
	CreatedAt  time.Time         `json:"createdAt"`
	ExpiresAt  time.Time         `json:"expiresAt,omitzero"`
	LastUsedAt time.Time         `json:"lastUsedAt,omitzero"`
	Token      string            `json:"token,omitempty"` // its secret, when it is created and never again
}

func tokenBodyOf(t accesstoken.Token) tokenBody {
	return tokenBody{ID: t.ID, Name: t.Name, Scope: t.Scope, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt, LastUsedAt: t.LastUsedAt}
}

func (h *Accounts) listTokens(c *gin.Context) error {
	if err := onlyQuery(c); err != nil {
		return err
	}
	tokens, err := h.tokens.List(c.Request.Context())
	if err != nil {
		return err
	}
	items := make([]tokenBody, len(tokens))
	for i, token := range tokens {
		items[i] = tokenBodyOf(token)
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, gin.H{"items": items, "total": len(items)})
	return nil
}

func (h *Accounts) createToken(c *gin.Context) error {
	var in accesstoken.CreateIn
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	token, secret, err := h.create.Issue(c.Request.Context(), caller(c), in)
	if err != nil {
		return err
	}
	body := tokenBodyOf(token)
	body.Token = secret
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusCreated, body)
	return nil
}

func (h *Accounts) revokeToken(c *gin.Context, token artwork.ID) error {
	if err := h.tokens.Revoke(c.Request.Context(), caller(c), token); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}
