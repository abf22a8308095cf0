package diskstore_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"gatefold/adapters/diskstore"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
)

// fullDiskVar names the directory in which this program is to run as the child
// of TestFullDisk.
const fullDiskVar = "GATEFOLD_TEST_FULL_DISK"

func TestMain(m *testing.M) {
	if dir := os.Getenv(fullDiskVar); dir != "" {
		if err := runOnFullDisk(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func open(t conformance.TB, dir string) *diskstore.Store {
	t.Helper()
	store, err := diskstore.Open(dir)
	require.NoError(t, err)
	return store
}

func openStore(t conformance.TB) artwork.ImageStore { return open(t, t.TempDir()) }

func TestStore(t *testing.T) {
	conformance.RunImageStore(t, openStore)
}

// alternating spreads the calls over two Stores on one directory.
type alternating struct {
	stores [2]artwork.ImageStore
	calls  atomic.Int64
}

func (a *alternating) next() artwork.ImageStore { return a.stores[a.calls.Add(1)%2] }

func (a *alternating) Put(ctx context.Context, content []byte) (artwork.Hash, error) {
	return a.next().Put(ctx, content)
}

func (a *alternating) Open(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
	return a.next().Open(ctx, hash)
}

func (a *alternating) Remove(ctx context.Context, hash artwork.Hash, since time.Time) (bool, error) {
	return a.next().Remove(ctx, hash, since)
}

func (a *alternating) List(ctx context.Context, visit func(artwork.StoredInfo) error) error {
	return a.next().List(ctx, visit)
}

func TestTwoStoresOnOneDirectory(t *testing.T) {
	conformance.RunImageStore(t, func(t conformance.TB) artwork.ImageStore {
		dir := t.TempDir()
		return &alternating{stores: [2]artwork.ImageStore{open(t, dir), open(t, dir)}}
	})
}

// plain is a disk store as it is written without thinking of crashes, races and
// cancellation. Its Put waits in the middle until a reader came by, if wait says so.
type plain struct {
	*diskstore.Store
	wait bool
	met  chan struct{}
	once sync.Once
}

func (p *plain) path(hash artwork.Hash) string { return filepath.Join(p.Root(), hash.Path()) }

func (p *plain) Put(ctx context.Context, content []byte) (artwork.Hash, error) {
	hash := artwork.HashOf(content)
	path := p.path(hash)
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return hash, err
	}
	if err := os.WriteFile(path, content[:len(content)/2], 0o600); err != nil {
		return hash, err
	}
	if p.wait {
		<-p.met
	}
	if err := ctx.Err(); err != nil {
		return hash, err
	}
	return hash, os.WriteFile(path, content, 0o600)
}

func (p *plain) Open(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
	f, err := p.Store.Open(ctx, hash)
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(f)
	p.once.Do(func() { close(p.met) })
	return &snapshot{f, bytes.NewReader(content)}, err
}

// snapshot is a file as it was when it was opened.
type snapshot struct {
	artwork.StoredFile
	content *bytes.Reader
}

func (s *snapshot) Read(b []byte) (int, error) { return s.content.Read(b) }
func (s *snapshot) Size() int64                { return s.content.Size() }

// Remove forgets to look at the time.
func (p *plain) Remove(_ context.Context, hash artwork.Hash, _ time.Time) (bool, error) {
	err := os.Remove(p.path(hash))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func TestSuiteCatchesPlainStore(t *testing.T) {
	for name, wait := range map[string]bool{
		"a reader never meets a part of the content":              true,
		"a Put cancelled between its steps leaves all or nothing": false,
		"a cancelled Put leaves nothing":                          false,
		"Remove keeps what was Put since":                         false,
	} {
		t.Run(name, func(t *testing.T) {
			conformance.Rejects(t, conformance.ImageStoreCases(), name, func(tb conformance.TB) artwork.ImageStore {
				return &plain{Store: open(tb, tb.TempDir()), wait: wait, met: make(chan struct{})}
			})
		})
	}
}

// filesIn returns the regular files under the directory, relative to it.
func filesIn(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	require.NoError(t, filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			files = append(files, path[len(dir)+1:])
		}
		return err
	}))
	return files
}

func put(t *testing.T, store *diskstore.Store, content string) (artwork.Hash, string) {
	t.Helper()
	hash, err := store.Put(t.Context(), []byte(content))
	require.NoError(t, err)
	return hash, filepath.Join(store.Root(), hash.Path())
}

func TestPutLeavesOnlyTheImage(t *testing.T) {
	t.Parallel()
	store := open(t, t.TempDir())
	hash, path := put(t, store, "content")
	require.Equal(t, []string{hash.Path(), "lock"}, filesIn(t, store.Root()))
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Zero(t, info.Mode().Perm()&0o007, "others may not read it")
}

func TestPutNeverOverwrites(t *testing.T) {
	t.Parallel()
	store := open(t, t.TempDir())
	_, path := put(t, store, "content")
	before, err := os.Stat(path)
	require.NoError(t, err)
	put(t, store, "content")
	after, err := os.Stat(path)
	require.NoError(t, err)
	require.True(t, os.SameFile(before, after), "the file was replaced")
}

func TestPutReplacesDamagedFileAtomically(t *testing.T) {
	t.Parallel()
	for name, torn := range map[string]string{"shorter": "cont", "empty": "", "longer": "content and more", "other bytes": "conTent"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			store := open(t, t.TempDir())
			hash, path := put(t, store, "content")
			require.NoError(t, os.WriteFile(path, []byte(torn), 0o600))
			reader, err := store.Open(t.Context(), hash)
			require.NoError(t, err)
			defer func() { require.NoError(t, reader.Close()) }()

			put(t, store, "content")
			got, err := os.ReadFile(path)
			require.NoError(t, err)
			require.Equal(t, "content", string(got))
			old, err := io.ReadAll(reader)
			require.NoError(t, err)
			require.Equal(t, torn, string(old), "the damaged file was changed in place")
			require.Equal(t, []string{hash.Path(), "lock"}, filesIn(t, store.Root()))
		})
	}
}

func TestRemovedFileCanBeReadToItsEnd(t *testing.T) {
	t.Parallel()
	store := open(t, t.TempDir())
	hash, _ := put(t, store, "content")
	reader, err := store.Open(t.Context(), hash)
	require.NoError(t, err)
	removed, err := store.Remove(t.Context(), hash, time.Now().Add(time.Hour))
	require.NoError(t, err)
	require.True(t, removed)
	got, err := io.ReadAll(reader)
	require.NoError(t, err)
	require.Equal(t, "content", string(got))
	require.NoError(t, reader.Close())
}

func TestOpenRemovesOnlyStaleLeftovers(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	open(t, dir)
	stale, fresh, foreign := filepath.Join(dir, "tmp/put-stale"), filepath.Join(dir, "tmp/put-fresh"), filepath.Join(dir, "tmp/notes")
	old := time.Now().Add(-time.Hour - time.Minute)
	young := time.Now().Add(-time.Hour + time.Minute)
	for path, written := range map[string]time.Time{stale: old, fresh: young, foreign: old} {
		require.NoError(t, os.WriteFile(path, []byte("half an im"), 0o600))
		require.NoError(t, os.Chtimes(path, written, written))
	}
	store := open(t, dir)
	require.NoFileExists(t, stale)
	require.FileExists(t, fresh, "another process may be writing it")
	require.FileExists(t, foreign)

	require.NoError(t, store.List(t.Context(), func(info artwork.StoredInfo) error {
		return fmt.Errorf("a leftover is listed as %s", info.Hash)
	}))
	put(t, store, "half an image")
}

// A process that died between the two names of a file leaves both.
func TestLeftoverSecondNameIsHarmless(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	hash, path := put(t, open(t, dir), "content")
	leftover := filepath.Join(dir, "tmp/put-1")
	require.NoError(t, os.Link(path, leftover))
	old := time.Now().Add(-2 * time.Hour)
	require.NoError(t, os.Chtimes(leftover, old, old))

	store := open(t, dir)
	require.NoFileExists(t, leftover)
	reader, err := store.Open(t.Context(), hash)
	require.NoError(t, err)
	require.NoError(t, reader.Close())
}

func TestListPassesOverForeignFiles(t *testing.T) {
	t.Parallel()
	store := open(t, t.TempDir())
	hash, path := put(t, store, "content")
	shard := filepath.Dir(path)
	other := artwork.HashOf([]byte("other"))
	images := filepath.Join(store.Root(), "images")
	for _, foreign := range []string{
		filepath.Join(images, "README"),
		filepath.Join(shard, ".DS_Store"),
		filepath.Join(shard, hash.String()+".bak"),
		filepath.Join(shard, hash.String()[:63]),
		filepath.Join(shard, other.String()), // the wrong folder
	} {
		require.NoError(t, os.WriteFile(foreign, []byte("foreign"), 0o600))
	}
	upper := filepath.Join(shard, fmt.Sprintf("%X", hash[:]))
	require.NoError(t, os.WriteFile(upper, []byte("foreign"), 0o600))
	folder := filepath.Join(images, other.String()[:2], other.String())
	require.NoError(t, os.MkdirAll(folder, 0o750))

	var got []artwork.Hash
	require.NoError(t, store.List(t.Context(), func(info artwork.StoredInfo) error {
		got = append(got, info.Hash)
		return nil
	}))
	require.Equal(t, []artwork.Hash{hash}, got)
	_, err := store.Open(t.Context(), other)
	require.Equal(t, artwork.NotFound, artwork.KindOf(err), "%v", err)
}

func TestOpenCreatesWhatIsMissing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "a", "b")
	store := open(t, dir)
	require.Equal(t, dir, store.Root())
	for _, made := range []string{dir, filepath.Join(dir, "images"), filepath.Join(dir, "tmp")} {
		info, err := os.Stat(made)
		require.NoError(t, err)
		require.True(t, info.IsDir())
		require.Zero(t, info.Mode().Perm()&^0o750, made)
	}
	put(t, store, "content")
	open(t, dir)
}

func TestRootIsAbsolute(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	store := open(t, "data")
	require.True(t, filepath.IsAbs(store.Root()))
	t.Chdir("/")
	put(t, store, "content")
	require.NoError(t, store.Check(t.Context()))
}

func TestShardThatVanishedIsMadeAgain(t *testing.T) {
	t.Parallel()
	store := open(t, t.TempDir())
	_, path := put(t, store, "content")
	require.NoError(t, os.RemoveAll(filepath.Dir(path)))
	put(t, store, "content")
	require.FileExists(t, path)
}

// A store whose disk is gone must not go on in the empty mount point.
func TestVanishedDiskIsUnavailable(t *testing.T) {
	t.Parallel()
	store := open(t, t.TempDir())
	hash, _ := put(t, store, "content")
	for _, dir := range []string{"images", "tmp", "lock"} {
		require.NoError(t, os.RemoveAll(filepath.Join(store.Root(), dir)))
	}
	_, err := store.Put(t.Context(), []byte("content"))
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "%v", err)
	require.Equal(t, artwork.Unavailable, artwork.KindOf(store.Check(t.Context())))
	err = store.List(t.Context(), func(artwork.StoredInfo) error { return nil })
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "an empty list would be a lie: %v", err)
	_, err = store.Open(t.Context(), hash)
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "that the image is gone would be a lie: %v", err)
	_, err = store.Remove(t.Context(), hash, time.Now().Add(time.Hour))
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "%v", err)
	left, err := os.ReadDir(store.Root())
	require.NoError(t, err)
	require.Empty(t, left)
}

func TestOpenRefusesWhatIsNoDirectory(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		_, err := diskstore.Open(dir)
		require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "%v", err)
		require.ErrorContains(t, err, dir)
	}
}

// unprivileged runs act with the file rights of nobody, if this is root, whom no
// permission stops. Only the thread changes its rights, and it ends with act.
func unprivileged(t *testing.T, act func()) {
	t.Helper()
	if os.Geteuid() != 0 {
		act()
		return
	}
	done := make(chan error)
	go func() {
		defer close(done)
		runtime.LockOSThread() // without Unlock: the runtime ends the thread
		if err := unix.Setfsuid(65534); err != nil {
			done <- err
			return
		}
		act()
	}()
	require.NoError(t, <-done)
}

func TestPermissionErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store := open(t, dir)
	kept, path := put(t, store, "kept")
	for _, made := range []string{dir, filepath.Join(dir, "tmp"), filepath.Dir(path)} {
		require.NoError(t, os.Chmod(made, 0o500))
		t.Cleanup(func() { _ = os.Chmod(made, 0o700) })
	}
	before := filesIn(t, dir)
	var openErr, putErr, removeErr error
	unprivileged(t, func() {
		_, openErr = diskstore.Open(dir)
		_, putErr = store.Put(t.Context(), []byte("new"))
		_, removeErr = store.Remove(t.Context(), kept, time.Now().Add(time.Hour))
	})
	require.ErrorContains(t, openErr, "may write")
	for _, err := range []error{openErr, putErr, removeErr} {
		require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "%v", err)
		require.ErrorIs(t, err, fs.ErrPermission)
	}
	require.Equal(t, before, filesIn(t, dir))
}

func TestPutWaitsForTheLockOnlyAsLongAsItsContext(t *testing.T) {
	t.Parallel()
	store := open(t, t.TempDir())
	lock, err := os.OpenFile(filepath.Join(store.Root(), "lock"), os.O_RDWR, 0)
	require.NoError(t, err)
	require.NoError(t, unix.Flock(int(lock.Fd()), unix.LOCK_EX))

	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err = store.Put(ctx, []byte("content"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorIs(t, store.Check(ctx), context.DeadlineExceeded)
	require.Equal(t, []string{"lock"}, filesIn(t, store.Root()))
	require.NoError(t, lock.Close())
	put(t, store, "content")
}

func TestCheck(t *testing.T) {
	t.Parallel()
	store := open(t, t.TempDir())
	require.NoError(t, store.Check(t.Context()))
	require.Equal(t, []string{"lock"}, filesIn(t, store.Root()))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorIs(t, store.Check(ctx), context.Canceled)
}

func TestFree(t *testing.T) {
	t.Parallel()
	store := open(t, t.TempDir())
	free, err := store.Free()
	require.NoError(t, err)
	require.NotZero(t, free)
	require.NoError(t, os.RemoveAll(store.Root()))
	_, err = store.Free()
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "%v", err)
}

// The kernel refuses to write files beyond RLIMIT_FSIZE like on a full disk, and
// deterministically; but the limit is one of a whole process.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	exe, err := os.Executable()
	require.NoError(t, err)
	child := exec.CommandContext(t.Context(), exe)
	child.Env = append(os.Environ(), fullDiskVar+"="+dir)
	out, err := child.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, []string{artwork.HashOf([]byte("small")).Path(), "lock"}, filesIn(t, dir))
}

// runOnFullDisk is the child's part of TestFullDisk.
func runOnFullDisk(dir string) error {
	signal.Ignore(unix.SIGXFSZ)
	ctx := context.Background()
	store, err := diskstore.Open(dir)
	if err != nil {
		return err
	}
	// Room for a chunk and a half, so that the failure comes in the middle.
	if err := limitFiles(3 << 19); err != nil {
		return err
	}
	if _, err := store.Put(ctx, make([]byte, 4<<20)); artwork.KindOf(err) != artwork.StorageFull {
		return fmt.Errorf("a Put with no room for it: %w", err)
	}
	if _, err := store.Put(ctx, []byte("small")); err != nil {
		return fmt.Errorf("a Put with room for it: %w", err)
	}
	if err := limitFiles(100); err != nil {
		return err
	}
	if err := store.Check(ctx); artwork.KindOf(err) != artwork.StorageFull {
		return fmt.Errorf("a Check with no room: %w", err)
	}
	if _, err := diskstore.Open(dir); err != nil {
		return fmt.Errorf("an Open with no room: %w", err)
	}
	return nil
}

func limitFiles(size uint64) error {
	return unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: 1 << 40})
}
