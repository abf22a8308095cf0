package rest

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

func TestAccepted(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]artwork.Format{
		"":    artwork.FormatAuto,
		"*/*": artwork.FormatAuto,
		"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8": artwork.FormatAuto,
		"image/*": artwork.FormatAuto,
		"image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8": artwork.FormatAVIF,
		"image/webp,image/apng,image/*,*/*;q=0.8":                          artwork.FormatWebP,
		"image/webp":                         artwork.FormatWebP,
		"IMAGE/AVIF":                         artwork.FormatAVIF,
		"image/avif;q=0,image/webp;q=0":      artwork.FormatAuto,
		"image/avif;q=0, image/webp":         artwork.FormatWebP,
		"image/avif;q=0.5, image/webp;q=0.9": artwork.FormatWebP,
		"image/webp;q=0.5, image/jpeg":       artwork.FormatAuto,
		"image/webp;q=0.5, */*;q=0.1":        artwork.FormatWebP,
		"image/webp;q=0.5, image/*":          artwork.FormatAuto,
		"image/avif;q=bad, */*":              artwork.FormatAuto,
		"image/avif;q=2, */*":                artwork.FormatAuto,
		"image/avif ; level=1 ; Q=0.000":     artwork.FormatAuto,
		"image/png":                          artwork.FormatPNG,
		"image/png, image/jpeg;q=0.1":        artwork.FormatAuto,
		"image/jpeg":                         artwork.FormatAuto,
		"application/json":                   artwork.FormatAuto,
		",,;q=1,=":                           artwork.FormatAuto,
	} {
		require.Equal(t, want, accepted([]string{accept}), accept)
	}
	require.Equal(t, artwork.FormatWebP, accepted([]string{"text/html", "image/webp"}), "several lines are one list")
	require.Equal(t, artwork.FormatAuto, accepted(nil))
}

// FuzzAccepted: whatever clients say they accept, it is a format, and one that they have
// not refused.
func FuzzAccepted(f *testing.F) {
	for _, accept := range []string{"", "*/*", "image/avif,image/webp;q=0.8,*/*;q=0.1", "image/avif;q=0", "image/png;q=1.000;x=\"a,b\""} {
		f.Add(accept)
	}
	f.Fuzz(func(t *testing.T, accept string) {
		format := accepted([]string{accept})
		require.NotEmpty(t, format.String())
		if format == artwork.FormatAVIF || format == artwork.FormatWebP {
			require.Contains(t, strings.ToLower(accept), "image/"+format.String())
		}
	})
}
