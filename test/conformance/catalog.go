package conformance

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// catalogCases are the clauses of catalog.Artists, Albums and Users.
func catalogCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"catalogue: Put creates and Get returns", putsAndGets},
		{"catalogue: Put replaces, and keeps what belongs to the repository", putReplaces},
		{"catalogue: an artist's background position stays until it is set again", backgroundPosition},
		{"catalogue: what does not exist is not found", getUnknown},
		{"catalogue: what cannot be stored is refused", putInvalid},
		{"catalogue: odd names come back as they were", oddNames},
		{"catalogue: long names are stored, found and listed", longNames},
		{"catalogue: an MBID is held once, and the conflict names the holder", mbidConflict},
		{"catalogue: an MBID that was given up can be taken", mbidGivenUp},
		{"catalogue: releases share a release group", releaseGroupShared},
		{"catalogue: a user name is held once, however it is spelled", userNameConflict},
		{"catalogue: an album needs its artist", albumNeedsArtist},
		{"catalogue: an album knows its artist's name", albumArtistName},
		{"catalogue: racing creators of one user name", racingUserNames},
		{"catalogue: racing creators of one subject", racingCreators},
		{"catalogue: lists are ordered without case and accents", listOrder},
		{"catalogue: pages do not overlap and miss nothing", pagesDoNotOverlap},
		{"catalogue: pages past the end are empty", pagesPastTheEnd},
		{"catalogue: impossible queries are refused", impossibleQueries},
		{"catalogue: a search folds case, accents and composition", searchFolds},
		{"catalogue: a search takes wildcards literally", searchWildcards},
		{"catalogue: a search for users finds both their names", searchUsers},
		{"catalogue: albums of one artist", listAlbumsOfArtist},
		{"catalogue: subjects without an image", listMissingImages},
		{"catalogue: a cancelled context ends every method", catalogCancelled},
	}
}

func everything() catalog.Query { return catalog.Query{Page: 1, PageSize: catalog.MaxPageSize} }

func artistNames(t TB, r Repositories, query catalog.Query) []string {
	t.Helper()
	page, err := r.Artists.List(t.Context(), query)
	require.NoError(t, err)
	names := []string{}
	for _, artist := range page.Items {
		names = append(names, artist.Name)
	}
	return names
}

func search(text string) catalog.Query {
	query := everything()
	query.Text = text
	return query
}

func putsAndGets(t TB, open func(TB) Repositories) {
	r := open(t)
	before := time.Now().Add(-time.Second)
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Sigur Rós", SortName: "Sigur Rós", MBID: artwork.NewID()}
	album := catalog.Album{ID: artwork.NewID(), ArtistID: artist.ID, Name: "( )", Year: 2002, MBID: artwork.NewID(), ReleaseGroupMBID: artwork.NewID()}
	user := catalog.User{ID: artwork.NewID(), Username: "jónsi", DisplayName: "Jón Þór", Role: catalog.RoleAdmin}
	for _, put := range []func() (bool, error){
		func() (bool, error) { return r.Artists.Put(t.Context(), somebody, artist) },
		func() (bool, error) { return r.Albums.Put(t.Context(), somebody, album) },
		func() (bool, error) { return r.Users.Put(t.Context(), somebody, user) },
	} {
		created, err := put()
		require.NoError(t, err)
		require.True(t, created)
	}
	requireTimes := func(created, updated time.Time) {
		t.Helper()
		require.WithinRange(t, created, before, time.Now().Add(time.Second))
		require.Equal(t, created, updated)
		require.Equal(t, time.UTC, created.Location())
	}
	gotArtist, err := r.Artists.Get(t.Context(), artist.ID)
	require.NoError(t, err)
	requireTimes(gotArtist.CreatedAt, gotArtist.UpdatedAt)
	artist.CreatedAt, artist.UpdatedAt = gotArtist.CreatedAt, gotArtist.UpdatedAt
	require.Equal(t, artist, gotArtist)

	gotAlbum, err := r.Albums.Get(t.Context(), album.ID)
	require.NoError(t, err)
	requireTimes(gotAlbum.CreatedAt, gotAlbum.UpdatedAt)
	album.CreatedAt, album.UpdatedAt, album.ArtistName = gotAlbum.CreatedAt, gotAlbum.UpdatedAt, artist.Name
	require.Equal(t, album, gotAlbum)

	gotUser, err := r.Users.Get(t.Context(), user.ID)
	require.NoError(t, err)
	requireTimes(gotUser.CreatedAt, gotUser.UpdatedAt)
	user.CreatedAt, user.UpdatedAt = gotUser.CreatedAt, gotUser.UpdatedAt
	require.Equal(t, user, gotUser)

	page, err := r.Albums.List(t.Context(), everything())
	require.NoError(t, err)
	require.Equal(t, catalog.Page[catalog.Album]{Items: []catalog.Album{album}, Total: 1}, page)
}

func putReplaces(t TB, open func(TB) Repositories) {
	r := open(t)
	first := catalog.Artist{ID: artwork.NewID(), Name: "Prince", SortName: "Prince", MBID: artwork.NewID()}
	_, err := r.Artists.Put(t.Context(), somebody, first)
	require.NoError(t, err)
	stored, err := r.Artists.Get(t.Context(), first.ID)
	require.NoError(t, err)

	past := time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)
	created, err := r.Artists.Put(t.Context(), somebody, catalog.Artist{ID: first.ID, Name: "The Artist", CreatedAt: past, UpdatedAt: past, Missing: true})
	require.NoError(t, err)
	require.False(t, created)
	replaced, err := r.Artists.Get(t.Context(), first.ID)
	require.NoError(t, err)
	require.Equal(t, catalog.Artist{ID: first.ID, Name: "The Artist", CreatedAt: stored.CreatedAt, UpdatedAt: replaced.UpdatedAt}, replaced)
	require.False(t, replaced.UpdatedAt.Before(stored.UpdatedAt))
	require.Equal(t, []string{"The Artist"}, artistNames(t, r, search("artist")))
	require.Empty(t, artistNames(t, r, search("prince")), "the old name is still found")

	user := catalog.User{ID: artwork.NewID(), Username: "one", Role: catalog.RoleUser}
	_, err = r.Users.Put(t.Context(), somebody, user)
	require.NoError(t, err)
	user.Username, user.DisplayName, user.Role = "ONE", "One", catalog.RoleAdmin
	created, err = r.Users.Put(t.Context(), somebody, user)
	require.NoError(t, err, "a user conflicts with itself")
	require.False(t, created)
	got, err := r.Users.Get(t.Context(), user.ID)
	require.NoError(t, err)
	user.CreatedAt, user.UpdatedAt = got.CreatedAt, got.UpdatedAt
	require.Equal(t, user, got)
}

func getUnknown(t TB, open func(TB) Repositories) {
	r := open(t)
	for _, id := range []artwork.ID{artwork.NewID(), {}} {
		_, err := r.Artists.Get(t.Context(), id)
		requireKind(t, artwork.NotFound, err)
		_, err = r.Albums.Get(t.Context(), id)
		requireKind(t, artwork.NotFound, err)
		_, err = r.Users.Get(t.Context(), id)
		requireKind(t, artwork.NotFound, err)
	}
}

func putInvalid(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := newArtist(t, r, "Someone")
	for _, name := range []string{"", "  ", "NUL \x00", "\xff", "line\nbreak", strings.Repeat("x", 1001)} {
		_, err := r.Artists.Put(t.Context(), somebody, catalog.Artist{ID: artwork.NewID(), Name: name})
		requireKind(t, artwork.InvalidInput, err)
		_, err = r.Albums.Put(t.Context(), somebody, catalog.Album{ID: artwork.NewID(), ArtistID: artist.ID, Name: name})
		requireKind(t, artwork.InvalidInput, err)
		_, err = r.Users.Put(t.Context(), somebody, catalog.User{ID: artwork.NewID(), Username: name, Role: catalog.RoleUser})
		requireKind(t, artwork.InvalidInput, err)
	}
	_, err := r.Artists.Put(t.Context(), somebody, catalog.Artist{Name: "no ID"})
	requireKind(t, artwork.InvalidInput, err)
	_, err = r.Albums.Put(t.Context(), somebody, catalog.Album{ArtistID: artist.ID, Name: "no ID"})
	requireKind(t, artwork.InvalidInput, err)
	_, err = r.Users.Put(t.Context(), somebody, catalog.User{Username: "no ID", Role: catalog.RoleUser})
	requireKind(t, artwork.InvalidInput, err)
	_, err = r.Users.Put(t.Context(), somebody, catalog.User{ID: artwork.NewID(), Username: "no role"})
	requireKind(t, artwork.InvalidInput, err)
	page, err := r.Artists.List(t.Context(), everything())
	require.NoError(t, err)
	require.Equal(t, 1, page.Total)
}

func oddNames(t TB, open func(TB) Repositories) {
	r := open(t)
	for _, text := range oddTexts {
		if catalog.CheckName("name", text) != nil {
			continue
		}
		artist := newArtist(t, r, text)
		got, err := r.Artists.Get(t.Context(), artist.ID)
		require.NoError(t, err)
		require.Equal(t, text, got.Name)
		require.Contains(t, artistNames(t, r, search(text)), text, "a search for the name does not find it")
		found, err := r.Library.FindArtists(t.Context(), nil, []string{catalog.FoldName(text)})
		require.NoError(t, err)
		require.Equal(t, []catalog.Artist{got}, found)
	}
}

// randomName returns a name that no compression makes shorter.
func randomName(characters int, seed uint64) string {
	random := rand.New(rand.NewPCG(seed, seed))
	name := make([]rune, characters)
	for i := range name {
		name[i] = rune(0x4e00 + random.IntN(0x5000)) // CJK unified ideographs: three bytes each
	}
	return string(name)
}

func longNames(t TB, open func(TB) Repositories) {
	r := open(t)
	long := randomName(1000, 1)
	artist := newArtist(t, r, long)
	_, err := r.Users.Put(t.Context(), somebody, catalog.User{ID: artwork.NewID(), Username: long, DisplayName: long, Role: catalog.RoleUser})
	require.NoError(t, err)
	album := newAlbum(t, r, artist.ID, long)
	require.Equal(t, []string{long}, artistNames(t, r, search(long)))
	artists, err := r.Library.FindArtists(t.Context(), nil, []string{catalog.FoldName(long)})
	require.NoError(t, err)
	require.Len(t, artists, 1)
	albums, err := r.Library.FindAlbums(t.Context(), nil, []artwork.ID{artist.ID}, []string{catalog.FoldName(long)})
	require.NoError(t, err)
	require.Len(t, albums, 1)
	require.Equal(t, album.ID, albums[0].ID)
}

func mbidConflict(t TB, open func(TB) Repositories) {
	r := open(t)
	mbid := artwork.NewID()
	holder := catalog.Artist{ID: artwork.NewID(), Name: "Holder", MBID: mbid}
	_, err := r.Artists.Put(t.Context(), somebody, holder)
	require.NoError(t, err)
	other := newArtist(t, r, "Other")
	for _, artist := range []catalog.Artist{
		{ID: artwork.NewID(), Name: "New", MBID: mbid},
		{ID: other.ID, Name: "Other", MBID: mbid},
	} {
		_, err = r.Artists.Put(t.Context(), somebody, artist)
		requireKind(t, artwork.Conflict, err)
		require.ErrorContains(t, err, holder.ID.String(), "the conflict does not name the holder")
	}
	_, err = r.Artists.Put(t.Context(), somebody, holder)
	require.NoError(t, err, "an artist conflicts with itself")

	// An album may have the MBID of an artist, but not of another album.
	album := catalog.Album{ID: artwork.NewID(), ArtistID: other.ID, Name: "Album", MBID: mbid}
	_, err = r.Albums.Put(t.Context(), somebody, album)
	require.NoError(t, err)
	_, err = r.Albums.Put(t.Context(), somebody, catalog.Album{ID: artwork.NewID(), ArtistID: holder.ID, Name: "New", MBID: mbid})
	requireKind(t, artwork.Conflict, err)
	require.ErrorContains(t, err, album.ID.String())
}

func mbidGivenUp(t TB, open func(TB) Repositories) {
	r := open(t)
	first := catalog.Artist{ID: artwork.NewID(), Name: "First", MBID: artwork.NewID()}
	second := catalog.Artist{ID: artwork.NewID(), Name: "Second", MBID: first.MBID}
	_, err := r.Artists.Put(t.Context(), somebody, first)
	require.NoError(t, err)
	first.MBID = catalog.MBID{}
	_, err = r.Artists.Put(t.Context(), somebody, first)
	require.NoError(t, err)
	_, err = r.Artists.Put(t.Context(), somebody, second)
	require.NoError(t, err)
}

func releaseGroupShared(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, group := newArtist(t, r, "Someone"), artwork.NewID()
	for range 2 {
		_, err := r.Albums.Put(t.Context(), somebody, catalog.Album{ID: artwork.NewID(), ArtistID: artist.ID, Name: "Edition", ReleaseGroupMBID: group})
		require.NoError(t, err)
	}
}

func userNameConflict(t TB, open func(TB) Repositories) {
	r := open(t)
	holder := catalog.User{ID: artwork.NewID(), Username: "Zoë", Role: catalog.RoleUser}
	_, err := r.Users.Put(t.Context(), somebody, holder)
	require.NoError(t, err)
	for _, name := range []string{"Zoë", "Zoe\u0308", "ZOE", " zoe "} {
		_, err = r.Users.Put(t.Context(), somebody, catalog.User{ID: artwork.NewID(), Username: name, Role: catalog.RoleUser})
		requireKind(t, artwork.Conflict, err)
		require.ErrorContains(t, err, holder.ID.String())
	}
}

func albumNeedsArtist(t TB, open func(TB) Repositories) {
	r := open(t)
	album := catalog.Album{ID: artwork.NewID(), ArtistID: artwork.NewID(), Name: "Orphan"}
	_, err := r.Albums.Put(t.Context(), somebody, album)
	requireKind(t, artwork.NotFound, err)
	_, err = r.Albums.Get(t.Context(), album.ID)
	requireKind(t, artwork.NotFound, err)

	album = newAlbum(t, r, newArtist(t, r, "Someone").ID, "Album")
	album.ArtistID = artwork.NewID()
	_, err = r.Albums.Put(t.Context(), somebody, album)
	requireKind(t, artwork.NotFound, err)
}

func albumArtistName(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := newArtist(t, r, "Before")
	album := newAlbum(t, r, artist.ID, "Album")
	artist.Name = "After"
	_, err := r.Artists.Put(t.Context(), somebody, artist)
	require.NoError(t, err)
	album.ArtistName = "only read, never written"
	_, err = r.Albums.Put(t.Context(), somebody, album)
	require.NoError(t, err)
	got, err := r.Albums.Get(t.Context(), album.ID)
	require.NoError(t, err)
	require.Equal(t, "After", got.ArtistName)
}

func racingUserNames(t TB, open func(TB) Repositories) {
	r := open(t)
	errs := make([]error, 20)
	race(len(errs), func(i int) {
		_, errs[i] = r.Users.Put(t.Context(), somebody, catalog.User{ID: artwork.NewID(), Username: "same", Role: catalog.RoleUser})
	})
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
		} else {
			requireKind(t, artwork.Conflict, err)
		}
	}
	require.Equal(t, 1, won)
}

func racingCreators(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Same", MBID: artwork.NewID()}
	created, errs := make([]bool, 20), make([]error, 20)
	race(len(errs), func(i int) { created[i], errs[i] = r.Artists.Put(t.Context(), somebody, artist) })
	n := 0
	for i, err := range errs {
		require.NoError(t, err)
		if created[i] {
			n++
		}
	}
	require.Equal(t, 1, n, "how many created the artist")
}

func listOrder(t TB, open func(TB) Repositories) {
	r := open(t)
	ordered := []catalog.Artist{
		{Name: "  ¡Forward, Russia!", SortName: "!"},
		{Name: "2Pac"},
		{Name: "ABBA"},
		{Name: "Ärzte"},
		{Name: "The Beatles", SortName: "Beatles, The"},
		{Name: "beck"},
		{Name: "Björk"},
		{Name: "Ｚｏｏ"}, // full width
		{Name: "Ω"},
		{Name: "東京事変"},
	}
	for i := range ordered {
		artist := ordered[i*7%len(ordered)] // in another order than the list's
		artist.ID = artwork.NewID()
		_, err := r.Artists.Put(t.Context(), somebody, artist)
		require.NoError(t, err)
	}
	var names []string
	for _, artist := range ordered {
		names = append(names, artist.Name)
	}
	require.Equal(t, names, artistNames(t, r, everything()))
}

func pagesDoNotOverlap(t TB, open func(TB) Repositories) {
	r := open(t)
	const n, size = 25, 4
	for i := range n {
		newArtist(t, r, fmt.Sprintf("Name %d", i%3)) // many of one name: the ID decides
	}
	whole, err := r.Artists.List(t.Context(), everything())
	require.NoError(t, err)
	require.True(t, slices.IsSortedFunc(whole.Items, func(a, b catalog.Artist) int {
		if by := strings.Compare(a.Name, b.Name); by != 0 {
			return by
		}
		return slices.Compare(a.ID[:], b.ID[:])
	}), "the list is not ordered by name and ID")
	var paged []catalog.Artist
	for number := 1; len(paged) < n; number++ {
		page, err := r.Artists.List(t.Context(), catalog.Query{Page: number, PageSize: size})
		require.NoError(t, err)
		require.Equal(t, n, page.Total)
		require.Len(t, page.Items, min(size, n-len(paged)))
		paged = append(paged, page.Items...)
	}
	require.Equal(t, whole.Items, paged)
}

func pagesPastTheEnd(t TB, open func(TB) Repositories) {
	r := open(t)
	newArtist(t, r, "Someone")
	for _, number := range []int{2, 1000, math.MaxInt32, math.MaxInt / 2, math.MaxInt} {
		page, err := r.Artists.List(t.Context(), catalog.Query{Page: number, PageSize: catalog.MaxPageSize})
		require.NoError(t, err)
		require.Empty(t, page.Items)
		require.Equal(t, 1, page.Total)
	}
	page, err := r.Users.List(t.Context(), everything())
	require.NoError(t, err)
	require.Empty(t, page.Items)
	require.Zero(t, page.Total)
}

func impossibleQueries(t TB, open func(TB) Repositories) {
	r := open(t)
	for _, query := range []catalog.Query{
		{},
		{Page: 0, PageSize: 10},
		{Page: -1, PageSize: 10},
		{Page: 1, PageSize: 0},
		{Page: 1, PageSize: -1},
		{Page: 1, PageSize: catalog.MaxPageSize + 1},
		{Page: 1, PageSize: 10, Missing: artwork.SlotCover},
		{Page: 1, PageSize: 10, Missing: 99},
		{Page: 1, PageSize: 10, Text: "\x00"},
		{Page: 1, PageSize: 10, Text: "\xff"},
	} {
		_, err := r.Artists.List(t.Context(), query)
		requireKind(t, artwork.InvalidInput, err)
	}
}

func searchFolds(t TB, open func(TB) Repositories) {
	r := open(t)
	for _, name := range []string{"Björk", "Mo\u0308tley Cru\u0308e", "GUNS N’ ROSES", "שלום חנוך", "🎸 Guitar", "ﬁne", "STRASSE"} {
		newArtist(t, r, name)
	}
	for text, name := range map[string]string{
		"bjork":             "Björk",
		"BJO\u0308RK":       "Björk",
		"jör":               "Björk",
		"mötley crüe":       "Mo\u0308tley Cru\u0308e",
		"tley  cr":          "Mo\u0308tley Cru\u0308e",
		"n' roses":          "GUNS N’ ROSES",
		"חנוך":              "שלום חנוך",
		"🎸":                 "🎸 Guitar",
		"FINE":              "ﬁne",
		"straße":            "STRASSE",
		" Björk ":           "Björk",
		"\u00a0Björk\u3000": "Björk",
	} {
		require.Equal(t, []string{name}, artistNames(t, r, search(text)), "found by %q", text)
	}
	require.Empty(t, artistNames(t, r, search("nobody")))
	require.Len(t, artistNames(t, r, search("")), 7)
	require.Len(t, artistNames(t, r, search("  ")), 7)
}

func searchWildcards(t TB, open func(TB) Repositories) {
	r := open(t)
	names := []string{"100% Pure", "snake_case", `back\slash`, "it's", "what?0 now?", "[a-z]*", "plain"}
	for _, name := range names {
		newArtist(t, r, name)
	}
	for text, name := range map[string]string{
		"%": "100% Pure", "0%": "100% Pure", "_": "snake_case", "e_c": "snake_case", `\`: `back\slash`, `k\s`: `back\slash`,
		"'": "it's", "?0": "what?0 now?", "w?": "what?0 now?", "*": "[a-z]*", "[a-z]": "[a-z]*",
	} {
		require.Equal(t, []string{name}, artistNames(t, r, search(text)), "found by %q", text)
	}
	for _, text := range []string{"%%", "100%p", "snake%case", "p_ain", `\%`, `%plain%`, "' OR 1=1 --"} {
		require.Empty(t, artistNames(t, r, search(text)), "found by %q", text)
	}
}

func searchUsers(t TB, open func(TB) Repositories) {
	r := open(t)
	for _, user := range []catalog.User{{Username: "carol", DisplayName: "Zoë"}, {Username: "Bob"}, {Username: "álvaro", DisplayName: "Bobby"}} {
		user.ID, user.Role = artwork.NewID(), catalog.RoleUser
		_, err := r.Users.Put(t.Context(), somebody, user)
		require.NoError(t, err)
	}
	names := func(query catalog.Query) (names []string) {
		page, err := r.Users.List(t.Context(), query)
		require.NoError(t, err)
		require.Equal(t, len(page.Items), page.Total)
		for _, user := range page.Items {
			names = append(names, user.Username)
		}
		return names
	}
	require.Equal(t, []string{"álvaro", "Bob", "carol"}, names(everything()))
	require.Equal(t, []string{"Bob", "álvaro"}, names(search("BOB")), "an exact match comes first")
	require.Equal(t, []string{"carol"}, names(search("zoe")))
	ofAnArtist := search("BOB")
	ofAnArtist.ArtistID = artwork.NewID()
	require.Equal(t, []string{"Bob", "álvaro"}, names(ofAnArtist), "users belong to no artist")
}

func listAlbumsOfArtist(t TB, open func(TB) Repositories) {
	r := open(t)
	one, other := newArtist(t, r, "One"), newArtist(t, r, "Other")
	second, first := newAlbum(t, r, one.ID, "B side"), newAlbum(t, r, one.ID, "A side")
	third := newAlbum(t, r, other.ID, "a side")
	query := everything()
	query.ArtistID = one.ID
	ids := func(query catalog.Query) (ids []artwork.ID) {
		page, err := r.Albums.List(t.Context(), query)
		require.NoError(t, err)
		require.Equal(t, len(page.Items), page.Total)
		for _, album := range page.Items {
			ids = append(ids, album.ID)
		}
		return ids
	}
	require.Equal(t, []artwork.ID{first.ID, second.ID}, ids(query))
	query.Text = "SIDE"
	require.Equal(t, []artwork.ID{first.ID, second.ID}, ids(query))
	query.Text = "b s"
	require.Equal(t, []artwork.ID{second.ID}, ids(query))
	query.ArtistID = artwork.NewID()
	require.Empty(t, ids(query))
	require.ElementsMatch(t, []artwork.ID{first.ID, second.ID, third.ID}, ids(everything()))
	query.Text = ""
	require.Equal(t, []string{"One", "Other"}, artistNames(t, r, query), "artists belong to no artist")
}

func listMissingImages(t TB, open func(TB) Repositories) {
	r := open(t)
	with, without := newArtist(t, r, "With"), newArtist(t, r, "Without")
	query := everything()
	query.Missing = artwork.SlotProfile
	require.Equal(t, []string{"With", "Without"}, artistNames(t, r, query))
	place := artwork.Place{Subject: artwork.Artist(with.ID), Slot: artwork.SlotProfile}
	require.NoError(t, r.Archive.Add(t.Context(), newRecord(place, artwork.Custom, 1)))
	require.Equal(t, []string{"With", "Without"}, artistNames(t, r, query), "a record that is not in force counts as an image")
	applyOne(t, r, chosen(newRecord(place, artwork.Custom, 1)))
	require.Equal(t, []string{"Without"}, artistNames(t, r, query))
	query.Missing = artwork.SlotLogo
	require.Equal(t, []string{"With", "Without"}, artistNames(t, r, query))
	query.Text, query.Missing = "without", artwork.SlotProfile
	page, err := r.Artists.List(t.Context(), query)
	require.NoError(t, err)
	require.Equal(t, 1, page.Total)
	require.Equal(t, without.ID, page.Items[0].ID)
}

func catalogCancelled(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := newArtist(t, r, "Someone")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.Artists.Get(ctx, artist.ID)
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.Artists.List(ctx, everything())
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.Artists.Put(ctx, somebody, catalog.Artist{ID: artwork.NewID(), Name: "Late"})
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.Albums.Put(ctx, somebody, catalog.Album{ID: artwork.NewID(), ArtistID: artist.ID, Name: "Late"})
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.Users.Put(ctx, somebody, catalog.User{ID: artwork.NewID(), Username: "late", Role: catalog.RoleUser})
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, []string{"Someone"}, artistNames(t, r, everything()))
}

func backgroundPosition(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := newArtist(t, r, "Someone")
	require.NoError(t, r.Artists.SetBackgroundPosition(t.Context(), somebody, artist.ID, "50% 30%"))
	artist.Name, artist.BackgroundPosition = "Somebody", "is not written by Put"
	_, err := r.Artists.Put(t.Context(), somebody, artist)
	require.NoError(t, err)
	stored, err := r.Artists.Get(t.Context(), artist.ID)
	require.NoError(t, err)
	require.Equal(t, "50% 30%", stored.BackgroundPosition)
	other, err := r.Artists.Get(t.Context(), newArtist(t, r, "Another").ID)
	require.NoError(t, err)
	require.Empty(t, other.BackgroundPosition)
	requireKind(t, artwork.NotFound, r.Artists.SetBackgroundPosition(t.Context(), somebody, artwork.NewID(), "center"))
}
