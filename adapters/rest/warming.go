package rest

import (
	"encoding/json"
	"io"
	"net/http"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/application/warmcache"
)

// Warming has the operators' route that warms the image cache.
type Warming struct{ warm *warmcache.Warm }

// NewWarming returns the route under /api/admin/cache.
func NewWarming(warm *warmcache.Warm) *Warming { return &Warming{warm} }

// Register implements Routes.
func (h *Warming) Register(r *Router) {
	r.guarded(http.MethodPost, "/api/admin/cache/warm", accesstoken.Admin, h.run)
}

// run answers when the cache is warm; a client that hangs up ends it.
func (h *Warming) run(c *gin.Context) error {
	summary, err := h.warmed(c)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, api.CacheWarmed{
		Success: true, Keys: summary.Keys, Filled: summary.Filled, Empty: summary.Empty, Present: summary.Present,
		Bypassed: summary.Bypassed, Failed: summary.Failed, TookMs: milliseconds(summary.Took),
	})
	return nil
}

// warmed warms the subject that the body names or, without a body, what is
// requested most.
func (h *Warming) warmed(c *gin.Context) (warmcache.Summary, error) {
	text, err := io.ReadAll(c.Request.Body) // no longer than the contract allows
	if err != nil {
		return warmcache.Summary{}, badJSON("the body", err)
	}
	var in *api.CacheWarming
	if len(text) > 0 {
		if err := json.Unmarshal(text, &in); err != nil {
			return warmcache.Summary{}, badJSON("the body", err)
		}
	}
	if in == nil {
		return h.warm.Run(c.Request.Context(), caller(c), unobserved{})
	}
	subject, err := oneOf(in.ArtistID, in.AlbumID, in.UserID)
	if err != nil {
		return warmcache.Summary{}, err
	}
	return h.warm.Subject(c.Request.Context(), caller(c), subject)
}

type unobserved struct{}

func (unobserved) Progress(int, int) {}
