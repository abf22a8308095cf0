package renderimage_test

import (
	"image"
	"image/color"
	"image/draw"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
	"gatefold/test/picturefixture"
)

// TestLayout: what is shown is as large as it may be and holds the focal point.
func TestLayout(t *testing.T) {
	t.Parallel()
	sides := []int{1, 2, 3, 17, 199, 200, 201, 999, 1000, 8000}
	for _, w := range sides {
		for _, h := range sides {
			for _, focal := range []artwork.FocalPoint{{}, renderimage.Centre, {X: 0.9, Y: 0.1}, {X: 1, Y: 1}} {
				size := image.Pt(w, h)
				square := renderimage.LayoutOf(size, artwork.Rendition{Edge: 200, Square: true}, focal)
				side := min(w, h, 200)
				require.Equal(t, image.Pt(side, side), square.Shown.Size(), "%v", size)
				require.True(t, square.Shown.In(image.Rectangle{Max: square.Scaled}), "%v: %v", size, square)
				require.LessOrEqual(t, square.Scaled.X, w, "nothing is enlarged")
				require.LessOrEqual(t, square.Scaled.Y, h, "nothing is enlarged")
				at := image.Pt(int(focal.X*float64(square.Scaled.X)), int(focal.Y*float64(square.Scaled.Y)))
				require.True(t, at.In(square.Shown.Inset(-1)), "%v: %v is not in %v", size, at, square.Shown)
				whole := renderimage.LayoutOf(size, artwork.Rendition{Edge: 200}, focal)
				require.Equal(t, image.Rectangle{Max: whole.Scaled}, whole.Shown)
				require.Equal(t, min(200, max(w, h)), max(whole.Scaled.X, whole.Scaled.Y), "%v", size)
			}
		}
	}
}

func copyOf(img image.Image) *image.NRGBA {
	out := image.NewNRGBA(img.Bounds())
	draw.Draw(out, out.Rect, img, image.Point{}, draw.Src)
	return out
}

// TestAttention finds what people look at along the side that is cut.
func TestAttention(t *testing.T) {
	t.Parallel()
	for _, at := range []float64{0.2, 0.35, 0.8} {
		focal := renderimage.Attention(copyOf(picturefixture.Face(128, 42, at)))
		require.InDelta(t, at, focal.X, 0.1, at)
		require.Equal(t, 0.5, focal.Y)
	}
	tall := image.NewNRGBA(image.Rect(0, 0, 40, 120)) // a figure at the top of a wall
	draw.Draw(tall, tall.Rect, image.NewUniform(color.Gray{Y: 120}), image.Point{}, draw.Src)
	draw.Draw(tall, image.Rect(10, 10, 30, 35), image.NewUniform(picturefixture.Skin), image.Point{}, draw.Src)
	require.Less(t, renderimage.Attention(tall).Y, 0.3)
}

// TestAttentionIsInTheMiddleUnlessSomethingAttracts: what is alike, bare, square or empty
// is cut as people expect.
func TestAttentionIsInTheMiddleUnlessSomethingAttracts(t *testing.T) {
	t.Parallel()
	for name, img := range map[string]image.Image{
		"plain": picturefixture.Filled(100, 30, picturefixture.Blue), "in the middle": picturefixture.Face(120, 40, 0.5),
		"square": picturefixture.Face(60, 60, 0.1), "one pixel": picturefixture.Filled(1, 1, picturefixture.Red),
		"a line": picturefixture.Filled(128, 1, picturefixture.Red), "nothing": picturefixture.Filled(90, 30, picturefixture.Nothing),
	} {
		require.Equal(t, renderimage.Centre, renderimage.Attention(copyOf(img)), name)
	}
	require.False(t, renderimage.NeedsAttention(image.Pt(9, 9), nil, []artwork.Rendition{{Edge: 1, Square: true}}))
	require.False(t, renderimage.NeedsAttention(image.Pt(9, 8), nil, []artwork.Rendition{{Edge: 1}}))
	require.False(t, renderimage.NeedsAttention(image.Pt(9, 8), &artwork.FocalPoint{}, []artwork.Rendition{{Edge: 1, Square: true}}))
	require.True(t, renderimage.NeedsAttention(image.Pt(9, 8), nil, []artwork.Rendition{{Edge: 1}, {Edge: 1, Square: true}}))
}
