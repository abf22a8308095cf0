package ssim_test

import (
	"image"
	"image/color"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/test/picturefixture"
	"gatefold/test/ssim"
)

func of(t *testing.T, a, b image.Image) float64 {
	t.Helper()
	similarity, err := ssim.Of(a, b)
	require.NoError(t, err)
	return similarity
}

// TestMeasure: what people see counts, and nothing else does.
func TestMeasure(t *testing.T) {
	t.Parallel()
	photo := picturefixture.Photo(96, 64)
	changed := func(change func(x, y int, c color.RGBA) color.RGBA) image.Image {
		out := image.NewRGBA(photo.Bounds())
		for y := range 64 {
			for x := range 96 {
				c, _ := photo.At(x, y).(color.RGBA)
				out.SetRGBA(x, y, change(x, y, c))
			}
		}
		return out
	}
	require.InDelta(t, 1, of(t, photo, photo), 1e-9)
	brighter := changed(func(_, _ int, c color.RGBA) color.RGBA {
		return color.RGBA{c.R + min(3, 255-c.R), c.G + min(3, 255-c.G), c.B + min(3, 255-c.B), 255}
	})
	require.Greater(t, of(t, photo, brighter), 0.99)
	moved := changed(func(x, y int, _ color.RGBA) color.RGBA { c, _ := photo.At(min(x+3, 95), y).(color.RGBA); return c })
	require.Less(t, of(t, photo, moved), 0.9)
	swapped := changed(func(_, _ int, c color.RGBA) color.RGBA { return color.RGBA{c.B, c.G, c.R, 255} })
	require.Less(t, of(t, photo, swapped), 0.9)
	mirrored := changed(func(x, y int, _ color.RGBA) color.RGBA { c, _ := photo.At(95-x, y).(color.RGBA); return c })
	require.Less(t, of(t, photo, mirrored), 0.5)
	_, err := ssim.Of(photo, picturefixture.Photo(64, 96))
	require.Error(t, err)
}
