// Package diskstore keeps image bytes under their hash in a local directory,
// which several processes may share.
package diskstore

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"gatefold/domain/artwork"
)

// What a store's directory holds beside the images, whose place is given by
// artwork.Hash.Path.
const (
	imagesDir = "images"
	tempDir   = "tmp"  // files being written; on the same file system as the images
	lockFile  = "lock" // held while a name in images/ is given or taken
)

const (
	dirMode    = 0o750
	fileMode   = 0o640
	tempPrefix = "put-"
	// staleAfter is how old a temporary file is when its writer must have died:
	// no Put takes nearly as long.
	staleAfter = time.Hour
	probeSize  = 4096
)

// Store is an ImageStore on a local directory. All methods may be called
// concurrently, and several Stores, also of several processes, may share one
// directory.
type Store struct {
	root    string
	turn    chan struct{} // holds a token while somebody has, or asks for, the lock; the others queue
	probing chan struct{} // holds a token while a Check is under way
	durable [256]atomic.Bool
	open    *descriptors
}

var _ artwork.ImageStore = (*Store)(nil)

// Open returns the store in the directory, and creates what is missing of it.
// It removes what processes that died left behind. Unavailable: it is no
// directory, or not writable. A full disk is no error, because what is stored
// can still be read.
func Open(dir string) (*Store, error) {
	s, err := Inspect(dir)
	if err != nil {
		return nil, err
	}
	if err := s.prepare(); err != nil {
		return nil, cannotOpen(s.root, err)
	}
	return s, nil
}

// Inspect returns the store in the directory as it is: unlike Open it creates
// and removes nothing, and the directory may be one that only can be read.
func Inspect(dir string) (*Store, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, classify("diskstore.Inspect", err)
	}
	return &Store{root: root, turn: make(chan struct{}, 1), probing: make(chan struct{}, 1), open: newDescriptors()}, nil
}

// Root returns the absolute path of the store's directory.
func (s *Store) Root() string { return s.root }

func (s *Store) prepare() error {
	for _, dir := range []string{s.root, s.join(imagesDir), s.join(tempDir)} {
		if err := makeDir(dir); err != nil {
			return err
		}
	}
	// Another process may have created them and not come to this yet.
	if err := syncDir(s.root); err != nil {
		return err
	}
	if err := s.removeStale(time.Now().Add(-staleAfter)); err != nil {
		return err
	}
	if err := createFile(s.join(lockFile)); err != nil {
		return err
	}
	err := s.probe(context.Background())
	if kindOf(err) == artwork.StorageFull {
		return nil
	}
	return err
}

// createFile creates the file if there is none.
func createFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return err
	}
	return f.Close()
}

// removeStale removes the temporary files last written before the time.
func (s *Store) removeStale(before time.Time) error {
	entries, err := os.ReadDir(s.join(tempDir))
	if err != nil {
		return err
	}
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || !info.Mode().IsRegular() || !strings.HasPrefix(e.Name(), tempPrefix) || !info.ModTime().Before(before) {
			continue // not ours, not stale, or another process was faster
		}
		if err := os.Remove(s.join(tempDir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// Check reports whether the store can be written and read: it writes a small
// file, reads it back and removes it. StorageFull, Unavailable: it can't. A disk
// that does not answer keeps no caller longer than its ctx, and at most one
// probe waiting.
func (s *Store) Check(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.probing <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	result := make(chan error, 1)
	go func() {
		err := s.probe(ctx)
		<-s.probing
		result <- err
	}()
	select {
	case err := <-result:
		return classify("diskstore.Check", err)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// probe takes the lock too: some file systems have none.
func (s *Store) probe(ctx context.Context) error {
	if err := s.writeAndRead(); err != nil {
		return err
	}
	return s.locked(ctx, func() error { return nil })
}

func (s *Store) writeAndRead() (err error) {
	f, err := os.CreateTemp(s.join(tempDir), tempPrefix+"*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	written := bytes.Repeat([]byte{0xa5}, probeSize)
	if _, err := f.Write(written); err != nil {
		return err
	}
	// Only now does a file system that allocates late know whether it has room.
	if err := f.Sync(); err != nil {
		return err
	}
	read := make([]byte, probeSize)
	if _, err := f.ReadAt(read, 0); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !bytes.Equal(written, read) {
		return artwork.Errorf(artwork.Unavailable, "the image store reads back other bytes than were written")
	}
	return nil
}

// Free returns how many bytes the file system has room for, to this process.
// Unavailable: it does not answer.
func (s *Store) Free() (uint64, error) {
	var st unix.Statfs_t
	if err := unix.Statfs(s.root, &st); err != nil {
		return 0, classify("diskstore.Free", err)
	}
	return st.Bavail * uint64(st.Frsize), nil
}

func (s *Store) join(names ...string) string {
	return filepath.Join(append([]string{s.root}, names...)...)
}

// path returns where the bytes of a hash are.
func (s *Store) path(hash artwork.Hash) string {
	return s.join(filepath.FromSlash(hash.Path()))
}

// makeDir creates the directory and the missing ones above it, so that they
// survive a crash.
func makeDir(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		return &fs.PathError{Op: "mkdir", Path: dir, Err: unix.ENOTDIR}
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, dirMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

// syncDir makes the names in a directory survive a crash.
func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
