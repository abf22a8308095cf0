package catalog_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

func TestFoldName(t *testing.T) {
	for name, same := range map[string][]string{
		"bjork":        {"Björk", "BJÖRK", "  Bjo\u0308rk ", "björk"},
		"nandu":        {"Ñandú", "ñandú", "NANDU"},
		"guns n' ro":   {"Guns N’ Ro", "GUNS  N' RO", "guns n´ ro"},
		"strasse":      {"Straße", "STRASSE", "straẞe"},
		"a-ha":         {"a‐ha", "A–HA", "a-ha"},
		"ac/dc":        {"AC/DC", "ac/dc"},
		"\"heroes\"":   {"“Heroes”", "\"Heroes\""},
		"file":         {"ﬁle", "FILE"},
		"\u0e01":       {"\u0e01"},
		"шостакович":   {"Шостакович", "ШОСТАКОВИЧ"},
		"東京事変":         {"東京事変"},
		"\u0301":       {"\u0301"}, // nothing but a mark: kept
		"tab and line": {"Tab\tand\nline"},
	} {
		for _, s := range same {
			require.Equal(t, name, catalog.FoldName(s), "%q", s)
			require.Equal(t, name, catalog.FoldName(catalog.FoldName(s)), "folding twice: %q", s)
		}
	}
	require.NotEqual(t, catalog.FoldName("The The"), catalog.FoldName("The"))
}

func TestIdentity(t *testing.T) {
	mbid := artwork.MustParseID("5b11f4ce-a62d-471e-81fc-a69a8278c7da")
	require.Equal(t, catalog.NewArtistID("Björk", artwork.ID{}), catalog.NewArtistID("BJÖRK", artwork.ID{}))
	require.Equal(t, catalog.NewArtistID("Nirvana", mbid), catalog.NewArtistID("Nirvana (US)", mbid))
	require.NotEqual(t, catalog.NewArtistID("Nirvana", artwork.ID{}), catalog.NewArtistID("Nirvana", mbid))
	one, two := catalog.NewArtistID("One", artwork.ID{}), catalog.NewArtistID("Two", artwork.ID{})
	require.NotEqual(t, catalog.NewAlbumID(one, "Greatest Hits", artwork.ID{}), catalog.NewAlbumID(two, "Greatest Hits", artwork.ID{}))
	// Part of the data format.
	require.Equal(t, "8f8e7f5f-c4bb-54e4-bd5f-d86109fe5c6a", one.String())
}

func TestChecks(t *testing.T) {
	require.NoError(t, catalog.Artist{Name: "Sigur Rós 🎷"}.Check())
	for _, bad := range []string{"", "  \t", "a\x00b", "line\nbreak", "\xff\xfe", strings.Repeat("é", 1001)} {
		require.Error(t, catalog.Artist{Name: bad}.Check(), "%q", bad)
	}
	require.Error(t, catalog.Album{Name: "No artist"}.Check())
	require.Error(t, catalog.Album{Name: "Year", ArtistID: artwork.NewID(), Year: -1}.Check())
	require.NoError(t, catalog.User{Username: "ana", Role: catalog.RoleAdmin}.Check())
	require.Error(t, catalog.User{Username: "ana", Role: "root"}.Check())
}

func TestQueryCheck(t *testing.T) {
	good := catalog.Query{Page: 1, PageSize: catalog.MaxPageSize, Text: "ñandú", Missing: artwork.SlotLogo}
	require.NoError(t, good.Check(artwork.ArtistSubject))
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(good.Check(artwork.AlbumSubject)), "albums have no logo")
	for _, bad := range []catalog.Query{
		{PageSize: 1}, {Page: -1, PageSize: 1}, {Page: 1}, {Page: 1, PageSize: catalog.MaxPageSize + 1},
		{Page: 1, PageSize: 1, Missing: 99}, {Page: 1, PageSize: 1, Text: strings.Repeat("é", 1001)},
		{Page: 1, PageSize: 1, Holding: catalog.Holding{Slot: artwork.SlotCover, Locked: true}}, {Page: 1, PageSize: 1, Holding: catalog.Holding{Locked: true}},
		{Page: 1, PageSize: 1, Holding: catalog.Holding{Slot: artwork.SlotLogo}}, {Page: 1, PageSize: 1, Holding: catalog.Holding{Slot: artwork.SlotLogo, Below: 1_000_000}},
		{Page: 1, PageSize: 1, Text: "\x00"}, {Page: 1, PageSize: 1, Text: "\xff"},
	} {
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(bad.Check(artwork.ArtistSubject)), "%+v", bad)
	}
}

func TestBackgroundPositions(t *testing.T) {
	for text, want := range map[string]string{
		"center": "center", "50% 30%": "50% 30%", "  LEFT \t 10.5px ": "LEFT 10.5px", "right 3em bottom 10%": "right 3em bottom 10%", "-.5vw 0": "-.5vw 0",
	} {
		got, err := catalog.ParseBackgroundPosition(text)
		require.NoError(t, err, text)
		require.Equal(t, want, got)
		again, err := catalog.ParseBackgroundPosition(got)
		require.NoError(t, err)
		require.Equal(t, got, again)
	}
	for _, bad := range []string{
		"", "  ", "middle", "1 2 3 4 5", "50%; color: red", "url(x)", "center}", "calc(1% + 2px)", "1e9px", "50 %", "\xff", "center" + strings.Repeat(" ", 100),
	} {
		_, err := catalog.ParseBackgroundPosition(bad)
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), "%q", bad)
	}
}
