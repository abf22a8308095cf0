package managecache_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
)

type counter managecache.Stats

func (c counter) Stats() managecache.Stats { return managecache.Stats(c) }

func TestInvalidateAndFlush(t *testing.T) {
	cache := memory.NewCache(artwork.CachePolicy{TTL: time.Minute}, 100)
	manage := managecache.New(cache, counter{}, cache, slog.New(slog.DiscardHandler))
	one, other := artwork.Artist(artwork.NewID()), artwork.Album(artwork.NewID())
	fill := func() (filled int) {
		for _, key := range append(one.Keys(), other.Keys()...) {
			answer, err := cache.Fetch(t.Context(), key, func(context.Context) (*artwork.Image, error) { return nil, nil })
			require.NoError(t, err)
			if answer.Level == artwork.Filled {
				filled++
			}
		}
		return filled
	}
	require.Equal(t, 8, fill())
	require.NoError(t, manage.Invalidate(t.Context(), one))
	require.Equal(t, 7, fill(), "all types of the artist, and nothing else")
	removed, err := manage.Flush(t.Context())
	require.NoError(t, err)
	require.Equal(t, 8, removed)
	require.Equal(t, 8, fill())
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(manage.Invalidate(t.Context(), artwork.Subject{Kind: artwork.UserSubject})))
}

func TestStats(t *testing.T) {
	require.Zero(t, managecache.Stats{}.HitRate())
	require.Zero(t, managecache.Stats{}.MeanChange())
	stats := managecache.Stats{ProcessHits: 60, SharedHits: 20, Fills: 15, Bypasses: 5, Changes: 4, ChangeTime: time.Second}
	require.InDelta(t, 0.8, stats.HitRate(), 1e-9)
	require.Equal(t, 250*time.Millisecond, stats.MeanChange())
}
