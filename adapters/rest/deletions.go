package rest

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/application/deletesubjects"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Deletions are the routes that take subjects out of the catalogue, and put them back.
type Deletions struct {
	discard *deletesubjects.Delete
	restore *deletesubjects.Restore
	list    *deletesubjects.List
}

// NewDeletions returns the routes.
func NewDeletions(discard *deletesubjects.Delete, restore *deletesubjects.Restore, list *deletesubjects.List) *Deletions {
	return &Deletions{discard, restore, list}
}

// Register implements Routes. As for a PUT, users need more than the others.
func (h *Deletions) Register(r *Router) {
	for _, kind := range []struct {
		path  string
		kind  artwork.SubjectKind
		scope accesstoken.Scope
	}{
		{"/api/artists/:id", artwork.ArtistSubject, accesstoken.Write},
		{"/api/albums/:id", artwork.AlbumSubject, accesstoken.Write},
		{"/api/users/:id", artwork.UserSubject, accesstoken.Admin},
	} {
		r.guarded(http.MethodDelete, kind.path, kind.scope, of(kind.kind, h.delete))
		r.guarded(http.MethodPost, kind.path+"/restore", kind.scope, of(kind.kind, h.putBack))
	}
	r.guarded(http.MethodGet, "/api/deleted", accesstoken.Write, h.listDeleted)
}

func (h *Deletions) delete(c *gin.Context, subject artwork.Subject) error {
	albums, err := readFlag(c, "albums")
	if err != nil {
		return err
	}
	out, err := h.discard.Run(c.Request.Context(), deletesubjects.In{Subject: subject, Albums: albums, By: caller(c)})
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, api.SubjectDeleted{
		Success: true, Albums: out.Albums, RestorableUntil: out.Until, VisibleAfterMs: milliseconds(out.VisibleAfter),
	})
	return nil
}

func (h *Deletions) putBack(c *gin.Context, subject artwork.Subject) error {
	out, err := h.restore.Run(c.Request.Context(), caller(c), subject)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, api.SubjectRestored{
		Success: true, Albums: out.Albums, AlbumsLeft: out.Left, VisibleAfterMs: milliseconds(out.VisibleAfter),
	})
	return nil
}

func (h *Deletions) listDeleted(c *gin.Context) (err error) {
	var query catalog.DeletedQuery
	if kind, given := c.GetQuery("kind"); given {
		if query.Kind, err = artwork.ParseSubjectKind(kind); err != nil {
			return err
		}
	}
	if cursor, given := c.GetQuery("cursor"); given {
		if query.After, err = catalog.ParseDeletedCursor(cursor); err != nil {
			return err
		}
	}
	if query.Limit, err = readNumber(c, "pageSize", defaultPageSize, catalog.MaxPageSize); err != nil {
		return err
	}
	items, next, err := h.list.Run(c.Request.Context(), query)
	if err != nil {
		return err
	}
	page := api.DeletedPage{Items: make([]api.DeletedSubject, len(items)), Next: next.String(), KeepSeconds: int(h.list.Keep().Seconds())}
	for i, d := range items {
		page.Items[i] = api.DeletedSubject{
			Kind: d.Subject.Kind, ID: d.Subject.ID, Name: d.Name, ArtistID: d.ArtistID, ArtistName: d.ArtistName,
			DeletedAt: d.At, DeletedBy: d.By, RestorableUntil: d.Until, WithArtist: !d.With.IsZero(), Albums: d.Albums,
		}
	}
	c.JSON(http.StatusOK, page)
	return nil
}
