package observedcache_test

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/adapters/observedcache"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
)

func ttl() time.Duration { return policy.TTL }

var policy = artwork.CachePolicy{TTL: 5 * time.Minute}

func TestCache(t *testing.T) {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo} {
		conformance.RunImageCache(t, func(conformance.TB) conformance.Fleet {
			log := slog.New(slog.NewTextHandler(&bytes.Buffer{}, &slog.HandlerOptions{Level: level}))
			return conformance.Fleet{observedcache.New(memory.NewCache(policy, 1000), ttl, log)}
		})
	}
}

// TestLines holds the log to the words that operators search for.
func TestLines(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
	cache := observedcache.New(memory.NewCache(policy, 10), ttl, log)
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
