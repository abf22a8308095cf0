package applyimage_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/applyimage"
	"gatefold/domain/artwork"
)

func (f *fixture) purging() *applyimage.PurgeImages {
	return applyimage.NewPurgeImages(f, f.repo.Images(), f, f.repo.Images(), f, f.renditions, slog.New(slog.NewTextHandler(&f.log, nil)))
}

func (f *fixture) upload(t *testing.T, content string) artwork.Record {
	t.Helper()
	record, err := applyimage.NewUploadImage(f.applier).Run(t.Context(), applyimage.Upload{Place: f.album, Content: strings.NewReader(content), By: artwork.Actor{Name: "ana"}})
	require.NoError(t, err)
	return record
}

func (f *fixture) holds(t *testing.T, content string) bool {
	t.Helper()
	file, err := f.store.Open(t.Context(), artwork.HashOf([]byte(content)))
	if artwork.KindOf(err) == artwork.NotFound {
		return false
	}
	require.NoError(t, err)
	require.NoError(t, file.Close())
	return true
}

// TestPurge: the bytes go with the records, unless they may be on their way into
// another record.
func TestPurge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		settled := f.upload(t, "settled")
		applied, err := applyimage.NewApplyUploadedImage(f.applier).Run(t.Context(), applyimage.Uploaded{Subject: f.album.Subject, RecordID: settled.ID})
		require.NoError(t, err)
		require.Equal(t, "settled", f.served(t))
		time.Sleep(time.Hour)
		fresh := f.upload(t, "fresh")

		rendition := artwork.RenditionOf(artwork.SlotCover, 200, artwork.FormatWebP).KeyOf(applied.Image, "test1")
		require.NoError(t, f.renditions.PutRendition(t.Context(), rendition, []byte("small")))

		purged, err := f.purging().Run(t.Context(), artwork.Purge{Place: f.album, Image: settled.ID, IfTag: applied.Image.Tag})
		require.NoError(t, err)
		_, err = f.renditions.OpenRendition(t.Context(), rendition)
		require.Equal(t, artwork.NotFound, artwork.KindOf(err), "the renditions go as well")
		require.Nil(t, purged.Image)
		require.Equal(t, []int{1, 1}, []int{purged.Images, purged.BytesRemoved})
		require.Empty(t, f.served(t))
		require.False(t, f.holds(t, "settled"))

		purged, err = f.purging().Run(t.Context(), artwork.Purge{Place: f.album, Image: fresh.ID})
		require.NoError(t, err)
		require.Equal(t, []int{1, 0}, []int{purged.Images, purged.BytesRemoved})
		require.True(t, f.holds(t, "fresh"), "whoever stored it a moment ago may be about to record it")
		_, err = f.repo.Images().Find(t.Context(), fresh.ID)
		require.Equal(t, artwork.NotFound, artwork.KindOf(err))
	})
}

// TestPurgeLeavesWhatOthersReferTo: the same bytes on another subject.
func TestPurgeLeavesWhatOthersReferTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		here := f.upload(t, "shared")
		elsewhere := here
		album, err := f.repo.Albums().Get(t.Context(), f.album.Subject.ID)
		require.NoError(t, err)
		elsewhere.Place = artwork.Place{Subject: artwork.Artist(album.ArtistID), Slot: artwork.SlotLogo}
		elsewhere.ID = artwork.NewID()
		require.NoError(t, f.repo.Images().Add(t.Context(), elsewhere))
		time.Sleep(time.Hour)
		purged, err := f.purging().Run(t.Context(), artwork.Purge{Place: f.album})
		require.NoError(t, err)
		require.Equal(t, []int{1, 0}, []int{purged.Images, purged.BytesRemoved})
		require.True(t, f.holds(t, "shared"))
	})
}

func TestAFailedPurgeForgetsNothing(t *testing.T) {
	for _, step := range []string{"fence", "held"} {
		f := newFixture(t)
		record := f.upload(t, "kept")
		f.breakAt[step] = errBroken
		_, err := f.purging().Run(t.Context(), artwork.Purge{Place: f.album, Image: record.ID})
		require.ErrorIs(t, err, errBroken)
		require.True(t, f.holds(t, "kept"))
		_, err = f.repo.Images().Find(t.Context(), record.ID)
		require.NoError(t, err)
	}
	f := newFixture(t)
	changes := f.changes
	for _, p := range []artwork.Purge{{Place: artwork.Place{Subject: artwork.Album(artwork.NewID()), Slot: artwork.SlotCover}}, {}} {
		_, err := f.purging().Run(t.Context(), p)
		require.Error(t, err)
	}
	require.Equal(t, changes, f.changes, "nothing was fenced for what cannot be")
}

// TestWhatWasPurgedMeanwhileIsNotRestored: its bytes may be gone.
func TestWhatWasPurgedMeanwhileIsNotRestored(t *testing.T) {
	f := newFixture(t)
	record := f.upload(t, "gone")
	restore := applyimage.NewRestoreImage(applyimage.NewApplier(f, f, staleArchive{f.repo.Images(), record}, f, f, nil, slog.New(slog.DiscardHandler)))
	_, err := f.purging().Run(t.Context(), artwork.Purge{Place: f.album})
	require.NoError(t, err)
	_, err = restore.Run(t.Context(), applyimage.Restore{Place: f.album, RecordID: record.ID})
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
}

// staleArchive finds a record as it was before it was purged.
type staleArchive struct {
	artwork.ImageArchive
	found artwork.Record
}

func (s staleArchive) Find(_ context.Context, _ artwork.ID) (artwork.Record, error) {
	return s.found, nil
}
