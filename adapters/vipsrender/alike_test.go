//go:build vips

package vipsrender_test

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/gorender"
	"gatefold/adapters/imagecheck"
	"gatefold/domain/artwork"
	"gatefold/test/picturefixture"
	"gatefold/test/ssim"
)

// alike is how alike the renditions of both renderers have to look, from 0 to 1.
const alike = 0.97

// TestBothRenderersShowTheSame: of images of every kind, in every shape, what is made
// with libvips looks like what is made without.
func TestBothRenderersShowTheSame(t *testing.T) {
	t.Parallel()
	with, without := open(t), gorender.New(imagecheck.New(64<<20))
	contents := map[string][]byte{
		"a glass": picturefixture.EncodedPNG(picturefixture.Glass(300, 200)), "a veiled WebP": picturefixture.EncodedWebP(picturefixture.Glass(300, 200)),
		"a face": picturefixture.EncodedJPEG(picturefixture.Face(900, 500, 0.3)), "a tall AVIF": picturefixture.EncodedAVIF(picturefixture.Photo(155, 301)),
		"an animated GIF": picturefixture.AnimatedGIF(), "an animated WebP": picturefixture.AnimatedWebP(),
		"Display P3":        picturefixture.WithICC(picturefixture.EncodedJPEG(picturefixture.Photo(600, 601)), picturefixture.DisplayP3()),
		"Adobe RGB":         picturefixture.PNGWithICC(picturefixture.EncodedPNG(picturefixture.Photo(600, 601)), picturefixture.AdobeRGB()),
		"a veiled P3":       picturefixture.PNGWithICC(picturefixture.EncodedPNG(picturefixture.Glass(300, 200)), picturefixture.DisplayP3()),
		"a thin one":        picturefixture.EncodedJPEG(picturefixture.Photo(60, 3000)),
		"a photo":           picturefixture.EncodedJPEG(picturefixture.Photo(1500, 1499)),
		"a large photo":     picturefixture.EncodedJPEG(picturefixture.Photo(3001, 2003)),
		"a photo in a GIF":  picturefixture.EncodedGIF(picturefixture.Photo(401, 300)),
		"a photo in a WebP": picturefixture.EncodedWebP(picturefixture.Photo(401, 300)),
	}
	for orientation := 1; orientation <= 8; orientation++ {
		contents[fmt.Sprint("turned by ", orientation)] = picturefixture.WithExif(picturefixture.EncodedJPEG(picturefixture.Photo(701, 503)), orientation)
	}
	for name, sample := range picturefixture.Samples() {
		contents[name] = sample.Content
	}
	for name, content := range contents {
		for edge, focal := range map[int]*artwork.FocalPoint{61: nil, 300: {X: 0.2, Y: 0.9}} {
			wanted := []artwork.Rendition{{Edge: edge, Square: true, Format: artwork.FormatPNG}, {Edge: edge, Format: artwork.FormatPNG}}
			a, err := with.Render(t.Context(), content, focal, wanted)
			require.NoError(t, err, name)
			b, err := without.Render(t.Context(), content, focal, wanted)
			require.NoError(t, err, name)
			for i := range wanted {
				similarity, err := ssim.Of(decoded(t, a[i]), decoded(t, b[i]))
				require.NoError(t, err, "%s as %s", name, wanted[i])
				require.Greater(t, similarity, alike, "%s as %s", name, wanted[i])
			}
		}
	}
}

func decoded(t *testing.T, content []byte) image.Image {
	t.Helper()
	img, err := png.Decode(bytes.NewReader(content))
	require.NoError(t, err)
	return img
}
