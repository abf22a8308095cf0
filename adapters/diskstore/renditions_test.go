package diskstore_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/test/conformance"
)

func TestRenditions(t *testing.T) {
	conformance.RunRenditionStore(t, func(t conformance.TB) artwork.RenditionStore { return open(t, t.TempDir()) })
}

// TestUseOfARenditionIsNoted, to a day: that is what those are chosen by that go.
func TestUseOfARenditionIsNoted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := open(t, dir)
	key := artwork.RenditionOf(artwork.SlotCover, 200, artwork.FormatWebP).KeyOf(&artwork.Image{}, "test1")
	require.NoError(t, store.PutRendition(t.Context(), key, []byte("content")))
	old := time.Now().Add(-48 * time.Hour)
	require.NoError(t, os.Chtimes(filepath.Join(dir, key.Path()), old, old))
	f, err := store.OpenRendition(t.Context(), key)
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.NoError(t, store.ListRenditions(t.Context(), func(info artwork.RenditionInfo) error {
		require.WithinDuration(t, time.Now(), info.UsedAt, time.Hour)
		return nil
	}))
}

// TestNoRenditionIsStoredBesideTheDisk: not in the folder on which it is mounted.
func TestNoRenditionIsStoredBesideTheDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := open(t, dir)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "images")))
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "tmp")))
	key := artwork.RenditionOf(artwork.SlotCover, 200, artwork.FormatWebP).KeyOf(&artwork.Image{}, "test1")
	err := store.PutRendition(t.Context(), key, []byte("content"))
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "%v", err)
	require.NoDirExists(t, filepath.Join(dir, "renditions"))
}
