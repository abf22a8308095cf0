package artwork_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

func TestColors(t *testing.T) {
	t.Parallel()
	require.Equal(t, artwork.Color("#00c8ff"), artwork.ColorOf(0, 200, 255))
	for _, color := range []artwork.Color{"", "#000000", "#09afff"} {
		require.NoError(t, color.Check(), color)
	}
	for _, other := range []artwork.Color{"#", "red", "#fff", "#FFFFFF", "#00000g", "000000", "#0000000", "#00 000"} {
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(other.Check()), other)
	}
}
