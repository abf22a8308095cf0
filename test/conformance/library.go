package conformance

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/importlibrary"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// libraryCases are the clauses of importlibrary.Library.
func libraryCases() []Case[Repositories] {
	return []Case[Repositories]{
		{"library: the fingerprint of a folder is remembered", fingerprints},
		{"library: ForgetFingerprints forgets nothing else", fingerprintsForgotten},
		{"library: paths are bytes", libraryPaths},
		{"library: artists are found by MBID and by folded name, oldest first", findsArtists},
		{"library: albums are found by MBID, and by artist and folded name", findsAlbums},
		{"library: many names are found at once", findsMany},
		{"library: Save creates what is unknown", saveCreates},
		{"library: Save adds only what was not known", saveAdds},
		{"library: Save takes a subject twice", saveTwice},
		{"library: an MBID that another took is a conflict, and nothing is written", saveConflict},
		{"library: what Save cannot store is refused", saveInvalid},
		{"library: importers that save the same subjects at once", racingSaves},
		{"library: importers that save one MBID under two identities at once", racingMBIDs},
		{"library: Finish marks what has vanished, Save takes the mark away", finishMarks},
		{"library: Touch keeps a folder", touchKeeps},
		{"library: Finish leaves other libraries alone", finishLeavesOthers},
		{"library: an album that moved to another folder is not missing", movedAlbum},
		{"library: an artist is missing with its last album", artistMissesLast},
		{"library: what no import brought is never missing", handMadeStays},
		{"library: an album that its folder no longer holds is missing", folderLosesAlbum},
		{"library: a folder with an unknown album is refused", unknownAlbum},
		{"library: a scan without an ID is refused", scanWithoutID},
		{"library: Finish and SaveFolders at once mark nothing that is there", finishRacesSave},
		{"library: a cancelled context ends every method", libraryCancelled},
	}
}

const root = "/music"

func save(t TB, r Repositories, artist catalog.Artist, albums ...catalog.Album) {
	t.Helper()
	require.NoError(t, r.Library.Save(t.Context(), []catalog.Artist{artist}, albums))
}

func saveFolder(t TB, r Repositories, scan artwork.ID, path string, albums ...artwork.ID) {
	t.Helper()
	folder := importlibrary.FolderState{Path: path, Fingerprint: fingerprintOf(path), Albums: albums}
	require.NoError(t, r.Library.SaveFolders(t.Context(), scan, root, []importlibrary.FolderState{folder}))
}

func fingerprintOf(path string) string { return artwork.HashOf([]byte(path)).String() }

func finish(t TB, r Repositories, scan artwork.ID) int {
	t.Helper()
	missing, err := r.Library.Finish(t.Context(), scan, root)
	require.NoError(t, err)
	return missing
}

func imported(name string) (catalog.Artist, catalog.Album) {
	artist := catalog.Artist{ID: catalog.NewArtistID(name, catalog.MBID{}), Name: name}
	return artist, catalog.Album{ID: catalog.NewAlbumID(artist.ID, "Album of "+name, catalog.MBID{}), ArtistID: artist.ID, Name: "Album of " + name}
}

func getArtist(t TB, r Repositories, id artwork.ID) catalog.Artist {
	t.Helper()
	artist, err := r.Artists.Get(t.Context(), id)
	require.NoError(t, err)
	return artist
}

func getAlbum(t TB, r Repositories, id artwork.ID) catalog.Album {
	t.Helper()
	album, err := r.Albums.Get(t.Context(), id)
	require.NoError(t, err)
	return album
}

func requireMissing(t TB, r Repositories, missing bool, artist, album artwork.ID) {
	t.Helper()
	require.Equal(t, missing, getArtist(t, r, artist).Missing, "missing mark of the artist")
	require.Equal(t, missing, getAlbum(t, r, album).Missing, "missing mark of the album")
}

func fingerprints(t TB, open func(TB) Repositories) {
	r := open(t)
	requireFingerprint := func(expected, folder string) {
		t.Helper()
		got, err := r.Library.Fingerprint(t.Context(), folder)
		require.NoError(t, err)
		require.Equal(t, expected, got)
	}
	requireFingerprint("", "/music/a")
	for _, fingerprint := range []string{"one", "two", "", oddTexts[5]} {
		states := []importlibrary.FolderState{{Path: "/music/a", Fingerprint: fingerprint}, {Path: "/music/b", Fingerprint: "b"}}
		require.NoError(t, r.Library.SaveFolders(t.Context(), artwork.NewID(), root, states))
		requireFingerprint(fingerprint, "/music/a")
		requireFingerprint("b", "/music/b")
		requireFingerprint("", "/music")
	}
	require.NoError(t, r.Library.SaveFolders(t.Context(), artwork.NewID(), root, nil))
}

func libraryPaths(t TB, open func(TB) Repositories) {
	r := open(t)
	scan := artwork.NewID()
	paths := []string{
		"/music/Bj\xf6rk", // ISO 8859-1, as on many old disks
		"/music/Bj\xf7rk",
		"/music/Bj\ufffdrk",
		"/music/e\u0301", "/music/\u00e9", // names of two folders, on most file systems
		"/music/it's ?0 %_\\ \n",
		"/music/" + strings.Repeat("x", 4000),
		"/music/" + strings.Repeat("x", 4000) + "y",
	}
	for _, path := range paths {
		saveFolder(t, r, scan, path)
	}
	require.NoError(t, r.Library.Touch(t.Context(), scan, paths))
	require.Zero(t, finish(t, r, scan))
	for _, path := range paths {
		got, err := r.Library.Fingerprint(t.Context(), path)
		require.NoError(t, err)
		require.Equal(t, fingerprintOf(path), got)
	}
}

func findsArtists(t TB, open func(TB) Repositories) {
	r := open(t)
	mbid := artwork.NewID()
	var ids []artwork.ID
	for _, artist := range []catalog.Artist{
		{Name: "Björk"}, {Name: "BJORK", MBID: mbid}, {Name: "Bjork Bjork"}, {Name: "Elsewhere", MBID: artwork.NewID()}, {Name: "bjo\u0308rk"},
	} {
		artist.ID = artwork.NewID()
		save(t, r, artist)
		ids = append(ids, artist.ID)
		time.Sleep(2 * time.Microsecond) // the resolution in which ages are kept
	}
	find := func(mbids []catalog.MBID, names ...string) (found []artwork.ID) {
		t.Helper()
		artists, err := r.Library.FindArtists(t.Context(), mbids, names)
		require.NoError(t, err)
		for _, artist := range artists {
			require.Equal(t, getArtist(t, r, artist.ID), artist)
			found = append(found, artist.ID)
		}
		return found
	}
	require.Equal(t, []artwork.ID{ids[0], ids[1], ids[4]}, find(nil, "bjork"))
	require.Equal(t, []artwork.ID{ids[1]}, find([]catalog.MBID{mbid, artwork.NewID()}))
	require.Equal(t, []artwork.ID{ids[0], ids[1], ids[3], ids[4]}, find([]catalog.MBID{mbid}, "bjork", "elsewhere", "nobody"))
	require.Empty(t, find(nil))
	require.Empty(t, find([]catalog.MBID{{}}, "Björk"), "the zero MBID or a name that is not folded was found")
}

func findsAlbums(t TB, open func(TB) Repositories) {
	r := open(t)
	one, other := newArtist(t, r, "One"), newArtist(t, r, "Other")
	mbid := artwork.NewID()
	var ids []artwork.ID
	for _, album := range []catalog.Album{
		{ArtistID: one.ID, Name: "Début"}, {ArtistID: one.ID, Name: "DEBUT", MBID: mbid}, {ArtistID: other.ID, Name: "Debut"}, {ArtistID: one.ID, Name: "Post"},
	} {
		album.ID = artwork.NewID()
		require.NoError(t, r.Library.Save(t.Context(), nil, []catalog.Album{album}))
		ids = append(ids, album.ID)
		time.Sleep(2 * time.Microsecond) // the resolution in which ages are kept
	}
	find := func(mbids []catalog.MBID, artists []artwork.ID, names ...string) (found []artwork.ID) {
		t.Helper()
		albums, err := r.Library.FindAlbums(t.Context(), mbids, artists, names)
		require.NoError(t, err)
		for _, album := range albums {
			require.Equal(t, getAlbum(t, r, album.ID), album)
			found = append(found, album.ID)
		}
		return found
	}
	require.Equal(t, ids[:2], find(nil, []artwork.ID{one.ID}, "debut"))
	require.Equal(t, ids[:3], find(nil, []artwork.ID{one.ID, other.ID, artwork.NewID()}, "debut", "nothing"))
	require.Equal(t, []artwork.ID{ids[1], ids[3]}, find([]catalog.MBID{mbid}, []artwork.ID{one.ID}, "post"))
	require.Empty(t, find(nil, []artwork.ID{one.ID}), "albums were found by their artist alone")
	require.Empty(t, find(nil, nil, "debut"), "albums were found by their name alone")
}

func findsMany(t TB, open func(TB) Repositories) {
	r := open(t)
	const n = 450
	artists, names, mbids := make([]catalog.Artist, n), make([]string, n), make([]catalog.MBID, n)
	var albums []catalog.Album
	for i := range n {
		names[i], mbids[i] = fmt.Sprintf("artist %d", i), artwork.NewID()
		artists[i] = catalog.Artist{ID: artwork.NewID(), Name: names[i], MBID: mbids[i]}
		albums = append(albums, catalog.Album{ID: artwork.NewID(), ArtistID: artists[i].ID, Name: names[i]})
	}
	require.NoError(t, r.Library.Save(t.Context(), artists, albums))
	var ids []artwork.ID
	for _, by := range []func() ([]catalog.Artist, error){
		func() ([]catalog.Artist, error) { return r.Library.FindArtists(t.Context(), mbids, nil) },
		func() ([]catalog.Artist, error) { return r.Library.FindArtists(t.Context(), nil, names) },
		func() ([]catalog.Artist, error) { return r.Library.FindArtists(t.Context(), mbids, names) },
	} {
		found, err := by()
		require.NoError(t, err)
		require.Len(t, found, n)
	}
	for _, artist := range artists {
		ids = append(ids, artist.ID)
	}
	found, err := r.Library.FindAlbums(t.Context(), nil, ids, names)
	require.NoError(t, err)
	require.Len(t, found, n)
}

func saveCreates(t TB, open func(TB) Repositories) {
	r := open(t)
	before := time.Now().Add(-time.Second)
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Someone", SortName: "One, Some", MBID: artwork.NewID()}
	album := catalog.Album{ID: artwork.NewID(), ArtistID: artist.ID, Name: "Something", Year: 1999, MBID: artwork.NewID(), ReleaseGroupMBID: artwork.NewID()}
	save(t, r, artist, album)
	gotArtist, gotAlbum := getArtist(t, r, artist.ID), getAlbum(t, r, album.ID)
	require.WithinRange(t, gotArtist.CreatedAt, before, time.Now().Add(time.Second))
	require.Equal(t, time.UTC, gotAlbum.CreatedAt.Location())
	artist.CreatedAt, artist.UpdatedAt = gotArtist.CreatedAt, gotArtist.CreatedAt
	album.CreatedAt, album.UpdatedAt, album.ArtistName = gotAlbum.CreatedAt, gotAlbum.CreatedAt, artist.Name
	require.Equal(t, artist, gotArtist)
	require.Equal(t, album, gotAlbum)
}

func saveAdds(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, album := imported("Someone")
	save(t, r, artist, album)
	created := getArtist(t, r, artist.ID).CreatedAt
	known := artist
	known.Name, known.SortName, known.MBID = "ignored", "One, Some", artwork.NewID()
	release := album
	release.Name, release.Year, release.MBID, release.ReleaseGroupMBID = "ignored", 1999, artwork.NewID(), artwork.NewID()
	release.ArtistID = newArtist(t, r, "Ignored").ID
	save(t, r, known, release)
	requireKnown := func() {
		t.Helper()
		got := getArtist(t, r, artist.ID)
		require.Equal(t, catalog.Artist{
			ID: artist.ID, Name: artist.Name, SortName: known.SortName, MBID: known.MBID, CreatedAt: created, UpdatedAt: got.UpdatedAt,
		}, got)
		gotAlbum := getAlbum(t, r, album.ID)
		require.Equal(t, catalog.Album{
			ID: album.ID, ArtistID: artist.ID, ArtistName: artist.Name, Name: album.Name, Year: 1999, MBID: release.MBID,
			ReleaseGroupMBID: release.ReleaseGroupMBID, CreatedAt: gotAlbum.CreatedAt, UpdatedAt: gotAlbum.UpdatedAt,
		}, gotAlbum)
	}
	requireKnown()
	require.Equal(t, []string{"Ignored", "Someone"}, artistNames(t, r, everything()), "the sort name has no effect on the list")

	// What is known is not replaced, not even by what another one holds.
	holder := catalog.Artist{ID: artwork.NewID(), Name: "Holder", MBID: artwork.NewID()}
	save(t, r, holder)
	later, laterRelease := known, release
	later.SortName, later.MBID = "other", holder.MBID
	laterRelease.Year, laterRelease.MBID, laterRelease.ReleaseGroupMBID = 2000, artwork.NewID(), artwork.NewID()
	save(t, r, later, laterRelease)
	requireKnown()
	save(t, r, artist, album) // nor forgotten
	requireKnown()
}

func saveTwice(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, album := imported("Someone")
	full, release := artist, album
	full.MBID, release.Year = artwork.NewID(), 1999
	err := r.Library.Save(t.Context(), []catalog.Artist{artist, full, artist}, []catalog.Album{album, album, release})
	require.NoError(t, err)
	require.Equal(t, full.MBID, getArtist(t, r, artist.ID).MBID)
	require.Equal(t, 1999, getAlbum(t, r, album.ID).Year)
}

func saveConflict(t TB, open func(TB) Repositories) {
	r := open(t)
	mbid := artwork.NewID()
	holder := catalog.Artist{ID: artwork.NewID(), Name: "Holder", MBID: mbid}
	known := catalog.Artist{ID: artwork.NewID(), Name: "Known"}
	require.NoError(t, r.Library.Save(t.Context(), []catalog.Artist{holder, known}, nil))
	fresh, album := imported("Fresh")
	for _, taker := range []catalog.Artist{{ID: artwork.NewID(), Name: "Taker", MBID: mbid}, {ID: known.ID, Name: "Known", MBID: mbid}} {
		err := r.Library.Save(t.Context(), []catalog.Artist{fresh, taker}, []catalog.Album{album})
		requireKind(t, artwork.Conflict, err)
		_, err = r.Artists.Get(t.Context(), fresh.ID)
		requireKind(t, artwork.NotFound, err)
	}
	album.MBID = mbid
	save(t, r, fresh, album)
	other, late := imported("Other")
	late.MBID = mbid
	requireKind(t, artwork.Conflict, r.Library.Save(t.Context(), []catalog.Artist{other}, []catalog.Album{late}))
	_, err := r.Artists.Get(t.Context(), other.ID)
	requireKind(t, artwork.NotFound, err)
}

func saveInvalid(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, album := imported("Someone")
	bad := artist
	bad.Name = "NUL \x00"
	requireKind(t, artwork.InvalidInput, r.Library.Save(t.Context(), []catalog.Artist{artist, bad}, nil))
	bad = artist
	bad.ID = artwork.ID{}
	requireKind(t, artwork.InvalidInput, r.Library.Save(t.Context(), []catalog.Artist{artist, bad}, nil))
	wrong := album
	wrong.Name = "\xff"
	requireKind(t, artwork.InvalidInput, r.Library.Save(t.Context(), []catalog.Artist{artist}, []catalog.Album{album, wrong}))
	requireKind(t, artwork.NotFound, r.Library.Save(t.Context(), nil, []catalog.Album{album}))
	require.Empty(t, artistNames(t, r, everything()))
	require.NoError(t, r.Library.Save(t.Context(), nil, nil))
}

func racingSaves(t TB, open func(TB) Repositories) {
	r := open(t)
	var artists []catalog.Artist
	var albums []catalog.Album
	for i := range 30 {
		artist, album := imported(fmt.Sprintf("Artist %d", i))
		artist.MBID = artwork.DeriveID("mbid", artist.Name)
		artists, albums = append(artists, artist), append(albums, album)
	}
	errs := make([]error, 8)
	race(len(errs), func(i int) {
		ownArtists, ownAlbums := slices.Clone(artists), slices.Clone(albums)
		if i%2 == 1 {
			slices.Reverse(ownArtists)
			slices.Reverse(ownAlbums)
		}
		for j := range ownArtists { // not everyone knows everything
			if (i+j)%3 == 0 {
				ownArtists[j].MBID = catalog.MBID{}
			}
		}
		errs[i] = r.Library.Save(t.Context(), ownArtists, ownAlbums)
	})
	for i, err := range errs {
		require.NoError(t, err, "importer %d", i)
	}
	page, err := r.Artists.List(t.Context(), everything())
	require.NoError(t, err)
	require.Equal(t, len(artists), page.Total)
	for _, artist := range page.Items {
		require.Equal(t, artwork.DeriveID("mbid", artist.Name), artist.MBID)
	}
}

func racingMBIDs(t TB, open func(TB) Repositories) {
	r := open(t)
	mbids := []catalog.MBID{artwork.NewID(), artwork.NewID()}
	errs := make([]error, 10)
	race(len(errs), func(i int) {
		own := []catalog.Artist{{ID: artwork.NewID(), Name: "A", MBID: mbids[i%2]}, {ID: artwork.NewID(), Name: "B", MBID: mbids[1-i%2]}}
		errs[i] = r.Library.Save(t.Context(), own, nil)
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
	require.Len(t, artistNames(t, r, everything()), 2, "a part of a failed batch was written")
}

func finishMarks(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, album := imported("Someone")
	save(t, r, artist, album)
	first, second := artwork.NewID(), artwork.NewID()
	saveFolder(t, r, first, "/music/a", album.ID)
	require.Zero(t, finish(t, r, first))
	requireMissing(t, r, false, artist.ID, album.ID)

	require.Equal(t, 2, finish(t, r, second))
	requireMissing(t, r, true, artist.ID, album.ID)
	fingerprint, err := r.Library.Fingerprint(t.Context(), "/music/a")
	require.NoError(t, err)
	require.Empty(t, fingerprint, "a folder that was not met is not forgotten")
	require.Zero(t, finish(t, r, second), "the same subjects were newly marked again")
	require.Equal(t, []string{"Someone"}, artistNames(t, r, everything()), "what is missing is not listed")

	save(t, r, artist, album)
	requireMissing(t, r, false, artist.ID, album.ID)
	saveFolder(t, r, second, "/music/b", album.ID)
	require.Zero(t, finish(t, r, second))
	requireMissing(t, r, false, artist.ID, album.ID)
}

func touchKeeps(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, album := imported("Someone")
	gone, goneAlbum := imported("Gone")
	save(t, r, artist, album)
	save(t, r, gone, goneAlbum)
	saveFolder(t, r, artwork.NewID(), "/music/a", album.ID)
	saveFolder(t, r, artwork.NewID(), "/music/gone", goneAlbum.ID)
	scan := artwork.NewID()
	require.NoError(t, r.Library.Touch(t.Context(), scan, []string{"/music/a", "/music/unknown"}))
	require.NoError(t, r.Library.Touch(t.Context(), scan, nil))
	require.Equal(t, 2, finish(t, r, scan))
	requireMissing(t, r, false, artist.ID, album.ID)
	requireMissing(t, r, true, gone.ID, goneAlbum.ID)
	fingerprint, err := r.Library.Fingerprint(t.Context(), "/music/a")
	require.NoError(t, err)
	require.Equal(t, fingerprintOf("/music/a"), fingerprint)
}

func finishLeavesOthers(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, album := imported("Someone")
	save(t, r, artist, album)
	saveFolder(t, r, artwork.NewID(), "/music/a", album.ID)
	for _, other := range []string{"/music2", "/mus", "/", "/music/", ""} {
		missing, err := r.Library.Finish(t.Context(), artwork.NewID(), other)
		require.NoError(t, err)
		require.Zero(t, missing)
	}
	requireMissing(t, r, false, artist.ID, album.ID)
}

func movedAlbum(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, album := imported("Someone")
	save(t, r, artist, album)
	saveFolder(t, r, artwork.NewID(), "/music/old", album.ID)
	scan := artwork.NewID()
	saveFolder(t, r, scan, "/music/new", album.ID)
	require.Zero(t, finish(t, r, scan))
	requireMissing(t, r, false, artist.ID, album.ID)
}

func artistMissesLast(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, first := imported("Someone")
	second := catalog.Album{ID: artwork.NewID(), ArtistID: artist.ID, Name: "Second"}
	save(t, r, artist, first, second)
	scan := artwork.NewID()
	saveFolder(t, r, scan, "/music/1", first.ID)
	saveFolder(t, r, scan, "/music/2", second.ID, second.ID)
	require.Zero(t, finish(t, r, scan))
	scan = artwork.NewID()
	require.NoError(t, r.Library.Touch(t.Context(), scan, []string{"/music/2"}))
	require.Equal(t, 1, finish(t, r, scan))
	require.False(t, getArtist(t, r, artist.ID).Missing)
	require.True(t, getAlbum(t, r, first.ID).Missing)
	require.Equal(t, 2, finish(t, r, artwork.NewID()))
	requireMissing(t, r, true, artist.ID, second.ID)
}

func handMadeStays(t TB, open func(TB) Repositories) {
	r := open(t)
	artist := newArtist(t, r, "Hand made")
	album := newAlbum(t, r, artist.ID, "Hand made")
	saved, savedAlbum := imported("Saved, but in no folder yet")
	save(t, r, saved, savedAlbum)
	require.Zero(t, finish(t, r, artwork.NewID()))
	requireMissing(t, r, false, artist.ID, album.ID)
	requireMissing(t, r, false, saved.ID, savedAlbum.ID)
}

func folderLosesAlbum(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, album := imported("Someone")
	other, stays := imported("Other")
	save(t, r, artist, album)
	save(t, r, other, stays)
	scan := artwork.NewID()
	saveFolder(t, r, scan, "/music/a", album.ID, stays.ID)
	require.Zero(t, finish(t, r, scan))
	scan = artwork.NewID()
	saveFolder(t, r, scan, "/music/a", stays.ID)
	require.Equal(t, 2, finish(t, r, scan))
	requireMissing(t, r, true, artist.ID, album.ID)
	requireMissing(t, r, false, other.ID, stays.ID)

	// Back in its folder it is not missing, whether or not it was saved again.
	saveFolder(t, r, scan, "/music/a", stays.ID, album.ID)
	requireMissing(t, r, false, artist.ID, album.ID)
}

func scanWithoutID(t TB, open func(TB) Repositories) {
	r := open(t)
	none := artwork.ID{}
	requireKind(t, artwork.InvalidInput, r.Library.SaveFolders(t.Context(), none, root, []importlibrary.FolderState{{Path: "/music/a", Fingerprint: "a"}}))
	requireKind(t, artwork.InvalidInput, r.Library.Touch(t.Context(), none, []string{"/music/a"}))
	_, err := r.Library.Finish(t.Context(), none, root)
	requireKind(t, artwork.InvalidInput, err)
	fingerprint, err := r.Library.Fingerprint(t.Context(), "/music/a")
	require.NoError(t, err)
	require.Empty(t, fingerprint)
}

func unknownAlbum(t TB, open func(TB) Repositories) {
	r := open(t)
	states := []importlibrary.FolderState{{Path: "/music/a", Fingerprint: "a"}, {Path: "/music/b", Fingerprint: "b", Albums: []artwork.ID{artwork.NewID()}}}
	requireKind(t, artwork.NotFound, r.Library.SaveFolders(t.Context(), artwork.NewID(), root, states))
	fingerprint, err := r.Library.Fingerprint(t.Context(), "/music/a")
	require.NoError(t, err)
	require.Empty(t, fingerprint)
}

func finishRacesSave(t TB, open func(TB) Repositories) {
	r := open(t)
	for round := range 10 {
		artist, album := imported(fmt.Sprintf("Someone %d", round))
		save(t, r, artist, album)
		saveFolder(t, r, artwork.NewID(), "/music/old", album.ID)
		errs := make([]error, 2)
		race(2, func(i int) {
			if i == 0 {
				_, errs[i] = r.Library.Finish(t.Context(), artwork.NewID(), root)
				return
			}
			moved := importlibrary.FolderState{Path: fmt.Sprintf("/elsewhere/%d", round), Albums: []artwork.ID{album.ID}}
			errs[i] = r.Library.SaveFolders(t.Context(), artwork.NewID(), "/elsewhere", []importlibrary.FolderState{moved})
		})
		require.NoError(t, errs[0])
		require.NoError(t, errs[1])
		requireMissing(t, r, false, artist.ID, album.ID)
	}
}

func fingerprintsForgotten(t TB, open func(TB) Repositories) {
	r := open(t)
	require.NoError(t, r.Library.ForgetFingerprints(t.Context()), "there are none")
	artist, album := imported("Someone")
	save(t, r, artist, album)
	scan := artwork.NewID()
	saveFolder(t, r, scan, "/music/a", album.ID)
	saveFolder(t, r, scan, "/music/b")
	require.NoError(t, r.Library.ForgetFingerprints(t.Context()))
	for _, folder := range []string{"/music/a", "/music/b"} {
		got, err := r.Library.Fingerprint(t.Context(), folder)
		require.NoError(t, err)
		require.Empty(t, got)
	}
	require.Zero(t, finish(t, r, scan))
	requireMissing(t, r, false, artist.ID, album.ID)
	saveFolder(t, r, scan, "/music/a", album.ID)
	got, err := r.Library.Fingerprint(t.Context(), "/music/a")
	require.NoError(t, err)
	require.Equal(t, fingerprintOf("/music/a"), got)
}

func libraryCancelled(t TB, open func(TB) Repositories) {
	r := open(t)
	artist, album := imported("Someone")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := r.Library.Fingerprint(ctx, "/music/a")
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, r.Library.ForgetFingerprints(ctx), context.Canceled)
	_, err = r.Library.FindArtists(ctx, nil, []string{"someone"})
	require.ErrorIs(t, err, context.Canceled)
	_, err = r.Library.FindAlbums(ctx, nil, []artwork.ID{artist.ID}, []string{"someone"})
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, r.Library.Save(ctx, []catalog.Artist{artist}, []catalog.Album{album}), context.Canceled)
	require.ErrorIs(t, r.Library.SaveFolders(ctx, artwork.NewID(), root, []importlibrary.FolderState{{Path: "/music/a"}}), context.Canceled)
	require.ErrorIs(t, r.Library.Touch(ctx, artwork.NewID(), []string{"/music/a"}), context.Canceled)
	_, err = r.Library.Finish(ctx, artwork.NewID(), root)
	require.ErrorIs(t, err, context.Canceled)
	require.Empty(t, artistNames(t, r, everything()))
}
