package rest

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/application/manageaccounts"
	"gatefold/application/signin"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

const authPrefix = "/api/auth/"

// Auth are the routes that let users in and out.
type Auth struct {
	router   *Router
	password *signin.Password
	granter  *signin.Granter
	manage   *manageaccounts.Manage
	firstRun *signin.FirstRun
	external *signin.ExternalSignIn
}

// NewAuth returns the routes under /api/auth.
func NewAuth(password *signin.Password, granter *signin.Granter, manage *manageaccounts.Manage, firstRun *signin.FirstRun, external *signin.ExternalSignIn) *Auth {
	return &Auth{password: password, granter: granter, manage: manage, firstRun: firstRun, external: external}
}

// Register implements Routes.
func (h *Auth) Register(r *Router) {
	h.router = r
	r.everybody(http.MethodGet, authPrefix+"methods", h.methods)
	r.everybody(http.MethodPost, authPrefix+"login", h.login)
	r.everybody(http.MethodPost, authPrefix+"refresh", h.refresh)
	r.everybody(http.MethodPost, authPrefix+"logout", h.logout)
	r.everybody(http.MethodGet, authPrefix+"first-run", h.firstRunPage)
	r.everybody(http.MethodPost, authPrefix+"first-run", h.claim)
	r.everybody(http.MethodGet, authPrefix+"oidc/login", h.beginExternal)
	r.everybody(http.MethodGet, authPrefix+"oidc/callback", h.finishExternal)
	r.guarded(http.MethodGet, authPrefix+"me", accesstoken.Read, h.me)
	r.guardedBy(http.MethodPost, authPrefix+"password", signedIn, h.changePassword)
	r.guardedBy(http.MethodPost, authPrefix+"oidc/link", signedIn, h.beginLink)
}

// grant answers with the credentials. A browser that asked for cookies gets no tokens:
// what scripts cannot read they cannot lose.
func (h *Auth) grant(c *gin.Context, g signin.Grant, status int, cookies bool) {
	out := api.Granted{ExpiresIn: int(time.Until(g.AccessExpiresAt).Round(time.Second).Seconds()), User: userBodyOf(g.User)}
	if cookies {
		h.setCookies(c, g)
	} else {
		out.AccessToken, out.RefreshToken, out.TokenType = g.AccessToken, g.RefreshToken, "Bearer"
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(status, out)
}

func (h *Auth) setCookies(c *gin.Context, g signin.Grant) {
	h.router.setCookie(c, sessionCookie, g.AccessToken, g.AccessExpiresAt)
	h.router.setCookie(c, refreshCookie, g.RefreshToken, g.RefreshExpiresAt)
}

// methods says what a sign-in page may offer.
func (h *Auth) methods(c *gin.Context) error {
	if err := onlyQuery(c); err != nil {
		return err
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, api.SignInMethods{Password: true, IdentityProvider: h.external.Available()})
	return nil
}

// login signs in with a password.
func (h *Auth) login(c *gin.Context) error {
	var in api.SignIn
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	if in.Cookie {
		if err := sameOrigin(c.Request); err != nil {
			return err
		}
	}
	g, err := h.password.Run(c.Request.Context(), stranger(c), in.Username, in.Password)
	if err != nil {
		return err
	}
	h.grant(c, g, http.StatusOK, in.Cookie)
	return nil
}

// presented returns the refresh token of the body, or that of the cookie.
func (h *Auth) presented(c *gin.Context, in *string) (cookie bool, err error) {
	if *in != "" {
		return false, nil
	}
	if *in = h.router.cookie(c, refreshCookie); *in == "" {
		return false, nil
	}
	return true, sameOrigin(c.Request)
}

func (h *Auth) refresh(c *gin.Context) error {
	var in api.RefreshToken
	if err := decodeOptionalJSON(c, &in); err != nil {
		return err
	}
	cookie, err := h.presented(c, &in.RefreshToken)
	if err != nil {
		return err
	}
	g, err := h.granter.Refresh(c.Request.Context(), stranger(c), in.RefreshToken)
	if err != nil {
		if cookie && artwork.KindOf(err) == artwork.Unauthenticated {
			h.router.dropCookies(c)
		}
		return err
	}
	h.grant(c, g, http.StatusOK, cookie)
	return nil
}

// logout ends the session of the access token or, if that has expired, of the refresh
// token; or all sessions of the user.
func (h *Auth) logout(c *gin.Context) error {
	var in api.SignOut
	if err := decodeOptionalJSON(c, &in); err != nil {
		return err
	}
	ctx := c.Request.Context()
	who, given, err := h.router.authenticated(c)
	switch {
	case given && err == nil && who.Kind != signin.User:
		return signedIn(c, who)
	case given && err == nil && in.Everywhere:
		c.Set(principalKey, who)
		err = h.granter.EndAll(ctx, caller(c), who.ID)
	case given && err == nil:
		c.Set(principalKey, who)
		err = h.granter.End(ctx, caller(c), who.Session)
	case artwork.KindOf(err) == artwork.Forbidden:
		return err
	default:
		if _, err := h.presented(c, &in.RefreshToken); err != nil {
			return err
		}
		err = h.granter.SignOut(ctx, stranger(c), in.RefreshToken, in.Everywhere)
	}
	if err != nil {
		return err
	}
	h.router.dropCookies(c)
	c.Status(http.StatusNoContent)
	return nil
}

// me says who asks, and what they may do.
func (h *Auth) me(c *gin.Context) error {
	who := principal(c)
	answer := api.Caller{Kind: string(who.Kind), ID: who.ID, Name: who.Name, Scope: who.Scope}
	if who.Kind == signin.User {
		answer.User = userBodyOf(who.Account)
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, answer)
	return nil
}

// changePassword gives the user who asks another password. This session goes on, the
// others end.
func (h *Auth) changePassword(c *gin.Context) error {
	var in api.PasswordChange
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	who, ctx := principal(c), c.Request.Context()
	if err := h.confirm(c, in.CurrentPassword); err != nil {
		return err
	}
	if err := h.manage.SetPassword(ctx, caller(c), who.ID, in.NewPassword, who.Session); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

// confirm returns a Forbidden error unless it is the password of the user who asks.
func (h *Auth) confirm(c *gin.Context, password string) error {
	who := principal(c)
	err := h.password.Confirm(c.Request.Context(), stranger(c), catalog.User{ID: who.ID, Username: who.Name}, password)
	if artwork.KindOf(err) == artwork.Unauthenticated {
		return artwork.Errorf(artwork.Forbidden, "currentPassword is not your password") // the session is sound
	}
	return err
}

// decodeOptionalJSON is decodeJSON for a body that may be empty.
func decodeOptionalJSON(c *gin.Context, v any) error {
	if c.Request.ContentLength == 0 {
		return nil
	}
	return decodeJSON(c, v)
}
