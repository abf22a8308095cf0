package bootstrap

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

var (
	firstSecret  = strings.Repeat("first", 8)
	secondSecret = strings.Repeat("second", 8)
)

func TestASecretIsNeededWithPostgres(t *testing.T) {
	postgres := "DATABASE_URL=postgres://u:p@localhost/db"
	for wrong, variable := range map[string]string{
		"": "AUTH_SECRET: Postgres needs one", "AUTH_SECRET=tooshort": "AUTH_SECRET: a secret has at least",
		"AUTH_SECRET=" + firstSecret + "\nAUTH_SECRET_PREVIOUS=" + secondSecret + ",tooshort": "AUTH_SECRET_PREVIOUS: a secret has at least",
	} {
		_, err := LoadConfig(append([]string{"ENV_FILE=" + os.DevNull, postgres}, strings.Split(wrong, "\n")...))
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), wrong)
		require.Contains(t, err.Error(), variable)
		require.NotContains(t, err.Error(), "tooshort")
	}
	cfg := load(t, postgres, "AUTH_SECRET="+firstSecret, "AUTH_SECRET_PREVIOUS="+secondSecret)
	require.Equal(t, []string{firstSecret, secondSecret}, cfg.AuthSecrets)
}

func TestAnEmbeddedDeploymentKeepsASecret(t *testing.T) {
	cfg := load(t, "DATA_DIR="+t.TempDir())
	keys, err := openKeyring(cfg)
	require.NoError(t, err)
	mac := keys.Sign("p", []byte("m"))

	info, err := os.Stat(filepath.Join(cfg.DataDir, "auth-secret"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode())
	entries, err := os.ReadDir(cfg.DataDir)
	require.NoError(t, err)
	require.Len(t, entries, 1, "nothing else is left")

	again, err := openKeyring(cfg)
	require.NoError(t, err)
	require.Equal(t, mac, again.Sign("p", []byte("m")), "the next start has the same one")

	cfg.AuthSecrets = []string{firstSecret}
	given, err := openKeyring(cfg)
	require.NoError(t, err)
	require.NotEqual(t, mac, given.Sign("p", []byte("m")), "the one that is given is used")
	require.True(t, given.Verify("p", []byte("m"), mac), "and the one before it still counts")
}

func TestASecretThatWasDamagedIsNotReplaced(t *testing.T) {
	cfg := load(t, "DATA_DIR="+t.TempDir())
	path := filepath.Join(cfg.DataDir, "auth-secret")
	require.NoError(t, os.WriteFile(path, []byte("half of o"), 0o600))
	_, err := openKeyring(cfg)
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(err))
	require.NotContains(t, err.Error(), "half")
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "half of o", string(kept))
}

func TestASecretThatCannotBeKeptEndsTheStart(t *testing.T) {
	cfg := load(t, "DATA_DIR="+filepath.Join(t.TempDir(), "missing"))
	_, err := openKeyring(cfg)
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(err))
	require.ErrorContains(t, err, "cannot be written")
}
