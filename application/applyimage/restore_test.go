package applyimage_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/application/applyimage"
	"gatefold/domain/artwork"
)

// TestRestore is undo in one call: A, B, and then A again, as it was.
func TestRestore(t *testing.T) {
	f := newFixture(t)
	apply := applyimage.NewApplyAlbumCover(f.applier, f)
	restore := applyimage.NewRestoreImage(f.applier)
	history := applyimage.NewHistory(f.repo.Images())
	from := func(url string) *artwork.Image {
		applied, err := apply.Run(t.Context(), applyimage.FromURL{SubjectID: f.album.Subject.ID, URL: url, Provider: "deezer", By: artwork.Actor{Name: "ana"}})
		require.NoError(t, err)
		return applied.Image
	}
	first, second := from("A"), from("B")
	in := applyimage.Restore{Place: f.album, RecordID: first.RecordID, By: artwork.Actor{Name: "bea"}}

	in.IfTag = first.Tag
	_, err := restore.Run(t.Context(), in)
	require.Equal(t, artwork.PreconditionFailed, artwork.KindOf(err), "B is in force")
	in.IfTag = second.Tag
	restored, err := restore.Run(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, first.Tag, restored.Image.Tag)
	require.Equal(t, first.Content, restored.Image.Content)
	require.True(t, restored.Image.LastModified.After(second.LastModified), "who holds B must not be told that it has not changed")

	in.IfTag = ""
	changes := f.changes
	again, err := restore.Run(t.Context(), in)
	require.NoError(t, err)
	require.Zero(t, again.VisibleAfter, "it is in force already")
	require.Equal(t, changes, f.changes)

	entries, err := history.Run(t.Context(), f.album.Subject)
	require.NoError(t, err)
	var who []string
	for _, e := range entries {
		who = append(who, e.AppliedBy+" "+string(artwork.TagOf(e.Content.Hash, nil)))
	}
	require.Equal(t, []string{"bea " + string(first.Tag), "ana " + string(second.Tag), "ana " + string(first.Tag)}, who)
	require.True(t, entries[0].InForce)
}

func TestWhatCannotBeRestored(t *testing.T) {
	f := newFixture(t)
	applied, err := applyimage.NewApplyAlbumCover(f.applier, f).Run(t.Context(), applyimage.FromURL{SubjectID: f.album.Subject.ID, URL: "A", Provider: "deezer", By: artwork.Actor{Name: "ana"}})
	require.NoError(t, err)
	restore := applyimage.NewRestoreImage(f.applier)
	for name, c := range map[string]struct {
		in   applyimage.Restore
		kind artwork.ErrorKind
	}{
		"no such image":            {applyimage.Restore{Place: f.album, RecordID: artwork.NewID()}, artwork.NotFound},
		"of another subject":       {applyimage.Restore{Place: artwork.Place{Subject: artwork.Album(artwork.NewID()), Slot: artwork.SlotCover}, RecordID: applied.Image.RecordID}, artwork.NotFound},
		"of a slot it cannot have": {applyimage.Restore{Place: artwork.Place{Subject: f.album.Subject, Slot: artwork.SlotAvatar}, RecordID: applied.Image.RecordID}, artwork.InvalidInput},
		"of no slot":               {applyimage.Restore{Place: artwork.Place{Subject: f.album.Subject}, RecordID: applied.Image.RecordID}, artwork.InvalidInput},
	} {
		c.in.By = artwork.Actor{Name: "ana"}
		_, err := restore.Run(t.Context(), c.in)
		require.Equal(t, c.kind, artwork.KindOf(err), name)
	}
	_, err = applyimage.NewHistory(f.repo.Images()).Run(t.Context(), artwork.Album(artwork.NewID()))
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
}
