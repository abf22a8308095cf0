package observedcache_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/adapters/observedcache"
	"gatefold/adapters/twolevelcache"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
)

func ttl() time.Duration { return policy.TTL }

var policy = artwork.CachePolicy{TTL: 5 * time.Minute}

func TestCache(t *testing.T) {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo} {
		conformance.RunImageCache(t, func(conformance.TB) conformance.Fleet {
			log := slog.New(slog.NewTextHandler(&bytes.Buffer{}, &slog.HandlerOptions{Level: level}))
			return conformance.Fleet{observedcache.New(memory.NewCache(policy, 1000, managecache.NewCounters()), ttl, managecache.NewCounters(), log)}
		})
	}
}

// TestLines holds the log to the words that operators search for.
func TestLines(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cache := observedcache.New(memory.NewCache(policy, 10, managecache.NewCounters()), ttl, managecache.NewCounters(), log)
	id := artwork.MustParseID("0b0e7a3c-6f0e-4a54-9e0d-2f4c6c1f6a10")
	load := func(context.Context) (*artwork.Image, error) { return nil, nil }
	for _, subject := range []artwork.Subject{artwork.Artist(id), artwork.Album(id), artwork.User(id)} {
		key := subject.Keys()[0]
		for range 2 {
			_, err := cache.Fetch(t.Context(), key, load)
			require.NoError(t, err)
		}
		require.NoError(t, cache.Change(t.Context(), subject.Keys(), func(ctx context.Context, _ artwork.Fence) error {
			_, err := cache.Fetch(ctx, key, load)
			return err
		}))
		require.Contains(t, out.String(), `msg="Cached `+key.String()+` for 300s"`)
		require.Contains(t, out.String(), `msg="Cache hit for `+key.String()+`"`)
		require.Contains(t, out.String(), `msg="Cache bypassed for `+key.String()+`"`)
	}
	for _, line := range []string{"Artist cache invalidated for ", "Album cache invalidated for ", "User cache invalidated for "} {
		require.Equal(t, 1, bytes.Count(out.Bytes(), []byte(line+id.String())), line)
	}
}

// TestWhatIsCounted: the answers by level, reads that fail, and changes.
func TestWhatIsCounted(t *testing.T) {
	counters := managecache.NewCounters()
	cache := observedcache.New(memory.NewCache(policy, 10, managecache.NewCounters()), ttl, counters, slog.New(slog.DiscardHandler))
	key := artwork.Album(artwork.NewID()).Keys()[0]
	broken := errors.New("broken")
	fetch := func(err error) {
		_, got := cache.Fetch(t.Context(), key, func(context.Context) (*artwork.Image, error) { return nil, err })
		require.ErrorIs(t, got, err)
	}
	fetch(broken) // fails
	fetch(nil)    // fills
	fetch(nil)    // hits
	for _, end := range []error{nil, broken} {
		err := cache.Change(t.Context(), []artwork.Key{key}, func(context.Context, artwork.Fence) error {
			fetch(nil) // past the cache
			return end
		})
		require.ErrorIs(t, err, end)
	}
	stats := counters.Stats()
	require.EqualValues(t, 2, stats.ChangeTime.All.Count)
	require.Positive(t, stats.ChangeTime.All.MaxMs)
	for _, c := range []struct {
		timing managecache.Timing
		count  int64
	}{{stats.ReadTime.Process, 1}, {stats.ReadTime.Shared, 0}, {stats.ReadTime.Fill, 1}, {stats.ReadTime.Bypass, 2}, {stats.ReadTime.Failed, 1}} {
		require.Equal(t, c.count, c.timing.Count, "each read is timed where it is counted")
	}
	stats.ChangeTime, stats.ReadTime = managecache.ChangeTime{}, managecache.ReadTime{}
	require.Equal(t, managecache.Stats{ProcessHits: 1, Fills: 1, Bypasses: 2, Errors: 1, Changes: 2, FailedChanges: 1}, stats)
}

// TestAHitInProcessMemoryAllocatesNothing although it is counted.
func TestAHitInProcessMemoryAllocatesNothing(t *testing.T) {
	counters := managecache.NewCounters()
	terms := artwork.CachePolicy{TTL: time.Hour, CopyTerm: time.Hour}
	two := twolevelcache.New(memory.NewCache(terms, 10, counters), terms, 10)
	cache := observedcache.New(two, terms.LongestTTL, counters, slog.New(slog.DiscardHandler))
	key := artwork.Album(artwork.NewID()).Keys()[0]
	load := func(context.Context) (*artwork.Image, error) { return nil, nil }
	fetch := func() { _, _ = cache.Fetch(t.Context(), key, load) }
	fetch()
	require.Zero(t, testing.AllocsPerRun(100, fetch))
	require.EqualValues(t, 101, counters.Stats().ProcessHits)
}

// BenchmarkProcessHit is a hit in process memory with all that is around it.
func BenchmarkProcessHit(b *testing.B) {
	counters := managecache.NewCounters()
	terms := artwork.CachePolicy{TTL: time.Hour, CopyTerm: time.Hour}
	two := twolevelcache.New(memory.NewCache(terms, 10, counters), terms, 10)
	cache := observedcache.New(two, terms.LongestTTL, counters, slog.New(slog.DiscardHandler))
	key := artwork.Album(artwork.NewID()).Keys()[0]
	load := func(context.Context) (*artwork.Image, error) { return nil, nil }
	b.ReportAllocs()
	for b.Loop() {
		_, _ = cache.Fetch(b.Context(), key, load)
	}
}
