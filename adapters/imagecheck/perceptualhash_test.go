package imagecheck_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/image/draw"

	"gatefold/adapters/imagecheck"
	"gatefold/domain/artwork"
)

// scene draws a picture with shapes whose places follow from the seed.
func scene(seed float64) *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 600, 600))
	for y := range 600 {
		for x := range 600 {
			fx, fy := float64(x)/600, float64(y)/600
			v := math.Sin(seed*7*fx+3*fy) + math.Cos(5*fy*seed-2*fx) + math.Sin(9*seed+11*fx*fy)
			img.Set(x, y, color.RGBA{uint8(127 + 40*v), uint8(127 + 30*v), uint8(90 + 25*v), 255})
		}
	}
	return img
}

// TestPerceptualHash: copies differ in a few bits, other pictures in many.
func TestPerceptualHash(t *testing.T) {
	inspector := imagecheck.New(1 << 30)
	hash := func(content []byte) uint64 {
		h, err := inspector.PerceptualHash(t.Context(), content)
		require.NoError(t, err)
		return h
	}
	asPNG := func(img image.Image) []byte {
		var b bytes.Buffer
		require.NoError(t, png.Encode(&b, img))
		return b.Bytes()
	}
	var hashes []uint64
	for _, seed := range []float64{1, 1.7, 2.3} {
		original := scene(seed)
		small := image.NewRGBA(image.Rect(0, 0, 250, 250))
		draw.CatmullRom.Scale(small, small.Bounds(), original, original.Bounds(), draw.Src, nil)
		var b bytes.Buffer
		require.NoError(t, jpeg.Encode(&b, small, &jpeg.Options{Quality: 70}))
		h := hash(asPNG(original))
		require.LessOrEqual(t, bits.OnesCount64(h^hash(b.Bytes())), 6, "a smaller copy")
		for _, other := range hashes {
			require.Greater(t, bits.OnesCount64(h^other), 12, "another picture")
		}
		hashes = append(hashes, h)
	}
	for _, bad := range []string{"", "not an image", "\x89PNG\r\n\x1a\n"} {
		_, err := inspector.PerceptualHash(t.Context(), []byte(bad))
		require.NotEqual(t, artwork.Internal, artwork.KindOf(err), "%q", bad)
	}
}
