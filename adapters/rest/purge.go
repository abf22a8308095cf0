package rest

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/applyimage"
	"gatefold/domain/artwork"
)

// purgeImage forgets one image of a slot for good.
func (h *Revisions) purgeImage(c *gin.Context, subject artwork.Subject) error {
	slot, err := artwork.ParseSlot(c.Param("type"))
	if err != nil {
		return err
	}
	image, err := id(c, "imageId")
	if err != nil {
		return err
	}
	tag, err := ifMatch(c)
	if err != nil {
		return err
	}
	purged, err := h.purge.Run(c.Request.Context(), artwork.Purge{
		Place: artwork.Place{Subject: subject, Slot: slot}, Image: image, By: caller(c), IfTag: tag,
	})
	if err != nil {
		return err
	}
	answer := revised(purged.Applied)
	c.JSON(http.StatusOK, api.Purged{
		Success: true, Images: purged.Images, BytesRemoved: purged.BytesRemoved, Tag: answer.Tag, VisibleAfterMs: answer.VisibleAfterMs,
	})
	return nil
}

// purgeAll forgets every image of a subject for good, one slot after the other. An
// error leaves the slots that follow as they are; the call can be repeated.
func (h *Revisions) purgeAll(c *gin.Context, subject artwork.Subject) error {
	var all applyimage.Purged
	for _, slot := range subject.Kind.Slots() {
		purged, err := h.purge.Run(c.Request.Context(), artwork.Purge{Place: artwork.Place{Subject: subject, Slot: slot}, By: caller(c)})
		if err != nil {
			return err
		}
		all.Images += purged.Images
		all.BytesRemoved += purged.BytesRemoved
		all.VisibleAfter += purged.VisibleAfter
	}
	c.JSON(http.StatusOK, api.Purged{
		Success: true, Images: all.Images, BytesRemoved: all.BytesRemoved, VisibleAfterMs: milliseconds(all.VisibleAfter),
	})
	return nil
}
