package memory

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

func placeIn(t *testing.T, r *Repository) artwork.Place {
	t.Helper()
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Someone"}
	_, err := r.Artists().Put(t.Context(), artwork.Actor{Name: "test"}, artist)
	require.NoError(t, err)
	return artwork.Place{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotProfile}
}

func localRecord(place artwork.Place, n byte) artwork.Record {
	hash := artwork.HashOf([]byte{n})
	return artwork.Record{
		ID: artwork.RecordID(place, hash, artwork.Local, "test"), Place: place, Content: artwork.Content{Hash: hash}, Source: artwork.Local,
	}
}

func TestALockedSlotIsOnlyChangedByAPerson(t *testing.T) {
	r := NewRepository()
	place := placeIn(t, r)
	r.slots[place] = artwork.SlotState{Locked: true}
	record := localRecord(place, 1)
	outcomes, err := r.Images().Apply(t.Context(), artwork.Unfenced(), []artwork.Application{
		{Record: record, Automatic: true}, {Record: record}, {Record: localRecord(place, 2), Automatic: true},
	})
	require.NoError(t, err)
	require.Equal(t, artwork.Declined, outcomes[0].Result)
	require.Nil(t, outcomes[0].Image)
	require.Equal(t, artwork.Changed, outcomes[1].Result)
	require.True(t, outcomes[1].Image.Locked, "the lock is gone")
	require.Equal(t, artwork.Declined, outcomes[2].Result)
	require.Empty(t, outcomes[2].Blocker)
}

func TestAnEmptiedSlotKeepsItsTime(t *testing.T) {
	r := NewRepository()
	place := placeIn(t, r)
	before := time.Now().UTC().Truncate(time.Second).Add(time.Hour)
	r.slots[place] = artwork.SlotState{KeptEmpty: true, LastModified: before}
	outcomes, err := r.Images().Apply(t.Context(), artwork.Unfenced(), []artwork.Application{
		{Record: localRecord(place, 1), Automatic: true}, {Record: localRecord(place, 1)},
	})
	require.NoError(t, err)
	require.Equal(t, artwork.Declined, outcomes[0].Result, "a scan filled a slot that is to stay empty")
	require.Equal(t, before.Add(time.Second), outcomes[1].Image.LastModified)
	require.False(t, r.slots[place].KeptEmpty)
}

func TestAChangeWaitsForAnotherOnlyUntilItsDeadline(t *testing.T) {
	r := NewRepository()
	place := placeIn(t, r)
	r.writing <- struct{}{} // another change is under way
	fence := artwork.Unfenced()
	fence.Deadline = time.Now().Add(10 * time.Millisecond)
	_, err := r.Images().Apply(t.Context(), fence, []artwork.Application{{Record: localRecord(place, 1)}})
	require.Equal(t, artwork.CacheUnreachable, artwork.KindOf(err))

	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	_, err = r.Images().Apply(ctx, artwork.Unfenced(), []artwork.Application{{Record: localRecord(place, 1)}})
	require.ErrorIs(t, err, context.Canceled)

	<-r.writing
	_, err = r.Images().Apply(t.Context(), artwork.Unfenced(), []artwork.Application{{Record: localRecord(place, 1)}})
	require.NoError(t, err)
}
