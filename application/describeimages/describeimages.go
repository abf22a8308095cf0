// Package describeimages computes what an earlier release did not know of the images
// that it has taken in.
package describeimages

import (
	"context"
	"io"
	"log/slog"
	"time"

	"gatefold/application/tracing"
	"gatefold/application/wait"
	"gatefold/domain/artwork"
	"gatefold/domain/fleet"
)

// Contents are the images that records refer to. All methods may be called
// concurrently, also from several processes. They may fail with Unavailable and with
// ctx's error.
type Contents interface {
	// Undescribed returns at most limit hashes of contents without a dominant colour,
	// those that come after a hash, in their order, each once.
	Undescribed(ctx context.Context, after artwork.Hash, limit int) ([]artwork.Hash, error)
	// Describe keeps the colour in all records of the content that have none. What is
	// in force does not change by it, nor does its tag.
	Describe(ctx context.Context, hash artwork.Hash, color artwork.Color) error
}

// Inspector looks at the bytes of an image.
type Inspector interface {
	Inspect(ctx context.Context, content []byte) (artwork.Content, error)
}

const (
	task      = "describe images"
	claimTerm = time.Hour
	// restTime is between two looks of a fleet: an instance of the release before may
	// have taken in more.
	restTime = 23 * time.Hour
	every    = 24 * time.Hour
	atOnce   = 100 // hashes
	// pause leaves the processors to those who serve.
	pause = 50 * time.Millisecond
)

// Describe is the use case.
type Describe struct {
	contents  Contents
	store     artwork.ImageStore
	inspector Inspector
	claims    fleet.Claims
	instance  string // names this instance among those of the fleet
	log       *slog.Logger
}

// New returns the use case on the ports.
func New(contents Contents, store artwork.ImageStore, inspector Inspector, claims fleet.Claims, instance string, log *slog.Logger) *Describe {
	return &Describe{contents, store, inspector, claims, instance, log}
}

// Described is what was done.
type Described struct {
	Images int // that are described now
	Failed int // that could not be read, and are tried again another day
}

// Watch describes what is not, now and once a day, in one instance of the fleet, until
// ctx ends. What goes wrong is logged.
func (d *Describe) Watch(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-timer.C:
			if err := d.inTurn(ctx); err != nil && ctx.Err() == nil {
				d.log.WarnContext(ctx, "Not all images are described", "error", err.Error())
			}
			timer.Reset(every)
		case <-ctx.Done():
			return
		}
	}
}

// inTurn describes if there is anything to describe, and nobody else does it.
func (d *Describe) inTurn(ctx context.Context) error {
	first, err := d.contents.Undescribed(ctx, artwork.Hash{}, 1)
	if err != nil || len(first) == 0 {
		return err
	}
	claim := fleet.Claim{Task: task, Holder: d.instance + "/" + artwork.NewID().String(), Term: claimTerm}
	taken, _, err := d.claims.Claim(ctx, claim, restTime)
	if err != nil || !taken {
		return err
	}
	described, err := d.Run(ctx)
	d.log.InfoContext(ctx, "Described images of an earlier release", "images", described.Images, "failed", described.Failed)
	return d.claims.Release(context.WithoutCancel(ctx), claim, err == nil)
}

// Run describes all images that are not described, slowly. What was done until an error
// is in Described.
func (d *Describe) Run(ctx context.Context) (done Described, err error) {
	ctx, end := tracing.Work(ctx, "images.describe", "")
	defer func() { end(err) }()
	var last artwork.Hash
	for {
		hashes, err := d.contents.Undescribed(ctx, last, atOnce)
		if err != nil || len(hashes) == 0 {
			return done, err
		}
		for _, hash := range hashes {
			if err := d.describe(ctx, hash, &done); err != nil {
				return done, err
			}
		}
		last = hashes[len(hashes)-1]
	}
}

// describe describes one image. That one cannot be read is no error.
func (d *Describe) describe(ctx context.Context, hash artwork.Hash, done *Described) error {
	content, err := d.inspect(ctx, hash)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		done.Failed++
		d.log.DebugContext(ctx, "An image cannot be described", "hash", hash.String(), "error", err.Error())
	default:
		if err := d.contents.Describe(ctx, hash, content.DominantColor); err != nil {
			return err
		}
		done.Images++
	}
	return wait.For(ctx, pause)
}

func (d *Describe) inspect(ctx context.Context, hash artwork.Hash) (artwork.Content, error) {
	file, err := d.store.Open(ctx, hash)
	if err != nil {
		return artwork.Content{}, err
	}
	defer func() { _ = file.Close() }() // only read
	content, err := io.ReadAll(file)
	if err != nil {
		return artwork.Content{}, err
	}
	return d.inspector.Inspect(ctx, content)
}
