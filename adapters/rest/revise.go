package rest

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"gatefold/application/accesstoken"
	"gatefold/application/applyimage"
	"gatefold/domain/artwork"
)

// Revisions are the routes that lock slots and empty them.
type Revisions struct{ revise *applyimage.ReviseSlot }

// NewRevisions returns the routes of every kind of subject under
// /api/admin/metadata.
func NewRevisions(revise *applyimage.ReviseSlot) *Revisions { return &Revisions{revise} }

// Register implements Routes.
func (h *Revisions) Register(r *Router) {
	for _, kind := range []artwork.SubjectKind{artwork.ArtistSubject, artwork.AlbumSubject, artwork.UserSubject} {
		prefix := metadataPrefix + kind.String() + "/:id/"
		r.guarded(http.MethodPut, prefix+"lock", accesstoken.Write, of(kind, h.lock))
		r.guarded(http.MethodDelete, prefix+"images/:type", accesstoken.Write, of(kind, h.remove))
	}
}

func (h *Revisions) lock(c *gin.Context, subject artwork.Subject) error {
	var in struct {
		Type   artwork.Slot `json:"type"`
		Locked *bool        `json:"locked"`
	}
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	if in.Locked == nil {
		return artwork.Errorf(artwork.InvalidInput, "locked must be true or false")
	}
	revision := artwork.Revision{Place: artwork.Place{Subject: subject, Slot: in.Type}, Lock: artwork.Unlock}
	if *in.Locked {
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
	for name, values := range c.Request.URL.Query() {
		switch {
		case name != "keepEmpty" || len(values) != 1:
			return artwork.Errorf(artwork.InvalidInput, "unknown parameter %q: there is keepEmpty", name)
		case values[0] == "true":
			revision.Remove = artwork.KeepEmpty
		case values[0] != "false":
			return artwork.Errorf(artwork.InvalidInput, "keepEmpty must be true or false")
		}
	}
	return h.run(c, revision)
}

func (h *Revisions) run(c *gin.Context, revision artwork.Revision) error {
	tag, err := ifMatch(c)
	if err != nil {
		return err
	}
	revision.By, revision.IfTag = caller(c), tag
	applied, err := h.revise.Run(c.Request.Context(), revision)
	if err != nil {
		return err
	}
	answer := gin.H{"success": true, "visibleAfterMs": milliseconds(applied.VisibleAfter)}
	if applied.Image != nil { // what is in force now, so that a client need not ask
		answer["tag"] = applied.Image.Tag
	}
	c.JSON(http.StatusOK, answer)
	return nil
}
