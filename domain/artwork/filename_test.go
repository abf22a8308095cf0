package artwork_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

func TestCleanFileName(t *testing.T) {
	for in, want := range map[string]string{
		"cover.jpg": "cover.jpg", "": "", `C:\Users\ana\cover.jpg`: "cover.jpg", "../../etc/passwd": "passwd",
		"caf\xe9.jpg": "caf\uFFFD.jpg", "a\x00b\n.png": "ab.png", "Ñandú 🎷.png": "Ñandú 🎷.png", "/": "",
	} {
		require.Equal(t, want, artwork.CleanFileName(in), "%q", in)
	}
	require.Equal(t, 255, utf8.RuneCountInString(artwork.CleanFileName(strings.Repeat("ñ", 1000))))
}
