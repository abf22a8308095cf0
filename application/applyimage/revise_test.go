package applyimage_test

import (
	"bytes"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/application/applyimage"
	"gatefold/domain/artwork"
)

func TestReviseSlot(t *testing.T) {
	f := newFixture(t)
	applied, err := applyimage.NewApplyAlbumCover(f.applier, f).Run(t.Context(), applyimage.FromURL{SubjectID: f.album.Subject.ID, URL: "A", Provider: "deezer", By: artwork.Actor{Name: "ana"}})
	require.NoError(t, err)
	var log bytes.Buffer
	revise := applyimage.NewReviseSlot(f, f.repo.Images(), f.repo.Images(), slog.New(slog.NewTextHandler(&log, nil)))

	locked, err := revise.Run(t.Context(), artwork.Revision{Place: f.album, By: artwork.Actor{Name: "ana"}, Lock: artwork.Lock, IfTag: applied.Image.Tag})
	require.NoError(t, err)
	require.True(t, locked.Image.Locked)
	f.breakAt["fence"] = errBroken
	_, err = revise.Run(t.Context(), artwork.Revision{Place: f.album, By: artwork.Actor{Name: "ana"}, Remove: artwork.GiveWay})
	require.ErrorIs(t, err, errBroken)
	requireStill := func() {
		img, err := f.repo.Images().InForce(t.Context(), f.album)
		require.NoError(t, err)
		require.Equal(t, applied.Image.Tag, img.Tag)
	}
	requireStill()
	f.breakAt["fence"], f.breakAt["held"] = nil, errBroken
	_, err = revise.Run(t.Context(), artwork.Revision{Place: f.album, By: artwork.Actor{Name: "ana"}, Remove: artwork.GiveWay})
	require.ErrorIs(t, err, errBroken)
	requireStill()
	f.breakAt["held"] = nil
	removed, err := revise.Run(t.Context(), artwork.Revision{Place: f.album, By: artwork.Actor{Name: "ana"}, Remove: artwork.GiveWay})
	require.NoError(t, err)
	require.Nil(t, removed.Image)
	require.Contains(t, log.String(), "Invalidated image cache for "+f.album.Subject.String())

	changes := f.changes
	for _, in := range []artwork.Revision{
		{Place: f.album, By: artwork.Actor{Name: "ana"}},
		{Place: artwork.Place{Subject: artwork.Album(artwork.NewID()), Slot: artwork.SlotCover}, By: artwork.Actor{Name: "ana"}, Lock: artwork.Lock},
	} {
		_, err := revise.Run(t.Context(), in)
		require.Error(t, err)
	}
	require.Equal(t, changes, f.changes, "nothing was fenced for what cannot be")
}
