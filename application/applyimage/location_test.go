package applyimage_test

import (
	"io"
	"strings"
	"testing"

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
	record, err := applyimage.NewUploadImage(f.applier).Run(t.Context(), applyimage.Upload{Place: f.album, Content: strings.NewReader("a photo GPS"), By: "ana"})
	require.NoError(t, err)
	require.Equal(t, "a photo    ", stored(record.Content.Hash))
	applied, err := applyimage.NewApplyAlbumCover(f.applier, f).Run(t.Context(), applyimage.FromURL{SubjectID: f.album.Subject.ID, URL: "a cover GPS", Provider: "deezer", By: "ana"})
	require.NoError(t, err)
	require.Equal(t, "a cover GPS", stored(applied.Image.Hash))
}
