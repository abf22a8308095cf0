package conformance

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// listCases are the clauses of catalog.Repository.List that say what is in a list, in
// which order, and how it is read from page to page.
func listCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"lists: the words of a text stand in any order, and begin words or are part of them", wordsInAnyOrder},
		{"lists: the best match comes first", bestMatchFirst},
		{"lists: an artist is found by its sort name too", sortNameSearched},
		{"lists: an album is found by its artist's present name too", albumByArtist},
		{"lists: names of every script are found by every part of them", everyPart},
		{"lists: slots are asked about by source, lock and resolution", holdingFilters},
		{"lists: an image that goes, comes or changes moves its subject to other lists", filtersFollow},
		{"lists: filters and a text are combined", filtersCombined},
		{"lists: every item comes with its images in force", listedImages},
		{"lists: letters that are no other letter with a mark are found as they are typed", lettersAsTyped},
		{"lists: they are sorted by name, by when subjects were added, and by when their artwork was changed", sortedLists},
		{"lists: albums are sorted by year", sortedByYear},
		{"lists: a cursor goes through every order", cursorsOfOrders},
		{"lists: a cursor goes through the whole list", cursorsMissNothing},
		{"lists: what is added and removed meanwhile does not disturb a cursor", cursorsSurviveChanges},
		{"lists: a cursor of another list is refused", cursorOfAnotherList},
	}
}

func artistSorted(t TB, r Repositories, name, sortName string) catalog.Artist {
	t.Helper()
	artist := catalog.Artist{ID: artwork.NewID(), Name: name, SortName: sortName}
	_, err := r.Artists.Put(t.Context(), somebody, artist)
	require.NoError(t, err)
	return artist
}

func albumNames(t TB, r Repositories, query catalog.Query) []string {
	t.Helper()
	page, err := r.Albums.List(t.Context(), query)
	require.NoError(t, err)
	require.Equal(t, len(page.Items), page.Total)
	names := []string{}
	for _, album := range page.Items {
		names = append(names, album.Name)
	}
	return names
}

func wordsInAnyOrder(t TB, open func(TB) Repositories) {
	r := open(t)
	beatles := artistSorted(t, r, "The Beatles", "Beatles, The")
	newAlbum(t, r, beatles.ID, "Abbey Road")
	newAlbum(t, r, beatles.ID, "Let It Be")
	newAlbum(t, r, newArtist(t, r, "ABBA").ID, "Arrival (Beat Mix)")
	for text, want := range map[string][]string{
		"beat abb": {"Arrival (Beat Mix)", "Abbey Road"}, "road abb": {"Abbey Road"}, "ROAD THE": {"Abbey Road"}, "bbe oad": {"Abbey Road"},
		"abbey abbey": {"Abbey Road"}, "abbey lane": {}, "it be let": {"Let It Be"},
	} {
		require.ElementsMatch(t, want, albumNames(t, r, search(text)), "found by %q", text)
	}
}

func bestMatchFirst(t TB, open func(TB) Repositories) {
	r := open(t)
	for _, name := range []string{"Santana", "AC/Ana", "Diana Ross", "Los Ana", "Anathema", "ANA", "Mariana", "\"Ana\" Nas"} {
		newArtist(t, r, name)
	}
	require.Equal(t, []string{"ANA", "Anathema", "\"Ana\" Nas", "AC/Ana", "Los Ana", "Diana Ross", "Mariana", "Santana"}, artistNames(t, r, search("ana")))
	require.Equal(t, "\"Ana\" Nas", artistNames(t, r, search("ana n"))[0], "words that begin with the words of the text")
}

func sortNameSearched(t TB, open func(TB) Repositories) {
	r := open(t)
	artistSorted(t, r, "椎名林檎", "Shiina, Ringo")
	artistSorted(t, r, "Ringo Starr", "Starr, Ringo")
	require.Equal(t, []string{"椎名林檎"}, artistNames(t, r, search("shiina")))
	require.Equal(t, []string{"Ringo Starr", "椎名林檎"}, artistNames(t, r, search("ringo")))
	require.Equal(t, []string{"椎名林檎"}, artistNames(t, r, search("林檎")))
	artist := artistSorted(t, r, "Nobody", "Known, Well")
	require.Equal(t, []string{"Nobody"}, artistNames(t, r, search("known")))
	artist.SortName = ""
	_, err := r.Artists.Put(t.Context(), somebody, artist)
	require.NoError(t, err)
	require.Empty(t, artistNames(t, r, search("known")), "the old sort name is still found")
	_, err = r.Artists.Put(t.Context(), somebody, catalog.Artist{ID: artist.ID, Name: "Nobody", SortName: "Zzz"})
	require.NoError(t, err)
	require.Equal(t, "Nobody", artistNames(t, r, everything())[2], "the list is in the old order")
	missing := everything()
	missing.Missing = artwork.SlotLogo
	require.Equal(t, artistNames(t, r, everything()), artistNames(t, r, missing), "a filtered list is in the old order")
}

func albumByArtist(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, other := newArtist(t, r, "Before"), newArtist(t, r, "Elsewhere")
	album := newAlbum(t, r, artist.ID, "Album")
	require.Equal(t, []string{"Album"}, albumNames(t, r, search("before")))
	artist.Name = "After"
	_, err := r.Artists.Put(t.Context(), somebody, artist)
	require.NoError(t, err)
	require.Empty(t, albumNames(t, r, search("before")))
	require.Equal(t, []string{"Album"}, albumNames(t, r, search("after alb")))
	album.ArtistID = other.ID
	_, err = r.Albums.Put(t.Context(), somebody, album)
	require.NoError(t, err)
	require.Empty(t, albumNames(t, r, search("after")))
	require.Equal(t, []string{"Album"}, albumNames(t, r, search("elsewhere")))
}

// everyPart tries every beginning, end and middle of three characters of every word.
func everyPart(t TB, open func(TB) Repositories) {
	r := open(t)
	names := []string{
		"İstanbul ışık", "Straße ẞ", "N’Sync", "a\u0301b\u0300c", "👩‍👩‍👧‍👦 🏳️‍🌈", "שלום \u202eעולם\u202c", "100%_\\'\"", "]}~", "ﬁﬂ Ǆ", "東京事変", "\U0010ffff\U0010ffff", "\ud7ff\ue000",
		"{a} | 'b' \"c\" \\u0041", "¿Qué? ¡Sí!", strings.Repeat("x", 150) + "yz", "[\"json\", null]", "\u0301",
	}
	for _, name := range names {
		newArtist(t, r, name)
	}
	for _, name := range names {
		for _, word := range strings.Split(catalog.FoldName(name), " ") {
			runes := []rune(word)
			for from := range runes {
				for _, to := range []int{from + 1, from + 3, len(runes)} {
					part := string(runes[from:min(to, len(runes))])
					if catalog.FoldName(part) == part { // parts can be composed with what is around them
						require.Contains(t, artistNames(t, r, search(part)), name, "not found by %q", part)
					}
				}
			}
		}
	}
}

// withImage puts an image in force.
func withImage(t TB, r Repositories, subject artwork.Subject, slot artwork.Slot, source artwork.Source, width, height int) {
	t.Helper()
	record := newRecord(artwork.Place{Subject: subject, Slot: slot}, source, width*height)
	record.Content.Width, record.Content.Height = width, height
	applyOne(t, r, chosen(record))
}

func lock(t TB, r Repositories, place artwork.Place, to artwork.Locking) {
	t.Helper()
	_, err := r.Reviser.Revise(t.Context(), artwork.Unfenced(), artwork.Revision{Place: place, By: somebody, Lock: to})
	require.NoError(t, err)
}

func holding(h catalog.Holding) catalog.Query {
	query := everything()
	query.Holding = h
	return query
}

// counted requires the artists of a list, which is counted.
func counted(t TB, r Repositories, want []string, query catalog.Query) {
	t.Helper()
	page, err := r.Artists.List(t.Context(), query)
	require.NoError(t, err)
	require.Equal(t, len(want), page.Total, "%+v", query)
	require.Equal(t, want, artistNames(t, r, query), "%+v", query)
}

func holdingFilters(t TB, open func(TB) Repositories) {
	r := open(t)
	profile := func(name string, source artwork.Source, width, height int) {
		withImage(t, r, artwork.Artist(newArtist(t, r, name).ID), artwork.SlotProfile, source, width, height)
	}
	profile("1", artwork.Custom, 1000, 2000)
	profile("2", artwork.Local, 999, 2000)
	profile("3", artwork.External, 2000, 500)
	profile("4", artwork.External, 1, 1)
	empty := newArtist(t, r, "5")
	withImage(t, r, artwork.Artist(empty.ID), artwork.SlotLogo, artwork.Custom, 799, 800)
	lock(t, r, artwork.Place{Subject: artwork.Artist(empty.ID), Slot: artwork.SlotProfile}, artwork.Lock)
	for _, c := range []struct {
		is   catalog.Holding
		want []string
	}{
		{catalog.Holding{Source: artwork.Custom}, []string{"1"}},
		{catalog.Holding{Source: artwork.Local}, []string{"2"}},
		{catalog.Holding{Source: artwork.External}, []string{"3", "4"}},
		{catalog.Holding{Low: true}, []string{"2", "3", "4"}},
		{catalog.Holding{Below: 1000}, []string{"2", "3", "4"}},
		{catalog.Holding{Below: 500}, []string{"4"}},
		{catalog.Holding{Below: 1}, []string{}},
		{catalog.Holding{Locked: true}, []string{"5"}},
		{catalog.Holding{Locked: true, Source: artwork.Custom}, []string{}},
		{catalog.Holding{Source: artwork.External, Low: true, Below: 500}, []string{"4"}},
		{catalog.Holding{Slot: artwork.SlotLogo, Low: true}, []string{"5"}},
		{catalog.Holding{Slot: artwork.SlotBanner, Low: true}, []string{}},
	} {
		if c.is.Slot == 0 {
			c.is.Slot = artwork.SlotProfile
		}
		counted(t, r, c.want, holding(c.is))
	}
	for _, bad := range []catalog.Holding{{Slot: artwork.SlotProfile}, {Locked: true}, {Slot: artwork.SlotCover, Locked: true}, {Slot: artwork.SlotLogo, Below: -1}, {Slot: artwork.SlotLogo, Source: 99}} {
		_, err := r.Artists.List(t.Context(), holding(bad))
		requireKind(t, artwork.InvalidInput, err)
	}
}

func filtersFollow(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := newArtist(t, r, "Someone")
	place := artwork.Place{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotBanner}
	missing := everything()
	missing.Missing = artwork.SlotBanner
	all, none := []string{"Someone"}, []string{}
	low := holding(catalog.Holding{Slot: artwork.SlotBanner, Low: true})
	locked := holding(catalog.Holding{Slot: artwork.SlotBanner, Locked: true})

	counted(t, r, all, missing)
	withImage(t, r, place.Subject, place.Slot, artwork.External, 999, 185)
	counted(t, r, none, missing)
	counted(t, r, all, low)
	withImage(t, r, place.Subject, place.Slot, artwork.External, 1000, 185)
	counted(t, r, none, low)
	lock(t, r, place, artwork.Lock)
	counted(t, r, all, locked)
	lock(t, r, place, artwork.Unlock)
	counted(t, r, none, locked)
	_, err := r.Reviser.Revise(t.Context(), artwork.Unfenced(), artwork.Revision{Place: place, By: somebody, Remove: artwork.KeepEmpty})
	require.NoError(t, err)
	counted(t, r, all, missing)
	counted(t, r, none, holding(catalog.Holding{Slot: artwork.SlotBanner, Source: artwork.External}))
}

func filtersCombined(t TB, open func(TB) Repositories) {
	r := open(t)
	for _, name := range []string{"Alpha One", "Alpha Two", "Beta One", "Beta Two"} {
		artist := artwork.Artist(newArtist(t, r, name).ID)
		if strings.HasSuffix(name, "One") {
			withImage(t, r, artist, artwork.SlotProfile, artwork.Custom, 10, 10)
		}
		if strings.HasPrefix(name, "Beta") {
			withImage(t, r, artist, artwork.SlotLogo, artwork.Local, 10, 10)
		}
	}
	query := holding(catalog.Holding{Slot: artwork.SlotProfile, Source: artwork.Custom})
	query.Missing = artwork.SlotLogo
	counted(t, r, []string{"Alpha One"}, query)
	query.Text = "one"
	counted(t, r, []string{"Alpha One"}, query)
	query.Text = "two"
	counted(t, r, []string{}, query)
	query = search("alp")
	query.Missing = artwork.SlotProfile
	counted(t, r, []string{"Alpha Two"}, query)
	query.Missing, query.Holding = artwork.SlotProfile, catalog.Holding{Slot: artwork.SlotProfile, Source: artwork.Custom}
	counted(t, r, []string{}, query)
}

func listedImages(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, empty := newArtist(t, r, "With"), newArtist(t, r, "Without")
	album := newAlbum(t, r, artist.ID, "Album")
	withImage(t, r, artwork.Artist(artist.ID), artwork.SlotProfile, artwork.Custom, 20, 10)
	withImage(t, r, artwork.Artist(artist.ID), artwork.SlotLogo, artwork.Local, 30, 10)
	withImage(t, r, artwork.Album(album.ID), artwork.SlotCover, artwork.External, 40, 10)
	page, err := r.Artists.List(t.Context(), everything())
	require.NoError(t, err)
	require.Len(t, page.Images, 1)
	require.Len(t, page.Images[artist.ID], 2)
	require.Empty(t, page.Images[empty.ID])
	for slot, image := range page.Images[artist.ID] {
		inForce, err := r.Images.InForce(t.Context(), artwork.Place{Subject: artwork.Artist(artist.ID), Slot: slot})
		require.NoError(t, err)
		require.Equal(t, inForce, image)
	}
	albums, err := r.Albums.List(t.Context(), search("album"))
	require.NoError(t, err)
	require.Equal(t, 40, albums.Images[album.ID][artwork.SlotCover].Width)
}

// followed reads a list from cursor to cursor, with a pause before each page.
func followed(t TB, r Repositories, query catalog.Query, pause func(page int)) (ids []artwork.ID) {
	t.Helper()
	for n := 0; ; n++ {
		pause(n)
		page, err := r.Artists.List(t.Context(), query)
		require.NoError(t, err)
		for _, artist := range page.Items {
			ids = append(ids, artist.ID)
		}
		if page.Next == (catalog.Cursor{}) {
			return ids
		}
		require.Len(t, page.Items, query.PageSize)
		query.Page = 0
		query.After, err = catalog.ParseCursor(page.Next.String())
		require.NoError(t, err)
		require.Equal(t, page.Next, query.After)
	}
}

func cursorsMissNothing(t TB, open func(TB) Repositories) {
	r := open(t)
	for i := range 20 {
		artist := newArtist(t, r, fmt.Sprintf("%s Name %d", []string{"A", "Namely", "Surname", "Name"}[i%4], i%3))
		if i%2 == 0 {
			withImage(t, r, artwork.Artist(artist.ID), artwork.SlotProfile, artwork.Custom, 10, 10)
		}
	}
	filtered := holding(catalog.Holding{Slot: artwork.SlotProfile, Source: artwork.Custom, Low: true})
	missing := everything()
	missing.Missing = artwork.SlotProfile
	for _, query := range []catalog.Query{everything(), search("name"), search("nam 1"), search("a"), filtered, missing} {
		whole, err := r.Artists.List(t.Context(), query)
		require.NoError(t, err)
		var want []artwork.ID
		for _, artist := range whole.Items {
			want = append(want, artist.ID)
		}
		require.NotEmpty(t, want)
		require.Zero(t, whole.Next)
		for _, size := range []int{1, 3, len(want)} {
			query.PageSize = size
			require.Equal(t, want, followed(t, r, query, func(int) {}), "%+v", query)
		}
	}
}

func cursorsSurviveChanges(t TB, open func(TB) Repositories) {
	r := open(t)
	var there []artwork.ID
	for i := range 12 {
		there = append(there, newArtist(t, r, fmt.Sprintf("Name %02d", i)).ID)
	}
	for _, query := range []catalog.Query{{Page: 1, PageSize: 3}, {Page: 1, PageSize: 3, Text: "name"}, {Page: 1, PageSize: 3, Missing: artwork.SlotLogo}} {
		got := followed(t, r, query, func(page int) {
			newArtist(t, r, "Name 00")                      // before what was read
			newArtist(t, r, fmt.Sprintf("Name %02d", page)) // in the midst
			newArtist(t, r, "Name 99")
		})
		require.True(t, slices.IsSorted(indexes(there, got)), "another order")
		require.Len(t, indexes(there, got), len(there), "something is missing, or was there twice")
	}
}

// indexes are the places in all of those that are in it.
func indexes(all, some []artwork.ID) (places []int) {
	for _, id := range some {
		if i := slices.Index(all, id); i >= 0 {
			places = append(places, i)
		}
	}
	return places
}

func cursorOfAnotherList(t TB, open func(TB) Repositories) {
	r := open(t)
	for range 3 {
		newArtist(t, r, "Someone")
	}
	page, err := r.Artists.List(t.Context(), catalog.Query{Page: 1, PageSize: 1, Text: "some"})
	require.NoError(t, err)
	require.NotZero(t, page.Next)
	good := catalog.Query{After: page.Next, PageSize: 2, Text: " SOME "}
	rest, err := r.Artists.List(t.Context(), good)
	require.NoError(t, err, "the same list, and another size of pages")
	require.Len(t, rest.Items, 2)
	for _, change := range []func(*catalog.Query){
		func(q *catalog.Query) { q.Text = "someone" },
		func(q *catalog.Query) { q.Missing = artwork.SlotLogo },
		func(q *catalog.Query) { q.Holding = catalog.Holding{Slot: artwork.SlotLogo, Locked: true} },
		func(q *catalog.Query) { q.Order = catalog.Order{By: catalog.ByName} },
		func(q *catalog.Query) { q.Page = 1 },
	} {
		query := good
		change(&query)
		_, err := r.Artists.List(t.Context(), query)
		requireKind(t, artwork.InvalidInput, err)
	}
}

func lettersAsTyped(t TB, open func(TB) Repositories) {
	r := open(t)
	for _, name := range []string{"Łódź Kaliska", "MØ", "Ænima", "Sigur Þór", "Ðorđe Balašević", "Ilık", "Motörhead", "Große Freiheit", "Œuvre"} {
		newArtist(t, r, name)
	}
	for text, want := range map[string]string{
		"lodz": "Łódź Kaliska", "ŁÓDŹ": "Łódź Kaliska", "mo": "MØ", "mø": "MØ", "aenima": "Ænima", "thor": "Sigur Þór", "dorde": "Ðorđe Balašević",
		"ilik": "Ilık", "grosse": "Große Freiheit", "oeuvre": "Œuvre", "euv": "Œuvre",
	} {
		require.Equal(t, want, artistNames(t, r, search(text))[0], text)
	}
	names := artistNames(t, r, everything())
	require.Equal(t, []string{"Ænima", "Ðorđe Balašević"}, names[:2], "they are sorted by what is typed, too")
	require.NotEqual(t, catalog.NewArtistID("MØ", catalog.MBID{}), catalog.NewArtistID("Mo", catalog.MBID{}), "they are other names all the same")
}

// aMomentLater returns when the clock shows another microsecond.
func aMomentLater() {
	for now := time.Now().UnixMicro(); time.Now().UnixMicro() == now; {
		continue
	}
}

func inOrder(t TB, text string) catalog.Query {
	t.Helper()
	query := everything()
	var err error
	query.Order, err = catalog.ParseOrder(text)
	require.NoError(t, err)
	return query
}

func sortedLists(t TB, open func(TB) Repositories) {
	r := open(t)
	var subjects []artwork.Subject
	for _, name := range []string{"Beta", "alpha", "Gamma"} {
		subjects = append(subjects, artwork.Artist(newArtist(t, r, name).ID))
		aMomentLater()
	}
	for i := range 12 { // each counts as a second later than the one before
		withImage(t, r, subjects[1], artwork.SlotLogo, artwork.Custom, 100+i, 100)
	}
	withImage(t, r, subjects[0], artwork.SlotProfile, artwork.Custom, 10, 10)
	for order, want := range map[string][]string{
		"name": {"alpha", "Beta", "Gamma"}, "-name": {"Gamma", "Beta", "alpha"},
		"added": {"Beta", "alpha", "Gamma"}, "-added": {"Gamma", "alpha", "Beta"},
		"updated": {"Gamma", "Beta", "alpha"}, "-updated": {"alpha", "Beta", "Gamma"},
	} {
		require.Equal(t, want, artistNames(t, r, inOrder(t, order)), order)
		found := inOrder(t, order)
		found.Text = "a" // which all have, and one begins with
		require.Equal(t, want, artistNames(t, r, found), "%s, of what a text finds", order)
	}
	_, err := r.Artists.List(t.Context(), inOrder(t, "year"))
	requireKind(t, artwork.InvalidInput, err)
}

func sortedByYear(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := newArtist(t, r, "Someone")
	album := catalog.Album{ID: artwork.NewID(), ArtistID: artist.ID, Name: "D", Year: 1980}
	for _, other := range []catalog.Album{{Name: "C", Year: 1999}, {Name: "B", Year: 1980}, {Name: "A"}, album} {
		if other.ID.IsZero() {
			other.ID, other.ArtistID = artwork.NewID(), artist.ID
		}
		_, err := r.Albums.Put(t.Context(), somebody, other)
		require.NoError(t, err)
	}
	require.Equal(t, []string{"A", "B", "D", "C"}, albumNames(t, r, inOrder(t, "year")), "what has no year comes first")
	require.Equal(t, []string{"C", "B", "D", "A"}, albumNames(t, r, inOrder(t, "-year")), "what is equal is ordered by name")
	album.Year = 2001
	_, err := r.Albums.Put(t.Context(), somebody, album)
	require.NoError(t, err)
	require.Equal(t, []string{"D", "C", "B", "A"}, albumNames(t, r, inOrder(t, "-year")), "the list is in the old order")
}

func cursorsOfOrders(t TB, open func(TB) Repositories) {
	r := open(t)
	for i := range 10 {
		artist := newArtist(t, r, fmt.Sprintf("Name %d", i%4))
		for range i % 3 {
			withImage(t, r, artwork.Artist(artist.ID), artwork.SlotProfile, artwork.Custom, 10+i, 10)
		}
	}
	for _, order := range []string{"name", "-name", "added", "-added", "updated", "-updated"} {
		query := inOrder(t, order)
		whole, err := r.Artists.List(t.Context(), query)
		require.NoError(t, err)
		var want []artwork.ID
		for _, artist := range whole.Items {
			want = append(want, artist.ID)
		}
		for _, size := range []int{1, 3} {
			query.PageSize = size
			require.Equal(t, want, followed(t, r, query, func(int) {}), order)
		}
	}
}
