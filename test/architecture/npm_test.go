package architecture

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPackagesOfNode proves that whoever installs them asks the registry that is configured,
// and that the go command does not look for Go in what was installed.
func TestPackagesOfNode(t *testing.T) {
	t.Parallel()
	root := filepath.Join("..", "..")
	module, err := os.ReadFile(filepath.Join(root, "go.mod"))
	require.NoError(t, err)
	var found int
	require.NoError(t, filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		name, errRel := filepath.Rel(root, path)
		if err != nil || errRel != nil {
			return err
		}
		if entry.IsDir() && isSkipped(filepath.ToSlash(name)) {
			return filepath.SkipDir
		}
		if entry.Name() != "package-lock.json" {
			return nil
		}
		found++
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Empty(t, hostsOf(string(content)), "%s names where packages come from: npm config set omit-lockfile-registry-resolved true, and make it again", name)
		require.Contains(t, string(module), "\t./"+filepath.ToSlash(filepath.Dir(name))+"/node_modules\n", "go.mod has to ignore what is installed beside %s", name)
		return nil
	}))
	require.Positive(t, found)
	require.Equal(t, []string{`"resolved": "https://mirror.example.org/a.tgz"`},
		hostsOf(`{"a": {"resolved": "https://mirror.example.org/a.tgz", "funding": "https://example.org"}}`))
}

var resolved = regexp.MustCompile(`"resolved": *"[^"]*"`)

// hostsOf returns what in a lock file says where a package is downloaded from.
func hostsOf(lock string) []string { return resolved.FindAllString(lock, -1) }
