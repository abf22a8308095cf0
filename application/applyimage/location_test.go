package applyimage_test

import (
	"context"
	"io"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"gatefold/application/applyimage"
	"gatefold/domain/artwork"
)

// TestUploadsTellNoPlace: what is stored, and what its hash is of, has none.
// Downloads are kept as they came: they were published before.
func TestUploadsTellNoPlace(t *testing.T) {
	f := newFixture(t)
	stored := func(hash artwork.Hash) string {
		file, err := f.store.Open(t.Context(), hash)
		require.NoError(t, err)
		content, err := io.ReadAll(file)
		require.NoError(t, err)
		require.NoError(t, file.Close())
		require.Equal(t, hash, artwork.HashOf(content))
		return string(content)
	}
	record, err := applyimage.NewUploadImage(f.applier).Run(t.Context(), applyimage.Upload{Place: f.album, Content: strings.NewReader("a photo GPS"), By: artwork.Actor{Name: "ana"}})
	require.NoError(t, err)
	require.Equal(t, "a photo    ", stored(record.Content.Hash))
	applied, err := applyimage.NewApplyAlbumCover(f.applier, f).Run(t.Context(), applyimage.FromURL{SubjectID: f.album.Subject.ID, URL: "a cover GPS", Provider: "deezer", By: artwork.Actor{Name: "ana"}})
	require.NoError(t, err)
	require.Equal(t, "a cover GPS", stored(applied.Image.Hash))
}

// busy is an inspector that never has room.
type busy struct{ *fixture }

func (busy) Inspect(ctx context.Context, _ []byte) (artwork.Content, error) {
	<-ctx.Done()
	return artwork.Content{}, ctx.Err()
}

func TestAnImageIsNotWaitedForWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t)
		upload := applyimage.NewUploadImage(applyimage.NewApplier(f, f, f.repo.Images(), f, busy{f}, nil, slog.New(slog.DiscardHandler)))
		_, err := upload.Run(t.Context(), applyimage.Upload{Place: f.album, Content: strings.NewReader("a photo"), By: artwork.Actor{Name: "ana"}})
		require.Equal(t, artwork.Unavailable, artwork.KindOf(err))
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = upload.Run(ctx, applyimage.Upload{Place: f.album, Content: strings.NewReader("a photo"), By: artwork.Actor{Name: "ana"}})
		require.ErrorIs(t, err, context.Canceled, "who hangs up is not told to try again")
	})
}
