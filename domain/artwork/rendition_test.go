package artwork_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// TestRenditionKeys: a key names all that a rendition is made of.
func TestRenditionKeys(t *testing.T) {
	t.Parallel()
	hash := artwork.HashOf([]byte("one"))
	plain := &artwork.Image{Content: artwork.Content{Hash: hash}}
	focused := &artwork.Image{Content: artwork.Content{Hash: hash}, FocalPoint: &artwork.FocalPoint{X: 1}}
	square, fit := artwork.RenditionOf(artwork.SlotCover, 300, artwork.FormatWebP), artwork.RenditionOf(artwork.SlotLogo, 300, artwork.FormatWebP)
	require.NotEqual(t, square.KeyOf(plain, "go1").Path(), square.KeyOf(focused, "go1").Path())
	require.Equal(t, fit.KeyOf(plain, "go1"), fit.KeyOf(focused, "go1"), "nothing is cut from it")
	require.NotEqual(t, square.KeyOf(plain, "go1").Path(), square.KeyOf(plain, "go2").Path())
	require.NotEqual(t, square.KeyOf(plain, "go1").Path(), fit.KeyOf(plain, "go1").Path())
	path := square.KeyOf(plain, "go1").Path()
	require.Equal(t, "renditions/"+hash.String()[:2]+"/"+hash.String()+"/"+hash.String()[:16]+"-s300-go1.webp", path)
	parsed, ok := artwork.ParseRenditionPath(path)
	require.True(t, ok)
	require.Equal(t, hash, parsed)
	for _, other := range []string{"", path[1:], path + "/x", hash.RenditionsPath(), hash.RenditionsPath() + "/", hash.Path(), "renditions/00/" + hash.String() + "/x"} {
		_, ok := artwork.ParseRenditionPath(other)
		require.False(t, ok, other)
	}
}

// TestPresets are those that requests can name, of the slot's shape.
func TestPresets(t *testing.T) {
	t.Parallel()
	edges := func(slot artwork.Slot) (all []int) {
		for _, preset := range artwork.Presets(slot, artwork.FormatAuto) {
			require.Equal(t, slot.IsSquare(), preset.Square)
			all = append(all, preset.Edge)
		}
		return all
	}
	require.Equal(t, []int{1000, 500, 300, 200}, edges(artwork.SlotCover))
	require.Equal(t, []int{1000, 500, 300, 200, 250}, edges(artwork.SlotProfile))
	require.Equal(t, []int{1000, 500, 300, 200}, edges(artwork.SlotLogo))
	_, err := artwork.ParseFormat("auto")
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), "it has no name outside")
}
