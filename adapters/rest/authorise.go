package rest

import (
	"context"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"gatefold/application/accesstoken"
	"gatefold/application/signin"
	"gatefold/domain/artwork"
)

// Authenticator says whose a credential is.
type Authenticator interface {
	// Run returns who presents the credential. Unauthenticated: it is not, or not any
	// more, that of anybody.
	Run(ctx context.Context, credential string) (signin.Principal, error)
}

// right decides whether a principal may make the request: nil if so. It looks at the
// path and the query only: the body has not been read.
type right func(c *gin.Context, who signin.Principal) error

// scoped is the right of everybody with at least the scope.
func scoped(scope accesstoken.Scope) right {
	return func(_ *gin.Context, who signin.Principal) error {
		if who.Scope.Allows(scope) {
			return nil
		}
		return errScope(who, scope)
	}
}

// ownOr is the right of users to what is theirs, and of administrators to what is
// anybody's. It is theirs if named says so.
func ownOr(named func(c *gin.Context) string) right {
	return func(c *gin.Context, who signin.Principal) error {
		if own, err := artwork.ParseID(named(c)); who.Scope.Allows(accesstoken.Admin) || err == nil && who.Is(own) {
			return nil
		}
		return errScope(who, accesstoken.Admin)
	}
}

// inPath names the user of a route by the parameter "id".
func inPath(c *gin.Context) string { return c.Param("id") }

// inQuery names the user by the parameter "userId", and the user who asks without it; ""
// if that is an API token, which is nobody's own.
func inQuery(c *gin.Context) string {
	if name, given := c.GetQuery("userId"); given {
		return name
	}
	if who := principal(c); who.Kind == signin.User {
		return who.ID.String()
	}
	return ""
}

// signedIn is the right of users, whatever their role: programs with a token have
// neither a password nor a session.
func signedIn(_ *gin.Context, who signin.Principal) error {
	if who.Kind == signin.User {
		return nil
	}
	return artwork.Errorf(artwork.Forbidden, "this is for users who have signed in, not for an API token")
}

// ofSlot is the right to change the images of a kind of subject: that of the scope
// write for artists and albums; avatars are their users' own.
func ofSlot(kind artwork.SubjectKind) right {
	if kind == artwork.UserSubject {
		return ownOr(inPath)
	}
	return scoped(accesstoken.Write)
}

func errScope(who signin.Principal, needed accesstoken.Scope) error {
	if who.Kind == signin.User {
		return artwork.Errorf(artwork.Forbidden, "your role allows %q, this needs %q", who.Scope, needed)
	}
	return artwork.Errorf(artwork.Forbidden, "the token has the scope %q, this needs %q", who.Scope, needed)
}

// mayChange returns a Forbidden error unless whoever makes the request may change the
// images of the subject, for requests that name it in the body.
func mayChange(c *gin.Context, subject artwork.Subject) error {
	who := principal(c)
	if subject.Kind != artwork.UserSubject || who.Is(subject.ID) || who.Scope.Allows(accesstoken.Admin) {
		return nil
	}
	return artwork.Errorf(artwork.Forbidden, "the avatars of others are changed by administrators")
}

// guarded registers a route that needs a credential of at least the scope. A GET
// answers HEAD too.
func (r *Router) guarded(method, path string, scope accesstoken.Scope, h handler) {
	r.guardedBy(method, path, scoped(scope), h)
}

// guardedBy is guarded for another right.
func (r *Router) guardedBy(method, path string, may right, h handler) {
	r.handle(method, path, chain(r.suspect, r.authorise(may), r.limit(method, path), r.room(method, path), r.run(h)))
}

// everybody registers a route that needs no credential, of any method. A GET answers
// HEAD too.
func (r *Router) everybody(method, path string, h handler) {
	r.handle(method, path, chain(r.limit(method, path), r.run(h)))
}

func (r *Router) handle(method, path string, handlers []gin.HandlerFunc) {
	r.engine.Handle(method, path, handlers...)
	if method == http.MethodGet {
		r.engine.HEAD(path, handlers...)
	}
}

// require lets only callers through whose credential allows the scope.
func (r *Router) require(scope accesstoken.Scope) gin.HandlerFunc { return r.authorise(scoped(scope)) }

// authorise lets only callers through who have the right.
func (r *Router) authorise(may right) gin.HandlerFunc {
	return func(c *gin.Context) {
		who, given, err := r.authenticated(c)
		if err == nil && !given {
			err = artwork.Errorf(artwork.Unauthenticated, "this needs a credential: Authorization: Bearer <token>")
		}
		if err == nil {
			c.Set(principalKey, who)
			err = may(c, who)
		}
		if err != nil {
			r.fail(c, err)
		}
	}
}

// authenticated returns who makes the request, if a credential comes with it. A header
// counts before a cookie, and one that is wrong is not made good by the other.
// Unauthenticated: the credential is not valid. Forbidden: it is a cookie that another
// site makes use of.
func (r *Router) authenticated(c *gin.Context) (who signin.Principal, given bool, err error) {
	if _, there := c.Request.Header["Authorization"]; there {
		credential, ok := bearer(c.GetHeader("Authorization"))
		if !ok {
			return who, false, nil
		}
		who, err = r.authenticate.Run(c.Request.Context(), credential)
		return who, true, err
	}
	credential := r.cookie(c, sessionCookie)
	if credential == "" {
		return who, false, nil
	}
	who, err = r.authenticate.Run(c.Request.Context(), credential)
	if err == nil {
		err = sameOrigin(c.Request)
	}
	return who, true, err
}

func bearer(header string) (string, bool) {
	scheme, secret, ok := strings.Cut(header, " ")
	return strings.TrimSpace(secret), ok && strings.EqualFold(scheme, "Bearer") && strings.TrimSpace(secret) != ""
}

// sameOrigin refuses what a page of another site had a browser send: a browser says
// where a change comes from, by Sec-Fetch-Site or by Origin, and a cookie needs one of
// them.
func sameOrigin(req *http.Request) error {
	safe := req.Method == http.MethodGet || req.Method == http.MethodHead || req.Method == http.MethodOptions
	said := req.Header.Get("Sec-Fetch-Site") != "" || req.Header.Get("Origin") != ""
	if http.NewCrossOriginProtection().Check(req) == nil && (safe || said) {
		return nil
	}
	return artwork.Errorf(artwork.Forbidden, "a cookie is no credential for a request that comes from another site")
}

const principalKey = "gatefold.principal"

// principal returns who makes a guarded request.
func principal(c *gin.Context) signin.Principal {
	who, _ := c.MustGet(principalKey).(signin.Principal)
	return who
}

// caller names who makes a guarded request, for histories and logs.
func caller(c *gin.Context) artwork.Actor {
	actor := principal(c).Actor()
	actor.Address, actor.RequestID = address(c), requestID(c)
	return actor
}

// stranger is who makes a request without a credential: an address.
func stranger(c *gin.Context) artwork.Actor {
	return artwork.Actor{Address: address(c), RequestID: requestID(c)}
}
