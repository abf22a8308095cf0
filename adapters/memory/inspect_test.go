package memory_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
)

func inspected(conformance.TB) conformance.Inspected {
	cache := memory.NewCache(policy, 100, managecache.NewCounters())
	return conformance.Inspected{Cache: cache, Level: cache}
}

func TestInspect(t *testing.T) { conformance.RunKeeper(t, inspected) }

// reading is a broken inspector: it looks by reading.
type reading struct {
	managecache.Inspector
	cache artwork.ImageCache
}

func (r reading) Inspect(ctx context.Context, keys []artwork.Key) ([]managecache.Held, error) {
	for _, key := range keys {
		if _, err := r.cache.Fetch(ctx, key, func(context.Context) (*artwork.Image, error) { return nil, nil }); err != nil {
			return nil, err
		}
	}
	return r.Inspector.Inspect(ctx, keys)
}

func TestLookingIsNotReading(t *testing.T) {
	broken := func(t conformance.TB) conformance.Inspected {
		in := inspected(t)
		in.Level = reading{in.Level, in.Cache}
		return in
	}
	conformance.Rejects(t, conformance.InspectorCases(), "looking fills nothing", broken)
	conformance.Rejects(t, conformance.InspectorCases(), "what nobody has asked for is nothing", broken)
	conformance.Rejects(t, conformance.KeeperCases(), "looking takes no lease", broken)
}

// prolonging is a broken inspector: what it was asked for lives longer.
type prolonging struct {
	managecache.Inspector
	since time.Time
}

func (p prolonging) Inspect(ctx context.Context, keys []artwork.Key) ([]managecache.Held, error) {
	held, err := p.Inspector.Inspect(ctx, keys)
	for i := range held {
		held[i].ExpiresIn += time.Since(p.since)
	}
	return held, err
}

func TestLookingMustNotProlong(t *testing.T) {
	conformance.Rejects(t, conformance.InspectorCases(), "looking prolongs nothing", func(t conformance.TB) conformance.Inspected {
		in := inspected(t)
		in.Level = prolonging{in.Level, time.Now()}
		return in
	})
}

func TestOccupied(t *testing.T) {
	cache := memory.NewCache(policy, 1000, managecache.NewCounters())
	require.Equal(t, managecache.Occupied{MaxEntries: 1000}, cache.Occupied())
	for range 200 {
		_, err := cache.Fetch(t.Context(), artwork.Album(artwork.NewID()).Keys()[0], func(context.Context) (*artwork.Image, error) {
			return &artwork.Image{Tag: "tag", Provider: "provider"}, nil
		})
		require.NoError(t, err)
	}
	occupied := cache.Occupied()
	require.Equal(t, 200, occupied.Entries)
	require.InDelta(t, 200*500, occupied.Bytes, 200*300, "some hundred bytes each")
}

func TestBoard(t *testing.T) {
	conformance.RunBoard(t, func(conformance.TB) []managecache.Board {
		board := memory.NewBoard()
		return []managecache.Board{board, board}
	})
}

// TestABoardIsShared: what one posts is not for itself.
func TestABoardIsShared(t *testing.T) {
	conformance.Rejects(t, conformance.BoardCases(), "what one posts all read, to the last byte", func(conformance.TB) []managecache.Board {
		return []managecache.Board{memory.NewBoard(), memory.NewBoard()}
	})
}
