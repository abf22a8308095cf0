// Package bytescache keeps the bytes of small images in the memory of a process,
// in front of any ImageStore.
//
// Bytes are kept under their hash. What has a hash never changes, so a copy can
// be missing, but not stale.
package bytescache

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"

	"gatefold/domain/artwork"
)

const (
	// maxKept is the size of the largest image that is ever kept: a larger one is
	// rarely asked for often, and displaces too many others.
	maxKept = 1 << 20
	// maxShare is the part of the bound that one image may take.
	maxShare = 16
	// fillShare is the part of the bound set aside for what is being read: room
	// for two images of the largest size, however small the bound.
	fillShare = 8
	// entryOverhead is what a kept image takes beside its bytes, about.
	entryOverhead = 200
)

// Store is an ImageStore that answers Open from copies in this process and asks
// the inner store when it has none. All methods may be called concurrently.
type Store struct {
	inner   artwork.ImageStore
	largest int64
	room    int64 // for what is being read
	reading atomic.Int64
	kept    *otter.Cache[artwork.Hash, []byte]
}

var _ artwork.ImageStore = (*Store)(nil)

// New returns a store that keeps copies of what the inner one holds. They take
// at most maxBytes, which must be positive, including those being read; what a
// caller holds open while it is displaced comes on top. Images larger than a
// sixteenth of that, or than 1 MiB, are not kept.
//
// An image that another process removes from the inner store may be answered
// until it is displaced. Only what no record refers to may be removed.
func New(inner artwork.ImageStore, maxBytes int64) *Store {
	room := maxBytes / fillShare
	return &Store{
		inner:   inner,
		largest: min(maxKept, maxBytes/maxShare),
		room:    room,
		kept: otter.Must(&otter.Options[artwork.Hash, []byte]{
			MaximumWeight: uint64(maxBytes - room),
			Weigher: func(_ artwork.Hash, content []byte) uint32 {
				return uint32(cap(content)) + entryOverhead
			},
		}),
	}
}

// Put implements artwork.ImageStore. It keeps no copy: what is stored is not
// always asked for.
func (s *Store) Put(ctx context.Context, content []byte) (artwork.Hash, error) {
	return s.inner.Put(ctx, content)
}

// Open implements artwork.ImageStore. Callers who ask at once for an image of
// which there is no copy share one read of it. A small image is read to its end
// and compared with its hash before it is answered: Unavailable, it cannot be
// read; Internal, the inner store holds other bytes than were put.
func (s *Store) Open(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if content, ok := s.kept.GetIfPresent(hash); ok {
		return open(content), nil
	}
	f := &fill{store: s}
	defer f.end()
	content, err := s.kept.Get(ctx, hash, otter.LoaderFunc[artwork.Hash, []byte](f.load))
	if err != nil && !f.ran {
		// Only bytes are shared. Another's read may have begun before this caller
		// asked, and what was missing or out of reach then need not be any more.
		content, err = f.load(ctx, hash)
	}
	if f.passed != nil {
		return f.passed, nil
	}
	if err != nil {
		return nil, err
	}
	return open(content), nil
}

// Remove implements artwork.ImageStore. It drops the copy in any case, also one
// that is being read: after an error nobody knows what was removed.
func (s *Store) Remove(ctx context.Context, hash artwork.Hash, unlessPutSince time.Time) (bool, error) {
	removed, err := s.inner.Remove(ctx, hash, unlessPutSince)
	s.kept.Invalidate(hash)
	return removed, err
}

// List implements artwork.ImageStore.
func (s *Store) List(ctx context.Context, visit func(artwork.StoredInfo) error) error {
	return s.inner.List(ctx, visit)
}

// errNotKept keeps what a fill does not read out of the cache.
var errNotKept = errors.New("the image is not kept")

// fill is one caller's reading of an image that is to be kept, which others may
// wait for.
type fill struct {
	store    *Store
	ran      bool
	reserved int64
	passed   artwork.StoredFile // opened, but not to be kept
}

// load returns content of the hash and no other.
func (f *fill) load(ctx context.Context, hash artwork.Hash) ([]byte, error) {
	f.ran = true
	file, err := f.store.inner.Open(ctx, hash)
	if err != nil {
		return nil, err
	}
	if file.Size() > f.store.largest || !f.reserve(file.Size()) {
		f.passed = file
		return nil, errNotKept
	}
	content, err := readAll(file)
	_ = file.Close() // the hash tells whether everything was read
	if err != nil {
		return nil, classify(err)
	}
	if artwork.HashOf(content) != hash {
		return nil, &artwork.Error{Kind: artwork.Internal, Op: "bytescache.Open", Msg: fmt.Sprintf("the image store holds other bytes than were put under %s", hash)}
	}
	return content, nil
}

// reserve takes room for the image, if there is any. Without a limit a rush on
// many images at once would hold all of them.
func (f *fill) reserve(size int64) bool {
	if f.store.reading.Add(size) > f.store.room {
		f.store.reading.Add(-size)
		return false
	}
	f.reserved += size
	return true
}

// end gives the room back, once what was kept is accounted for.
func (f *fill) end() {
	if f.reserved > 0 {
		f.store.kept.CleanUp()
		f.store.reading.Add(-f.reserved)
	}
}

// readAll reads the file into memory whose capacity is what it really takes. What
// is missing at its end is for the hash to notice.
func readAll(file artwork.StoredFile) ([]byte, error) {
	content := slices.Grow([]byte(nil), int(file.Size()))[:file.Size()]
	n, err := io.ReadFull(file, content)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return content[:n], err
}

// classify gives an error of reading its kind, unless the inner store has, and
// passes on that a context ended.
func classify(err error) error {
	if _, classified := errors.AsType[*artwork.Error](err); classified ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return artwork.Wrap(artwork.Unavailable, "bytescache.Open", err)
}
