package imagecheck

import (
	"image"
	"image/color"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// TestDominantColor: the colour that most of the picture has, not the mean of all.
func TestDominantColor(t *testing.T) {
	t.Parallel()
	paint := func(at func(x, y int) color.NRGBA) *image.RGBA {
		img := image.NewRGBA(image.Rect(0, 0, 100, 100))
		for y := range 100 {
			for x := range 100 {
				img.Set(x, y, at(x, y))
			}
		}
		return img
	}
	red, blue, nothing := color.NRGBA{200, 16, 32, 255}, color.NRGBA{0, 0, 255, 255}, color.NRGBA{0, 255, 0, 0}
	for name, c := range map[string]struct {
		at   func(x, y int) color.NRGBA
		want artwork.Color
	}{
		"one": {func(int, int) color.NRGBA { return red }, "#c81020"},
		"most of it": {func(x, _ int) color.NRGBA {
			if x < 60 {
				return red
			}
			return blue
		}, "#c81020"},
		"a noisy one": {func(x, y int) color.NRGBA { return color.NRGBA{uint8(100 + x%2), uint8(100 + y%2), 100, 255} }, "#656564"},
		"of what is seen": {func(x, _ int) color.NRGBA {
			if x < 10 {
				return blue
			}
			return nothing
		}, "#0000ff"},
		"of nothing": {func(int, int) color.NRGBA { return nothing }, "#ffffff"},
	} {
		require.Equal(t, c.want, dominantColor(paint(c.at)), name)
	}
}
