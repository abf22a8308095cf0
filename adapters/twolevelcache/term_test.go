package twolevelcache

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// slowCache is an inner cache whose answers take a while.
type slowCache struct {
	artwork.ImageCache
	answer artwork.Answer
	pass   func()
}

func (s *slowCache) Fetch(context.Context, artwork.Key, artwork.Load) (artwork.Answer, error) {
	s.pass()
	return s.answer, nil
}

// TestTheTermCountsFromBeforeTheQuestion: an answer that was held up for as long
// as the term may be older than a fence whose writer has stopped waiting. A term
// that counted from the arrival would let it be served.
func TestTheTermCountsFromBeforeTheQuestion(t *testing.T) {
	var clock time.Duration
	inner := &slowCache{answer: artwork.Answer{Image: &artwork.Image{}, Level: artwork.Shared}}
	cache := New(inner, artwork.CachePolicy{CopyTerm: time.Second}, 10)
	cache.now = func() time.Duration { return clock }
	key := artwork.Album(artwork.NewID()).Keys()[0]
	for stall, want := range map[time.Duration]artwork.Level{
		0: artwork.Process, 999 * time.Millisecond: artwork.Process, time.Second: artwork.Shared, time.Hour: artwork.Shared,
	} {
		cache.copies.InvalidateAll()
		inner.pass = func() { clock += stall }
		_, err := cache.Fetch(t.Context(), key, nil)
		require.NoError(t, err)
		inner.pass = func() {}
		answer, err := cache.Fetch(t.Context(), key, nil)
		require.NoError(t, err)
		require.Equal(t, want, answer.Level, "held up for %s", stall)
	}
}

func TestOnlyWhatTheInnerCacheVouchesForIsCopied(t *testing.T) {
	for level, copied := range map[artwork.Level]bool{
		artwork.Loaded: false, artwork.Filled: true, artwork.Shared: true, artwork.Process: true,
	} {
		inner := &slowCache{answer: artwork.Answer{Level: level}, pass: func() {}}
		cache := New(inner, artwork.CachePolicy{CopyTerm: time.Hour}, 10)
		key := artwork.Album(artwork.NewID()).Keys()[0]
		_, err := cache.Fetch(t.Context(), key, nil)
		require.NoError(t, err)
		_, held := cache.copies.GetIfPresent(key)
		require.Equal(t, copied, held, level.String())
	}
}
