package consistency

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/rediscache"
	"gatefold/domain/artwork"
	"gatefold/test/badlink"
	"gatefold/test/testenv"
)

// TestAMasterThatWasAwayIsNotBelieved: all instances move to another server and
// back. Nothing happened to the first one meanwhile, it is who it was: only who
// has met the other one can tell that it has missed a change.
func TestAMasterThatWasAwayIsNotBelieved(t *testing.T) {
	t.Parallel()
	first, second := testenv.RedisServer(t), testenv.RedisServer(t)
	way := badlink.New(t, first.Addr)
	place := artwork.Place{Subject: artwork.Album(artwork.NewID()), Slot: artwork.SlotCover}
	key := place.Keys()[0]
	cache, err := openRedis(rediscache.Options{URL: "redis://" + way.Addr()}, policy, changedPlace{place})
	require.NoError(t, err)
	t.Cleanup(func() { _ = cache.Close() })
	inForce := newApplication(place).Record
	load := func(context.Context) (*artwork.Image, error) {
		return artwork.SlotState{InForce: &inForce}.Image(), nil
	}
	ctx, cancel := context.WithTimeout(t.Context(), endLimit)
	defer cancel()
	// cached reads until the server answers, and returns what it answers.
	cached := func() artwork.ID {
		require.NoError(t, cache.Ready(ctx))
		for ctx.Err() == nil {
			if answer, err := cache.Fetch(ctx, key, load); err == nil && answer.Level == artwork.Shared {
				return answer.Image.RecordID
			}
			pause(ctx, time.Millisecond)
		}
		require.NoError(t, ctx.Err())
		return artwork.ID{}
	}
	old := inForce.ID
	require.Equal(t, old, cached())

	way.Cut()
	require.NoError(t, way.Join(second.Addr))
	require.NoError(t, cache.Ready(ctx))
	require.NoError(t, cache.Change(ctx, []artwork.Key{key}, func(ctx context.Context, fence artwork.Fence) error {
		inForce = newApplication(place).Record
		return fence.StillHeld(ctx)
	}))
	require.Equal(t, inForce.ID, cached())

	way.Cut()
	require.NoError(t, way.Join(first.Addr))
	require.Equal(t, inForce.ID, cached())
}

// changedPlace is the log of a database in which one place has changed.
type changedPlace struct{ place artwork.Place }

func (c changedPlace) ChangedWithin(_ context.Context, _ time.Duration, visit func(artwork.Place) error) error {
	return visit(c.place)
}
func (changedPlace) Overdue(context.Context, int) ([]artwork.PendingChange, error) { return nil, nil }
func (changedPlace) Finish(context.Context, string) error                          { return nil }
