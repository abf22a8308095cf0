package rest

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/application/findimages"
	"gatefold/application/previewimage"
	"gatefold/domain/artwork"
)

// candidateImagePath is where candidates are shown.
const candidateImagePath = metadataPrefix + "candidates/image"

// Candidates is the route that shows images that providers have offered.
type Candidates struct{ previews *previewimage.Previews }

// NewCandidates returns the route under /api/admin/metadata.
func NewCandidates(previews *previewimage.Previews) *Candidates { return &Candidates{previews} }

// Register implements Routes.
func (h *Candidates) Register(r *Router) {
	r.guarded(http.MethodGet, candidateImagePath, accesstoken.Read, h.show)
}

// shownAgain is for how long a browser may show what it was shown. Nobody else keeps it.
const shownAgain = "private, max-age=600"

func (h *Candidates) show(c *gin.Context) error {
	if err := onlyQuery(c, "url", expiresParam, signatureParam); err != nil {
		return err
	}
	query := c.Request.URL.Query()
	ticket := previewimage.Ticket{Expires: query.Get(expiresParam), MAC: query.Get(signatureParam)}
	preview, err := h.previews.Run(c.Request.Context(), query.Get("url"), ticket)
	if err != nil {
		return err
	}
	c.Header("Cache-Control", shownAgain)
	c.Data(http.StatusOK, preview.MIMEType, preview.Content)
	return nil
}

// offers tells of candidates, each with where this server shows it.
type offers struct{ previews *previewimage.Previews }

// preview returns where this server shows what is at the address.
func (o offers) preview(address string) string {
	ticket := o.previews.Ticket(address)
	return candidateImagePath + "?" + url.Values{"url": {address}, expiresParam: {ticket.Expires}, signatureParam: {ticket.MAC}}.Encode()
}

// thumbnail is preview of the smallest picture of the candidate that there is.
func (o offers) thumbnail(c findimages.Candidate) string {
	return o.preview(cmp.Or(c.ThumbnailURL, c.URL))
}

// bodyOf returns what is told of a candidate. The size of a cover is written as
// consumers of the original read it: "1000x1000".
func (o offers) bodyOf(c findimages.Candidate) api.Candidate {
	body := api.Candidate{
		Provider: c.Provider, URL: c.URL, ThumbnailURL: c.ThumbnailURL, Width: c.Width, Height: c.Height, Type: c.Slot,
		Kind: c.Kind, Votes: c.Votes, Licence: c.Licence, Attribution: c.Attribution, SourcePage: c.SourcePage, ByName: c.ByName,
		PreviewURL: o.thumbnail(c), FullPreviewURL: o.preview(c.URL),
	}
	if c.Slot == artwork.SlotCover && c.Width > 0 && c.Height > 0 {
		body.Size = fmt.Sprintf("%dx%d", c.Width, c.Height)
	}
	return body
}

func (o offers) bodiesOf(candidates []findimages.Candidate) []api.Candidate {
	bodies := make([]api.Candidate, len(candidates))
	for i, c := range candidates {
		bodies[i] = o.bodyOf(c)
	}
	return bodies
}

func (o offers) found(found []findimages.Found) []api.FoundCandidate {
	bodies := make([]api.FoundCandidate, len(found))
	for i, f := range found {
		c := o.bodyOf(f.Candidate)
		bodies[i] = api.FoundCandidate{
			Provider: c.Provider, URL: c.URL, ThumbnailURL: c.ThumbnailURL, Width: c.Width, Height: c.Height, Size: c.Size, Type: c.Type,
			Kind: c.Kind, Votes: c.Votes, Licence: c.Licence, Attribution: c.Attribution, SourcePage: c.SourcePage, ByName: c.ByName,
			PreviewURL: c.PreviewURL, FullPreviewURL: c.FullPreviewURL, Fit: f.Fit, Others: o.bodiesOf(f.Others),
		}
	}
	return bodies
}
