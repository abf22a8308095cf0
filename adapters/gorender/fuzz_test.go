package gorender

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/test/picturefixture"
)

// FuzzProfile: whatever a profile says, it is followed or not; and if it is, it changes
// something.
func FuzzProfile(f *testing.F) {
	for _, profile := range [][]byte{nil, picturefixture.DisplayP3(), picturefixture.AdobeRGB(), picturefixture.SRGB()} {
		f.Add(profile)
	}
	f.Fuzz(func(t *testing.T, profile []byte) {
		if transform := transformOf(profile); transform != nil {
			require.False(t, transform.changesNothing())
		}
	})
}

// TestProfilesThatAreFollowed: those of screens and cameras, but not that of what is
// shown already.
func TestProfilesThatAreFollowed(t *testing.T) {
	t.Parallel()
	require.NotNil(t, transformOf(picturefixture.DisplayP3()))
	require.NotNil(t, transformOf(picturefixture.AdobeRGB()))
	require.Nil(t, transformOf(picturefixture.SRGB()))
	require.Nil(t, transformOf(nil))
}
