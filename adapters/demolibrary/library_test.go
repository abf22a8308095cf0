package demolibrary

import (
	"bytes"
	"context"
	"errors"
	"image"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gatefold/application/importlibrary"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

const limit = 4 << 20

func folders(t *testing.T, unchanged bool) []importlibrary.Folder {
	t.Helper()
	var all []importlibrary.Folder
	err := New().Walk(t.Context(), func(string, string) (bool, error) { return unchanged, nil }, func(f importlibrary.Folder) error {
		all = append(all, f)
		return nil
	})
	require.NoError(t, err)
	return all
}

// TestPaint: what providers of the demonstration offer is the same picture in every
// size, and different pictures are painted of different seeds.
func TestPaint(t *testing.T) {
	t.Parallel()
	for slot, height := range map[artwork.Slot]int{
		artwork.SlotProfile: 192, artwork.SlotCover: 192, artwork.SlotBackground: 108, artwork.SlotBanner: 40, artwork.SlotLogo: 76,
	} {
		const width = 192
		require.Equal(t, image.Rect(0, 0, width, height), Paint(slot, "a", width, height).Bounds(), slot)
		require.Equal(t, Paint(slot, "a", width, height), Paint(slot, "a", width, height), slot)
		require.NotEqual(t, Paint(slot, "a", width, height), Paint(slot, "d", width, height), slot)
	}
}

func TestTheLibrary(t *testing.T) {
	t.Parallel()
	artists := map[string]importlibrary.Artist{}
	songs, withoutCover := 0, 0
	var paths, marks []string
	for _, f := range folders(t, false) {
		paths, marks = append(paths, f.Path), append(marks, f.Fingerprint)
		songs += f.AudioFiles
		require.Len(t, f.Albums, 1)
		al := f.Albums[0]
		require.NoError(t, catalog.CheckName("name", al.Name))
		require.NoError(t, catalog.Artist{Name: al.Artist.Name, SortName: al.Artist.SortName}.Check())
		assert.Positive(t, al.Year)
		artists[al.Artist.Name] = al.Artist
		if len(al.Cover) == 0 {
			withoutCover++
		}
	}
	assert.Len(t, paths, 21)
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(paths))), 21)
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(marks))), 21)
	assert.Len(t, artists, 9)
	assert.Equal(t, 1, withoutCover)
	assert.Nil(t, artists["Quartett Fensterlicht"].Pictures)
	assert.Equal(t, catalog.VariousArtists.MBID, artists[catalog.VariousArtists.Name].MBID)
	n, err := New().Count(t.Context())
	require.NoError(t, err)
	assert.Equal(t, songs, n)
	assert.Equal(t, "demo", New().Root())
}

func TestUnchangedFolders(t *testing.T) {
	t.Parallel()
	before := folders(t, false)
	for i, f := range folders(t, true) {
		want := importlibrary.Folder{Path: before[i].Path, Fingerprint: before[i].Fingerprint, Unchanged: true, AudioFiles: before[i].AudioFiles}
		assert.Equal(t, want, f)
	}
}

func TestWalkStops(t *testing.T) {
	t.Parallel()
	failure := errors.New("failure")
	never := func(string, string) (bool, error) { return false, nil }
	require.ErrorIs(t, New().Walk(t.Context(), never, func(importlibrary.Folder) error { return failure }), failure)
	require.ErrorIs(t, New().Walk(t.Context(), func(string, string) (bool, error) { return false, failure }, nil), failure)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, New().Walk(ended, never, nil), context.Canceled)
}

// Every picture is an image of the expected size, the same each time, and
// looks different from all others.
func TestPictures(t *testing.T) {
	t.Parallel()
	sizes := map[string]image.Point{
		"cover.jpg": {800, 800}, "artist.jpg": {1000, 1000}, "fanart.jpg": {1920, 1080}, "banner.jpg": {1000, 185}, "logo.png": {800, 310},
	}
	seen := map[artwork.Hash]string{}
	pictures := map[string]importlibrary.Picture{}
	for _, f := range folders(t, false) {
		for _, p := range slices.Concat(append(slices.Collect(maps.Values(f.Albums[0].Artist.Pictures)), f.Albums[0].Cover)...) {
			pictures[p.Origin.Path] = p
		}
	}
	assert.Len(t, pictures, 20+7+6+4+4)
	again := map[string]bool{}
	for origin, p := range pictures {
		assert.True(t, New().Exists(origin))
		content, err := p.Read(t.Context(), limit)
		require.NoError(t, err)
		config, _, err := image.DecodeConfig(bytes.NewReader(content))
		require.NoError(t, err)
		assert.Equal(t, sizes[p.FileName], image.Pt(config.Width, config.Height), origin)
		hash := artwork.HashOf(content)
		assert.Empty(t, seen[hash], origin)
		seen[hash] = origin
		if !again[p.FileName] { // one of each kind
			again[p.FileName] = true
			second, err := p.Read(t.Context(), limit)
			require.NoError(t, err)
			assert.Equal(t, hash, artwork.HashOf(second), origin)
		}
	}
	assert.False(t, New().Exists("demo/nothing"))
}

func TestReadingIsBounded(t *testing.T) {
	t.Parallel()
	p := folders(t, false)[0].Albums[0].Cover[0]
	_, err := p.Read(t.Context(), 100)
	assert.Equal(t, artwork.TooLarge, artwork.KindOf(err))
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = p.Read(ended, limit)
	require.ErrorIs(t, err, context.Canceled)
}
