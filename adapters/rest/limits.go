package rest

import (
	"fmt"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"gatefold/application/limitrequests"
	"gatefold/application/signin"
	"gatefold/domain/artwork"
)

// limitClasses has the routes that are not counted as requests like all others.
var limitClasses = map[string]limitrequests.Class{
	"POST /api/auth/login":   limitrequests.Logins,
	"POST /api/users/avatar": limitrequests.Avatars,
	"POST " + metadataPrefix + "artist/custom-images/:id/upload": limitrequests.Uploads,
	"POST " + metadataPrefix + "album/custom-covers/:id/upload":  limitrequests.Uploads,
}

// showsImage reports whether a route shows an image to who manages images.
func showsImage(path string) bool {
	return path == candidateImagePath || strings.HasPrefix(path, metadataPrefix) && strings.HasSuffix(path, "/images/:type/history/:imageId")
}

// limitClass returns how a route is counted: images and all that is known of them,
// health, and what is no part of the API are not.
func limitClass(method, path string) limitrequests.Class {
	if class, ok := limitClasses[method+" "+path]; ok {
		return class
	}
	isRead := method == http.MethodGet || method == http.MethodHead
	switch {
	case !strings.HasPrefix(path, "/api/"), path == "/api/health", strings.HasPrefix(path, "/api/docs"),
		isRead && (strings.HasPrefix(path, "/api/images/") || servesImage(path) || showsImage(path)):
		return limitrequests.Exempt
	default:
		return limitrequests.Requests
	}
}

// limit counts the requests of a route, once it is known who makes them. A route that
// is not counted needs no handler for it.
func (r *Router) limit(method, path string) gin.HandlerFunc {
	class := limitClass(method, path)
	if r.limiter == nil || class == limitrequests.Exempt {
		return nil
	}
	return func(c *gin.Context) {
		who := r.limited(c)
		if err := r.admit(c, class, who); err != nil {
			r.fail(c, err)
		}
	}
}

// limited returns who has the limit that the request counts against: the user or the
// token, and the client if it is neither.
func (r *Router) limited(c *gin.Context) limitrequests.Subject {
	known, ok := c.Get(principalKey)
	if !ok {
		return client(c)
	}
	r.limiter.Vouch(credential(c))
	if who, _ := known.(signin.Principal); who.Kind == signin.User {
		return limitrequests.User(who.ID)
	}
	return limitrequests.Token(principal(c).ID)
}

// client returns who asks, by the address alone.
func client(c *gin.Context) limitrequests.Subject {
	addr, _ := netip.ParseAddr(address(c)) // all whose address cannot be read are one
	return limitrequests.Client(addr)
}

// credential returns what the request brings to prove who makes it; "" if nothing.
func credential(c *gin.Context) string {
	if header := c.GetHeader("Authorization"); header != "" {
		return header
	}
	return c.GetHeader("Cookie")
}

// admit counts a request, and returns a TooManyRequests error if it may not go on. The
// answer tells how many are left.
func (r *Router) admit(c *gin.Context, class limitrequests.Class, who limitrequests.Subject) error {
	verdict := r.limiter.Admit(c.Request.Context(), class, who)
	tellLimit(c, verdict)
	return refusal(verdict)
}

// suspect ends a request whose credential is not to be looked at, because its client
// has tried too many.
func (r *Router) suspect(c *gin.Context) {
	if r.limiter == nil || !r.limiter.AnySuspect() {
		return
	}
	if secret := credential(c); secret != "" {
		if err := refusal(r.limiter.Suspect(client(c), secret)); err != nil {
			r.fail(c, err)
		}
	}
}

// countFailure counts a request without a good credential as one of its client, and
// returns what to answer: what it was, or that there were too many.
func (r *Router) countFailure(c *gin.Context, failure error) error {
	if r.limiter == nil {
		return failure
	}
	verdict := r.limiter.Failed(c.Request.Context(), client(c), credential(c))
	if err := refusal(verdict); err != nil {
		tellLimit(c, verdict)
		return err
	}
	return failure
}

// refusal returns a TooManyRequests error if the verdict is one.
func refusal(verdict limitrequests.Verdict) error {
	if !verdict.Refused() {
		return nil
	}
	return &artwork.Error{
		Kind: artwork.TooManyRequests, RetryAfter: verdict.Wait,
		Msg: fmt.Sprintf("%d %s a minute are the limit; try again in %s s", verdict.Limit, verdict.Class, wholeSeconds(verdict.Wait)),
	}
}

func wholeSeconds(d time.Duration) string { return strconv.Itoa(int(math.Ceil(d.Seconds()))) }

// tellLimit writes the fields of draft-ietf-httpapi-ratelimit-headers-10: the policy, and
// what it leaves. Of two that a request meets, the later one is told.
func tellLimit(c *gin.Context, verdict limitrequests.Verdict) {
	if verdict.Limit == 0 {
		return
	}
	name := strconv.Quote(string(verdict.Class))
	c.Header("RateLimit-Policy", name+";q="+strconv.Itoa(verdict.Limit)+";w="+wholeSeconds(limitrequests.Window))
	state := name + ";r=" + strconv.Itoa(verdict.Left)
	if verdict.Refused() {
		state += ";t=" + wholeSeconds(verdict.Wait)
	}
	c.Header("RateLimit", state)
}

// WithLimits keeps callers within the limits.
func WithLimits(limiter *limitrequests.Limiter) Option {
	return func(r *Router) { r.limiter = limiter }
}
