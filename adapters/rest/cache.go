package rest

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"gatefold/application/accesstoken"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
)

// Cache are the operators' routes on the image cache.
type Cache struct{ manage *managecache.Manage }

// NewCache returns the routes under /api/admin/cache.
func NewCache(manage *managecache.Manage) *Cache { return &Cache{manage} }

// Register implements Routes.
func (h *Cache) Register(r *Router) {
	r.guarded(http.MethodGet, "/api/admin/cache/stats", accesstoken.Admin, h.stats)
	r.guarded(http.MethodPost, "/api/admin/cache/invalidate", accesstoken.Admin, h.invalidate)
	r.guarded(http.MethodPost, "/api/admin/cache/flush", accesstoken.Admin, h.flush)
}

func (h *Cache) stats(c *gin.Context) error {
	stats := h.manage.Stats()
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, struct {
		managecache.Stats
		HitRate      float64 `json:"hitRate"`
		MeanChangeMs float64 `json:"meanChangeMs"`
	}{stats, stats.HitRate(), milliseconds(stats.MeanChange())})
	return nil
}

func (h *Cache) invalidate(c *gin.Context) error {
	var in struct {
		ArtistID artwork.ID `json:"artistId"`
		AlbumID  artwork.ID `json:"albumId"`
		UserID   artwork.ID `json:"userId"`
	}
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	var named []artwork.Subject
	for _, subject := range []artwork.Subject{artwork.Artist(in.ArtistID), artwork.Album(in.AlbumID), artwork.User(in.UserID)} {
		if !subject.ID.IsZero() {
			named = append(named, subject)
		}
	}
	if len(named) != 1 {
		return artwork.Errorf(artwork.InvalidInput, "name one of artistId, albumId and userId")
	}
	if err := h.manage.Invalidate(c.Request.Context(), named[0]); err != nil {
		return err
	}
	c.JSON(http.StatusOK, gin.H{"success": true})
	return nil
}

func (h *Cache) flush(c *gin.Context) error {
	removed, err := h.manage.Flush(c.Request.Context())
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, gin.H{"success": true, "removed": removed})
	return nil
}
