package serveimage_test

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/managecache"
	"gatefold/application/serveimage"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

type fixture struct {
	repo     *memory.Repository
	store    *memory.Store
	pointers *serveimage.Pointers
	noted    noted
	artist   artwork.ID
	album    artwork.ID
	user     artwork.ID
}

func newFixture(t *testing.T) *fixture {
	f := &fixture{repo: memory.NewRepository(), store: memory.NewStore(0), artist: artwork.NewID(), album: artwork.NewID(), user: artwork.NewID()}
	f.pointers = serveimage.NewPointers(memory.NewCache(artwork.CachePolicy{TTL: time.Minute}, 100, managecache.NewCounters()), f.repo.Images(), &f.noted)
	_, err := f.repo.Artists().Put(t.Context(), artwork.Actor{Name: "test"}, catalog.Artist{ID: f.artist, Name: "Ana"})
	require.NoError(t, err)
	_, err = f.repo.Albums().Put(t.Context(), artwork.Actor{Name: "test"}, catalog.Album{ID: f.album, ArtistID: f.artist, Name: "Uno"})
	require.NoError(t, err)
	_, err = f.repo.Users().Put(t.Context(), artwork.Actor{Name: "test"}, catalog.User{ID: f.user, Username: "ana", Role: catalog.RoleUser})
	require.NoError(t, err)
	return f
}

// noted keeps what was requested.
type noted []artwork.Key

func (n *noted) Note(key artwork.Key) { *n = append(*n, key) }

func (f *fixture) put(t *testing.T, place artwork.Place, content string) {
	t.Helper()
	hash, err := f.store.Put(t.Context(), []byte(content))
	require.NoError(t, err)
	_, err = f.repo.Images().Apply(t.Context(), artwork.Unfenced(), []artwork.Application{{By: artwork.Actor{Name: "test"}, Record: artwork.Record{
		ID: artwork.RecordID(place, hash, artwork.Custom, "test"), Place: place, Source: artwork.Custom, Provider: "test",
		Content: artwork.Content{Hash: hash, Size: int64(len(content)), MIMEType: "image/png", Width: 1, Height: 1},
	}}})
	require.NoError(t, err)
}

func (f *fixture) open(t *testing.T, img *artwork.Image) []byte {
	t.Helper()
	file, err := serveimage.NewOpenContent(f.store).Run(t.Context(), img)
	require.NoError(t, err)
	content, err := io.ReadAll(file)
	require.NoError(t, err)
	require.NoError(t, file.Close())
	return content
}

func TestEveryTypeShowsItsSlot(t *testing.T) {
	f := newFixture(t)
	get := serveimage.NewGetArtistImage(f.pointers)
	for _, slot := range artwork.ArtistSubject.Slots() {
		f.put(t, artwork.Place{Subject: artwork.Artist(f.artist), Slot: slot}, slot.String())
	}
	for typ := artwork.TypeProfile; typ <= artwork.TypeLogo; typ++ {
		img, err := get.Run(t.Context(), serveimage.ArtistImageIn{ArtistID: f.artist, Type: typ})
		require.NoError(t, err)
		require.Equal(t, typ.Slot().String(), string(f.open(t, img)))
	}
	all, err := f.pointers.All(t.Context(), artwork.Artist(f.artist))
	require.NoError(t, err)
	require.Len(t, all, 4)
}

func TestNotFound(t *testing.T) {
	f := newFixture(t)
	_, err := serveimage.NewGetArtistImage(f.pointers).Run(t.Context(), serveimage.ArtistImageIn{ArtistID: f.artist, Type: artwork.TypeLogo})
	require.Equal(t, artwork.NotFound, artwork.KindOf(err), "an empty slot")
	require.ErrorContains(t, err, "the artist has no logo image")
	_, err = serveimage.NewGetUserAvatar(f.pointers).Run(t.Context(), f.user)
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
	for _, unknown := range []artwork.Subject{artwork.Artist(artwork.NewID()), artwork.Album(artwork.NewID()), artwork.User(artwork.NewID())} {
		_, err = f.pointers.All(t.Context(), unknown)
		require.Equal(t, artwork.NotFound, artwork.KindOf(err), "no such subject")
	}
	_, _, err = serveimage.NewGetAlbumCover(f.pointers).Run(t.Context(), artwork.NewID())
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
}

// TestWhatIsRequestedIsNoted: also a slot that is empty, because the cache holds
// that too; not what does not exist, which anybody could make up.
func TestWhatIsRequestedIsNoted(t *testing.T) {
	f := newFixture(t)
	cover := artwork.Album(f.album).Keys()[0]
	for range 2 {
		_, _, err := serveimage.NewGetAlbumCover(f.pointers).Run(t.Context(), f.album)
		require.NoError(t, err)
	}
	_, _, err := serveimage.NewGetAlbumCover(f.pointers).Run(t.Context(), artwork.NewID())
	require.Error(t, err)
	answer, err := f.pointers.Fetch(t.Context(), artwork.User(f.user).Keys()[0])
	require.NoError(t, err)
	require.Equal(t, artwork.Filled, answer.Level)
	require.Equal(t, noted{cover, cover}, f.noted)
}

func TestAnAlbumWithoutACoverShowsTheDefault(t *testing.T) {
	f := newFixture(t)
	get := serveimage.NewGetAlbumCover(f.pointers)
	img, isDefault, err := get.Run(t.Context(), f.album)
	require.NoError(t, err)
	require.True(t, isDefault)
	require.True(t, img.LastModified.IsZero(), "it must not look older than a cover that was removed")
	content := f.open(t, img)
	require.Equal(t, img.Hash, artwork.HashOf(content))
	require.EqualValues(t, len(content), img.Size)
	require.Equal(t, img.MIMEType, http.DetectContentType(content))
}

func TestMissingBytesAreADefectNotANotFound(t *testing.T) {
	f := newFixture(t)
	_, err := serveimage.NewOpenContent(f.store).Run(t.Context(), &artwork.Image{Content: artwork.Content{Hash: artwork.HashOf([]byte("gone"))}})
	require.Equal(t, artwork.Internal, artwork.KindOf(err))
}

func TestACancelledReaderLeaves(t *testing.T) {
	f := newFixture(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := serveimage.NewGetUserAvatar(f.pointers).Run(ctx, f.user)
	require.ErrorIs(t, err, context.Canceled)
}

// silent is a database that never answers.
type silent struct{}

func (silent) InForce(ctx context.Context, _ artwork.Place) (*artwork.Image, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// TestADatabaseThatDoesNotAnswerIsUnavailable: the bound on a read is not the end of the
// patience of who asks, and no defect of the program.
func TestADatabaseThatDoesNotAnswerIsUnavailable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := memory.NewCache(artwork.CachePolicy{TTL: time.Minute}, 100, managecache.NewCounters())
		pointers := serveimage.NewPointers(cache, silent{}, &noted{})
		_, err := serveimage.NewGetUserAvatar(pointers).Run(t.Context(), artwork.NewID())
		require.Equal(t, artwork.Unavailable, artwork.KindOf(err))
		require.NotErrorIs(t, err, context.DeadlineExceeded)
	})
}
