package artwork_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

func TestWitnesses(t *testing.T) {
	for _, w := range []artwork.Witness{0, artwork.StatedByProvider, artwork.StatedByCaller} {
		parsed, err := artwork.ParseWitness(w.String())
		require.NoError(t, err)
		require.Equal(t, w, parsed)
	}
	_, err := artwork.ParseWitness("nobody")
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(err))
}

func TestProvenanceChecks(t *testing.T) {
	good := artwork.Provenance{
		Licence: strings.Repeat("é", artwork.MaxLicence), Attribution: strings.Repeat("👩", artwork.MaxAttribution),
		SourcePage: "https://commons.wikimedia.org/wiki/File:Ü.jpg?a=b#c",
	}
	require.NoError(t, good.Check())
	require.NoError(t, artwork.Provenance{}.Check())
	for name, spoil := range map[string]func(*artwork.Provenance){
		"long licence":     func(p *artwork.Provenance) { p.Licence += "x" },
		"long attribution": func(p *artwork.Provenance) { p.Attribution += "x" },
		"long page":        func(p *artwork.Provenance) { p.SourcePage = "https://a/" + strings.Repeat("x", artwork.MaxSourcePage) },
		"line break":       func(p *artwork.Provenance) { p.Attribution = "a\nb" },
		"escape":           func(p *artwork.Provenance) { p.Licence = "\x1b[31m" },
		"C1 control":       func(p *artwork.Provenance) { p.Licence = "\u0085" },
		"line separator":   func(p *artwork.Provenance) { p.Licence = "\u2028" },
		"NUL":              func(p *artwork.Provenance) { p.Licence = "\x00" },
		"no UTF-8":         func(p *artwork.Provenance) { p.Licence = "\xff" },
		"a script":         func(p *artwork.Provenance) { p.SourcePage = "javascript:alert(1)" },
		"no host":          func(p *artwork.Provenance) { p.SourcePage = "https:///x" },
		"no address":       func(p *artwork.Provenance) { p.SourcePage = "File:a.jpg" },
		"a password":       func(p *artwork.Provenance) { p.SourcePage = "https://a:b@example.org" },
	} {
		spoilt := good
		spoil(&spoilt)
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(spoilt.Check()), name)
	}
}

func TestLines(t *testing.T) {
	for _, c := range [][2]string{
		{"", ""}, {" a \n\t b\u2028c\x00 ", "a b c"}, {"\xff", "\uFFFD"}, {"12345", "12345"}, {"123456", "1234…"}, {"👩👩👩👩👩👩", "👩👩👩👩…"},
	} {
		require.Equal(t, c[1], artwork.Line(c[0], 5), "%q", c[0])
	}
}

// TestWhatACallerStates: what they leave out is as it was known, and who repeats the
// provider's words is no witness.
func TestWhatACallerStates(t *testing.T) {
	known := artwork.Provenance{Licence: "CC BY", Attribution: "Ana", SourcePage: "https://a/1", StatedBy: artwork.StatedByProvider}
	for _, c := range []struct{ known, word, want artwork.Provenance }{
		{known, artwork.Provenance{}, known},
		{artwork.Provenance{}, artwork.Provenance{}, artwork.Provenance{}},
		{known, artwork.Provenance{Licence: "CC BY", Attribution: "Ana"}, known},
		{known, artwork.Provenance{StatedBy: artwork.StatedByProvider}, known},
		{known, artwork.Provenance{Licence: "CC0"}, artwork.Provenance{Licence: "CC0", Attribution: "Ana", SourcePage: "https://a/1", StatedBy: artwork.StatedByCaller}},
		{
			artwork.Provenance{}, artwork.Provenance{Attribution: "Luis", StatedBy: artwork.StatedByProvider},
			artwork.Provenance{Attribution: "Luis", StatedBy: artwork.StatedByCaller},
		},
	} {
		require.Equal(t, c.want, c.known.Stated(c.word))
	}
}
