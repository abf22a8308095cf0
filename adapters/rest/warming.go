package rest

import (
	"net/http"

	"github.com/gin-gonic/gin"

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
	c.JSON(http.StatusOK, struct {
		Success bool `json:"success"`
		warmcache.Summary
		Took   int64   `json:"took,omitempty"` // in place of the nanoseconds
		TookMs float64 `json:"tookMs"`
	}{Success: true, Summary: summary, TookMs: milliseconds(summary.Took)})
	return nil
}

type unobserved struct{}

func (unobserved) Progress(int, int) {}
