package renderimage

import (
	"context"
	"log/slog"

	"gatefold/domain/artwork"
)

// nudgesKept bounds the changes whose images wait to be rendered. What comes beyond is
// rendered when somebody asks for it.
const nudgesKept = 1000

// Ahead renders what has just been put in force, before anybody asks for it: one image
// at a time, in all sizes, in the format that every client can show.
type Ahead struct {
	renditions *Renditions
	images     artwork.ImageRepository
	log        *slog.Logger
	nudges     chan artwork.Place
}

// NewAhead returns what renders while Run runs.
func NewAhead(renditions *Renditions, images artwork.ImageRepository, log *slog.Logger) *Ahead {
	return &Ahead{renditions, images, log, make(chan artwork.Place, nudgesKept)}
}

// Observe returns the cache; what is changed through it is rendered soon. A nil Ahead
// renders nothing.
func (a *Ahead) Observe(cache artwork.ImageCache) artwork.ImageCache {
	if a == nil {
		return cache
	}
	return observed{cache, a}
}

type observed struct {
	artwork.ImageCache
	ahead *Ahead
}

// Change implements artwork.ImageCache. It never waits for a rendering.
func (o observed) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	err := o.ImageCache.Change(ctx, keys, commit)
	if err != nil {
		return err
	}
	seen := map[artwork.Place]bool{}
	for _, key := range keys {
		if place := key.Place(); !seen[place] {
			seen[place] = true
			o.ahead.nudge(place)
		}
	}
	return nil
}

func (a *Ahead) nudge(place artwork.Place) {
	select {
	case a.nudges <- place:
	default:
	}
}

// Run renders until ctx ends.
func (a *Ahead) Run(ctx context.Context) {
	for {
		select {
		case place := <-a.nudges:
			if err := a.render(ctx, place); err != nil && ctx.Err() == nil {
				a.log.DebugContext(ctx, "Not rendered ahead", "place", place.String(), "error", err.Error())
			}
		case <-ctx.Done():
			return
		}
	}
}

func (a *Ahead) render(ctx context.Context, place artwork.Place) error {
	img, err := a.images.InForce(ctx, place)
	if err != nil || img == nil {
		return err
	}
	_, err = a.renditions.All(ctx, img, place.Slot, artwork.FormatAuto)
	return err
}
