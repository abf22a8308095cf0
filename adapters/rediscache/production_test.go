package rediscache_test

import (
	"os"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"gatefold/test/testenv"
)

// TestTheProductionConfiguration: redis-server accepts deploy/redis/redis.conf, is what it
// says, and the cache works on it.
func TestTheProductionConfiguration(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../deploy/redis/redis.conf")
	require.NoError(t, err)
	var directives []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			directives = append(directives, "--"+line)
		}
	}
	server := testenv.RedisServer(t, directives...)
	client := redis.NewClient(&redis.Options{Addr: server.Addr})
	t.Cleanup(func() { _ = client.Close() })
	for name, value := range map[string]string{
		"appendonly": "yes", "save": "900 1 300 100 60 10000", "maxmemory": "268435456", "maxmemory-policy": "allkeys-lru",
	} {
		require.Equal(t, value, client.ConfigGet(t.Context(), name).Val()[name])
	}
	require.NoError(t, client.Set(t.Context(), "image:album:1:cover", "old", 0).Err())
	removed, err := connect(t, "redis://"+server.Addr, noChanges{}).Flush(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, removed)
}
