package verifystore

import (
	"context"
	"crypto/sha256"
	"io"
	"slices"
	"sync"
	"time"

	"gatefold/domain/artwork"
)

const (
	// readers is how many images are read at once: enough to hide how long a
	// network takes, few enough for a disk.
	readers = 4
	// readSize is how much each reader holds in memory.
	readSize = 256 << 10
)

// Verify compares the records with the store.
type Verify struct{ orphans }

// NewVerify returns the use case. The grace period is that of orphans.
func NewVerify(archive artwork.ImageArchive, store artwork.ImageStore, renditions artwork.RenditionStore, grace time.Duration) *Verify {
	return &Verify{newOrphans(archive, store, renditions, 0, grace)}
}

// In says how thoroughly to look, and whether to change anything.
type In struct {
	// Quick compares sizes only, as the store lists them. Otherwise every image is
	// read and compared with its hash.
	Quick bool
	// Repair removes the orphans past their grace period.
	Repair bool
}

// Observer is told how it goes on. It is called by one goroutine at a time.
type Observer interface {
	// Progress tells how many of the images have been compared.
	Progress(done, total int)
}

// Report is what was found.
type Report struct {
	Referenced int            // distinct images that records refer to
	Missing    []artwork.Hash // referred to, but not in the store
	Damaged    []artwork.Hash // in the store with other bytes, or not to be read
	Waiting    int            // orphans within their grace period
	Orphans    int            // past it, and left
	Removed    int            // past it, and removed by this run
	Renditions Renditions     // of which orphans do no harm
}

// Sound reports whether everything that is referred to is there as it should be,
// and nothing is left that should have been removed.
func (r Report) Sound() bool {
	return len(r.Missing) == 0 && len(r.Damaged) == 0 && r.Orphans == 0
}

// Run compares. An image that is referred to is never touched, however damaged: to
// store it again replaces it by a sound one (artwork.ImageStore.Put). It takes some
// 100 bytes of memory per image.
func (v *Verify) Run(ctx context.Context, in In, observer Observer) (Report, error) {
	since := v.since()
	referenced, err := v.references(ctx)
	if err != nil {
		return Report{}, err
	}
	report := Report{Referenced: len(referenced)}
	var sizes map[artwork.Hash]int64
	if in.Quick {
		sizes = make(map[artwork.Hash]int64, len(referenced))
	}
	expired, err := v.list(ctx, since, referenced, sizes, &report)
	if err != nil {
		return Report{}, err
	}
	suspects := &suspects{observer: observer, total: len(referenced)}
	if in.Quick {
		suspects.compareSizes(referenced, sizes)
	} else if err := v.readAll(ctx, referenced, suspects); err != nil {
		return Report{}, err
	}
	if report.Missing, err = v.stillReferred(ctx, suspects.missing); err != nil {
		return Report{}, err
	}
	if report.Damaged, err = v.stillReferred(ctx, suspects.damaged); err != nil {
		return Report{}, err
	}
	report.Orphans = len(expired)
	if in.Repair {
		err = v.repair(ctx, expired, since, &report)
	}
	if err == nil {
		report.Renditions, err = v.renditions.sweep(ctx, referenced, in.Repair)
	}
	return report, err
}

// list returns the orphans that were stored before since. It notes the sizes of the
// images that are referred to, unless sizes is nil.
func (v *Verify) list(ctx context.Context, since time.Time, referenced, sizes map[artwork.Hash]int64, report *Report) ([]artwork.Hash, error) {
	var expired []artwork.Hash
	err := v.store.List(ctx, func(stored artwork.StoredInfo) error {
		_, known := referenced[stored.Hash]
		switch {
		case known && sizes != nil:
			sizes[stored.Hash] = stored.Size
		case known:
		case stored.ModTime.Before(since):
			expired = append(expired, stored.Hash)
		default:
			report.Waiting++
		}
		return nil
	})
	return expired, artwork.Wrap(artwork.Internal, "verifystore.List", err)
}

// stillReferred leaves out what was purged while it was looked at. It sorts, so
// that the same damage is told the same way.
func (v *Verify) stillReferred(ctx context.Context, hashes []artwork.Hash) ([]artwork.Hash, error) {
	var referred []artwork.Hash
	for _, hash := range hashes {
		refers, err := v.archive.Refers(ctx, hash)
		if err != nil {
			return nil, artwork.Wrap(artwork.Internal, "verifystore.Refers", err)
		}
		if refers {
			referred = append(referred, hash)
		}
	}
	slices.SortFunc(referred, func(a, b artwork.Hash) int { return slices.Compare(a[:], b[:]) })
	return referred, nil
}

func (v *Verify) repair(ctx context.Context, expired []artwork.Hash, since time.Time, report *Report) error {
	for _, hash := range expired {
		removed, err := v.remove(ctx, hash, since)
		if err != nil {
			return err
		}
		report.Orphans--
		if removed {
			report.Removed++
		}
	}
	return nil
}

// suspects are the images that are not as they should be.
type suspects struct {
	observer Observer
	total    int

	mu               sync.Mutex
	done             int
	missing, damaged []artwork.Hash
}

func (s *suspects) compareSizes(referenced, sizes map[artwork.Hash]int64) {
	for hash, want := range referenced {
		size, stored := sizes[hash]
		switch {
		case !stored:
			s.missing = append(s.missing, hash)
		case size != want:
			s.damaged = append(s.damaged, hash)
		}
	}
}

// state is what an image turned out to be.
type state int

const (
	sound state = iota
	missing
	damaged
)

func (s *suspects) note(hash artwork.Hash, found state) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch found {
	case missing:
		s.missing = append(s.missing, hash)
	case damaged:
		s.damaged = append(s.damaged, hash)
	case sound:
	}
	s.done++
	s.observer.Progress(s.done, s.total)
}

// readAll reads every image and compares it with its hash. It ends with the first
// error, which is not one of a single image.
func (v *Verify) readAll(ctx context.Context, referenced map[artwork.Hash]int64, found *suspects) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	next := make(chan artwork.Hash)
	var reading sync.WaitGroup
	for range readers {
		reading.Go(func() {
			buffer := make([]byte, readSize)
			for hash := range next {
				state, err := v.read(ctx, hash, buffer)
				if err != nil {
					end(err)
					return
				}
				found.note(hash, state)
			}
		})
	}
	for hash := range referenced {
		select {
		case next <- hash:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(next)
	reading.Wait()
	return context.Cause(ctx)
}

// read compares an image with its hash. An error is one of the whole store.
func (v *Verify) read(ctx context.Context, hash artwork.Hash, buffer []byte) (state, error) {
	f, err := v.store.Open(ctx, hash)
	if artwork.KindOf(err) == artwork.NotFound {
		return missing, nil
	}
	if err != nil {
		return 0, artwork.Wrap(artwork.Internal, "verifystore.Open", err)
	}
	// The hash tells whether everything was read. The reader is one that has to use
	// the buffer.
	digest := sha256.New()
	_, _ = io.CopyBuffer(digest, struct{ io.Reader }{f}, buffer)
	_ = f.Close()
	if artwork.Hash(digest.Sum(nil)) != hash {
		return damaged, ctx.Err()
	}
	return sound, nil
}
