package rest

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"gatefold/application/accesstoken"
	"gatefold/application/applyimage"
	"gatefold/application/renderimage"
	"gatefold/application/serveimage"
	"gatefold/application/signin"
	"gatefold/domain/artwork"
)

// FormerImages is the route that serves any image that is known of a slot, so that
// people see what they go back to.
type FormerImages struct {
	history *applyimage.History
	images  *Images
}

// NewFormerImages returns the route of every kind of subject under /api/admin/metadata.
func NewFormerImages(history *applyimage.History, content *serveimage.OpenContent, renditions *renderimage.Renditions) *FormerImages {
	return &FormerImages{history, &Images{content: content, renditions: renditions}}
}

// Register implements Routes.
func (h *FormerImages) Register(r *Router) {
	for _, kind := range []artwork.SubjectKind{artwork.ArtistSubject, artwork.AlbumSubject, artwork.UserSubject} {
		r.guardedBy(http.MethodGet, metadataPrefix+kind.String()+"/:id/images/:type/history/:imageId", lookingBack(kind), of(kind, h.show))
	}
}

// lookingBack is the right to see what a slot has shown: avatars of users are for them.
func lookingBack(kind artwork.SubjectKind) right {
	read := scoped(accesstoken.Read)
	if kind != artwork.UserSubject {
		return read
	}
	own := ownOr(inPath)
	return func(c *gin.Context, who signin.Principal) error {
		if err := read(c, who); err != nil {
			return err
		}
		return own(c, who)
	}
}

func (h *FormerImages) show(c *gin.Context, subject artwork.Subject) error {
	slot, err := artwork.ParseSlot(c.Param("type"))
	if err != nil {
		return err
	}
	image, err := id(c, "imageId")
	if err != nil {
		return err
	}
	view, err := viewOf(c, artwork.TypeOf(slot))
	if err != nil {
		return err
	}
	record, err := h.history.Find(c.Request.Context(), artwork.Place{Subject: subject, Slot: slot}, image)
	if err != nil {
		return err
	}
	c.Set(privateKey, true)
	return h.images.serveView(c, pictureOf(record), slot, view)
}

// pictureOf is the record as it would be served if it were in force.
func pictureOf(r artwork.Record) *artwork.Image {
	return &artwork.Image{
		Content: r.Content, RecordID: r.ID, Tag: artwork.TagOf(r.Content.Hash, r.FocalPoint), Source: r.Source, Provider: r.Provider,
		FocalPoint: r.FocalPoint,
	}
}
