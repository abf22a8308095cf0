package rest

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/application/applyimage"
	"gatefold/domain/artwork"
)

// Revisions are the routes that change slots without bringing an image: they lock
// them, empty them, set focal points, withdraw uploads and purge.
type Revisions struct {
	revise  *applyimage.ReviseSlot
	uploads *applyimage.UploadedImages
	purge   *applyimage.PurgeImages
}

// NewRevisions returns the routes of every kind of subject under
// /api/admin/metadata, and the removal of an avatar.
func NewRevisions(revise *applyimage.ReviseSlot, uploads *applyimage.UploadedImages, purge *applyimage.PurgeImages) *Revisions {
	return &Revisions{revise, uploads, purge}
}

// Register implements Routes.
func (h *Revisions) Register(r *Router) {
	for _, kind := range []artwork.SubjectKind{artwork.ArtistSubject, artwork.AlbumSubject, artwork.UserSubject} {
		prefix := metadataPrefix + kind.String() + "/:id/"
		r.guardedBy(http.MethodPut, prefix+"lock", ofSlot(kind), of(kind, h.lock))
		r.guardedBy(http.MethodPut, prefix+"focal-point", ofSlot(kind), of(kind, h.focus))
		r.guardedBy(http.MethodDelete, prefix+"images/:type", ofSlot(kind), of(kind, h.remove))
		r.guardedBy(http.MethodDelete, prefix+"images/:type/history/:imageId", ofSlot(kind), of(kind, h.purgeImage))
		r.guarded(http.MethodDelete, prefix+"history", accesstoken.Admin, of(kind, h.purgeAll))
	}
	r.guarded(http.MethodDelete, metadataPrefix+"artist/custom-images/:id/:imageId", accesstoken.Write, of(artwork.ArtistSubject, h.withdraw))
	r.guarded(http.MethodDelete, metadataPrefix+"album/custom-covers/:id/:imageId", accesstoken.Write, of(artwork.AlbumSubject, h.withdraw))
	r.guardedBy(http.MethodDelete, "/api/users/avatar", ownOr(inQuery), h.removeAvatar)
}

func (h *Revisions) lock(c *gin.Context, subject artwork.Subject) error {
	var in api.Lock
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	revision := artwork.Revision{Place: artwork.Place{Subject: subject, Slot: in.Type}, Lock: artwork.Unlock}
	if in.Locked {
		revision.Lock = artwork.Lock
	}
	return h.run(c, revision)
}

func (h *Revisions) remove(c *gin.Context, subject artwork.Subject) error {
	slot, err := artwork.ParseSlot(c.Param("type"))
	if err != nil {
		return err
	}
	revision := artwork.Revision{Place: artwork.Place{Subject: subject, Slot: slot}, Remove: artwork.GiveWay}
	keepEmpty, err := readFlag(c, "keepEmpty")
	if err != nil {
		return err
	}
	if keepEmpty {
		revision.Remove = artwork.KeepEmpty
	}
	return h.run(c, revision)
}

func (h *Revisions) focus(c *gin.Context, subject artwork.Subject) error {
	var in api.Focus
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	return h.run(c, artwork.Revision{
		Place: artwork.Place{Subject: subject, Slot: in.Type}, Focus: &artwork.FocalPoint{X: in.X, Y: in.Y},
	})
}

// withdraw takes back an upload. What was in force stays in the history.
func (h *Revisions) withdraw(c *gin.Context, subject artwork.Subject) error {
	image, err := id(c, "imageId")
	if err != nil {
		return err
	}
	record, err := h.uploads.Find(c.Request.Context(), subject, image)
	if err != nil {
		return err
	}
	applied, err := h.change(c, artwork.Revision{Place: record.Place, Withdraw: image})
	if err != nil {
		return err
	}
	answer := revised(applied)
	c.JSON(http.StatusOK, api.Withdrawn{
		Success: true, Message: "the uploaded image is deleted; the history keeps it if it was in force",
		Tag: answer.Tag, VisibleAfterMs: answer.VisibleAfterMs,
	})
	return nil
}

// removeAvatar takes an avatar away: that of the user who asks, or of the one that a
// parameter names.
func (h *Revisions) removeAvatar(c *gin.Context) error {
	user, err := artwork.ParseID(inQuery(c))
	if err != nil {
		return artwork.Errorf(artwork.InvalidInput, "the parameter userId must name the user: %s", messageOf(err))
	}
	_, err = h.change(c, artwork.Revision{Place: artwork.Place{Subject: artwork.User(user), Slot: artwork.SlotAvatar}, Remove: artwork.GiveWay})
	if err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

func (h *Revisions) run(c *gin.Context, revision artwork.Revision) error {
	applied, err := h.change(c, revision)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, revised(applied))
	return nil
}

func (h *Revisions) change(c *gin.Context, revision artwork.Revision) (applyimage.Applied, error) {
	tag, err := ifMatch(c)
	if err != nil {
		return applyimage.Applied{}, err
	}
	revision.By, revision.IfTag = caller(c), tag
	return h.revise.Run(c.Request.Context(), revision)
}

// revised says what is in force now, so that a client need not ask.
func revised(applied applyimage.Applied) api.Revised {
	answer := api.Revised{Success: true, VisibleAfterMs: milliseconds(applied.VisibleAfter)}
	if applied.Image != nil {
		answer.Tag = applied.Image.Tag
	}
	return answer
}
