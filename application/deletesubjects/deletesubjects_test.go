package deletesubjects_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/deletesubjects"
	"gatefold/application/managecache"
	"gatefold/application/signin"
	"gatefold/domain/account"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

const keep = 30 * 24 * time.Hour

var ana = artwork.Actor{Name: "ana", ID: artwork.MustParseID("0b0e7a3c-6f0e-4a54-9e0d-2f4c6c1f6a10")}

// fixture is the use cases on the memory adapters; it looks at what is fenced.
type fixture struct {
	*memory.Cache
	repo    *memory.Repository
	recent  *signin.Recent
	discard *deletesubjects.Delete
	restore *deletesubjects.Restore
	fenced  [][]artwork.Key
	// before runs before a change, once.
	before func()
}

func newFixture() *fixture {
	f := &fixture{Cache: memory.NewCache(artwork.CachePolicy{TTL: time.Hour}, 1000, managecache.NewCounters()), repo: memory.NewRepository()}
	f.recent = signin.NewRecent(f.repo.Sessions())
	steps := deletesubjects.NewSteps(deletesubjects.Config{Keep: keep}, f, f.repo.Images(), f.repo.Bin(), f.repo.Albums(), f.recent, slog.New(slog.DiscardHandler))
	f.discard, f.restore = deletesubjects.NewDelete(steps), deletesubjects.NewRestore(steps)
	return f
}

// Change implements artwork.ImageCache.
func (f *fixture) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	if before := f.before; before != nil {
		f.before = nil
		before()
	}
	f.fenced = append(f.fenced, keys)
	return f.Cache.Change(ctx, keys, commit)
}

func (f *fixture) putArtist(t *testing.T) catalog.Artist {
	t.Helper()
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Sol"}
	_, err := f.repo.Artists().Put(t.Context(), ana, artist)
	require.NoError(t, err)
	return artist
}

func (f *fixture) putAlbums(t *testing.T, artist artwork.ID, n int) []catalog.Album {
	t.Helper()
	albums := make([]catalog.Album, n)
	for i := range albums {
		albums[i] = catalog.Album{ID: artwork.NewID(), ArtistID: artist, Name: fmt.Sprint("Album ", i), MBID: artwork.NewID()}
		_, err := f.repo.Albums().Put(t.Context(), ana, albums[i])
		require.NoError(t, err)
	}
	return albums
}

func (f *fixture) count(t *testing.T) int {
	t.Helper()
	page, err := f.repo.Albums().List(t.Context(), catalog.Query{Page: 1, PageSize: 1})
	require.NoError(t, err)
	return page.Total
}

// read is what a request for the image is answered, with it cached.
func (f *fixture) read(t *testing.T, place artwork.Place) error {
	t.Helper()
	_, err := f.Fetch(t.Context(), place.Keys()[0], func(ctx context.Context) (*artwork.Image, error) { return f.repo.Images().InForce(ctx, place) })
	return err
}

func TestWhatIsCachedGoesWithTheSubject(t *testing.T) {
	f := newFixture()
	artist := f.putArtist(t).Subject()
	for _, slot := range artist.Kind.Slots() {
		require.NoError(t, f.read(t, artwork.Place{Subject: artist, Slot: slot}))
	}
	out, err := f.discard.Run(t.Context(), deletesubjects.In{Subject: artist, By: ana})
	require.NoError(t, err)
	require.WithinDuration(t, time.Now().Add(keep), out.Until, time.Minute)
	require.ElementsMatch(t, artist.Keys(), f.fenced[0])
	for _, slot := range artist.Kind.Slots() {
		require.Equal(t, artwork.NotFound, artwork.KindOf(f.read(t, artwork.Place{Subject: artist, Slot: slot})))
	}
	again, err := f.discard.Run(t.Context(), deletesubjects.In{Subject: artist, By: ana})
	require.NoError(t, err)
	require.Equal(t, out.Until, again.Until)
	require.Len(t, f.fenced, 2, "the first answer may have been that not everybody was told")
	_, err = f.restore.Run(t.Context(), ana, artist)
	require.NoError(t, err)
	require.ElementsMatch(t, artist.Keys(), f.fenced[2])
}

func TestWhatWasNeverThereNeedsNoFence(t *testing.T) {
	f := newFixture()
	_, err := f.discard.Run(t.Context(), deletesubjects.In{Subject: artwork.Album(artwork.NewID()), By: ana})
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
	_, err = f.restore.Run(t.Context(), ana, artwork.Album(artwork.NewID()))
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
	require.Empty(t, f.fenced)
}

// TestAnArtistOfManyAlbums goes, and comes back, in steps that fit under a fence.
func TestAnArtistOfManyAlbums(t *testing.T) {
	f := newFixture()
	artist := f.putArtist(t)
	albums := f.putAlbums(t, artist.ID, 400)
	f.before = func() { f.putAlbums(t, artist.ID, 1) }
	_, err := f.discard.Run(t.Context(), deletesubjects.In{Subject: artist.Subject(), By: ana})
	require.ErrorIs(t, err, catalog.ErrHasAlbums)
	require.Equal(t, 401, f.count(t))
	out, err := f.discard.Run(t.Context(), deletesubjects.In{Subject: artist.Subject(), Albums: true, By: ana})
	require.NoError(t, err)
	require.Equal(t, 401, out.Albums)
	require.Zero(t, f.count(t))
	for _, keys := range f.fenced {
		require.LessOrEqual(t, len(keys), artwork.MaxKeysPerChange)
	}
	other := catalog.Artist{ID: artwork.NewID(), Name: "Other"}
	_, err = f.repo.Artists().Put(t.Context(), ana, other)
	require.NoError(t, err)
	_, err = f.repo.Albums().Put(t.Context(), ana, catalog.Album{ID: artwork.NewID(), ArtistID: other.ID, Name: "Heir", MBID: albums[7].MBID})
	require.NoError(t, err)
	out, err = f.restore.Run(t.Context(), ana, artist.Subject())
	require.NoError(t, err)
	require.Equal(t, []int{400, 1}, []int{out.Albums, out.Left}, "all but the one whose MBID another album holds")
	require.Equal(t, 401, f.count(t))
	_, err = f.restore.Run(t.Context(), ana, albums[7].Subject())
	require.Equal(t, artwork.Conflict, artwork.KindOf(err))
}

// TestAnAlbumThatComesInBetween goes as well.
func TestAnAlbumThatComesInBetween(t *testing.T) {
	f := newFixture()
	artist := f.putArtist(t)
	f.putAlbums(t, artist.ID, 3)
	f.before = func() { f.putAlbums(t, artist.ID, 1) }
	out, err := f.discard.Run(t.Context(), deletesubjects.In{Subject: artist.Subject(), Albums: true, By: ana})
	require.NoError(t, err)
	require.Equal(t, 4, out.Albums)
}

func TestNobodyDeletesThemselves(t *testing.T) {
	f := newFixture()
	user := catalog.User{ID: ana.ID, Username: "ana", Role: catalog.RoleUser}
	require.NoError(t, f.repo.Accounts().Create(t.Context(), ana, user, "hash"))
	_, err := f.discard.Run(t.Context(), deletesubjects.In{Subject: user.Subject(), By: ana})
	require.Equal(t, artwork.Conflict, artwork.KindOf(err))
	require.Empty(t, f.fenced)
}

// TestSessionsAreAskedForAgain at once, where a user was deleted.
func TestSessionsAreAskedForAgain(t *testing.T) {
	f := newFixture()
	user := catalog.User{ID: artwork.NewID(), Username: "eva", Role: catalog.RoleUser}
	require.NoError(t, f.repo.Accounts().Create(t.Context(), ana, user, "hash"))
	session := account.Session{ID: artwork.NewID(), UserID: user.ID, Method: account.ByPassword, Proof: "hash"}
	require.NoError(t, f.recent.Begin(t.Context(), ana, session, time.Hour))
	_, err := f.recent.Find(t.Context(), session.ID)
	require.NoError(t, err)
	_, err = f.discard.Run(t.Context(), deletesubjects.In{Subject: user.Subject(), By: ana})
	require.NoError(t, err)
	_, err = f.recent.Find(t.Context(), session.ID)
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
}

func TestAPutBringsBackWhatWasDeleted(t *testing.T) {
	f := newFixture()
	artist := f.putArtist(t)
	_, err := f.discard.Run(t.Context(), deletesubjects.In{Subject: artist.Subject(), By: ana})
	require.NoError(t, err)
	artist.Name = "Luna"
	created, err := deletesubjects.Put(t.Context(), f.restore, f.repo.Artists(), ana, artist)
	require.NoError(t, err)
	require.False(t, created)
	require.ElementsMatch(t, artist.Subject().Keys(), f.fenced[1])
	got, err := f.repo.Artists().Get(t.Context(), artist.ID)
	require.NoError(t, err)
	require.Equal(t, "Luna", got.Name)
	// Somebody else restores it at the same moment.
	_, err = f.discard.Run(t.Context(), deletesubjects.In{Subject: artist.Subject(), By: ana})
	require.NoError(t, err)
	f.before = func() {
		_, err := f.repo.Bin().Restore(t.Context(), artwork.Unfenced(), catalog.Restoration{Subjects: []artwork.Subject{artist.Subject()}, By: ana})
		require.NoError(t, err)
	}
	artist.Name = "Tierra"
	_, err = deletesubjects.Put(t.Context(), f.restore, f.repo.Artists(), ana, artist)
	require.NoError(t, err)
	got, err = f.repo.Artists().Get(t.Context(), artist.ID)
	require.NoError(t, err)
	require.Equal(t, "Tierra", got.Name)
}

func TestTheListSaysUntilWhen(t *testing.T) {
	f := newFixture()
	artist := f.putArtist(t)
	out, err := f.discard.Run(t.Context(), deletesubjects.In{Subject: artist.Subject(), By: ana})
	require.NoError(t, err)
	list := deletesubjects.NewList(deletesubjects.Config{Keep: keep}, f.repo.Bin())
	require.Equal(t, keep, list.Keep())
	items, next, err := list.Run(t.Context(), catalog.DeletedQuery{Limit: 1})
	require.NoError(t, err)
	require.True(t, next.IsZero())
	require.Equal(t, out.Until, items[0].Until)
	require.Equal(t, "ana", items[0].By)
}
