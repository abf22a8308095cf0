package memory

import (
	"bytes"
	"context"
	"maps"
	"sync"
	"time"

	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
)

// Renditions is a RenditionStore in memory.
type Renditions struct {
	mu    sync.Mutex
	files map[string]rendition // by path
}

type rendition struct {
	original artwork.Hash
	content  []byte
	used     time.Time
}

var _ artwork.RenditionStore = (*Renditions)(nil)

// NewRenditions returns an empty store.
func NewRenditions() *Renditions { return &Renditions{files: map[string]rendition{}} }

// PutRendition implements artwork.RenditionStore.
func (r *Renditions) PutRendition(ctx context.Context, key artwork.RenditionKey, content []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.files[key.Path()] = rendition{key.Hash, bytes.Clone(content), time.Now()}
	return nil
}

// OpenRendition implements artwork.RenditionStore.
func (r *Renditions) OpenRendition(ctx context.Context, key artwork.RenditionKey) (artwork.StoredFile, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	f, ok := r.files[key.Path()]
	if !ok {
		return nil, artwork.Errorf(artwork.NotFound, "no rendition is stored under %s", key.Path())
	}
	f.used = time.Now()
	r.files[key.Path()] = f
	return storeReader{bytes.NewReader(f.content)}, nil
}

// RemoveRenditions implements artwork.RenditionStore.
func (r *Renditions) RemoveRenditions(ctx context.Context, original artwork.Hash) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	maps.DeleteFunc(r.files, func(_ string, f rendition) bool { return f.original == original })
	return nil
}

// RemoveRendition implements artwork.RenditionStore.
func (r *Renditions) RemoveRendition(ctx context.Context, path string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, ok := artwork.ParseRenditionPath(path); !ok {
		return artwork.Errorf(artwork.InvalidInput, "%q is not where a rendition is", path)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.files, path)
	return nil
}

// ListRenditions implements artwork.RenditionStore. It visits what was stored when it
// began.
func (r *Renditions) ListRenditions(ctx context.Context, visit func(artwork.RenditionInfo) error) error {
	r.mu.Lock()
	files := maps.Clone(r.files)
	r.mu.Unlock()
	for path, f := range files {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := visit(artwork.RenditionInfo{Original: f.original, Path: path, Size: int64(len(f.content)), UsedAt: f.used}); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// Turns are those of a single process, in which nobody dies without the others.
type Turns struct {
	mu    sync.Mutex
	taken map[string]bool
}

var _ renderimage.Turns = (*Turns)(nil)

// NewTurns returns turns that nobody has.
func NewTurns() *Turns { return &Turns{taken: map[string]bool{}} }

// Take implements renderimage.Turns. The term does not matter.
func (t *Turns) Take(ctx context.Context, name string, _ time.Duration) (release func(), taken bool, err error) {
	if err := ctx.Err(); err != nil {
		return nil, false, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken[name] {
		return nil, false, nil
	}
	t.taken[name] = true
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		delete(t.taken, name)
	}, true, nil
}
