package bench

import (
	"bytes"
	"image/jpeg"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/gorender"
	"gatefold/adapters/imagecheck"
	"gatefold/domain/artwork"
	"gatefold/test/picturefixture"
)

// BenchmarkRenditions makes renditions of a JPEG of 1500 x 1500 like a photo: in one
// size in each format, and in six sizes from one decoding, as after an apply.
func BenchmarkRenditions(b *testing.B) {
	var original bytes.Buffer
	require.NoError(b, jpeg.Encode(&original, picturefixture.Photo(1500, 1500), &jpeg.Options{Quality: 90}))
	six := append(artwork.Presets(artwork.SlotProfile, artwork.FormatJPEG), artwork.RenditionOf(artwork.SlotLogo, 300, artwork.FormatJPEG))
	cases := []struct {
		name   string
		wanted []artwork.Rendition
	}{{"six JPEG", six}}
	for format := artwork.FormatJPEG; format <= artwork.FormatAVIF; format++ {
		cases = append(cases, struct {
			name   string
			wanted []artwork.Rendition
		}{"one " + format.String(), []artwork.Rendition{{Edge: 300, Square: true, Format: format}}})
	}
	renderer := gorender.New(imagecheck.New(1 << 30))
	for _, c := range cases {
		b.Run("go/"+c.name, func(b *testing.B) {
			_, err := renderer.Render(b.Context(), original.Bytes(), nil, c.wanted) // what is to be got ready is
			require.NoError(b, err)
			size := 0
			for b.Loop() {
				rendered, err := renderer.Render(b.Context(), original.Bytes(), nil, c.wanted)
				require.NoError(b, err)
				size = len(rendered[0])
			}
			b.ReportMetric(float64(b.Elapsed().Milliseconds())/float64(b.N), "ms/image")
			b.ReportMetric(float64(size), "B/first")
		})
	}
}
