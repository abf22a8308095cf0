package renderimage

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"gatefold/domain/artwork"
)

// Places tells where images are.
type Places interface {
	// ChangedWithin is that of artwork.ChangeLog.
	ChangedWithin(ctx context.Context, past time.Duration, visit func(artwork.Place) error) error
}

// ever is longer than there have been images.
const ever = 100 * 365 * 24 * time.Hour

// Observer is told how a filling goes on.
type Observer interface{ Progress(done, total int) }

// Filled is what a filling did.
type Filled struct {
	Images     int // in force, in all slots
	Rendered   int // renditions
	Complete   int // images that lacked none
	Failed     int // images that cannot be rendered, or not now
	Took       time.Duration
	Unfinished bool // it was ended before it had looked at all
}

// Fill renders what is missing of all images in force.
type Fill struct {
	renditions *Renditions
	images     artwork.ImageRepository
	places     Places
	log        *slog.Logger
}

// NewFill returns the use case on the ports.
func NewFill(renditions *Renditions, images artwork.ImageRepository, places Places, log *slog.Logger) *Fill {
	return &Fill{renditions, images, places, log}
}

// Run renders all sizes of all images in force, in the formats, but for those that are
// stored: one that was ended goes on where it was when it is run again. As many images
// are dealt with at once as may render at once, so that requests find their turn between
// them. That an image cannot be rendered ends nothing. An error says that the database
// cannot be read, or that ctx has ended; what was done until then is in Filled.
func (f *Fill) Run(ctx context.Context, formats []artwork.Format, observer Observer) (filled Filled, err error) {
	begin := time.Now()
	var places []artwork.Place
	err = f.places.ChangedWithin(ctx, ever, func(place artwork.Place) error {
		places = append(places, place)
		return nil
	})
	if err != nil {
		return filled, artwork.Wrap(artwork.Internal, "renderimage.Fill", err)
	}
	err = f.each(ctx, distinct(places), formats, &filled, observer)
	filled.Took = time.Since(begin)
	filled.Unfinished = err != nil
	return filled, err
}

func distinct(places []artwork.Place) []artwork.Place {
	seen := make(map[artwork.Place]bool, len(places))
	kept := places[:0]
	for _, place := range places {
		if !seen[place] {
			seen[place] = true
			kept = append(kept, place)
		}
	}
	return kept
}

// each deals with the places until one of them says that nothing more can be done.
func (f *Fill) each(ctx context.Context, places []artwork.Place, formats []artwork.Format, filled *Filled, observer Observer) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		working sync.WaitGroup
		mu      sync.Mutex
		done    int
		queue   = make(chan artwork.Place)
	)
	for range f.renditions.limits.Workers {
		working.Go(func() {
			for place := range queue {
				if ctx.Err() != nil {
					continue // it was put into the queue at the same moment
				}
				one, err := f.fill(ctx, place, formats)
				mu.Lock()
				filled.add(one)
				if err == nil {
					done++
					observer.Progress(done, len(places))
				}
				mu.Unlock()
				if err != nil {
					cancel(err)
				}
			}
		})
	}
feeding:
	for _, place := range places {
		select {
		case queue <- place:
		case <-ctx.Done():
			break feeding
		}
	}
	close(queue)
	working.Wait()
	return context.Cause(ctx)
}

func (f *Filled) add(one Filled) {
	f.Images += one.Images
	f.Rendered += one.Rendered
	f.Complete += one.Complete
	f.Failed += one.Failed
}

// fill deals with one place. What cannot be rendered is no error.
func (f *Fill) fill(ctx context.Context, place artwork.Place, formats []artwork.Format) (one Filled, err error) {
	img, err := f.images.InForce(ctx, place)
	if artwork.KindOf(err) == artwork.NotFound || err == nil && img == nil {
		return one, nil // there is none any more
	}
	if err != nil {
		return one, err
	}
	one.Images = 1
	for _, format := range formats {
		rendered, err := f.renditions.All(ctx, img, place.Slot, format)
		one.Rendered += rendered
		if ctx.Err() != nil {
			return one, ctx.Err()
		}
		if err != nil {
			f.log.DebugContext(ctx, "Not rendered", "place", place.String(), "format", format.String(), "error", err.Error())
			one.Failed = 1
		}
	}
	if one.Rendered == 0 && one.Failed == 0 {
		one.Complete = 1
	}
	return one, nil
}
