package catalog

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
)

// FuzzFoldName: every name folds to something that can be a name, the same for
// each way to write the same characters, and with whatever space around.
func FuzzFoldName(f *testing.F) {
	for _, seed := range []string{
		"Björk", "Bjo\u0308rk", "AC/DC", "Guns N’ Roses", "“Heroes”", "  Los  Ángeles ", "ＦＵＬＬ", "ﬁn", "ß", "İ", "ǅ", "\u0301", "音楽", "!!!", "а́", "²", "\u1e9e", "a\u200bb", "ͅ", "´",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if CheckName("name", name) != nil {
			return
		}
		folded := FoldName(name)
		require.True(t, utf8.ValidString(folded))
		require.NotEmpty(t, folded)
		require.Equal(t, strings.TrimSpace(folded), folded)
		require.Equal(t, folded, FoldName("  "+name+"\t"), "with space around")
		require.Equal(t, FoldName(norm.NFC.String(name)), FoldName(norm.NFD.String(name)), "in either normal form")
	})
}
