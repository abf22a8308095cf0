package bootstrap

import (
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/caarlos0/env/v11"
	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// written are values that somebody might write, for whatever variable.
var written = []string{
	"", " ", "0", "-1", "1", "15", "64", "1e3", "99999999999999999999", "true", "maybe", "90s", "50ms", "1h", "-1s", "5", "auto", "memory", "redis", "twolevel", "off", "TwoLevel",
	"none", "zstd", "debug", "loud", "json", ":8080", "127.0.0.1:80,[::1]:443", "a:1 b:2", "a", ":", "/data", "relative/path", "../..", "sqlite:", "sqlite:/d/x.db",
	"postgres://u:{secret}@h/db", "postgres://u:{secret}@h:x/db?%zz", "postgresql://{secret}", "mysql://u:{secret}@h/db", "{secret}",
	"redis://:{secret}@h:6379/0", "rediss://:{secret}@h:x/0", "redis://:{secret}%zz@h", "redis://h/{secret}", "http://{secret}", "\xff\xfe", "\x00", strings.Repeat("x", 200),
	"{secret}-of-at-least-32-characters",
}

// confidential are the variables that may hold secrets.
var confidential = []string{"DATABASE_URL", "DATABASE_PASSWORD", "REDIS_URL", "REDIS_PASSWORD", "REDIS_SENTINEL_PASSWORD", "AUTH_SECRET", "AUTH_SECRET_PREVIOUS"}

// TestAnyConfiguration: whatever is written, it is refused as a mistake in the
// configuration, without telling a secret, or it means something that can be.
func TestAnyConfiguration(t *testing.T) {
	t.Parallel()
	const secret = "hunter2"
	variables, err := env.GetFieldParams(&variables{})
	require.NoError(t, err)
	dice := rand.New(rand.NewPCG(1, 2))
	accepted := 0
	for range 5000 {
		environ := []string{"ENV_FILE=" + os.DevNull}
		for range 1 + dice.IntN(3) {
			name, value := variables[dice.IntN(len(variables))].Key, written[dice.IntN(len(written))]
			shown := ""
			if slices.Contains(confidential, name) {
				shown = secret
			}
			environ = append(environ, name+"="+strings.ReplaceAll(value, "{secret}", shown))
		}
		cfg, err := LoadConfig(environ)
		if err != nil {
			require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), environ)
			require.NotContains(t, err.Error(), secret, environ)
			continue
		}
		accepted++
		requirePossible(t, cfg)
	}
	require.Greater(t, accepted, 300)
}

// requirePossible checks a configuration that was accepted.
func requirePossible(t *testing.T, cfg Config) {
	t.Helper()
	require.True(t, filepath.IsAbs(cfg.DataDir) && len(cfg.DataDir) <= maxDataDir, cfg.DataDir)
	require.True(t, cfg.MusicDir == "" || filepath.IsAbs(cfg.MusicDir))
	require.NotEmpty(t, cfg.DatabaseURL)
	require.NoError(t, cfg.Cache.Wish.Settings.Check())
	require.NoError(t, cfg.Cache.Redis.Check())
	require.True(t, cfg.Cache.Redis.Configured() || !cfg.Cache.Wish.Settings.Mode.Shared())
	for _, host := range cfg.DownloadAllowHosts {
		_, port, err := net.SplitHostPort(host)
		require.NoError(t, err)
		require.NotEmpty(t, port)
	}
	require.True(t, cfg.DecodeMemoryMB >= 16 && cfg.BytesCacheMB >= 0 && cfg.Cache.MaxEntries > 0)
}
