package applyimage

import (
	"context"
	"log/slog"
	"time"

	"gatefold/domain/artwork"
)

// ReviseSlot locks and unlocks a slot, removes the image in force, sets its focal
// point and withdraws uploaded images.
type ReviseSlot struct {
	cache   artwork.ImageCache
	reviser artwork.ImageReviser
	images  artwork.ImageRepository
	log     *slog.Logger
	now     func() time.Time
}

// NewReviseSlot returns the use case on the ports.
func NewReviseSlot(cache artwork.ImageCache, reviser artwork.ImageReviser, images artwork.ImageRepository, log *slog.Logger) *ReviseSlot {
	return &ReviseSlot{cache, reviser, images, log, time.Now}
}

// Run carries the revision out and returns once no instance can answer by what was
// before. Its errors are those of artwork.ImageReviser and of ImageCache.Change.
func (u *ReviseSlot) Run(ctx context.Context, revision artwork.Revision) (Applied, error) {
	if err := revision.Check(); err != nil {
		return Applied{}, err
	}
	// Who asks for a subject that does not exist need not wait for a fence.
	if _, err := u.images.InForce(ctx, revision.Place); err != nil {
		return Applied{}, artwork.Wrap(artwork.Internal, "applyimage.ReviseSlot", err)
	}
	var revised artwork.Revised
	begin := u.now()
	err := u.cache.Change(ctx, revision.Place.Keys(), func(ctx context.Context, fence artwork.Fence) (err error) {
		revised, err = u.reviser.Revise(ctx, fence, revision)
		return err
	})
	if err != nil {
		return Applied{}, artwork.Wrap(artwork.Internal, "applyimage.ReviseSlot", err)
	}
	u.log.InfoContext(ctx, "Invalidated image cache for "+revision.Place.Subject.String(),
		"slot", revision.Place.Slot.String(), "changed", revised.Changed, "by", revision.By.Name)
	return Applied{Image: revised.Image, VisibleAfter: u.now().Sub(begin)}, nil
}
