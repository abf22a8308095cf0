package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/application/followsettings"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/domain/deployment"
)

// Cache are the operators' routes on the image cache.
type Cache struct {
	manage   *managecache.Manage
	settings *followsettings.Switch
}

// NewCache returns the routes under /api/admin/cache.
func NewCache(manage *managecache.Manage, settings *followsettings.Switch) *Cache {
	return &Cache{manage, settings}
}

// Register implements Routes.
func (h *Cache) Register(r *Router) {
	r.guarded(http.MethodPost, "/api/admin/cache/invalidate", accesstoken.Admin, h.invalidate)
	r.guarded(http.MethodPost, "/api/admin/cache/flush", accesstoken.Admin, h.flush)
	r.guarded(http.MethodGet, "/api/admin/cache/mode", accesstoken.Admin, h.mode)
	r.guarded(http.MethodPut, "/api/admin/cache/mode", accesstoken.Admin, h.setMode)
}

func (h *Cache) invalidate(c *gin.Context) error {
	var in api.CacheInvalidation
	if err := decodeJSON(c, &in); err != nil {
		return err
	}
	subject, err := oneOf(in.ArtistID, in.AlbumID, in.UserID)
	if err != nil {
		return err
	}
	begin := time.Now()
	if err := h.manage.Invalidate(c.Request.Context(), caller(c), subject); err != nil {
		return err
	}
	c.JSON(http.StatusOK, api.CacheInvalidated{Success: true, Keys: len(subject.Keys()), TookMs: milliseconds(time.Since(begin))})
	return nil
}

func (h *Cache) flush(c *gin.Context) error {
	begin := time.Now()
	removed, err := h.manage.Flush(c.Request.Context(), caller(c))
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, api.CacheFlushed{Success: true, Removed: removed, TookMs: milliseconds(time.Since(begin))})
	return nil
}

// modeOf tells where the deployment stands; durations are written as in the
// configuration.
func modeOf(state deployment.State) api.CacheMode {
	out := api.CacheMode{
		Mode: state.Read.Mode, CacheTTL: artwork.FormatTerm(state.Read.TTL), L1TTL: artwork.FormatTerm(state.Read.L1TTL),
		Step: string(state.Step), Instances: []api.CacheInstance{},
	}
	if other := state.Other; other.Mode != "" {
		out.Other = &api.OtherCacheSettings{Mode: other.Mode, CacheTTL: artwork.FormatTerm(other.TTL), L1TTL: artwork.FormatTerm(other.L1TTL)}
	}
	for _, m := range state.Members {
		out.Instances = append(out.Instances, api.CacheInstance{
			Name: m.Name, Alive: m.Live, HasRedis: m.HasRedis, Behind: m.Live && m.Revision < state.Revision,
		})
	}
	return out
}

func (h *Cache) mode(c *gin.Context) error {
	state, err := h.settings.Look(c.Request.Context())
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, modeOf(state))
	return nil
}

// moveBudget is how long a request waits for the fleet; 202 says that the move
// goes on.
const moveBudget = 10 * time.Second

func (h *Cache) setMode(c *gin.Context) error {
	in, err := parseSettings(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.Request.Context(), moveBudget)
	defer cancel()
	begun, err := h.settings.Begin(ctx, caller(c), in)
	if err != nil {
		return err
	}
	state, err := h.settings.Await(ctx)
	switch {
	case err == nil:
		c.JSON(http.StatusOK, modeOf(state))
	case ctx.Err() != nil:
		if state.Revision == 0 {
			state = begun
		}
		c.JSON(http.StatusAccepted, modeOf(state))
	default:
		return err
	}
	return nil
}

// parseSettings reads what is to change; what is not named stays.
func parseSettings(c *gin.Context) (in followsettings.SwitchIn, err error) {
	var body api.CacheSettings
	if err := decodeJSON(c, &body); err != nil {
		return in, err
	}
	in.Mode = body.Mode
	for name, field := range map[string]struct {
		text string
		to   *time.Duration
	}{"cacheTtl": {body.CacheTTL, &in.TTL}, "l1Ttl": {body.L1TTL, &in.L1TTL}} {
		if field.text == "" {
			continue
		}
		if *field.to, err = time.ParseDuration(field.text); err != nil || *field.to <= 0 {
			return in, artwork.Errorf(artwork.InvalidInput, "%s: %q is not a duration such as 90s or 250ms", name, field.text)
		}
	}
	if in == (followsettings.SwitchIn{}) {
		return in, artwork.Errorf(artwork.InvalidInput, "name a mode, cacheTtl or l1Ttl")
	}
	return in, nil
}
