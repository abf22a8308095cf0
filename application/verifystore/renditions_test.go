package verifystore

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/serveimage"
	"gatefold/domain/artwork"
)

// render stores a rendition of the content, of so many bytes.
func (f *fixture) render(t *testing.T, original artwork.Hash, edge, size int) artwork.RenditionKey {
	t.Helper()
	img := &artwork.Image{Content: artwork.Content{Hash: original}}
	key := artwork.RenditionOf(artwork.SlotCover, edge, artwork.FormatAuto).KeyOf(img, "test1")
	require.NoError(t, f.renditions.PutRendition(t.Context(), key, make([]byte, size)))
	return key
}

func (f *fixture) isRendered(t *testing.T, key artwork.RenditionKey) bool {
	t.Helper()
	stored := false
	require.NoError(t, f.renditions.ListRenditions(t.Context(), func(info artwork.RenditionInfo) error {
		stored = stored || info.Path == key.Path()
		return nil
	}))
	return stored
}

// TestRenditionsGoWithTheirOriginals: those of images that are referred to stay, and
// those of the default picture, to which no record refers.
func TestRenditionsGoWithTheirOriginals(t *testing.T) {
	f := newFixture(t)
	kept, gone := f.upload(t, "kept"), artwork.HashOf([]byte("gone"))
	of := map[string]artwork.RenditionKey{
		"kept": f.render(t, kept, 200, 10), "kept too": f.render(t, kept, 300, 10), "default": f.render(t, serveimage.DefaultCover().Hash, 200, 10),
		"gone": f.render(t, gone, 200, 10), "gone too": f.render(t, gone, 300, 10),
	}
	report, err := f.verify(f.repo.Images(), f.store).Run(t.Context(), In{}, &watched{})
	require.NoError(t, err)
	require.Equal(t, Renditions{Stored: 5, Bytes: 50, Orphans: 2}, report.Renditions, "to look changes nothing")
	require.True(t, report.Sound())
	swept, err := f.sweep(f.repo.Images(), f.store).Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, Renditions{Stored: 5, Bytes: 50, Orphans: 2, Removed: 2}, swept.Renditions)
	for name, key := range of {
		require.Equal(t, key.Hash != gone, f.isRendered(t, key), name)
	}
	f.render(t, gone, 200, 10)
	report, err = f.verify(f.repo.Images(), f.store).Run(t.Context(), In{Repair: true}, &watched{})
	require.NoError(t, err)
	require.Equal(t, Renditions{Stored: 4, Bytes: 40, Orphans: 1, Removed: 1}, report.Renditions)
}

// TestRenditionsOfAnOrphanGoWithIt, not a day later.
func TestRenditionsOfAnOrphanGoWithIt(t *testing.T) {
	f := newFixture(t)
	orphan := f.put(t, "orphan")
	key := f.render(t, orphan, 200, 10)
	f.ahead = aDayLater
	swept, err := f.sweep(f.repo.Images(), f.store).Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, swept.Removed)
	require.False(t, f.isRendered(t, key))
}

// TestRenditionsAreBounded: those go that were used least recently.
func TestRenditionsAreBounded(t *testing.T) {
	f := newFixture(t)
	kept := f.upload(t, "kept")
	var keys []artwork.RenditionKey
	for n := range 6 {
		keys = append(keys, f.render(t, kept, 100+n, 100))
		time.Sleep(time.Millisecond) // the order is that of a clock
	}
	opened, err := f.renditions.OpenRendition(t.Context(), keys[0])
	require.NoError(t, err)
	require.NoError(t, opened.Close())
	sweep := f.sweep(f.repo.Images(), f.store)
	sweep.renditions.bound = 350
	swept, err := sweep.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, 3, swept.Renditions.Removed)
	for n, key := range keys {
		require.Equal(t, n == 0 || n >= 4, f.isRendered(t, key), n)
	}
}
