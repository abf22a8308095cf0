package rediscache_test

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/rediscache"
	"gatefold/application/managecache"
	"gatefold/test/testenv"
)

// TestAFlushIsTheFirstThingThatAProcessDoes: nothing has made the server a trusted one.
func TestAFlushIsTheFirstThingThatAProcessDoes(t *testing.T) {
	url := testenv.Redis(t)
	client := operator(t, url)
	require.NoError(t, client.Set(t.Context(), "image:album:1:cover", "what some release has left", 0).Err())
	require.NoError(t, client.Set(t.Context(), "of:others", "theirs", 0).Err())
	cache, err := rediscache.Open(rediscache.Options{URL: url}, policy, noChanges{}, managecache.NewCounters(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = cache.Close() })
	removed, err := cache.Flush(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, removed)
	require.Equal(t, []string{"of:others"}, client.Keys(t.Context(), "*").Val())
}
