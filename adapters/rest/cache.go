package rest

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

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
	r.guarded(http.MethodGet, "/api/admin/cache/stats", accesstoken.Admin, h.stats)
	r.guarded(http.MethodPost, "/api/admin/cache/invalidate", accesstoken.Admin, h.invalidate)
	r.guarded(http.MethodPost, "/api/admin/cache/flush", accesstoken.Admin, h.flush)
	r.guarded(http.MethodGet, "/api/admin/cache/mode", accesstoken.Admin, h.mode)
	r.guarded(http.MethodPut, "/api/admin/cache/mode", accesstoken.Admin, h.setMode)
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
	if err := h.manage.Invalidate(c.Request.Context(), caller(c), named[0]); err != nil {
		return err
	}
	c.JSON(http.StatusOK, gin.H{"success": true})
	return nil
}

func (h *Cache) flush(c *gin.Context) error {
	removed, err := h.manage.Flush(c.Request.Context(), caller(c))
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, gin.H{"success": true, "removed": removed})
	return nil
}

// settingsOut are cache settings; durations are written as in the configuration.
type settingsOut struct {
	Mode     artwork.CacheMode `json:"mode"`
	CacheTTL string            `json:"cacheTtl"`
	L1TTL    string            `json:"l1Ttl"`
}

func newSettingsOut(s artwork.CacheSettings) *settingsOut {
	if s.Mode == "" {
		return nil
	}
	return &settingsOut{s.Mode, artwork.FormatTerm(s.TTL), artwork.FormatTerm(s.L1TTL)}
}

// instanceOut is a member of the deployment.
type instanceOut struct {
	Name     string `json:"name"`
	Alive    bool   `json:"alive"`
	HasRedis bool   `json:"hasRedis"`
	Behind   bool   `json:"behind"` // does not follow the settings in force yet
}

// modeOut tells where the deployment stands.
type modeOut struct {
	*settingsOut
	Step      deployment.Step `json:"step"`
	Other     *settingsOut    `json:"other,omitempty"` // that writers honour besides, while it moves
	Instances []instanceOut   `json:"instances"`
}

func newModeOut(state deployment.State) modeOut {
	out := modeOut{settingsOut: newSettingsOut(state.Read), Step: state.Step, Other: newSettingsOut(state.Other), Instances: []instanceOut{}}
	for _, m := range state.Members {
		out.Instances = append(out.Instances, instanceOut{m.Name, m.Live, m.HasRedis, m.Live && m.Revision < state.Revision})
	}
	return out
}

func (h *Cache) mode(c *gin.Context) error {
	state, err := h.settings.Look(c.Request.Context())
	if err != nil {
		return err
	}
	c.Header("Cache-Control", "no-store")
	c.JSON(http.StatusOK, newModeOut(state))
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
		c.JSON(http.StatusOK, newModeOut(state))
	case ctx.Err() != nil:
		if state.Revision == 0 {
			state = begun
		}
		c.JSON(http.StatusAccepted, newModeOut(state))
	default:
		return err
	}
	return nil
}

// parseSettings reads what is to change; what is not named stays.
func parseSettings(c *gin.Context) (in followsettings.SwitchIn, err error) {
	var body struct {
		Mode     artwork.CacheMode `json:"mode"`
		CacheTTL string            `json:"cacheTtl"`
		L1TTL    string            `json:"l1Ttl"`
	}
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
