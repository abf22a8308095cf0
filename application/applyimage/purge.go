package applyimage

import (
	"context"
	"log/slog"
	"time"

	"gatefold/domain/artwork"
)

// PurgeImages forgets images for good: an image that must not be kept, or all
// pictures of a user who left.
type PurgeImages struct {
	cache   artwork.ImageCache
	reviser artwork.ImageReviser
	images  artwork.ImageRepository
	archive artwork.ImageArchive
	store   artwork.ImageStore
	copies  artwork.RenditionStore
	log     *slog.Logger
	now     func() time.Time
}

// NewPurgeImages returns the use case on the ports.
func NewPurgeImages(cache artwork.ImageCache, reviser artwork.ImageReviser, images artwork.ImageRepository,
	archive artwork.ImageArchive, store artwork.ImageStore, renditions artwork.RenditionStore, log *slog.Logger,
) *PurgeImages {
	return &PurgeImages{cache, reviser, images, archive, store, renditions, log, time.Now}
}

// Purged is what a purge answers.
type Purged struct {
	Applied     // what is in force now; no image if the slot is empty
	Images  int // contents that are forgotten
	// BytesRemoved are those of which the bytes are gone as well. The bytes of the
	// others are still referred to from elsewhere or were stored a short while ago:
	// then they are not served any more, and are removed as orphans are.
	BytesRemoved int
}

// settled is how long ago bytes must have been stored to be removed at once: whoever
// stored them has recorded them by then, or given up.
const settled = 15 * time.Minute

// Run forgets what the purge names and returns once no instance can answer with it.
// Its errors are those of artwork.ImageReviser and of ImageCache.Change. Bytes that
// cannot be removed are no error: they are orphans.
func (u *PurgeImages) Run(ctx context.Context, purge artwork.Purge) (Purged, error) {
	const op = "applyimage.PurgeImages"
	if err := purge.Check(); err != nil {
		return Purged{}, err
	}
	// Who asks for a subject that does not exist need not wait for a fence.
	if _, err := u.images.InForce(ctx, purge.Place); err != nil {
		return Purged{}, artwork.Wrap(artwork.Internal, op, err)
	}
	var purged artwork.Purged
	begin := u.now()
	err := u.cache.Change(ctx, purge.Place.Keys(), func(ctx context.Context, fence artwork.Fence) (err error) {
		purged, err = u.reviser.Purge(ctx, fence, purge)
		return err
	})
	if err != nil {
		return Purged{}, artwork.Wrap(artwork.Internal, op, err)
	}
	out := Purged{Applied: Applied{Image: purged.Image, VisibleAfter: u.now().Sub(begin)}, Images: len(purged.Contents)}
	for _, hash := range purged.Contents {
		if u.removeBytes(ctx, hash) {
			out.BytesRemoved++
		}
	}
	u.log.InfoContext(ctx, "Purged images of "+purge.Place.Subject.String(), "slot", purge.Place.Slot.String(),
		"images", out.Images, "bytesRemoved", out.BytesRemoved, "by", purge.By.Name)
	return out, nil
}

// removeBytes removes renditions, and the bytes, of content to which no record refers. A record that is added
// meanwhile is one of bytes that were stored anew just before, which are left alone;
// no other way leads from bytes without a record to a record.
func (u *PurgeImages) removeBytes(ctx context.Context, hash artwork.Hash) bool {
	refers, err := u.archive.Refers(ctx, hash)
	if err == nil && refers {
		return false
	}
	removed := false
	if err == nil {
		err = u.copies.RemoveRenditions(ctx, hash)
	}
	if err == nil {
		removed, err = u.store.Remove(ctx, hash, u.now().Add(-settled))
	}
	if err != nil {
		u.log.WarnContext(ctx, "The bytes of a purged image are left to the removal of orphans", "hash", hash.String(), "error", err.Error())
	}
	return removed
}
