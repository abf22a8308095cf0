package rest

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

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
		r.guarded(http.MethodPost, prefix+"restore", accesstoken.Write, of(kind, h.put))
	}
}

// of turns a handler of a subject into one of the subject that the path names.
func of(kind artwork.SubjectKind, handle func(*gin.Context, artwork.Subject) error) handler {
	return byID(func(c *gin.Context, id artwork.ID) error {
		return handle(c, artwork.Subject{Kind: kind, ID: id})
	})
}

// historyOut is what is told of an image that was in force.
type historyOut struct {
	ImageID     artwork.ID   `json:"imageId"`
	Type        artwork.Slot `json:"type"`
	Tag         artwork.Tag  `json:"tag"`
	Source      string       `json:"source"`
	Provider    string       `json:"provider,omitempty"`
	Licence     string       `json:"licence,omitempty"`
	Attribution string       `json:"attribution,omitempty"`
	SourcePage  string       `json:"sourcePage,omitempty"`
	Act         artwork.Act  `json:"act,omitempty"`
	AppliedBy   string       `json:"appliedBy"`
	AppliedAt   time.Time    `json:"appliedAt"`
	Width       int          `json:"width"`
	Height      int          `json:"height"`
	Size        int64        `json:"size"`
	MIMEType    string       `json:"mimeType"`

	FocalPoint *artwork.FocalPoint `json:"focalPoint,omitempty"`

	Current bool `json:"current"`
}

func (h *History) list(c *gin.Context, subject artwork.Subject) error {
	entries, err := h.history.Run(c.Request.Context(), subject)
	if err != nil {
		return err
	}
	out := make([]historyOut, len(entries))
	for i, e := range entries {
		out[i] = historyOut{
			ImageID: e.ID, Type: e.Place.Slot, Tag: artwork.TagOf(e.Content.Hash, e.FocalPoint), Source: e.Source.String(), Provider: e.Provider,
			Licence: e.Licence, Attribution: e.Attribution, SourcePage: e.SourcePage, Act: e.Act, AppliedBy: e.AppliedBy, AppliedAt: e.AppliedAt,
			Width: e.Content.Width, Height: e.Content.Height, Size: e.Content.Size, MIMEType: e.Content.MIMEType, FocalPoint: e.FocalPoint, Current: e.InForce,
		}
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, gin.H{"history": out})
	return nil
}

func (h *History) put(c *gin.Context, subject artwork.Subject) error {
	var in struct {
		Type    artwork.Slot `json:"type"`
		ImageID artwork.ID   `json:"imageId"`
	}
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	tag, err := ifMatch(c)
	if err != nil {
		return err
	}
	applied, err := h.restore.Run(c.Request.Context(), applyimage.Restore{
		Place: artwork.Place{Subject: subject, Slot: in.Type}, RecordID: in.ImageID, By: caller(c), IfTag: tag,
	})
	if err != nil {
		return err
	}
	c.JSON(http.StatusCreated, gin.H{"success": true, "tag": applied.Image.Tag, "visibleAfterMs": milliseconds(applied.VisibleAfter)})
	return nil
}
