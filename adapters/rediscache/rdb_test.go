package rediscache

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/test/testenv"
)

// requireCopied requires that what the masters hold is copied into the named files.
func requireCopied(t *testing.T, o Options, names ...string) {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, CopyRDB(t.Context(), o, func(name string) string { return filepath.Join(dir, name) }))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, entry := range entries {
		require.True(t, slices.Contains(names, entry.Name()), entry.Name())
		content, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		require.NoError(t, err)
		require.True(t, strings.HasPrefix(string(content), "REDIS"), "%s is not in Redis' format", entry.Name())
	}
	require.Len(t, entries, len(names))
}

// TestACopyNeedsThreeMoreRights than an instance does, and none over keys.
func TestACopyNeedsThreeMoreRights(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t, "user copier on >secret +auth +ping +sync +psync +replconf", "user other on >secret +auth +ping")
	host, port := hostAndPort(t, server.Addr)
	o := Options{Host: host, Port: port, Username: "copier", Password: "secret"}
	requireCopied(t, o, "redis.rdb")
	for _, wrong := range []Options{{Host: host, Port: port, Username: "other", Password: "secret"}, {Host: host, Port: port, Username: "copier", Password: "wrong"}} {
		err := CopyRDB(t.Context(), wrong, func(name string) string { return filepath.Join(t.TempDir(), name) })
		require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "%v", err)
		require.NotContains(t, err.Error(), "secret")
	}
}
