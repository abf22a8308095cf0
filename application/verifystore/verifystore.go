// Package verifystore compares what the database refers to with what the image
// store holds.
package verifystore

import (
	"context"
	"time"

	"gatefold/domain/artwork"
)

// Grace is how long bytes that no record refers to are left alone: an upload
// stores its bytes before it records them.
const Grace = 24 * time.Hour

// Verify compares the records with the store.
type Verify struct {
	archive artwork.ImageArchive
	store   artwork.ImageStore
	now     func() time.Time
}

// New returns the use case.
func New(archive artwork.ImageArchive, store artwork.ImageStore) *Verify {
	return &Verify{archive, store, time.Now}
}

// Report is what was found.
type Report struct {
	Referenced int            // distinct images that records refer to
	Missing    []artwork.Hash // referred to, but not in the store
	Damaged    []artwork.Hash // in the store with another size
	Waiting    int            // orphans within their grace period
	Expired    int            // orphans past it
	Removed    int            // of those, by this run
}

// Sound reports whether everything that is referred to is there, and nothing is
// left that should have been removed.
func (r Report) Sound() bool {
	return len(r.Missing) == 0 && len(r.Damaged) == 0 && r.Expired == r.Removed
}

// Run compares, and with repair removes the orphans past their grace period. It
// reads no image, only sizes; it takes some 100 bytes of memory per image.
func (v *Verify) Run(ctx context.Context, repair bool) (Report, error) {
	// The records are read first: bytes are stored before they are recorded, so
	// that what is recorded now must be in the list that follows.
	referenced := map[artwork.Hash]int64{}
	err := v.archive.References(ctx, func(content artwork.Content) error {
		referenced[content.Hash] = content.Size
		return nil
	})
	if err != nil {
		return Report{}, artwork.Wrap(artwork.Internal, "verifystore.References", err)
	}
	report := Report{Referenced: len(referenced)}
	graceBegins := v.now().Add(-Grace)
	var expired []artwork.Hash
	err = v.store.List(ctx, func(stored artwork.StoredInfo) error {
		size, known := referenced[stored.Hash]
		switch {
		case known && size != stored.Size:
			report.Damaged = append(report.Damaged, stored.Hash)
		case known:
		case stored.ModTime.After(graceBegins):
			report.Waiting++
		default:
			expired = append(expired, stored.Hash)
		}
		delete(referenced, stored.Hash)
		return nil
	})
	if err != nil {
		return Report{}, artwork.Wrap(artwork.Internal, "verifystore.List", err)
	}
	for hash := range referenced {
		report.Missing = append(report.Missing, hash)
	}
	report.Expired = len(expired)
	if repair {
		report.Removed, err = v.remove(ctx, expired, graceBegins)
	}
	return report, err
}

func (v *Verify) remove(ctx context.Context, expired []artwork.Hash, graceBegins time.Time) (removed int, err error) {
	for _, hash := range expired {
		gone, err := v.store.Remove(ctx, hash, graceBegins)
		if err != nil {
			return removed, artwork.Wrap(artwork.Internal, "verifystore.Remove", err)
		}
		if gone {
			removed++
		}
	}
	return removed, nil
}
