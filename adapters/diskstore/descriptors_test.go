package diskstore

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func content(t *testing.T, d *descriptors, path string) string {
	t.Helper()
	f, _, err := d.open(path)
	require.NoError(t, err)
	var got bytes.Buffer
	_, err = f.WriteTo(struct{ io.Writer }{&got})
	require.NoError(t, err)
	require.NoError(t, f.Close())
	require.ErrorIs(t, f.Close(), os.ErrClosed)
	return got.String()
}

// TestAKeptDescriptorIsOfTheFileThatIsThere: one that was replaced or removed, by whom
// soever, is not read again.
func TestAKeptDescriptorIsOfTheFileThatIsThere(t *testing.T) {
	t.Parallel()
	d, dir := newDescriptors(), t.TempDir()
	path, other := filepath.Join(dir, "file"), filepath.Join(dir, "other")
	write := func(path, content string) { require.NoError(t, os.WriteFile(path, []byte(content), 0o600)) }
	write(path, "one")
	require.Equal(t, "one", content(t, d, path))
	require.Equal(t, "one", content(t, d, path))
	require.Len(t, d.kept, 1)
	write(other, "two")
	require.NoError(t, os.Rename(other, path))
	require.Equal(t, "two", content(t, d, path))

	reading, _, err := d.open(path)
	require.NoError(t, err)
	require.NoError(t, os.Remove(path))
	_, _, err = d.open(path)
	require.ErrorIs(t, err, os.ErrNotExist)
	require.Empty(t, d.kept)
	got, err := io.ReadAll(reading)
	require.NoError(t, err)
	require.Equal(t, "two", string(got), "who reads, reads to the end")
	require.NoError(t, reading.Close())
}

// openFiles returns how many files below a folder this process has open.
func openFiles(t *testing.T, dir string) (n int) {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	for _, e := range entries {
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err == nil && filepath.Dir(target) == dir {
			n++
		}
	}
	return n
}

// TestDescriptorsAreBounded, and closed when they are dropped, unless somebody reads.
func TestDescriptorsAreBounded(t *testing.T) {
	t.Parallel()
	d, dir := newDescriptors(), t.TempDir()
	var paths []string
	for n := range mostDescriptors + 50 {
		path := filepath.Join(dir, fmt.Sprint(n))
		paths = append(paths, path)
		require.NoError(t, os.WriteFile(path, []byte(path), 0o600))
		require.Equal(t, path, content(t, d, path))
	}
	require.Equal(t, mostDescriptors, openFiles(t, dir))
	last := paths[len(paths)-1]
	f, _, err := d.open(last)
	require.NoError(t, err)
	d.dropBelow(dir)
	require.Equal(t, 1, openFiles(t, dir))
	require.NoError(t, f.Close())
	require.Zero(t, openFiles(t, dir))
	require.Empty(t, d.kept)
}

// TestManyReadOneDescriptor, each from where they are.
func TestManyReadOneDescriptor(t *testing.T) {
	t.Parallel()
	d, path := newDescriptors(), filepath.Join(t.TempDir(), "file")
	for _, size := range []int{1000, smallFile, 3*smallFile + 7} {
		want := bytes.Repeat([]byte("0123456789"), size/10+1)[:size]
		require.NoError(t, os.WriteFile(path, want, 0o600))
		var reading sync.WaitGroup
		for i := range 16 {
			reading.Go(func() {
				f, _, err := d.open(path)
				if err != nil {
					t.Error(err)
					return
				}
				defer func() { _ = f.Close() }()
				_, _ = f.Seek(int64(i), io.SeekStart)
				var got bytes.Buffer
				var w io.Writer = &got // which reads from files by itself
				if i%2 == 0 {
					w = struct{ io.Writer }{&got}
				}
				if _, err := f.WriteTo(w); err != nil || !bytes.Equal(want[i:], got.Bytes()) {
					t.Errorf("%d bytes of %d from %d: %v", got.Len(), size, i, err)
				}
			})
		}
		reading.Wait()
		d.drop(path)
	}
}
