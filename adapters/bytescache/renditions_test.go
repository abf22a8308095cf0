package bytescache_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bytescache"
	"gatefold/adapters/memory"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
)

func TestRenditions(t *testing.T) {
	t.Parallel()
	conformance.RunRenditionStore(t, func(conformance.TB) artwork.RenditionStore {
		return bytescache.NewRenditions(memory.NewRenditions(), 1<<20)
	})
}

// counted counts what is opened.
type counted struct {
	artwork.RenditionStore
	opened int
}

func (c *counted) OpenRendition(ctx context.Context, key artwork.RenditionKey) (artwork.StoredFile, error) {
	c.opened++
	return c.RenditionStore.OpenRendition(ctx, key)
}

// TestASmallRenditionIsReadOnce, and a large one each time.
func TestASmallRenditionIsReadOnce(t *testing.T) {
	t.Parallel()
	for size, want := range map[int]int{1000: 1, 100_000: 3} {
		inner := &counted{RenditionStore: memory.NewRenditions()}
		store := bytescache.NewRenditions(inner, 1<<20)
		key := artwork.RenditionOf(artwork.SlotCover, 200, artwork.FormatWebP).KeyOf(&artwork.Image{}, "test1")
		require.NoError(t, store.PutRendition(t.Context(), key, make([]byte, size)))
		for range 3 {
			f, err := store.OpenRendition(t.Context(), key)
			require.NoError(t, err)
			require.EqualValues(t, size, f.Size())
			require.NoError(t, f.Close())
		}
		require.Equal(t, want, inner.opened)
	}
}
