package control

import (
	"context"
	"encoding/json"
	"net/http"

	"gatefold/application/warmcache"
)

const warmPath = "/cache/warm"

// CacheWarmer warms the image cache.
type CacheWarmer interface {
	WarmCache(ctx context.Context, observer warmcache.Observer) (warmcache.Summary, error)
}

func (s *Server) serveWarm(w http.ResponseWriter, r *http.Request) {
	stream := &streamObserver{server: s, w: w}
	summary, err := s.verbs.WarmCache(r.Context(), stream)
	stream.send(event{Warmed: &summary, Failure: failureOf(err)})
}

// WarmCache implements CacheWarmer.
func (c *Client) WarmCache(ctx context.Context, observer warmcache.Observer) (warmcache.Summary, error) {
	body, err := c.post(ctx, warmPath, nothing{})
	if err != nil {
		return warmcache.Summary{}, err
	}
	defer func() { _ = body.Close() }()
	for lines := json.NewDecoder(body); ; {
		var e event
		if err := lines.Decode(&e); err != nil {
			return warmcache.Summary{}, brokenOff(err)
		}
		switch {
		case e.Warmed != nil:
			return *e.Warmed, e.Failure.err()
		case e.Done != nil:
			observer.Progress(*e.Done, e.Total)
		}
	}
}
