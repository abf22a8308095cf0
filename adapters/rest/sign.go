package rest

import (
	"net/http"
	"net/url"
	"time"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/application/signimages"
	"gatefold/domain/artwork"
)

// Sign is the route that signs URLs of private images.
type Sign struct{ signer *signimages.Signer }

// NewSign returns the route /api/images/sign.
func NewSign(signer *signimages.Signer) *Sign { return &Sign{signer} }

// Register implements Routes.
func (h *Sign) Register(r *Router) {
	r.guarded(http.MethodPost, "/api/images/sign", accesstoken.Read, h.sign)
}

// sign answers in the order of the paths. They work whether images are private or not,
// so that who signs need not know.
func (h *Sign) sign(c *gin.Context) error {
	var in api.ImagesToSign
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	if len(in.Paths) == 0 || len(in.Paths) > signimages.MaxPaths {
		return artwork.Errorf(artwork.InvalidInput, "paths must be 1 to %d paths of images", signimages.MaxPaths)
	}
	term := signimages.DefaultTerm
	if in.ExpiresIn != nil {
		term = time.Duration(min(max(*in.ExpiresIn, 0), int(signimages.MaxTerm/time.Second)+1)) * time.Second
	}
	expires, err := h.signer.Until(term)
	if err != nil {
		return err
	}
	urls := make([]api.SignedImage, len(in.Paths))
	for i, path := range in.Paths {
		if urls[i], err = h.signOne(path, expires); err != nil {
			return err
		}
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, api.SignedImages{Urls: urls, ExpiresAt: expires})
	return nil
}

// signOne signs a path, which may have a query.
func (h *Sign) signOne(path string, expires time.Time) (api.SignedImage, error) {
	target, err := url.Parse(path)
	if err != nil || target.Scheme != "" || target.Host != "" || target.Fragment != "" || !isImagePath(target.Path) {
		return api.SignedImage{}, artwork.Errorf(artwork.InvalidInput, "%.200q is not the path of an image, such as /api/images/albums/<id>/cover", path)
	}
	query, err := url.ParseQuery(target.RawQuery)
	if err != nil || query.Has(signatureParam) || query.Has(expiresParam) {
		return api.SignedImage{}, artwork.Errorf(artwork.InvalidInput, "the query of %.200q is malformed, or has a signature already", path)
	}
	signature := h.signer.Sign(target.Path, expires)
	query.Set(expiresParam, signature.Expires)
	query.Set(signatureParam, signature.MAC)
	return api.SignedImage{Path: path, URL: target.Path + "?" + query.Encode()}, nil
}
