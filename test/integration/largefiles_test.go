package integration

import (
	"image"
	"math/rand/v2"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/test/picturefixture"
)

// TestLargeOriginals are answered as small ones are, though a disk's are sent by the
// kernel, and those of a bucket are passed on.
func TestLargeOriginals(t *testing.T) {
	for _, name := range []string{"memory and SQLite", "Redis, Postgres and S3"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := combinations[name](t).start(t, "BYTES_CACHE_MB=0")
			in.putArtist(artistID, "Large")
			in.putAlbum(albumID, artistID, "Larger")
			picture := noise(700, 700)
			require.Greater(t, len(picture), 1<<20)
			applyCover(t, in, picture)
			for range 2 {
				whole := in.get(coverPath)
				require.Equal(t, http.StatusOK, whole.StatusCode)
				require.EqualValues(t, len(picture), whole.ContentLength)
				require.True(t, string(picture) == string(whole.body))
				require.Equal(t, "bytes", whole.Header.Get("Accept-Ranges"))
				requireConditional(t, in, coverPath, whole)
			}
			part := in.get(coverPath, "Range", "bytes=700000-700099")
			require.Equal(t, http.StatusPartialContent, part.StatusCode)
			require.Equal(t, picture[700000:700100], part.body)
			require.Contains(t, in.log.String(), "bytes="+itoa(len(picture)), "the log knows how much was sent")
		})
	}
}

// noise returns a PNG that cannot be made much smaller.
func noise(w, h int) []byte {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range img.Pix {
		img.Pix[i] = uint8(random.Uint32())
		if i%4 == 3 {
			img.Pix[i] = 255
		}
	}
	return picturefixture.EncodedPNG(img)
}
