package importlibrary_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/importlibrary"
	"gatefold/application/keepactivity"
	"gatefold/application/managecache"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// fixture is an import on the memory adapters, and a library to import.
type fixture struct {
	*memory.Cache
	repo     *memory.Repository
	store    *memory.Store
	importer *importlibrary.Import

	folders []importlibrary.Folder
	gone    map[string]bool
	skipped []string
	changes int
	read    int
}

func newFixture() *fixture {
	f := &fixture{
		Cache: memory.NewCache(artwork.CachePolicy{TTL: time.Minute}, 1000, managecache.NewCounters()),
		repo:  memory.NewRepository(), store: memory.NewStore(0), gone: map[string]bool{},
	}
	f.importer = importlibrary.New(f, f.repo.Images(), f.repo.Images(), f.store, f.repo.Library(), f, f.acts(), slog.New(slog.DiscardHandler))
	return f
}

// ana asks for what tests import.
var ana = artwork.Actor{Name: "ana"}

func (f *fixture) acts() *keepactivity.Recorder {
	return keepactivity.NewRecorder(f.repo.Activity(), slog.New(slog.DiscardHandler))
}

// Change counts the fences.
func (f *fixture) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	f.changes++
	return f.Cache.Change(ctx, keys, commit)
}

// Inspect implements importlibrary.Inspector.
func (f *fixture) Inspect(_ context.Context, content []byte) (artwork.Content, error) {
	if string(content) == "text" {
		return artwork.Content{}, artwork.Errorf(artwork.UnsupportedImage, "this is text")
	}
	return artwork.Content{Hash: artwork.HashOf(content), Size: int64(len(content)), MIMEType: "image/png", Width: 1, Height: 1}, nil
}

// Root, Count, Walk and Exists implement importlibrary.Source.
func (f *fixture) Root() string { return "/music" }

func (f *fixture) Count(context.Context) (int, error) { return len(f.folders), nil }

func (f *fixture) Walk(_ context.Context, unchanged func(path, fingerprint string) (bool, error), visit func(importlibrary.Folder) error) error {
	for _, folder := range f.folders {
		same, err := unchanged(folder.Path, folder.Fingerprint)
		if err != nil {
			return err
		}
		if same {
			folder = importlibrary.Folder{Path: folder.Path, Fingerprint: folder.Fingerprint, Unchanged: true, AudioFiles: folder.AudioFiles}
		}
		if err := visit(folder); err != nil {
			return err
		}
	}
	return nil
}

func (f *fixture) Exists(path string) bool { return !f.gone[path] }

// Progress and Skipped implement importlibrary.Observer.
func (f *fixture) Progress(int, int) {}

func (f *fixture) Skipped(file importlibrary.Skipped) { f.skipped = append(f.skipped, file.Path) }

func (f *fixture) run(t *testing.T, folders ...importlibrary.Folder) importlibrary.Summary {
	t.Helper()
	f.folders, f.skipped, f.changes, f.read = folders, nil, 0, 0
	summary, err := f.importer.Run(t.Context(), ana, f, f)
	require.NoError(t, err)
	return summary
}

// folder is a folder of one file with the albums; the fingerprint is the version.
func folder(path, version string, albums ...importlibrary.Album) importlibrary.Folder {
	return importlibrary.Folder{Path: path, Fingerprint: version, AudioFiles: 1, Albums: albums}
}

func (f *fixture) picture(rank int, path, content string) importlibrary.Picture {
	return importlibrary.Picture{
		Origin: artwork.Origin{Rank: rank, Path: path}, FileName: path,
		Read: func(context.Context, int64) ([]byte, error) {
			f.read++
			return []byte(content), nil
		},
	}
}

func album(artist, name string, cover ...importlibrary.Picture) importlibrary.Album {
	return importlibrary.Album{Name: name, Artist: importlibrary.Artist{Name: artist}, Cover: cover}
}

func (f *fixture) artists(t *testing.T) []catalog.Artist {
	t.Helper()
	page, err := f.repo.Artists().List(t.Context(), catalog.Query{Page: 1, PageSize: catalog.MaxPageSize})
	require.NoError(t, err)
	return page.Items
}

func (f *fixture) albums(t *testing.T) []catalog.Album {
	t.Helper()
	page, err := f.repo.Albums().List(t.Context(), catalog.Query{Page: 1, PageSize: catalog.MaxPageSize})
	require.NoError(t, err)
	return page.Items
}

// cover returns the hash of the only album's cover in force.
func (f *fixture) cover(t *testing.T) artwork.Hash {
	t.Helper()
	albums := f.albums(t)
	require.Len(t, albums, 1)
	img, err := f.repo.Images().InForce(t.Context(), coverOf(albums[0]))
	require.NoError(t, err)
	if img == nil {
		return artwork.Hash{}
	}
	return img.Hash
}

func coverOf(album catalog.Album) artwork.Place {
	return artwork.Place{Subject: artwork.Album(album.ID), Slot: artwork.SlotCover}
}

func hash(content string) artwork.Hash { return artwork.HashOf([]byte(content)) }

var (
	mbidA = artwork.MustParseID("5b11f4ce-a62d-471e-81fc-a69a8278c7da")
	mbidB = artwork.MustParseID("9282c8b4-ca0b-4c6b-b7e3-4f7762dfc4d6")
)

func TestImportIsIdempotent(t *testing.T) {
	f := newFixture()
	library := []importlibrary.Folder{
		folder("/music/a", "1", album("Ana", "Uno", f.picture(0, "/music/a/cover.jpg", "uno"))),
		folder("/music/b", "1", album("ANA", "Dos", f.picture(0, "/music/b/cover.jpg", "dos"))),
	}
	first := f.run(t, library...)
	require.Equal(t, []int{2, 1, 2, 2}, []int{first.AudioFiles, first.NewArtists, first.NewAlbums, first.NewImages})
	require.Equal(t, 1, f.changes, "one fence for the batch")

	second := f.run(t, library...)
	require.Equal(t, []int{2, 2, 0, 0, 0}, []int{second.AudioFiles, second.Unchanged, second.NewArtists, second.NewAlbums, second.NewImages})
	require.Zero(t, f.changes)
	require.Zero(t, f.read, "unchanged folders are not read")

	library[0].Fingerprint = "2" // written, but the same
	third := f.run(t, library...)
	require.Zero(t, third.NewImages)
	require.Zero(t, f.changes, "what is in force already needs no fence")
}

func TestChangesShareFences(t *testing.T) {
	f := newFixture()
	var library []importlibrary.Folder
	for n := range 450 {
		name := fmt.Sprintf("Album %d", n)
		library = append(library, folder("/music/"+name, "1", album("Ana", name, f.picture(0, "/music/"+name+"/cover.jpg", name))))
	}
	summary := f.run(t, library...)
	require.Equal(t, 450, summary.NewImages)
	require.Equal(t, 3, f.changes)
}

func TestAnArtistKeepsItsIdentityWhenItsMBIDIsLearned(t *testing.T) {
	f := newFixture()
	f.run(t, folder("/music/a", "1", album("Ana", "Uno")))
	before := f.artists(t)[0].ID
	tagged := album("Ana", "Uno")
	tagged.Artist.MBID = mbidA
	f.run(t, folder("/music/a", "2", tagged))
	artists := f.artists(t)
	require.Len(t, artists, 1)
	require.Equal(t, before, artists[0].ID)
	require.Equal(t, mbidA, artists[0].MBID)
	require.Len(t, f.albums(t), 1)
}

func TestEqualNamesWithDifferentMBIDsAreDifferentArtists(t *testing.T) {
	f := newFixture()
	one, two, untagged := album("Nirvana", "Nevermind"), album("Nirvana", "The Story of Simon Simopath"), album("Nirvana", "Bleach")
	one.Artist.MBID, two.Artist.MBID = mbidA, mbidB
	f.run(t, folder("/music/a", "1", one), folder("/music/b", "1", two), folder("/music/c", "1", untagged))
	require.Len(t, f.artists(t), 2)
	require.Equal(t, catalog.NewArtistID("Nirvana", mbidA), f.albums(t)[0].ArtistID, "what has no MBID belongs to the one known longest")
}

func TestASecondMachineGivesTheSameIdentities(t *testing.T) {
	library := []importlibrary.Folder{folder("/music/a", "1", album("Björk", "Début")), folder("/music/b", "1", album("Ana", "Uno"))}
	one, two := newFixture(), newFixture()
	one.run(t, library...)
	two.run(t, library[1], library[0])
	for i := range 2 {
		require.Equal(t, one.artists(t)[i].ID, two.artists(t)[i].ID)
		require.Equal(t, one.albums(t)[i].ID, two.albums(t)[i].ID)
	}
}

func TestTheBestPictureWinsInWhateverOrder(t *testing.T) {
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		f := newFixture()
		pictures := []importlibrary.Picture{f.picture(0, "/music/a/cover.jpg", "best"), f.picture(10, "/music/a/CD1/cover.jpg", "disc")}
		for n, which := range order { // met by two imports
			f.run(t, folder("/music/a", fmt.Sprint(n), album("Ana", "Uno", pictures[which])))
		}
		require.Equal(t, hash("best"), f.cover(t))
	}
}

func TestAnUnusablePictureIsNamedAndTheNextIsTaken(t *testing.T) {
	f := newFixture()
	library := folder("/music/a", "1", album("Ana", "Uno", f.picture(0, "/music/a/cover.jpg", "text"), f.picture(1, "/music/a/folder.jpg", "good")))
	summary := f.run(t, library)
	require.Equal(t, 1, summary.Skipped)
	require.Equal(t, []string{"/music/a/cover.jpg"}, f.skipped)
	require.Equal(t, hash("good"), f.cover(t))
	require.Equal(t, 1, f.run(t, library).Skipped, "named again, until it is mended")
}

func TestAChangedPictureIsANewImage(t *testing.T) {
	f := newFixture()
	f.run(t, folder("/music/a", "1", album("Ana", "Uno", f.picture(0, "/music/a/cover.jpg", "old"))))
	f.run(t, folder("/music/a", "2", album("Ana", "Uno", f.picture(0, "/music/a/cover.jpg", "new"))))
	require.Equal(t, hash("new"), f.cover(t))
}

func TestAVanishedPictureGivesWayToALesserOne(t *testing.T) {
	f := newFixture()
	f.run(t, folder("/music/a", "1", album("Ana", "Uno", f.picture(0, "/music/a/cover.jpg", "best"))))
	f.gone["/music/a/cover.jpg"] = true
	summary := f.run(t, folder("/music/a", "2", album("Ana", "Uno", f.picture(1, "/music/a/folder.jpg", "lesser"))))
	require.Equal(t, hash("lesser"), f.cover(t))
	require.Equal(t, 1, summary.NewImages)

	f.gone["/music/a/folder.jpg"] = true
	f.run(t, folder("/music/a", "3", album("Ana", "Uno")))
	require.Equal(t, hash("lesser"), f.cover(t), "with no picture left the last one stays")
}

func TestWhatAPersonChoseIsNeverTouched(t *testing.T) {
	for _, source := range []artwork.Source{artwork.Custom, artwork.External, artwork.Local} {
		f := newFixture()
		f.run(t, folder("/music/a", "1", album("Ana", "Uno")))
		place := coverOf(f.albums(t)[0])
		record := artwork.Record{
			ID: artwork.RecordID(place, hash("chosen"), source, "ana"), Place: place, Source: source, Provider: "ana",
			Content: artwork.Content{Hash: hash("chosen"), Size: 6, MIMEType: "image/png", Width: 1, Height: 1},
		}
		_, err := f.repo.Images().Apply(t.Context(), artwork.Unfenced(), []artwork.Application{{Record: record, By: artwork.Actor{Name: "ana"}}})
		require.NoError(t, err)
		summary := f.run(t, folder("/music/a", "2", album("Ana", "Uno", f.picture(0, "/music/a/cover.jpg", "found"))))
		require.Equal(t, hash("chosen"), f.cover(t), source.String())
		require.Zero(t, summary.NewImages)
		known, err := f.repo.Images().List(t.Context(), place.Subject, artwork.Local)
		require.NoError(t, err)
		require.Contains(t, hashes(known), hash("found"), "what was found can be chosen")
	}
}

func hashes(records []artwork.ListedRecord) (hashes []artwork.Hash) {
	for _, record := range records {
		hashes = append(hashes, record.Content.Hash)
	}
	return hashes
}

func TestVanishedMusicIsMarkedMissing(t *testing.T) {
	f := newFixture()
	keep, lost := folder("/music/a", "1", album("Ana", "Uno")), folder("/music/b", "1", album("Bea", "Dos"))
	f.run(t, keep, lost)
	require.Equal(t, 2, f.run(t, keep).Missing, "the album and its artist")
	for _, album := range f.albums(t) {
		require.Equal(t, album.Name == "Dos", album.Missing)
	}
	require.Zero(t, f.run(t, keep).Missing, "once")
	f.run(t, keep, lost)
	for _, artist := range f.artists(t) {
		require.False(t, artist.Missing)
	}
}

func TestAFolderThatCannotBeReadIsNotGone(t *testing.T) {
	f := newFixture()
	keep, lost := folder("/music/a", "1", album("Ana", "Uno")), folder("/music/b", "1", album("Bea", "Dos"))
	f.run(t, keep, lost)
	forbidden := importlibrary.Folder{Path: "/music/b", Skipped: []importlibrary.Skipped{{Path: "/music/b", Reason: "permission denied"}}}
	summary := f.run(t, keep, forbidden)
	require.Zero(t, summary.Missing)
	require.Equal(t, 1, summary.Skipped)
	require.Zero(t, f.run(t, keep, lost).NewAlbums)
	require.Equal(t, 2, f.run(t, keep).Missing, "the next whole look tells")
}

func TestPartsOfALargeFolderAreOneFolder(t *testing.T) {
	f := newFixture()
	one, two := folder("/music/a", "1", album("Ana", "Uno")), folder("/music/a", "1", album("Ana", "Dos"))
	one.Partial = true
	f.run(t, one, two)
	require.Zero(t, f.run(t, folder("/music/a", "1")).Missing, "both albums are remembered of the folder")
	require.Equal(t, 1, f.run(t, folder("/music/a", "1")).Unchanged)
}

func TestACancelledImportSaysSo(t *testing.T) {
	f := newFixture()
	f.folders = []importlibrary.Folder{folder("/music/a", "1", album("Ana", "Uno"))}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := f.importer.Run(ctx, ana, f, f)
	require.ErrorIs(t, err, context.Canceled)
}

// racing is a library in which another importer is always a little faster.
type racing struct {
	*memory.Library
	conflicts int
}

func (r *racing) Save(ctx context.Context, artists []catalog.Artist, albums []catalog.Album) error {
	if r.conflicts > 0 {
		r.conflicts--
		return artwork.Errorf(artwork.Conflict, "another importer was faster")
	}
	return r.Library.Save(ctx, artists, albums)
}

func TestAConflictIsResolvedAnew(t *testing.T) {
	f := newFixture()
	library := &racing{f.repo.Library(), 2}
	f.importer = importlibrary.New(f, f.repo.Images(), f.repo.Images(), f.store, library, f, f.acts(), slog.New(slog.DiscardHandler))
	require.Equal(t, 1, f.run(t, folder("/music/a", "1", album("Ana", "Uno"))).NewAlbums)
	library.conflicts = 100
	f.folders = []importlibrary.Folder{folder("/music/b", "1", album("Bea", "Dos"))}
	_, err := f.importer.Run(t.Context(), ana, f, f)
	require.Equal(t, artwork.Conflict, artwork.KindOf(err))
}

// TestAnImportIsOneActivity: not one for each image. A run that nobody asked for is
// none unless it changed something.
func TestAnImportIsOneActivity(t *testing.T) {
	f := newFixture()
	entries := func() []activity.Entry {
		page, err := f.repo.Activity().List(t.Context(), activity.Query{Limit: 10})
		require.NoError(t, err)
		return page.Items
	}
	uno := folder("/music/a", "1", album("Ana", "Uno", f.picture(0, "/music/a/cover.png", "one")), album("Ana", "Dos"))
	require.Equal(t, 1, f.run(t, uno).NewImages)
	require.Len(t, entries(), 1)
	entry := entries()[0]
	require.Equal(t, ana, entry.Actor)
	require.Equal(t, activity.LibraryImport, entry.Action)
	require.Equal(t, activity.Subject{Kind: activity.Library, Name: "/music"}, entry.Subject)
	require.Nil(t, entry.Before)
	require.JSONEq(t, `{"audioFiles":1,"newArtists":1,"newAlbums":2,"newImages":1,"skipped":0,"missing":0,"complete":true}`, string(entry.After))

	_, err := f.importer.Run(t.Context(), importlibrary.Watcher, f, f)
	require.NoError(t, err)
	require.Len(t, entries(), 1, "nothing has changed")
	f.folders = nil
	_, err = f.importer.Run(t.Context(), importlibrary.Watcher, f, f)
	require.NoError(t, err)
	require.Len(t, entries(), 2)
	require.Equal(t, "library", entries()[0].Actor.Name)
	f.run(t)
	require.Len(t, entries(), 3, "somebody asked for it")
}

// TestWhatWasDeletedIsLeftOut although its music is there, and its folder is read again
// until it is restored or forgotten.
func TestWhatWasDeletedIsLeftOut(t *testing.T) {
	f := newFixture()
	sol := importlibrary.Artist{Name: "Sol"}
	folder := importlibrary.Folder{Path: "/music/a", Fingerprint: "1", AudioFiles: 1, Albums: []importlibrary.Album{{Name: "Mar", Artist: sol}}}
	f.run(t, folder)
	album := f.albums(t)[0]
	_, err := f.repo.Bin().Delete(t.Context(), artwork.Unfenced(), catalog.Deletion{Subjects: []artwork.Subject{album.Subject()}})
	require.NoError(t, err)
	require.Equal(t, 1, f.run(t, folder).Unchanged, "nobody looks for what was deleted")
	folder.Fingerprint = "2"
	for range 2 {
		summary := f.run(t, folder)
		require.Equal(t, []int{1, 0, 0, 0}, []int{summary.Deleted, summary.Unchanged, summary.NewAlbums, summary.Missing})
		require.Empty(t, f.albums(t))
	}
	_, err = f.repo.Bin().Restore(t.Context(), artwork.Unfenced(), catalog.Restoration{Subjects: []artwork.Subject{album.Subject()}})
	require.NoError(t, err)
	summary := f.run(t, folder)
	require.Equal(t, []int{0, 0, 0}, []int{summary.Deleted, summary.NewAlbums, summary.Missing})
	require.Equal(t, 1, f.run(t, folder).Unchanged)

	artist := artwork.Artist(album.ArtistID)
	_, err = f.repo.Bin().Delete(t.Context(), artwork.Unfenced(), catalog.Deletion{Subjects: []artwork.Subject{album.Subject(), artist}})
	require.NoError(t, err)
	second := importlibrary.Folder{Path: "/music/b", Fingerprint: "1", AudioFiles: 1, Albums: []importlibrary.Album{{Name: "Tierra", Artist: sol}}}
	require.Equal(t, 1, f.run(t, folder, second).Deleted, "what belongs to who was deleted is left out, too")
	_, err = f.repo.Artists().Put(t.Context(), ana, catalog.Artist{ID: artwork.NewID(), Name: "SOL"})
	require.NoError(t, err)
	require.Equal(t, 1, f.run(t, folder, second).NewAlbums, "who was created anew comes first")
}
