package rest

import (
	"net/url"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"gatefold/application/accesstoken"
	"gatefold/application/signimages"
	"gatefold/domain/artwork"
)

// alwaysPublic has what everybody may read although images are private; the paths
// that end in a slash, and all below them. Whatever is not named here is closed.
var alwaysPublic = []string{
	"/", "/health", "/health/live", "/health/ready", "/api/health", "/metrics",
	"/api/openapi.json", "/api/openapi.yaml", "/api/docs", "/api/docs/", "/api/auth/", "/admin", "/admin/",
}

func isAlwaysPublic(path string) bool {
	for _, public := range alwaysPublic {
		if path == public || public != "/" && strings.HasSuffix(public, "/") && strings.HasPrefix(path, public) {
			return true
		}
	}
	return false
}

// imagePaths are the patterns of the paths that bytes are served at, and that can be
// signed.
var imagePaths = []string{
	"/api/images/artists/:id/:type", "/api/images/artists/:id/custom/:imageId",
	"/api/images/albums/:id/cover", "/api/images/albums/:id/custom/:imageId",
	"/api/images/users/:id/avatar", "/api/albums/:id/cover",
}

func servesImage(pattern string) bool { return slices.Contains(imagePaths, pattern) }

// isImagePath reports whether an image may be at the path.
func isImagePath(path string) bool {
	return slices.ContainsFunc(imagePaths, func(pattern string) bool { return matches(pattern, path) })
}

func matches(pattern, path string) bool {
	wanted, segments := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(wanted) != len(segments) {
		return false
	}
	for i, want := range wanted {
		if !isSegment(want, segments[i]) {
			return false
		}
	}
	return true
}

func isSegment(pattern, segment string) bool {
	var err error
	switch pattern {
	case ":id", ":imageId":
		_, err = artwork.ParseID(segment)
	case ":type":
		_, err = artwork.ParseArtistType(segment)
	default:
		return pattern == segment
	}
	return err == nil
}

// The parameters of a signed URL.
const (
	expiresParam   = "expires"
	signatureParam = "signature"
)

// privateKey marks an answer that is only for who asked for it.
const privateKey = "gatefold.private"

// open decides who may have what is public, unless images are private.
func (r *Router) open(path string) gin.HandlerFunc {
	if r.signer != nil && !isAlwaysPublic(path) {
		return r.closed(servesImage(path))
	}
	if servesImage(path) {
		return func(c *gin.Context) { takeSignature(c) } // it was made when images were private
	}
	return nil
}

// closed lets through who may read, and to an image who has a signature. One that is
// not good is not made good by a credential.
func (r *Router) closed(image bool) gin.HandlerFunc {
	authenticate := r.require(accesstoken.Read)
	return func(c *gin.Context) {
		c.Set(privateKey, true)
		if signature, ok := takeSignature(c); ok && image {
			if err := r.signer.Check(c.Request.URL.Path, signature); err != nil {
				r.fail(c, err)
			}
			return
		}
		c.Writer.Header().Add("Vary", "Authorization, Cookie")
		if r.suspect(c); !c.IsAborted() {
			authenticate(c)
		}
	}
}

// takeSignature takes the signature out of the query, so that nobody can log it.
func takeSignature(c *gin.Context) (signature signimages.Signature, ok bool) {
	if !strings.Contains(c.Request.URL.RawQuery, signatureParam+"=") {
		return signature, false
	}
	query := c.Request.URL.Query()
	if !query.Has(signatureParam) {
		return signature, false
	}
	if len(query[signatureParam]) == 1 && len(query[expiresParam]) == 1 {
		signature = signimages.Signature{Expires: query.Get(expiresParam), MAC: query.Get(signatureParam)}
	}
	query.Del(signatureParam)
	query.Del(expiresParam)
	rewriteQuery(c, query)
	return signature, true
}

// rewriteQuery replaces the query, wherever a log could find it.
func rewriteQuery(c *gin.Context, query url.Values) {
	c.Request.URL.RawQuery = query.Encode()
	c.Request.RequestURI = (&url.URL{Path: c.Request.URL.Path, RawQuery: c.Request.URL.RawQuery}).RequestURI()
}

// What is said of who may keep an answer.
var (
	keptByAll      = []string{immutable}
	keptByOne      = []string{"private, " + strings.TrimPrefix(immutable, "public, ")}
	asksAgain      = []string{noCache}
	asksAgainByOne = []string{"private, " + noCache}
)

// keepAs says for how long who may keep the answer: immutable or noCache. What is private is
// kept by nobody in between.
func keepAs(c *gin.Context, policy string) {
	values := asksAgain
	switch private := c.GetBool(privateKey); {
	case policy == immutable && private:
		values = keptByOne
	case policy == immutable:
		values = keptByAll
	case private:
		values = asksAgainByOne
	}
	c.Writer.Header()["Cache-Control"] = values
}

// WithPrivateImages closes what is public, but for what is always so, to those who may
// not read, and who have no URL that was signed by the signer.
func WithPrivateImages(signer *signimages.Signer) Option {
	return func(r *Router) { r.signer = signer }
}
