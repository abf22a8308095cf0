package backupfolder

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/backup"
	"gatefold/domain/artwork"
)

// database is one whose dump is a list of hashes.
type database struct {
	backup.Database
	referenced []artwork.Hash
	size       int64
	fail       error
}

func (d *database) Kind() string                                          { return "sqlite" }
func (d *database) MigrationStatus(context.Context) (int64, int64, error) { return 3, 3, nil }

func (d *database) Dump(_ context.Context, path string, visit func(artwork.Hash, int64) error) error {
	for _, hash := range d.referenced {
		if err := visit(hash, d.size); err != nil {
			return err
		}
	}
	return errors.Join(os.WriteFile(path, []byte("a dump"), 0o644), d.fail)
}

// archive refers to what it is told to.
type archive struct {
	artwork.ImageArchive
	refers map[artwork.Hash]bool
}

func (a archive) Refers(_ context.Context, hash artwork.Hash) (bool, error) {
	return a.refers[hash], nil
}

type unobserved struct{}

func (unobserved) Progress(int, int) {}

type fixture struct {
	*Folder
	database *database
	archive  archive
	store    *memory.Store
	copies   *memory.Store
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	folder, err := Open(filepath.Join(t.TempDir(), "backups"))
	require.NoError(t, err)
	return &fixture{folder, &database{size: 5}, archive{refers: map[artwork.Hash]bool{}}, memory.NewStore(1 << 20), memory.NewStore(1 << 20)}
}

// refer has the database refer to content that the store holds.
func (f *fixture) refer(t *testing.T, content string) artwork.Hash {
	t.Helper()
	hash, err := f.store.Put(t.Context(), []byte(content))
	require.NoError(t, err)
	f.database.referenced = append(f.database.referenced, hash)
	f.archive.refers[hash] = true
	return hash
}

func (f *fixture) create(t *testing.T, keep backup.Retention) (backup.Created, error) {
	t.Helper()
	time.Sleep(2 * time.Millisecond) // an ID names the millisecond
	return backup.NewCreate(f.database, f.archive, f.store, f.Folder, f.copies).Run(t.Context(), backup.CreateIn{Program: "test", Keep: keep}, unobserved{})
}

func (f *fixture) copied(t *testing.T) (hashes []artwork.Hash) {
	t.Helper()
	require.NoError(t, f.copies.List(t.Context(), func(info artwork.StoredInfo) error {
		hashes = append(hashes, info.Hash)
		return nil
	}))
	return hashes
}

// TestImagesGoWithTheLastBackupThatRefersToThem and not before.
func TestImagesGoWithTheLastBackupThatRefersToThem(t *testing.T) {
	f := newFixture(t)
	both, early := f.refer(t, "both!"), f.refer(t, "early")
	_, err := f.create(t, backup.Retention{Last: 2})
	require.NoError(t, err)
	f.database.referenced = []artwork.Hash{both}
	late := f.refer(t, "late!")
	second, err := f.create(t, backup.Retention{Last: 2})
	require.NoError(t, err)
	require.Equal(t, 1, second.Manifest.Images.New)
	require.Empty(t, second.Removed)
	require.ElementsMatch(t, []artwork.Hash{both, early, late}, f.copied(t))
	third, err := f.create(t, backup.Retention{Last: 2})
	require.NoError(t, err)
	require.Len(t, third.Removed, 1)
	require.Equal(t, 1, third.Freed)
	require.ElementsMatch(t, []artwork.Hash{both, late}, f.copied(t))
}

// TestNoImageGoesWhileABackupCannotBeRead: it may refer to it.
func TestNoImageGoesWhileABackupCannotBeRead(t *testing.T) {
	f := newFixture(t)
	early := f.refer(t, "early")
	first, err := f.create(t, backup.Retention{Last: 1})
	require.NoError(t, err)
	damaged := filepath.Join(f.Root(), backupsDir, "20200101T000000.000Z")
	require.NoError(t, os.CopyFS(damaged, os.DirFS(f.Path(first.Manifest.ID, "")))) // its manifest has another ID
	f.database.referenced = nil
	_, err = f.create(t, backup.Retention{Last: 1})
	require.ErrorIs(t, err, backup.ErrDamaged)
	require.Equal(t, []artwork.Hash{early}, f.copied(t))
	require.DirExists(t, damaged)
}

// TestWhatWasPurgedMeanwhileIsNotLost: nothing refers to it any more.
func TestWhatWasPurgedMeanwhileIsNotLost(t *testing.T) {
	f := newFixture(t)
	f.refer(t, "stays")
	lost, purged := artwork.HashOf([]byte("lost!")), artwork.HashOf([]byte("purge"))
	f.database.referenced = append(f.database.referenced, lost, purged)
	f.archive.refers[lost] = true
	created, err := f.create(t, backup.Retention{})
	require.NoError(t, err)
	require.Equal(t, []artwork.Hash{lost}, created.Manifest.Images.Lost)
	require.Equal(t, 1, created.Manifest.Images.Count)
	require.False(t, created.Manifest.Complete())
}

// TestAFailedBackupLeavesNothing but the images that it has copied, which the next needs not.
func TestAFailedBackupLeavesNothing(t *testing.T) {
	f := newFixture(t)
	f.refer(t, "stays")
	f.database.fail = artwork.Errorf(artwork.Unavailable, "the database went away")
	_, err := f.create(t, backup.Retention{})
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err))
	entries, err := os.ReadDir(filepath.Join(f.Root(), backupsDir))
	require.NoError(t, err)
	require.Empty(t, entries)
}

// TestWhatACrashLeftIsNoBackup and the next one removes it.
func TestWhatACrashLeftIsNoBackup(t *testing.T) {
	f := newFixture(t)
	draft, err := f.Begin("20200101T000000.000Z")
	require.NoError(t, err)
	require.NoError(t, draft.Write("database", func(w io.Writer) error {
		_, err := io.WriteString(w, "half of")
		return err
	}))
	kept, err := f.List(t.Context())
	require.NoError(t, err)
	require.Empty(t, kept)
	_, err = f.create(t, backup.Retention{})
	require.NoError(t, err)
	left, err := filepath.Glob(f.Path(draftPrefix+"*", ""))
	require.NoError(t, err)
	require.Empty(t, left)
}

// TestOneWriterAtATime: the other is told.
func TestOneWriterAtATime(t *testing.T) {
	f := newFixture(t)
	unlock, err := f.Lock(t.Context())
	require.NoError(t, err)
	_, err = f.create(t, backup.Retention{})
	require.Equal(t, artwork.Conflict, artwork.KindOf(err))
	unlock()
	_, err = f.create(t, backup.Retention{})
	require.NoError(t, err)
}

// TestNobodyElseReads a backup: it has hashes of passwords.
func TestNobodyElseReads(t *testing.T) {
	f := newFixture(t)
	created, err := f.create(t, backup.Retention{})
	require.NoError(t, err)
	require.NoError(t, filepath.WalkDir(filepath.Join(f.Root(), backupsDir), func(path string, entry os.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := entry.Info()
		require.NoError(t, err)
		require.Zero(t, info.Mode().Perm()&0o077, path)
		return nil
	}))
	require.Contains(t, names(created.Manifest), "database")
}

func names(m *backup.Manifest) (names []string) {
	for _, file := range m.Files {
		names = append(names, file.Name)
	}
	return names
}
