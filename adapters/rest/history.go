package rest

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/application/applyimage"
	"gatefold/domain/artwork"
)

// History are the routes that look back, and go back.
type History struct {
	history *applyimage.History
	restore *applyimage.RestoreImage
}

// NewHistory returns the routes of every kind of subject under /api/admin/metadata.
func NewHistory(history *applyimage.History, restore *applyimage.RestoreImage) *History {
	return &History{history, restore}
}

// Register implements Routes.
func (h *History) Register(r *Router) {
	for _, kind := range []artwork.SubjectKind{artwork.ArtistSubject, artwork.AlbumSubject, artwork.UserSubject} {
		prefix := metadataPrefix + kind.String() + "/:id/"
		r.guarded(http.MethodGet, prefix+"history", accesstoken.Read, of(kind, h.list))
		r.guardedBy(http.MethodPost, prefix+"restore", ofSlot(kind), of(kind, h.put))
	}
}

// of turns a handler of a subject into one of the subject that the path names.
func of(kind artwork.SubjectKind, handle func(*gin.Context, artwork.Subject) error) handler {
	return byID(func(c *gin.Context, id artwork.ID) error {
		return handle(c, artwork.Subject{Kind: kind, ID: id})
	})
}

func (h *History) list(c *gin.Context, subject artwork.Subject) error {
	entries, err := h.history.Run(c.Request.Context(), subject)
	if err != nil {
		return err
	}
	out := make([]api.HistoryEntry, len(entries))
	for i, e := range entries {
		out[i] = api.HistoryEntry{
			ImageID: e.ID, Type: e.Place.Slot, Tag: artwork.TagOf(e.Content.Hash, e.FocalPoint), Source: e.Source, Provider: e.Provider,
			Licence: e.Licence, Attribution: e.Attribution, SourcePage: e.SourcePage, Act: e.Act, AppliedBy: e.AppliedBy, AppliedAt: e.AppliedAt,
			Width: e.Content.Width, Height: e.Content.Height, Size: e.Content.Size, MIMEType: e.Content.MIMEType, DominantColor: e.Content.DominantColor, FocalPoint: e.FocalPoint, Current: e.InForce,
		}
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, api.History{History: out})
	return nil
}

func (h *History) put(c *gin.Context, subject artwork.Subject) error {
	var in api.Restore
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	tag, err := ifMatch(c)
	if err != nil {
		return err
	}
	wish := applyimage.Restore{Place: artwork.Place{Subject: subject, Slot: in.Type}, RecordID: in.ImageID, By: caller(c), IfTag: tag}
	return answerApply(c, http.StatusCreated, func(progress applyimage.Progress) (any, error) {
		wish.Progress = progress
		applied, err := h.restore.Run(c.Request.Context(), wish)
		if err != nil {
			return nil, err
		}
		return api.Restored{Success: true, Tag: applied.Image.Tag, VisibleAfterMs: milliseconds(applied.VisibleAfter)}, nil
	})
}
