package musicfolder

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gatefold/application/importlibrary"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/musicfixture"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	log := slog.New(slog.DiscardHandler)
	f, err := Open(dir+"/./x/..", log)
	require.NoError(t, err)
	assert.Equal(t, dir, f.Root())
	_, err = Open(dir+"/none", log)
	requireKind(t, artwork.NotFound, err)
	require.ErrorContains(t, err, dir+"/none")
	musicfixture.WriteFile(t, dir, "file", nil)
	_, err = Open(dir+"/file", log)
	requireKind(t, artwork.InvalidInput, err)
	_, err = Open(dir+"/file/below", log)
	requireKind(t, artwork.NotFound, err)
	_, err = Open(dir+"/\xff", log)
	requireKind(t, artwork.InvalidInput, err)

	require.NoError(t, os.RemoveAll(dir))
	requireKind(t, artwork.NotFound, f.Walk(t.Context(), never, nil))
	_, err = f.Count(t.Context())
	requireKind(t, artwork.NotFound, err)
}

func TestLibraryThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	f := library(t, nil)
	forbid(t, f, ".")
	unprivileged(t, f, func() {
		requireKind(t, artwork.Unavailable, f.Walk(t.Context(), never, nil))
	})
}

func TestLibraryThroughASymbolicLink(t *testing.T) {
	t.Parallel()
	f := library(t, []musicfixture.Track{at("a/1.mp3", "A", "X")})
	link := filepath.Join(t.TempDir(), "link")
	require.NoError(t, os.Symlink(f.Root(), link))
	linked := open(t, link)
	assert.Equal(t, link, linked.Root())
	assert.Equal(t, []string{"a"}, paths(walk(t, linked)))
}

func TestWalkVisitsFoldersWithMusicInOrder(t *testing.T) {
	t.Parallel()
	f := library(t, []musicfixture.Track{
		at("b/2/1.mp3", "A", "X"), at("b/10/1.mp3", "A", "X"), at("a/ñandú 🎵/1.mp3", "A", "X"), at("loose.flac", "A", "X"),
		at("a/new\nline: \\odd\\/x.mp3", "A", "X"),
		at(".hidden/1.mp3", "A", "X"), at("a/@eaDir/1.mp3", "A", "X"), at("a/#recycle/1.mp3", "A", "X"), at("a/.1.mp3", "A", "X"),
	}, "empty/cover.jpg")
	musicfixture.WriteFile(t, f.Root(), "a/notes.txt", nil)
	want := []string{".", "a/new\nline: \\odd\\", "a/ñandú 🎵", "b/10", "b/2"}
	for range 2 {
		folders := walk(t, f)
		assert.Equal(t, want, paths(folders))
		for _, folder := range folders {
			assert.Empty(t, folder.Skipped)
			assert.Len(t, folder.Albums, 1)
			assert.False(t, folder.Partial)
		}
	}
	n, err := f.Count(t.Context())
	require.NoError(t, err)
	assert.Equal(t, 5, n)
}

func TestNamesThatAreNotUTF8AreSkipped(t *testing.T) {
	t.Parallel()
	f := library(t, []musicfixture.Track{at("good.mp3", "A", "X")})
	musicfixture.WriteFile(t, f.Root(), "bad\xff.mp3", silence(t, ".mp3"))
	musicfixture.WriteFile(t, f.Root(), "dir\xff/1.mp3", silence(t, ".mp3"))
	folders := walk(t, f)
	require.Equal(t, []string{".", "dir\uFFFD"}, paths(folders))
	want := importlibrary.Skipped{Path: "bad\uFFFD.mp3", Reason: "the name is not valid UTF-8"}
	assert.Equal(t, []importlibrary.Skipped{want}, folders[0].Skipped)
	assert.Len(t, folders[0].Albums, 1)
	assert.Equal(t, "dir\uFFFD", folders[1].Skipped[0].Path)
}

func TestFilesAndFoldersThatMayNotBeRead(t *testing.T) {
	t.Parallel()
	f := library(t, []musicfixture.Track{at("a/1.mp3", "A", "X"), at("a/2.mp3", "A", "X"), at("closed/1.mp3", "B", "X"), at("z/1.mp3", "C", "X")})
	forbid(t, f, "a/2.mp3")
	forbid(t, f, "closed")
	var folders []importlibrary.Folder
	unprivileged(t, f, func() { folders = walk(t, f) })
	require.Equal(t, []string{"a", "closed", "z"}, paths(folders))
	assert.Equal(t, []importlibrary.Skipped{{Path: "a/2.mp3", Reason: "cannot be read: no permission"}}, folders[0].Skipped)
	assert.Len(t, folders[0].Albums, 1)
	assert.Empty(t, folders[0].Fingerprint, "so that it is read again")
	assert.Equal(t, []importlibrary.Skipped{{Path: "closed", Reason: "cannot be read: no permission"}}, folders[1].Skipped)
	assert.Empty(t, folders[1].Fingerprint)
	assert.Zero(t, folders[1].AudioFiles)
	assert.NotEmpty(t, folders[2].Fingerprint)
}

func TestSymbolicLinks(t *testing.T) {
	t.Parallel()
	elsewhere := library(t, []musicfixture.Track{at("Album/1.mp3", "Elsewhere", "X"), at("2.mp3", "File", "X")}).Root()
	f := library(t, []musicfixture.Track{at("a/1.mp3", "A", "X"), at("c/1.mp3", "C", "X")})
	for link, target := range map[string]string{
		"a/self": ".", "a/up": "..", "a/down": "../c", "c/back": "../a", "top": "/", "linked": elsewhere + "/Album",
		"file.mp3": elsewhere + "/2.mp3", "nowhere.mp3": "missing", "nowhere": "missing", "loop": "loop", "device.mp3": "/dev/null",
	} {
		require.NoError(t, os.Symlink(target, filepath.Join(f.Root(), link)))
	}
	require.NoError(t, syscall.Mkfifo(filepath.Join(f.Root(), "pipe.mp3"), 0o600))
	require.NoError(t, os.Symlink("pipe.mp3", filepath.Join(f.Root(), "pipe2.mp3")))
	folders := walk(t, f)
	assert.Equal(t, []string{".", "a", "a/down", "c", "c/back", "linked"}, paths(folders))
	assert.Equal(t, 1, folders[0].AudioFiles)
	assert.Equal(t, "File", folders[0].Albums[0].Name)
}

func TestUnchangedFoldersAreNotRead(t *testing.T) {
	t.Parallel()
	f := library(t, []musicfixture.Track{at("a/1.mp3", "A", "X"), at("b/1.mp3", "B", "X")})
	write(t, f, "a/broken.mp3", nil) // would be skipped if it were read
	f.tagReader = func() error { return errors.New("nothing is to be read") }
	known := map[string]string{}
	err := f.Walk(t.Context(), func(path, mark string) (bool, error) {
		known[path] = mark
		return true, nil
	}, func(folder importlibrary.Folder) error {
		files := map[string]int{"a": 2, "b": 1}[filepath.Base(folder.Path)]
		assert.Equal(t, importlibrary.Folder{Path: folder.Path, Fingerprint: known[folder.Path], Unchanged: true, AudioFiles: files}, folder)
		return nil
	})
	require.NoError(t, err)
	assert.Len(t, known, 2)
}

func TestWalkStops(t *testing.T) {
	t.Parallel()
	f := library(t, []musicfixture.Track{at("a/1.mp3", "A", "X"), at("a/2.mp3", "A", "X"), at("b/1.mp3", "B", "X")})
	failure := errors.New("failure")
	visits := 0
	err := f.Walk(t.Context(), never, func(importlibrary.Folder) error { visits++; return failure })
	require.ErrorIs(t, err, failure)
	assert.Equal(t, 1, visits)

	err = f.Walk(t.Context(), func(string, string) (bool, error) { return false, failure }, nil)
	require.ErrorIs(t, err, failure)

	ctx, cancel := context.WithCancel(t.Context())
	err = f.Walk(ctx, func(string, string) (bool, error) { cancel(); return false, nil }, nil)
	require.ErrorIs(t, err, context.Canceled)
	_, err = f.Count(ctx)
	require.ErrorIs(t, err, context.Canceled)

	f.tagReader = func() error { return artwork.Errorf(artwork.Unavailable, "it does not start") }
	requireKind(t, artwork.Unavailable, f.Walk(t.Context(), never, nil))
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	stamp := time.Date(2020, 1, 2, 3, 4, 5, 6, time.UTC)
	touch := func(t *testing.T, f *Folder, path string, at time.Time) {
		require.NoError(t, os.Chtimes(filepath.Join(f.Root(), path), at, at))
	}
	const disc = "Queue/Album/CD1"
	for name, c := range map[string]struct {
		change func(t *testing.T, f *Folder)
		folder string
		same   bool
	}{
		"nothing":              {func(*testing.T, *Folder) {}, disc, true},
		"file written":         {func(t *testing.T, f *Folder) { touch(t, f, disc+"/1.mp3", stamp.Add(time.Nanosecond)) }, disc, false},
		"file of another size": {func(t *testing.T, f *Folder) { write(t, f, disc+"/1.mp3", nil); touch(t, f, disc+"/1.mp3", stamp) }, disc, false},
		"file added":           {func(t *testing.T, f *Folder) { write(t, f, disc+"/3.mp3", nil) }, disc, false},
		"file removed":         {func(t *testing.T, f *Folder) { require.NoError(t, os.Remove(f.Root()+"/"+disc+"/2.mp3")) }, disc, false},
		"file renamed": {func(t *testing.T, f *Folder) {
			require.NoError(t, os.Rename(f.Root()+"/"+disc+"/2.mp3", f.Root()+"/"+disc+"/3.mp3"))
		}, disc, false},
		"cover added":                       {func(t *testing.T, f *Folder) { write(t, f, disc+"/cover.jpg", nil) }, disc, false},
		"cover of the album added":          {func(t *testing.T, f *Folder) { write(t, f, "Queue/Album/cover.jpg", nil) }, disc, false},
		"picture of the artist added":       {func(t *testing.T, f *Folder) { write(t, f, "Queue/fanart.jpg", nil) }, disc, false},
		"picture of the artist, other disc": {func(t *testing.T, f *Folder) { write(t, f, "Queue/fanart.jpg", nil) }, "Queue/Album/CD2", false},
		"picture of the artist, plain":      {func(t *testing.T, f *Folder) { write(t, f, "Queue/fanart.jpg", nil) }, "Queue/Plain", false},
		"music beside the album":            {func(t *testing.T, f *Folder) { write(t, f, "Queue/1.mp3", nil) }, "Queue/Plain", false},
		"picture far above":                 {func(t *testing.T, f *Folder) { write(t, f, "fanart.jpg", nil) }, disc, true},
		"other picture":                     {func(t *testing.T, f *Folder) { write(t, f, disc+"/scan 1.jpg", nil) }, disc, true},
		"other file":                        {func(t *testing.T, f *Folder) { write(t, f, disc+"/notes.txt", nil) }, disc, true},
		"another disc":                      {func(t *testing.T, f *Folder) { write(t, f, "Queue/Album/CD2/9.mp3", nil) }, disc, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := library(t, nil)
			for _, path := range []string{disc + "/1.mp3", disc + "/2.mp3", "Queue/Album/CD2/1.mp3", "Queue/Plain/1.mp3"} {
				write(t, f, path, silence(t, ".mp3"))
				touch(t, f, path, stamp)
			}
			marks := func() map[string]string {
				all := map[string]string{}
				for _, folder := range walk(t, f) {
					all[folder.Path] = folder.Fingerprint
				}
				return all
			}
			before := marks()[c.folder]
			require.NotEmpty(t, before)
			c.change(t, f)
			assert.Equal(t, c.same, before == marks()[c.folder])
		})
	}
}

func TestExists(t *testing.T) {
	t.Parallel()
	f := library(t, nil, "a/cover.jpg")
	assert.True(t, f.Exists(f.Root()+"/a/cover.jpg"))
	assert.False(t, f.Exists(f.Root()+"/a/other.jpg"))
	assert.False(t, f.Exists(f.Root()+"/a/cover.jpg/x"))
	forbid(t, f, "a")
	unprivileged(t, f, func() { assert.True(t, f.Exists(f.Root()+"/a/other.jpg"), "in doubt") })
}

// many writes n files: each an album of its own, or all one.
func many(t *testing.T, n int, one bool) *Folder {
	t.Helper()
	f := library(t, nil)
	for i := range n {
		name := "Album"
		if !one {
			name = fmt.Sprintf("Album %05d", i)
		}
		musicfixture.Write(t, f.Root(), musicfixture.Track{Path: fmt.Sprintf("x/%05d.mp3", i), Album: name, Artist: "Queue"})
	}
	return f
}

func TestFolderOfManyFilesIsVisitedInParts(t *testing.T) {
	t.Parallel()
	const files = 2*partFiles + 1
	f := many(t, files, true)
	musicfixture.Write(t, f.Root(), musicfixture.Track{Path: "x/99999.mp3", Album: "Album", Artist: "Guest"})
	musicfixture.WriteFile(t, f.Root(), "x/00000a.mp3", nil)
	parts := walk(t, f)
	require.Len(t, parts, 3)
	total := 0
	for i, part := range parts {
		assert.Equal(t, "x", part.Path)
		assert.Equal(t, i < 2, part.Partial)
		assert.Equal(t, parts[0].Fingerprint, part.Fingerprint)
		assert.LessOrEqual(t, part.AudioFiles, partFiles)
		total += part.AudioFiles
	}
	assert.Equal(t, files+2, total)
	assert.Len(t, parts[0].Skipped, 1)
	assert.Empty(t, parts[0].Albums)
	require.Len(t, parts[2].Albums, 1, "one album, judged by all its files")
	assert.Equal(t, catalog.VariousArtists.MBID, parts[2].Albums[0].Artist.MBID)
}

func TestFolderOfManyAlbumsIsVisitedInParts(t *testing.T) {
	t.Parallel()
	parts := walk(t, many(t, maxAlbums+2, false))
	require.Len(t, parts, 2)
	assert.Len(t, parts[0].Albums, maxAlbums)
	assert.Len(t, parts[1].Albums, 2)
}

// What a walk holds does not grow with the library.
func TestMemory(t *testing.T) {
	f := library(t, nil)
	for i := range 60 {
		for j := range 50 {
			path := fmt.Sprintf("%02d/%02d.mp3", i, j)
			if j == 0 {
				musicfixture.Write(t, f.Root(), musicfixture.Track{Path: path, Album: path, Artist: "Queue", Pictures: musicfixture.Front(picture)})
				continue
			}
			write(t, f, path, silence(t, ".mp3"))
		}
	}
	var smallest, largest uint64
	folders := 0
	err := f.Walk(t.Context(), never, func(importlibrary.Folder) error {
		if folders++; folders%20 != 2 { // after 100, 1100 and 2100 files
			return nil
		}
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		if smallest == 0 {
			smallest = m.HeapAlloc
		}
		largest = max(largest, m.HeapAlloc)
		return nil
	})
	require.NoError(t, err)
	require.Equal(t, 60, folders)
	assert.Less(t, largest, smallest+1<<20, "grown by %d KiB", (largest-smallest)>>10)
}
