package twolevelcache_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/adapters/rediscache"
	"gatefold/adapters/twolevelcache"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
	"gatefold/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// policy has a short term, so that the many changes of the suite do not take
// long; what is proved does not depend on its length.
var policy = artwork.CachePolicy{TTL: time.Minute, CopyTerm: 100 * time.Millisecond}

func overRedis(t conformance.TB, policy artwork.CachePolicy) artwork.ImageCache {
	return openOverRedis(t, testenv.Redis(t), policy)
}

func openOverRedis(t conformance.TB, url string, policy artwork.CachePolicy) artwork.ImageCache {
	rdb, err := rediscache.Dial(rediscache.Options{URL: url})
	require.NoError(t, err)
	t.Cleanup(func() { _ = rdb.Close() })
	return twolevelcache.New(rediscache.New(rdb, policy), policy, 10_000)
}

func TestOverRedis(t *testing.T) {
	conformance.RunImageCache(t, func(t conformance.TB) conformance.Fleet {
		url := testenv.Redis(t)
		return conformance.Fleet{
			openOverRedis(t, url, policy), openOverRedis(t, url, policy), openOverRedis(t, url, policy),
		}
	})
}

func TestOverMemory(t *testing.T) {
	conformance.RunImageCache(t, func(conformance.TB) conformance.Fleet {
		return conformance.Fleet{twolevelcache.New(memory.NewCache(policy, 10_000), policy, 10_000)}
	})
}

// TestWriterMustWaitForCopies breaks the rule that a writer waits: the inner
// caches do not know that copies are made of what they answer.
func TestWriterMustWaitForCopies(t *testing.T) {
	impatient := artwork.CachePolicy{TTL: time.Minute}
	conformance.Rejects(t, conformance.ImageCacheCases(), "after a change nobody gets the older image", func(t conformance.TB) conformance.Fleet {
		url := testenv.Redis(t)
		open := func() artwork.ImageCache {
			rdb, err := rediscache.Dial(rediscache.Options{URL: url})
			require.NoError(t, err)
			t.Cleanup(func() { _ = rdb.Close() })
			return twolevelcache.New(rediscache.New(rdb, impatient), policy, 10_000)
		}
		return conformance.Fleet{open(), open()}
	})
}

func TestCopiesAnswerWithinTheirTerm(t *testing.T) {
	cache := overRedis(t, artwork.CachePolicy{TTL: time.Minute, CopyTerm: time.Hour})
	key := artwork.Key{Subject: artwork.Artist(artwork.NewID()), Type: artwork.TypeLogo}
	load := func(context.Context) (*artwork.Image, error) { return nil, nil }
	for _, want := range []artwork.Level{artwork.Filled, artwork.Process, artwork.Process} {
		answer, err := cache.Fetch(t.Context(), key, load)
		require.NoError(t, err)
		require.Equal(t, want, answer.Level)
	}
}
