package rest

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/application/warmcache"
)

// Warming is the operators' route that warms the image cache.
type Warming struct{ warm *warmcache.Warm }

// NewWarming returns the route under /api/admin/cache.
func NewWarming(warm *warmcache.Warm) *Warming { return &Warming{warm} }

// Register implements Routes.
func (h *Warming) Register(r *Router) {
	r.guarded(http.MethodPost, "/api/admin/cache/warm", accesstoken.Admin, h.run)
}

// run answers when the cache is warm; a client that hangs up ends it.
func (h *Warming) run(c *gin.Context) error {
	summary, err := h.warm.Run(c.Request.Context(), caller(c), unobserved{})
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, api.CacheWarmed{
		Success: true, Keys: summary.Keys, Filled: summary.Filled, Empty: summary.Empty, Present: summary.Present,
		Bypassed: summary.Bypassed, Failed: summary.Failed, TookMs: milliseconds(summary.Took),
	})
	return nil
}

type unobserved struct{}

func (unobserved) Progress(int, int) {}
