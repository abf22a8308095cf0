package bytescache

import (
	"context"
	"errors"

	"github.com/maypok86/otter/v2"

	"gatefold/domain/artwork"
)

// Renditions is a RenditionStore that answers from copies in this process and asks the
// inner store when it has none. All methods may be called concurrently.
//
// What is put under a key is always the same picture, so a copy can be missing, but not
// stale; one that another process has removed is answered until it is displaced. The
// inner store does not hear of uses that copies answer.
type Renditions struct {
	artwork.RenditionStore
	largest int64
	kept    *otter.Cache[artwork.RenditionKey, []byte]
}

var _ artwork.RenditionStore = (*Renditions)(nil)

// NewRenditions returns a store that keeps copies of what the inner one holds, as soon as
// they are asked for. They take at most maxBytes, which must be positive. Renditions
// larger than a sixteenth of that, or than 1 MiB, are not kept.
func NewRenditions(inner artwork.RenditionStore, maxBytes int64) *Renditions {
	return &Renditions{
		RenditionStore: inner,
		largest:        min(maxKept, maxBytes/maxShare),
		kept: otter.Must(&otter.Options[artwork.RenditionKey, []byte]{
			MaximumWeight: uint64(maxBytes),
			Weigher: func(_ artwork.RenditionKey, content []byte) uint32 {
				return uint32(cap(content)) + entryOverhead
			},
		}),
	}
}

// PutRendition implements artwork.RenditionStore.
func (r *Renditions) PutRendition(ctx context.Context, key artwork.RenditionKey, content []byte) error {
	err := r.RenditionStore.PutRendition(ctx, key, content)
	r.kept.Invalidate(key) // also after an error nobody knows what is there
	return err
}

// OpenRendition implements artwork.RenditionStore.
func (r *Renditions) OpenRendition(ctx context.Context, key artwork.RenditionKey) (artwork.StoredFile, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if content, ok := r.kept.GetIfPresent(key); ok {
		return open(content), nil
	}
	file, err := r.RenditionStore.OpenRendition(ctx, key)
	if err != nil || file.Size() > r.largest {
		return file, err
	}
	content, err := readAll(file)
	whole := int64(len(content)) == file.Size()
	_ = file.Close() // only read
	if err == nil && !whole {
		err = errShort
	}
	if err != nil {
		return nil, classify(err)
	}
	r.kept.Set(key, content)
	return open(content), nil
}

var errShort = errors.New("a rendition ends before its size")

// RemoveRenditions implements artwork.RenditionStore.
func (r *Renditions) RemoveRenditions(ctx context.Context, original artwork.Hash) error {
	err := r.RenditionStore.RemoveRenditions(ctx, original)
	r.forget(func(key artwork.RenditionKey) bool { return key.Hash == original })
	return err
}

// RemoveRendition implements artwork.RenditionStore.
func (r *Renditions) RemoveRendition(ctx context.Context, path string) error {
	err := r.RenditionStore.RemoveRendition(ctx, path)
	original, _ := artwork.ParseRenditionPath(path)
	r.forget(func(key artwork.RenditionKey) bool { return key.Hash == original && key.Path() == path })
	return err
}

// forget drops some copies. It looks at all, so that the path of a rendition need not be made
// whenever it is asked for; renditions are removed once a day.
func (r *Renditions) forget(which func(artwork.RenditionKey) bool) {
	for key := range r.kept.Keys() {
		if which(key) {
			r.kept.Invalidate(key)
		}
	}
}
