package applyimage_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/applyimage"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// fixture is the use cases on the memory adapters, with a switch at each step.
type fixture struct {
	repo  *memory.Repository
	cache *memory.Cache
	store *memory.Store

	renditions *memory.Renditions
	log        bytes.Buffer
	applier    *applyimage.Applier

	album   artwork.Place
	breakAt map[string]error
	changes int
	commits int
	blind   artwork.Place // of which InForce does not know that it is gone
	anew    func()        // called when a change is begun anew, if it is to be
}

var errBroken = artwork.Errorf(artwork.Unavailable, "broken by the test")

func newFixture(t *testing.T) *fixture {
	f := &fixture{
		repo: memory.NewRepository(), store: memory.NewStore(0), renditions: memory.NewRenditions(), breakAt: map[string]error{},
		cache: memory.NewCache(artwork.CachePolicy{TTL: time.Minute}, 100, managecache.NewCounters()),
	}
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Ana"}
	_, err := f.repo.Artists().Put(t.Context(), artwork.Actor{Name: "test"}, artist)
	require.NoError(t, err)
	album := catalog.Album{ID: artwork.NewID(), ArtistID: artist.ID, Name: "Uno"}
	_, err = f.repo.Albums().Put(t.Context(), artwork.Actor{Name: "test"}, album)
	require.NoError(t, err)
	f.album = artwork.Place{Subject: artwork.Album(album.ID), Slot: artwork.SlotCover}
	log := slog.New(slog.NewTextHandler(&f.log, nil))
	f.applier = applyimage.NewApplier(f, f, f.repo.Images(), f, f, nil, log)
	return f
}

// Download implements applyimage.Downloader: the URL is the content.
func (f *fixture) Download(_ context.Context, url string, _ int64) ([]byte, error) {
	return []byte(url), f.breakAt["download"]
}

// Inspect implements applyimage.Inspector.
func (f *fixture) Inspect(_ context.Context, content []byte) (artwork.Content, error) {
	return artwork.Content{Hash: artwork.HashOf(content), Size: int64(len(content)), MIMEType: "image/png", Width: 1, Height: 1}, f.breakAt["inspect"]
}

// RemoveLocation implements applyimage.Inspector.
func (f *fixture) RemoveLocation(content []byte) []byte {
	return bytes.ReplaceAll(content, []byte("GPS"), []byte("   "))
}

// Fetch implements artwork.ImageCache.
func (f *fixture) Fetch(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
	return f.cache.Fetch(ctx, key, load)
}

// Change implements artwork.ImageCache.
func (f *fixture) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	f.changes++
	if err := f.breakAt["fence"]; err != nil {
		return err
	}
	return f.cache.Change(ctx, keys, func(ctx context.Context, fence artwork.Fence) error {
		if f.anew != nil {
			lost := fence
			lost.StillHeld = func(context.Context) error { return artwork.ErrSettingsChanged }
			if err := commit(ctx, lost); !errors.Is(err, artwork.ErrSettingsChanged) {
				return errors.Join(err, errors.New("what has not changed is said to have"))
			}
			f.anew()
		}
		fence.StillHeld = func(context.Context) error { return f.breakAt["held"] }
		return commit(ctx, fence)
	})
}

// InForce implements artwork.ImageRepository.
func (f *fixture) InForce(ctx context.Context, place artwork.Place) (*artwork.Image, error) {
	if place == f.blind {
		return nil, nil
	}
	return f.repo.Images().InForce(ctx, place)
}

// Apply implements artwork.ImageRepository.
func (f *fixture) Apply(ctx context.Context, fence artwork.Fence, applications []artwork.Application) ([]artwork.Outcome, error) {
	f.commits++
	if err := f.breakAt["commit"]; err != nil {
		return nil, err
	}
	return f.repo.Images().Apply(ctx, fence, applications)
}

// Put implements artwork.ImageStore.
func (f *fixture) Put(ctx context.Context, content []byte) (artwork.Hash, error) {
	if err := f.breakAt["store"]; err != nil {
		return artwork.Hash{}, err
	}
	return f.store.Put(ctx, content)
}

// Open, Remove and List implement artwork.ImageStore.
func (f *fixture) Open(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
	return f.store.Open(ctx, hash)
}

func (f *fixture) Remove(ctx context.Context, hash artwork.Hash, since time.Time) (bool, error) {
	return f.store.Remove(ctx, hash, since)
}

func (f *fixture) List(ctx context.Context, visit func(artwork.StoredInfo) error) error {
	return f.store.List(ctx, visit)
}

func (f *fixture) apply(ctx context.Context, url string) (applyimage.Applied, error) {
	return applyimage.NewApplyAlbumCover(f.applier, f).Run(ctx, applyimage.FromURL{
		SubjectID: f.album.Subject.ID, URL: url, Provider: "deezer", By: artwork.Actor{Name: "ana"},
	})
}

func (f *fixture) served(t *testing.T) string {
	t.Helper()
	answer, err := f.cache.Fetch(t.Context(), f.album.Keys()[0], func(ctx context.Context) (*artwork.Image, error) {
		return f.repo.Images().InForce(ctx, f.album)
	})
	require.NoError(t, err)
	if answer.Image == nil {
		return ""
	}
	file, err := f.store.Open(t.Context(), answer.Image.Hash)
	require.NoError(t, err, "bytes of an image in force")
	content, err := io.ReadAll(file)
	require.NoError(t, err)
	return string(content)
}

func TestApplyIsVisible(t *testing.T) {
	f := newFixture(t)
	for _, content := range []string{"one", "two", "one"} {
		applied, err := f.apply(t.Context(), content)
		require.NoError(t, err)
		require.Equal(t, artwork.External, applied.Image.Source)
		require.Equal(t, content, f.served(t))
	}
	require.Equal(t, 3, strings.Count(f.log.String(), "Invalidated image cache for album "+f.album.Subject.ID.String()))
}

// TestAFailureAtAnyStepLeavesTheOldImage: nothing is ever lost.
func TestAFailureAtAnyStepLeavesTheOldImage(t *testing.T) {
	for _, step := range []string{"download", "inspect", "store", "fence", "held", "commit"} {
		t.Run(step, func(t *testing.T) {
			f := newFixture(t)
			_, err := f.apply(t.Context(), "old")
			require.NoError(t, err)
			require.Equal(t, "old", f.served(t))
			f.breakAt[step] = errBroken
			_, err = f.apply(t.Context(), "new")
			require.ErrorIs(t, err, errBroken)
			require.Equal(t, artwork.Unavailable, artwork.KindOf(err))
			require.Equal(t, "old", f.served(t))
			delete(f.breakAt, step)
			_, err = f.apply(t.Context(), "new")
			require.NoError(t, err)
			require.Equal(t, "new", f.served(t))
		})
	}
}

func TestApplyingWhatIsInForceChangesNothing(t *testing.T) {
	f := newFixture(t)
	first, err := f.apply(t.Context(), "one")
	require.NoError(t, err)
	changes := f.changes
	again, err := f.apply(t.Context(), "one")
	require.NoError(t, err)
	require.Equal(t, first.Image, again.Image)
	require.Zero(t, again.VisibleAfter)
	require.Equal(t, changes, f.changes, "no fence was set")
}

func TestTheSubjectIsLookedForFirst(t *testing.T) {
	f := newFixture(t)
	f.breakAt["download"] = errors.New("must not be called")
	f.album.Subject.ID = artwork.NewID()
	_, err := f.apply(t.Context(), "one")
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
}

func TestProviderNames(t *testing.T) {
	f := newFixture(t)
	for name, ok := range map[string]bool{"": false, "x": true, strings.Repeat("ñ", 64): true, strings.Repeat("ñ", 65): false, "\xff": false} {
		_, err := applyimage.NewApplyAlbumCover(f.applier, f).Run(t.Context(), applyimage.FromURL{
			SubjectID: f.album.Subject.ID, URL: "one", Provider: name, By: artwork.Actor{Name: "ana"},
		})
		require.Equal(t, ok, err == nil, "%q", name)
	}
}

func TestUploadThenApply(t *testing.T) {
	f := newFixture(t)
	upload := applyimage.NewUploadImage(f.applier)
	in := applyimage.Upload{Place: f.album, FileName: "a.png", Content: strings.NewReader("mine"), By: artwork.Actor{Name: "ana"}}
	f.breakAt["fence"] = errBroken
	record, err := upload.Run(t.Context(), in)
	require.NoError(t, err, "uploading never needs the cache")
	require.Empty(t, f.served(t))

	delete(f.breakAt, "fence")
	apply := applyimage.NewApplyUploadedImage(f.applier)
	_, err = apply.Run(t.Context(), applyimage.Uploaded{Subject: f.album.Subject, RecordID: record.ID, By: artwork.Actor{Name: "ana"}})
	require.NoError(t, err)
	require.Equal(t, "mine", f.served(t))

	_, err = apply.Run(t.Context(), applyimage.Uploaded{Subject: artwork.Artist(f.album.Subject.ID), RecordID: record.ID})
	require.Equal(t, artwork.NotFound, artwork.KindOf(err), "another subject's image")
	_, err = apply.Run(t.Context(), applyimage.Uploaded{Subject: f.album.Subject, RecordID: artwork.NewID()})
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))

	external, err := f.apply(t.Context(), "theirs")
	require.NoError(t, err)
	_, err = apply.Run(t.Context(), applyimage.Uploaded{Subject: f.album.Subject, RecordID: external.Image.RecordID})
	require.Equal(t, artwork.NotFound, artwork.KindOf(err), "not an uploaded image")
}

func TestUploadsAreReadToTheLimit(t *testing.T) {
	f := newFixture(t)
	endless := &counter{}
	_, err := applyimage.NewUploadImage(f.applier).Run(t.Context(), applyimage.Upload{Place: f.album, Content: endless})
	require.Equal(t, artwork.TooLarge, artwork.KindOf(err))
	require.LessOrEqual(t, endless.read, int64(applyimage.MaxImageBytes+1<<20))
}

type counter struct{ read int64 }

func (c *counter) Read(p []byte) (int, error) {
	c.read += int64(len(p))
	return len(p), nil
}

func TestIfTag(t *testing.T) {
	f := newFixture(t)
	first, err := f.apply(t.Context(), "one")
	require.NoError(t, err)
	run := func(url string, tag artwork.Tag) error {
		_, err := applyimage.NewApplyAlbumCover(f.applier, f).Run(t.Context(), applyimage.FromURL{
			SubjectID: f.album.Subject.ID, URL: url, Provider: "deezer", By: artwork.Actor{Name: "ana"}, IfTag: tag,
		})
		return err
	}
	require.Equal(t, artwork.PreconditionFailed, artwork.KindOf(run("two", "0000000000000000")))
	require.Equal(t, "one", f.served(t))
	require.NoError(t, run("two", first.Image.Tag))
	require.Equal(t, artwork.PreconditionFailed, artwork.KindOf(run("three", first.Image.Tag)))
	require.Equal(t, artwork.PreconditionFailed, artwork.KindOf(run("two", first.Image.Tag)), "in force, but not what was expected")
}
