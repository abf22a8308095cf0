package rest

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/application/accesstoken"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
)

// CacheView are the routes by which operators watch the image cache.
type CacheView struct {
	monitor *managecache.Monitor
	lookup  *managecache.Lookup
}

// NewCacheView returns the routes that only look, under /api/admin/cache.
func NewCacheView(monitor *managecache.Monitor, lookup *managecache.Lookup) *CacheView {
	return &CacheView{monitor, lookup}
}

// Register implements Routes.
func (h *CacheView) Register(r *Router) {
	r.guarded(http.MethodGet, "/api/admin/cache/stats", accesstoken.Admin, h.stats)
	r.guarded(http.MethodGet, "/api/admin/cache/instances", accesstoken.Admin, h.instances)
	r.guarded(http.MethodGet, "/api/admin/cache/history", accesstoken.Admin, h.history)
	r.guarded(http.MethodGet, "/api/admin/cache/entries", accesstoken.Admin, h.entries)
}

// cacheStats is api.CacheStats, with the names that the counters have everywhere.
type cacheStats struct {
	managecache.Stats
	BoundsMs     []float64 `json:"boundsMs"`
	HitRate      float64   `json:"hitRate"`
	MeanChangeMs float64   `json:"meanChangeMs"`
}

func statsOf(stats managecache.Stats) *cacheStats {
	out := &cacheStats{Stats: stats, HitRate: stats.HitRate(), MeanChangeMs: milliseconds(stats.MeanChange())}
	for _, bound := range managecache.Bounds() {
		out.BoundsMs = append(out.BoundsMs, inMilliseconds(bound))
	}
	return out
}

// inMilliseconds keeps what milliseconds rounds: process memory answers within a
// microsecond.
func inMilliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (h *CacheView) stats(c *gin.Context) error {
	c.JSON(http.StatusOK, statsOf(h.monitor.Own().Stats))
	return nil
}

// cacheReport is api.CacheReport.
type cacheReport struct {
	ID         artwork.ID              `json:"id"`
	Name       string                  `json:"name"`
	Self       bool                    `json:"self"`
	Version    string                  `json:"version,omitempty"`
	StartedAt  *time.Time              `json:"startedAt,omitempty"`
	At         *time.Time              `json:"at,omitempty"`
	Mode       artwork.CacheMode       `json:"mode,omitempty"`
	Stats      *cacheStats             `json:"stats,omitempty"`
	Memory     *managecache.Occupied   `json:"memory,omitempty"`
	Connection *managecache.Connection `json:"connection,omitempty"`
}

// cacheFleet is api.CacheFleet.
type cacheFleet struct {
	At        time.Time                `json:"at"`
	Mode      artwork.CacheMode        `json:"mode"`
	Problem   string                   `json:"problem,omitempty"`
	Instances []cacheReport            `json:"instances"`
	Redis     *managecache.SharedState `json:"redis,omitempty"`
}

func (h *CacheView) instances(c *gin.Context) error {
	fleet := h.monitor.Fleet(c.Request.Context())
	out := cacheFleet{At: fleet.At, Mode: fleet.Mode, Problem: fleet.Problem, Redis: fleet.Shared}
	for _, seen := range fleet.Instances {
		one := cacheReport{ID: seen.ID, Name: seen.Name, Self: seen.Self}
		if r := seen.Report; r != nil {
			one.Version, one.StartedAt, one.At, one.Mode = r.Instance.Version, &r.Instance.StartedAt, &r.At, r.Mode
			one.Stats, one.Memory, one.Connection = statsOf(r.Stats), &r.Memory, r.Connection
		}
		out.Instances = append(out.Instances, one)
	}
	c.JSON(http.StatusOK, out)
	return nil
}

func (h *CacheView) history(c *gin.Context) error {
	var instance artwork.ID
	if named := c.Query("instance"); named != "" {
		var err error
		if instance, err = artwork.ParseID(named); err != nil {
			return err
		}
	}
	past, err := h.monitor.History(c.Request.Context(), instance)
	if err != nil {
		return err
	}
	out := api.CacheHistory{
		ResolutionSeconds: managecache.Resolution.Seconds(), Instances: past.Instances, Problem: past.Problem, Points: []api.CachePoint{},
		Total: pointOf(managecache.Sum(past.Points)), LastMinute: pointOf(managecache.Sum(managecache.Lately(past.Points, time.Minute))),
	}
	for _, p := range past.Points {
		out.Points = append(out.Points, pointOf(p))
	}
	c.JSON(http.StatusOK, out)
	return nil
}

func pointOf(p managecache.Point) api.CachePoint {
	return api.CachePoint{
		At: p.At, Seconds: p.Seconds, Instances: p.Instances,
		ProcessHits: p.ProcessHits, SharedHits: p.SharedHits, Fills: p.Fills, Bypasses: p.Bypasses, Errors: p.Errors,
		RefusedFills: api.Counters{
			"expired": p.RefusedFills.Expired, "fenced": p.RefusedFills.Fenced, "gone": p.RefusedFills.Gone,
			"takenOver": p.RefusedFills.TakenOver, "unreachable": p.RefusedFills.Unreachable,
		},
		Fallbacks: p.Fallbacks, LostFences: p.LostFences, Loads: p.Loads, RefusedLoads: p.RefusedLoads,
		Changes: p.Changes, FailedChanges: p.FailedChanges, Entries: p.Entries,
		ReadMs: quantilesOf(p.ReadTime), ChangeMs: quantilesOf(p.ChangeTime),
	}
}

// quantilesOf returns nil if nothing was measured.
func quantilesOf(d managecache.Distribution) *api.Quantiles {
	half, ok := d.Quantile(0.5)
	if !ok {
		return nil
	}
	most, _ := d.Quantile(0.99)
	return &api.Quantiles{P50: inMilliseconds(half), P99: inMilliseconds(most)}
}

func (h *CacheView) entries(c *gin.Context) error {
	ids := [3]artwork.ID{}
	for i, name := range []string{"artistId", "albumId", "userId"} {
		text := c.Query(name)
		if text == "" {
			continue
		}
		var err error
		if ids[i], err = artwork.ParseID(text); err != nil {
			return err
		}
	}
	subject, err := oneOf(ids[0], ids[1], ids[2])
	if err != nil {
		return err
	}
	found, err := h.lookup.Run(c.Request.Context(), subject)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, entriesOf(found))
	return nil
}

// oneOf returns the subject that is named.
func oneOf(artist, album, user artwork.ID) (artwork.Subject, error) {
	var named []artwork.Subject
	for _, subject := range []artwork.Subject{artwork.Artist(artist), artwork.Album(album), artwork.User(user)} {
		if !subject.ID.IsZero() {
			named = append(named, subject)
		}
	}
	if len(named) != 1 {
		return artwork.Subject{}, artwork.Errorf(artwork.InvalidInput, "name one of artistId, albumId and userId")
	}
	return named[0], nil
}

func entriesOf(found managecache.Found) api.CacheEntries {
	out := api.CacheEntries{At: found.At, Mode: found.Mode, Levels: []api.CacheLevel{}, Keys: []api.CacheEntry{}}
	for _, level := range found.Levels {
		out.Levels = append(out.Levels, api.CacheLevel{Name: level.Name, Problem: level.Problem})
	}
	for _, k := range found.Keys {
		entry := api.CacheEntry{
			Key: k.Key.String(), Type: k.Key.Type.String(), Slot: k.Key.Place().Slot.String(), Verdict: string(k.Verdict),
			InForce: cachedImage(k.InForce), Held: []api.CacheHolding{},
		}
		for _, level := range found.Levels {
			if held, ok := k.Held[level.Name]; ok {
				entry.Held = append(entry.Held, api.CacheHolding{
					Level: level.Name, Holds: string(held.Holding), Image: cachedImage(held.Image),
					ExpiresInMs: inMilliseconds(held.ExpiresIn), Changes: held.Changes, Bytes: held.Bytes,
				})
			}
		}
		out.Keys = append(out.Keys, entry)
	}
	return out
}

func cachedImage(img *artwork.Image) *api.CachedImage {
	if img == nil {
		return nil
	}
	return &api.CachedImage{
		Tag: string(img.Tag), Source: img.Source.String(), Provider: img.Provider, MIMEType: img.MIMEType,
		Width: img.Width, Height: img.Height, LastModified: img.LastModified,
	}
}
