package renderimage

import (
	"context"
	"log/slog"

	"gatefold/application/tracing"
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
	nudges     chan nudge
}

// nudge is a change, and what has led to it.
type nudge struct {
	place artwork.Place
	cause tracing.Cause
}

// NewAhead returns what renders while Run runs.
func NewAhead(renditions *Renditions, images artwork.ImageRepository, log *slog.Logger) *Ahead {
	return &Ahead{renditions, images, log, make(chan nudge, nudgesKept)}
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
			o.ahead.nudge(nudge{place, tracing.CauseOf(ctx)})
		}
	}
	return nil
}

func (a *Ahead) nudge(n nudge) {
	select {
	case a.nudges <- n:
	default:
	}
}

// Run renders until ctx ends.
func (a *Ahead) Run(ctx context.Context) {
	for {
		select {
		case n := <-a.nudges:
			if err := a.render(ctx, n); err != nil && ctx.Err() == nil {
				a.log.DebugContext(ctx, "Not rendered ahead", "place", n.place.String(), "error", err.Error())
			}
		case <-ctx.Done():
			return
		}
	}
}

func (a *Ahead) render(ctx context.Context, n nudge) (err error) {
	ctx, end := tracing.Work(ctx, "image.render_ahead", n.cause)
	defer func() { end(err) }()
	img, err := a.images.InForce(ctx, n.place)
	if err != nil || img == nil {
		return err
	}
	_, err = a.renditions.All(ctx, img, n.place.Slot, artwork.FormatAuto)
	return err
}
