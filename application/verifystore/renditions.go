package verifystore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"gatefold/application/serveimage"
	"gatefold/application/wait"
	"gatefold/domain/artwork"
)

// Renditions is what was found of renditions.
type Renditions struct {
	Stored  int
	Bytes   int64
	Orphans int // whose original no record refers to
	Removed int // orphans, and those used least recently
}

// renditions are kept as long as their originals, and as there is room. Nothing is lost
// with one: it can be rendered again.
type renditions struct {
	store   artwork.RenditionStore
	archive artwork.ImageArchive
	bound   int64 // bytes; 0: none
	pause   func(ctx context.Context) error
}

// sweep looks for orphans and, if remove is set, removes them and what is beyond the
// bound. With a bound it takes some 250 bytes of memory per rendition.
func (r *renditions) sweep(ctx context.Context, referenced map[artwork.Hash]int64, remove bool) (found Renditions, err error) {
	var kept []artwork.RenditionInfo
	orphans := map[artwork.Hash]int{}
	err = r.store.ListRenditions(ctx, func(info artwork.RenditionInfo) error {
		found.Stored++
		found.Bytes += info.Size
		if _, known := referenced[info.Original]; !known && info.Original != serveimage.DefaultCover().Hash {
			orphans[info.Original]++
			found.Orphans++
		} else if r.bound > 0 {
			kept = append(kept, info)
		}
		return nil
	})
	if err != nil || !remove {
		return found, artwork.Wrap(artwork.Internal, "verifystore.ListRenditions", err)
	}
	if err := r.removeOrphans(ctx, orphans, &found); err != nil {
		return found, err
	}
	return found, r.removeOldest(ctx, kept, &found)
}

// removeOrphans asks again: what is rendered may have been recorded after the records
// were listed.
func (r *renditions) removeOrphans(ctx context.Context, orphans map[artwork.Hash]int, found *Renditions) error {
	for hash, count := range orphans {
		if err := r.pause(ctx); err != nil {
			return err
		}
		refers, err := r.archive.Refers(ctx, hash)
		if err == nil && !refers {
			err = r.store.RemoveRenditions(ctx, hash)
			found.Removed += count
		}
		if err != nil {
			return artwork.Wrap(artwork.Internal, "verifystore.RemoveRenditions", err)
		}
	}
	return nil
}

// removeOldest removes what was used least recently until the rest is within the bound.
func (r *renditions) removeOldest(ctx context.Context, kept []artwork.RenditionInfo, found *Renditions) error {
	total := int64(0)
	for _, info := range kept {
		total += info.Size
	}
	slices.SortFunc(kept, func(a, b artwork.RenditionInfo) int {
		return cmp.Or(a.UsedAt.Compare(b.UsedAt), cmp.Compare(a.Path, b.Path))
	})
	for _, info := range kept {
		if total <= r.bound {
			return nil
		}
		if err := r.pause(ctx); err != nil {
			return err
		}
		if err := r.store.RemoveRendition(ctx, info.Path); err != nil {
			return artwork.Wrap(artwork.Internal, "verifystore.RemoveRendition", err)
		}
		total -= info.Size
		found.Removed++
	}
	return nil
}

// renditionPause keeps a sweep from taking the store from those who serve.
const renditionPause = 5 * time.Millisecond

func shortly(ctx context.Context) error { return wait.For(ctx, renditionPause) }
