package imagecheck_test

import (
	"image"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/imagecheck"
	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
	"gatefold/test/picturefixture"
)

// TestAdmittedByTheirHeader: what others decode is looked at as what is decoded here, as
// far as that goes without decoding.
func TestAdmittedByTheirHeader(t *testing.T) {
	t.Parallel()
	inspector := imagecheck.New(64 << 20)
	admit := func(content []byte) (header renderimage.Header, err error) {
		err = inspector.Admit(t.Context(), content, func(h renderimage.Header) error {
			header = h
			return nil
		})
		return header, err
	}
	for name, sample := range picturefixture.Samples() {
		header, err := admit(sample.Content)
		require.NoError(t, err, name)
		require.Positive(t, header.Size.X, name)
		require.Equal(t, name == "CMYK", header.PlainInks, name)
	}
	header, err := admit(picturefixture.WithExif(picturefixture.EncodedJPEG(picturefixture.Photo(31, 17)), 6))
	require.NoError(t, err)
	require.Equal(t, renderimage.Header{MIMEType: "image/jpeg", Size: image.Pt(31, 17), Orientation: 6}, header)
	for name, content := range picturefixture.Bombs() {
		_, err := admit(content)
		require.Equal(t, artwork.ImageTooLarge, artwork.KindOf(err), name)
	}
	_, err = admit([]byte("%PDF-1.7"))
	require.Equal(t, artwork.UnsupportedImage, artwork.KindOf(err))
	hostile := picturefixture.HostileSamples()
	for _, name := range []string{"PNG", "GIF", "WebP", "AVIF"} { // the end of a JPEG only shows when it is decoded
		_, err := admit(hostile[name][:len(hostile[name])-1])
		require.Equal(t, artwork.CorruptImage, artwork.KindOf(err), name)
	}
}
