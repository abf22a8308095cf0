package applyimage_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/application/applyimage"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// many returns applications of covers of new albums.
func (f *fixture) many(t *testing.T, n int) []artwork.Application {
	t.Helper()
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Bea"}
	_, err := f.repo.Artists().Put(t.Context(), artwork.Actor{Name: "test"}, artist)
	require.NoError(t, err)
	applications := make([]artwork.Application, n)
	for i := range applications {
		album := catalog.Album{ID: artwork.NewID(), ArtistID: artist.ID, Name: fmt.Sprint(i)}
		_, err := f.repo.Albums().Put(t.Context(), artwork.Actor{Name: "test"}, album)
		require.NoError(t, err)
		place := artwork.Place{Subject: artwork.Album(album.ID), Slot: artwork.SlotCover}
		applications[i], err = f.applier.PrepareURL(t.Context(), f, place, applyimage.FromURL{
			URL: fmt.Sprint("cover ", i), Provider: "deezer", By: artwork.Actor{Name: "ana"},
		})
		require.NoError(t, err)
	}
	return applications
}

func (f *fixture) requireInForce(t *testing.T, a artwork.Application, want bool) {
	t.Helper()
	img, err := f.repo.Images().InForce(t.Context(), a.Record.Place)
	require.NoError(t, err)
	require.Equal(t, want, img != nil && img.RecordID == a.Record.ID)
}

func TestABatchSharesOneFence(t *testing.T) {
	f := newFixture(t)
	applications := f.many(t, artwork.MaxKeysPerChange)
	for i, result := range f.applier.ApplyBatch(t.Context(), applications) {
		require.NoError(t, result.Err)
		require.Equal(t, artwork.Changed, result.Outcome)
		require.Equal(t, applications[i].Record.ID, result.Image.RecordID)
		require.NotZero(t, result.VisibleAfter)
	}
	require.Equal(t, 1, f.changes)
	for _, result := range f.applier.ApplyBatch(t.Context(), applications) {
		require.NoError(t, result.Err)
		require.Equal(t, artwork.AlreadyInForce, result.Outcome)
		require.Zero(t, result.VisibleAfter)
	}
	require.Equal(t, 1, f.changes, "what is in force needs no fence")
	require.Empty(t, f.applier.ApplyBatch(t.Context(), nil))
	require.Equal(t, 1, f.changes)
}

// TestABadApplicationFailsAlone, under the fence that all share.
func TestABadApplicationFailsAlone(t *testing.T) {
	f := newFixture(t)
	applications := f.many(t, 40)
	bad := map[int]artwork.ErrorKind{3: artwork.NotFound, 17: artwork.PreconditionFailed, 18: artwork.InvalidInput, 39: artwork.Conflict}
	applications[17].IfTag = "0123456789abcdef"
	applications[18].Record.Provider = "\x00"
	applications[39].Record.ID = f.elsewhere(t)
	// It goes away after it was looked for.
	gone := applications[3]
	applications[3].Record.Place.Subject.ID = artwork.NewID()
	f.blind = applications[3].Record.Place

	for i, result := range f.applier.ApplyBatch(t.Context(), applications) {
		kind, fails := bad[i]
		if !fails {
			require.NoError(t, result.Err)
			f.requireInForce(t, applications[i], true)
			continue
		}
		require.Equal(t, kind, artwork.KindOf(result.Err), "%d: %v", i, result.Err)
		require.Zero(t, result.Applied)
	}
	require.Equal(t, 1, f.changes)
	f.requireInForce(t, gone, false)
}

// elsewhere returns the ID of a record of another place.
func (f *fixture) elsewhere(t *testing.T) artwork.ID {
	t.Helper()
	applied, err := f.apply(t.Context(), "elsewhere")
	require.NoError(t, err)
	f.changes = 0
	return applied.Image.RecordID
}

// TestWhatAllNeedFailsAll: an error of a part is nobody's own.
func TestWhatAllNeedFailsAll(t *testing.T) {
	for _, step := range []string{"fence", "held", "commit"} {
		t.Run(step, func(t *testing.T) {
			f := newFixture(t)
			applications := f.many(t, 4)
			f.breakAt[step] = errBroken
			commits := f.commits
			for i, result := range f.applier.ApplyBatch(t.Context(), applications) {
				require.ErrorIs(t, result.Err, errBroken)
				f.requireInForce(t, applications[i], false)
			}
			require.LessOrEqual(t, f.commits-commits, 1, "nobody looks for whose it is")
			delete(f.breakAt, step)
			for _, result := range f.applier.ApplyBatch(t.Context(), applications) {
				require.NoError(t, result.Err)
			}
		})
	}
}

// TestABatchIsBegunAnew: what went wrong under former settings says nothing.
func TestABatchIsBegunAnew(t *testing.T) {
	f := newFixture(t)
	applications := f.many(t, 3)
	awaited, err := f.applier.PrepareURL(t.Context(), f, applications[0].Record.Place, applyimage.FromURL{
		URL: "awaited", Provider: "deezer", By: artwork.Actor{Name: "ana"},
	})
	require.NoError(t, err)
	applications[0].IfTag = artwork.TagOf(awaited.Record.Content.Hash, nil)
	f.anew = func() {
		_, err := f.repo.Images().Apply(t.Context(), artwork.Unfenced(), []artwork.Application{awaited})
		require.NoError(t, err)
	}
	for i, result := range f.applier.ApplyBatch(t.Context(), applications) {
		require.NoError(t, result.Err)
		f.requireInForce(t, applications[i], true)
	}
}

// TestWhatWasDoneIsNotDoneAgain: what others have put in force since then stays,
// and nothing is said to have changed.
func TestWhatWasDoneIsNotDoneAgain(t *testing.T) {
	f := newFixture(t)
	applications := f.many(t, 2)
	for i := range applications {
		applications[i].IdempotencyKey = artwork.NewID()
	}
	for _, result := range f.applier.ApplyBatch(t.Context(), applications) {
		require.NoError(t, result.Err)
	}
	removed := artwork.Revision{Place: applications[0].Record.Place, By: artwork.Actor{Name: "ana"}, Remove: artwork.KeepEmpty}
	_, err := applyimage.NewReviseSlot(f, f.repo.Images(), f.repo.Images(), slog.New(slog.DiscardHandler)).Run(t.Context(), removed)
	require.NoError(t, err)
	f.log.Reset()
	for i, want := range []bool{false, true} {
		result := f.applier.ApplyBatch(t.Context(), applications)[i]
		require.NoError(t, result.Err)
		require.Equal(t, artwork.AlreadyDone, result.Outcome)
		f.requireInForce(t, applications[i], want)
	}
	require.Empty(t, f.log.String())
}

// TestTheEndOfTheCallerIsNobodysOwn: it says nothing about an image.
func TestTheEndOfTheCallerIsNobodysOwn(t *testing.T) {
	f := newFixture(t)
	applications := f.many(t, 3)
	f.breakAt["commit"] = fmt.Errorf("the statement: %w", context.DeadlineExceeded)
	commits := f.commits
	for _, result := range f.applier.ApplyBatch(t.Context(), applications) {
		require.ErrorIs(t, result.Err, context.DeadlineExceeded)
	}
	require.Equal(t, 1, f.commits-commits)
}
