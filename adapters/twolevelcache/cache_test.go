package twolevelcache_test

import (
	"context"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/adapters/rediscache"
	"gatefold/adapters/twolevelcache"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
	"gatefold/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// policy has a short term, so that the many changes of the suite do not take
// long; what is proved does not depend on its length.
var policy = artwork.CachePolicy{TTL: time.Minute, CopyTerm: 100 * time.Millisecond}

// noChanges is the log of a database in which nothing has changed.
type noChanges struct{}

func (noChanges) ChangedWithin(context.Context, time.Duration, func(artwork.Place) error) error {
	return nil
}
func (noChanges) Overdue(context.Context, int) ([]artwork.PendingChange, error) { return nil, nil }
func (noChanges) Finish(context.Context, string) error                          { return nil }

func overRedis(t conformance.TB, url string, policy artwork.CachePolicy) artwork.ImageCache {
	return twolevelcache.New(openRedis(t, url, policy), policy, 10_000)
}

func openRedis(t conformance.TB, url string, policy artwork.CachePolicy) *rediscache.Cache {
	cache, err := rediscache.Open(rediscache.Options{URL: url}, policy, noChanges{}, managecache.NewCounters(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = cache.Close() })
	require.NoError(t, cache.Ready(t.Context()))
	return cache
}

func TestOverRedis(t *testing.T) {
	conformance.RunImageCache(t, func(t conformance.TB) conformance.Fleet {
		url := testenv.Redis(t)
		return conformance.Fleet{
			overRedis(t, url, policy), overRedis(t, url, policy), overRedis(t, url, policy),
		}
	})
}

func TestOverMemory(t *testing.T) {
	conformance.RunImageCache(t, func(conformance.TB) conformance.Fleet {
		return conformance.Fleet{twolevelcache.New(memory.NewCache(policy, 10_000, managecache.NewCounters()), policy, 10_000)}
	})
}

// TestWriterMustWaitForCopies breaks the rule that a writer waits: the inner
// caches do not know that copies are made of what they answer.
func TestWriterMustWaitForCopies(t *testing.T) {
	impatient := artwork.CachePolicy{TTL: time.Minute}
	conformance.Rejects(t, conformance.ImageCacheCases(), "after a change nobody gets the older image", func(t conformance.TB) conformance.Fleet {
		url := testenv.Redis(t)
		open := func() artwork.ImageCache {
			return twolevelcache.New(openRedis(t, url, impatient), policy, 10_000)
		}
		return conformance.Fleet{open(), open()}
	})
}

func TestCopiesAnswerWithinTheirTerm(t *testing.T) {
	cache := overRedis(t, testenv.Redis(t), artwork.CachePolicy{TTL: time.Minute, CopyTerm: time.Hour})
	key := artwork.Key{Subject: artwork.Artist(artwork.NewID()), Type: artwork.TypeLogo}
	load := func(context.Context) (*artwork.Image, error) { return nil, nil }
	for _, want := range []artwork.Level{artwork.Filled, artwork.Process, artwork.Process} {
		answer, err := cache.Fetch(t.Context(), key, load)
		require.NoError(t, err)
		require.Equal(t, want, answer.Level)
	}
}

// TestAFenceLostDuringCommitIsWaitedOut: while the change commits, its fence is
// evicted, and another instance stores and copies what was in force before. When
// the change has answered, that copy must not be served any more.
func TestAFenceLostDuringCommitIsWaitedOut(t *testing.T) {
	server := testenv.RedisServer(t)
	operator, url := server.Client(t), "redis://"+server.Addr
	writer, reader := overRedis(t, url, policy), overRedis(t, url, policy)
	key := artwork.Key{Subject: artwork.Artist(artwork.NewID()), Type: artwork.TypeLogo}
	numbered := func(n int64) artwork.Load {
		return func(context.Context) (*artwork.Image, error) {
			hash := artwork.HashOf([]byte{byte(n)})
			return &artwork.Image{Content: artwork.Content{Hash: hash, Size: n, MIMEType: "image/png"}, Tag: artwork.TagOf(hash, nil), Source: artwork.Custom}, nil
		}
	}
	require.NoError(t, writer.Change(t.Context(), []artwork.Key{key}, func(ctx context.Context, fence artwork.Fence) error {
		require.NoError(t, fence.StillHeld(ctx))
		require.NoError(t, operator.Del(ctx, key.String()).Err())
		answer, err := reader.Fetch(ctx, key, numbered(1))
		require.NoError(t, err)
		require.Equal(t, artwork.Filled, answer.Level)
		return nil // committed: now 2 is in force
	}))
	answer, err := reader.Fetch(t.Context(), key, numbered(2))
	require.NoError(t, err)
	require.EqualValues(t, 2, answer.Image.Size)
}

func TestInspect(t *testing.T) {
	policy := artwork.CachePolicy{TTL: time.Minute, CopyTerm: 500 * time.Millisecond} // long enough to be looked at twice
	for name, inner := range map[string]func(conformance.TB) artwork.ImageCache{
		"redis": func(t conformance.TB) artwork.ImageCache { return openRedis(t, testenv.Redis(t), policy) },
		"memory": func(conformance.TB) artwork.ImageCache {
			return memory.NewCache(policy, 100, managecache.NewCounters())
		},
	} {
		t.Run(name, func(t *testing.T) {
			conformance.RunInspector(t, func(t conformance.TB) conformance.Inspected {
				cache := twolevelcache.New(inner(t), policy, 100)
				return conformance.Inspected{Cache: cache, Level: cache}
			})
		})
	}
}

// everlasting is a broken level: it tells of copies that have expired.
type everlasting struct{ managecache.Inspector }

func (e everlasting) Inspect(ctx context.Context, keys []artwork.Key) ([]managecache.Held, error) {
	held, err := e.Inspector.Inspect(ctx, keys)
	for i := range held {
		held[i].Holding, held[i].ExpiresIn = managecache.HoldsEmpty, time.Second
	}
	return held, err
}

func TestExpiredCopiesAreNothing(t *testing.T) {
	broken := func(conformance.TB) conformance.Inspected {
		cache := twolevelcache.New(memory.NewCache(policy, 100, managecache.NewCounters()), policy, 100)
		return conformance.Inspected{Cache: cache, Level: everlasting{cache}}
	}
	conformance.Rejects(t, conformance.InspectorCases(), "after a change nothing is held", broken)
	conformance.Rejects(t, conformance.InspectorCases(), "looking prolongs nothing", broken)
}

func TestOccupied(t *testing.T) {
	cache := twolevelcache.New(memory.NewCache(policy, 100, managecache.NewCounters()), policy, 100)
	for range 10 {
		_, err := cache.Fetch(t.Context(), artwork.Album(artwork.NewID()).Keys()[0], func(context.Context) (*artwork.Image, error) { return nil, nil })
		require.NoError(t, err)
	}
	occupied := cache.Occupied()
	require.Equal(t, 10, occupied.Entries)
	require.Equal(t, 100, occupied.MaxEntries)
	require.Positive(t, occupied.Bytes)
}
