package musicfolder

import (
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/application/importlibrary"
	"gatefold/domain/artwork"
	"gatefold/test/musicfixture"
)

const (
	mbidA = "1b3ad6b2-0000-4000-8000-00000000000a"
	mbidB = "1b3ad6b2-0000-4000-8000-00000000000b"
	limit = 1 << 20
)

// picture is what files stand in for where only their names matter.
var picture = musicfixture.Picture(8, 8, 1)

func open(t *testing.T, root string) *Folder {
	t.Helper()
	f, err := Open(root, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	return f
}

// library writes tracks and, where they have no tags of their own, pictures.
func library(t *testing.T, tracks []musicfixture.Track, pictures ...string) *Folder {
	t.Helper()
	root := t.TempDir()
	musicfixture.Write(t, root, tracks...)
	for _, path := range pictures {
		musicfixture.WriteFile(t, root, path, picture)
	}
	return open(t, root)
}

func never(string, string) (bool, error) { return false, nil }

// walk returns all visited folders, with paths relative to the library.
func walk(t *testing.T, f *Folder) []importlibrary.Folder {
	t.Helper()
	var folders []importlibrary.Folder
	err := f.Walk(t.Context(), never, func(folder importlibrary.Folder) error {
		folder.Path = relative(t, f, folder.Path)
		for i := range folder.Skipped {
			folder.Skipped[i].Path = relative(t, f, folder.Skipped[i].Path)
		}
		folders = append(folders, folder)
		return nil
	})
	require.NoError(t, err)
	return folders
}

func paths(folders []importlibrary.Folder) []string {
	var all []string
	for _, folder := range folders {
		all = append(all, folder.Path)
	}
	return all
}

// albums returns the albums of all folders in the order they are visited.
func albums(t *testing.T, f *Folder) []importlibrary.Album {
	t.Helper()
	var all []importlibrary.Album
	for _, folder := range walk(t, f) {
		all = append(all, folder.Albums...)
	}
	return all
}

// album returns the only album of a library.
func album(t *testing.T, f *Folder) importlibrary.Album {
	t.Helper()
	all := albums(t, f)
	require.Len(t, all, 1)
	return all[0]
}

// origins returns where pictures were found, relative to the library.
func origins(t *testing.T, f *Folder, pictures []importlibrary.Picture) []string {
	t.Helper()
	var all []string
	for _, p := range pictures {
		all = append(all, relative(t, f, p.Origin.Path))
	}
	return all
}

func relative(t *testing.T, f *Folder, path string) string {
	t.Helper()
	rel, err := filepath.Rel(f.Root(), path)
	require.NoError(t, err)
	return rel
}

func silence(t *testing.T, extension string) []byte {
	t.Helper()
	content, err := musicfixture.Silence(extension)
	require.NoError(t, err)
	return content
}

// write replaces a file of the library.
func write(t *testing.T, f *Folder, path string, content []byte) {
	t.Helper()
	musicfixture.WriteFile(t, f.Root(), path, content)
}

func requireKind(t *testing.T, kind artwork.ErrorKind, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, kind, artwork.KindOf(err), err.Error())
}

// forbid makes a file or folder of the library unreadable.
func forbid(t *testing.T, f *Folder, path string) {
	t.Helper()
	path = filepath.Join(f.Root(), path)
	require.NoError(t, os.Chmod(path, 0))
	t.Cleanup(func() { _ = os.Chmod(path, 0o755) })
}

// unprivileged runs do with an account to which permissions mean something:
// nobody, as far as files are concerned, if the tests are run by root.
func unprivileged(t *testing.T, f *Folder, do func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		do()
		return
	}
	require.NoError(t, os.Chmod(filepath.Dir(f.Root()), 0o755))
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const nobody = 65534
	require.NoError(t, syscall.Setfsuid(nobody))
	defer func() { _ = syscall.Setfsuid(0) }()
	do()
}
