package catalog_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

func TestRanks(t *testing.T) {
	own, others := []string{"road, abbey", "abbey road"}, []string{"the beatles", "beatles, the"}
	for text, want := range map[string]catalog.Rank{
		"Abbey Road": catalog.Exact, "ROAD, abbey": catalog.Exact,
		"road,": catalog.Beginning, "abb": catalog.NameBeginning, "abbey r": catalog.NameBeginning,
		"beat abb": catalog.WordStarts, "the beatles": catalog.WordStarts, "ro ab": catalog.WordStarts, "abbey abbey": catalog.WordStarts,
		"bb": catalog.Contained, "eat oad": catalog.Contained, "the b oad": catalog.Contained,
		"abbot": catalog.Unmatched, "abbey stones": catalog.Unmatched, "abbeyroad": catalog.Unmatched,
	} {
		require.Equal(t, want, catalog.NewSearch(text).Rank(own, others), text)
	}
	require.True(t, catalog.NewSearch("  ").IsZero())
}

func TestWordsBeginBehindPunctuation(t *testing.T) {
	for name, text := range map[string]string{"\"heroes\"": "heroes", "ac/dc": "dc", "rock'n'roll": "roll", "¿qué?": "que", "a·b": "b"} {
		require.Equal(t, catalog.WordStarts, catalog.NewSearch(text).Rank([]string{catalog.FoldName(name)}, nil), name)
	}
	require.Equal(t, catalog.WordStarts, catalog.NewSearch("ana").Rank([]string{"banana ana"}, nil), "the best place counts")
	require.Equal(t, catalog.WordStarts, catalog.NewSearch("aa").Rank([]string{"baa-aaa"}, nil), "places may overlap others")
	long := strings.Repeat("x", catalog.MaxWord)
	require.Equal(t, catalog.Contained, catalog.NewSearch("xy").Rank([]string{long[1:] + "yz"}, nil))
	require.Equal(t, catalog.Unmatched, catalog.NewSearch("yz").Rank([]string{long + "yz"}, nil), "words are cut")
}

func TestTheSearchFormIsWhatIsTyped(t *testing.T) {
	for name, want := range map[string]string{
		"Łódź": "lodz", "MØ": "mo", "Ænima": "aenima", "ŒUVRE": "oeuvre", "Þór": "thor", "Ðorđe": "dorde", "Straße": "strasse", "ılık": "ilik", "Ħ": "h", "ǿ": "o", "東京": "東京",
	} {
		require.Equal(t, want, catalog.SearchForm(name), name)
		require.Equal(t, want, catalog.SearchForm(want), "twice: %s", name)
		require.Equal(t, want, catalog.SortKey(name), name)
	}
	require.NotEqual(t, catalog.FoldName("MØ"), catalog.FoldName("Mo"), "names are not recognised by it")
	require.Equal(t, 500, len(catalog.SortKey(strings.Repeat("æ", 499))), "cut when it is what is typed")
}

func TestOrdersAreParsed(t *testing.T) {
	for text, want := range map[string]catalog.Order{
		"name": {By: catalog.ByName}, "-name": {By: catalog.ByName, Descending: true}, "-added": {By: catalog.ByAdded, Descending: true},
		"updated": {By: catalog.ByUpdated}, "-year": {By: catalog.ByYear, Descending: true},
	} {
		got, err := catalog.ParseOrder(text)
		require.NoError(t, err)
		require.Equal(t, want, got, text)
	}
	for _, bad := range []string{"", "-", "--name", "Name", "best", "name ", "\xff"} {
		_, err := catalog.ParseOrder(bad)
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), "%q", bad)
	}
	year := catalog.Query{Page: 1, PageSize: 1, Order: catalog.Order{By: catalog.ByYear}}
	require.NoError(t, year.Check(artwork.AlbumSubject))
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(year.Check(artwork.UserSubject)))
}

func TestCursorsAreReadAsTheyWereWritten(t *testing.T) {
	query := catalog.Query{Text: "Ana", PageSize: 10}
	for _, key := range []string{"ana", "\"<&>\u2028 事変 🎸", strings.Repeat("𝔘", 500)} {
		cursor := query.CursorAt(catalog.Position{Rank: catalog.Contained, Value: -1 << 62, SortKey: key, ID: artwork.NewID()})
		got, err := catalog.ParseCursor(cursor.String())
		require.NoError(t, err)
		require.Equal(t, cursor, got)
		query.After = got
		require.NoError(t, query.Check(artwork.ArtistSubject))
	}
	good := query.After.String()
	for _, bad := range []string{"", "x", "e30", good + "=", good[:len(good)-4], "A" + good, strings.Repeat("A", 20_000), "bnVsbA"} {
		_, err := catalog.ParseCursor(bad)
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), bad)
	}
	require.Empty(t, catalog.Cursor{}.String())
}

// FuzzParseCursor: what is read is what was written, and nothing else.
func FuzzParseCursor(f *testing.F) {
	query := catalog.Query{Text: "ana"}
	f.Add(query.CursorAt(catalog.Position{Rank: catalog.Exact, SortKey: "ana", ID: artwork.NewID()}).String())
	f.Add("eyJxIjoiIiwiayI6IiIsImkiOiIifQ")
	f.Fuzz(func(t *testing.T, text string) {
		cursor, err := catalog.ParseCursor(text)
		if err != nil {
			require.Equal(t, artwork.InvalidInput, artwork.KindOf(err))
			return
		}
		require.Equal(t, text, cursor.String())
		require.NoError(t, artwork.CheckText("sort key", cursor.SortKey))
		require.False(t, cursor.ID.IsZero())
	})
}

func TestHoldingAllows(t *testing.T) {
	image := &artwork.Image{Content: artwork.Content{Width: 999, Height: 2000}, Source: artwork.Local}
	for _, c := range []struct {
		is     catalog.Holding
		image  *artwork.Image
		locked bool
		want   bool
	}{
		{catalog.Holding{Slot: artwork.SlotProfile, Low: true}, image, false, true},
		{catalog.Holding{Slot: artwork.SlotBackground, Low: true}, image, false, true},
		{catalog.Holding{Slot: artwork.SlotLogo, Low: true}, image, false, false},
		{catalog.Holding{Slot: artwork.SlotProfile, Low: true}, nil, false, false},
		{catalog.Holding{Slot: artwork.SlotProfile, Below: 999}, image, false, false},
		{catalog.Holding{Slot: artwork.SlotProfile, Below: 1000}, image, false, true},
		{catalog.Holding{Slot: artwork.SlotProfile, Locked: true}, nil, true, true},
		{catalog.Holding{Slot: artwork.SlotProfile, Locked: true}, image, false, false},
		{catalog.Holding{Slot: artwork.SlotProfile, Locked: true, Source: artwork.Local}, image, true, true},
		{catalog.Holding{Slot: artwork.SlotProfile, Source: artwork.Custom}, image, true, false},
	} {
		require.Equal(t, c.want, c.is.Allows(c.image, c.locked), "%+v", c)
	}
}
