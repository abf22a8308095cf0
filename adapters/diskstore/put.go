package diskstore

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"gatefold/application/wait"
	"gatefold/domain/artwork"
)

// compareSize is how much of a file is read at once.
const compareSize = 256 << 10

// chunkSize is how much is written between two looks at the context.
const chunkSize = 1 << 20

// Waiting for another process's turn; it lasts for a few system calls.
const (
	minPause = 100 * time.Microsecond
	maxPause = 5 * time.Millisecond
)

// Put implements artwork.ImageStore. The content is written beside the images
// and gets its name there in one step; a file that has the name already is left
// as it is, unless a broken disk has damaged it: then a sound one takes its place.
func (s *Store) Put(ctx context.Context, content []byte) (artwork.Hash, error) {
	if err := ctx.Err(); err != nil {
		return artwork.Hash{}, err
	}
	hash := artwork.HashOf(content)
	if err := s.put(ctx, hash, content); err != nil {
		return artwork.Hash{}, classify("diskstore.Put", err)
	}
	return hash, nil
}

func (s *Store) put(ctx context.Context, hash artwork.Hash, content []byte) error {
	path := s.path(hash)
	if err := s.makeShard(hash); err != nil {
		return err
	}
	// To read takes long, so it is done without the lock: what is sound stays so.
	renewed, err := holds(path, content)
	if err == nil && renewed {
		err = s.locked(ctx, func() (err error) {
			renewed, err = renew(path)
			return err
		})
	}
	if err == nil && !renewed {
		err = s.write(ctx, path, content)
	}
	if err != nil {
		return err
	}
	// Also what another process has linked may not be on the disk yet.
	return syncDir(filepath.Dir(path))
}

// makeShard creates the folder of the hash. It does not create the one above,
// which is missing if the disk is no longer mounted.
func (s *Store) makeShard(hash artwork.Hash) error {
	err := os.Mkdir(filepath.Dir(s.path(hash)), dirMode)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	// Once for every folder, because the process that created it may have died
	// before it came to this.
	if err == nil || !s.durable[hash[0]].Load() {
		if err := syncDir(s.join(imagesDir)); err != nil {
			return err
		}
		s.durable[hash[0]].Store(true)
	}
	return nil
}

// holds reports whether the file is there and has the content. One that cannot be
// read to its end has not.
func holds(path string, content []byte) (bool, error) {
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = f.Close() }() // only read
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || info.Size() != int64(len(content)) {
		return false, err
	}
	read := make([]byte, min(len(content), compareSize))
	for want := range slices.Chunk(content, compareSize) {
		got := read[:len(want)]
		if _, err := io.ReadFull(f, got); err != nil || !bytes.Equal(want, got) {
			return false, nil // what cannot be read is to be replaced
		}
	}
	return true, nil
}

// write stores content whose hash names no whole file.
func (s *Store) write(ctx context.Context, path string, content []byte) error {
	temp, err := s.writeTemp(ctx, content)
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temp) }() // its other name stays; what is left here becomes stale
	return s.locked(ctx, func() error { return place(temp, path, content) })
}

// writeTemp returns the name of a file that holds the content, also after a
// crash. It leaves no file after an error.
func (s *Store) writeTemp(ctx context.Context, content []byte) (name string, err error) {
	f, err := os.CreateTemp(s.join(tempDir), tempPrefix+"*")
	if err != nil {
		return "", err
	}
	defer func() {
		if err = errors.Join(err, f.Close()); err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if err := f.Chmod(fileMode); err != nil {
		return "", err
	}
	for chunk := range slices.Chunk(content, chunkSize) {
		if err := ctx.Err(); err != nil {
			return "", err
		}
		if _, err := f.Write(chunk); err != nil {
			return "", err
		}
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return f.Name(), f.Sync()
}

// place gives a written file its name. The caller holds the lock.
func place(temp, path string, content []byte) error {
	// Writing took time, and the kernel's clock for files is a coarse one.
	if err := os.Chtimes(temp, time.Time{}, time.Now()); err != nil {
		return err
	}
	// Unlike a rename, a link never takes the name from a file.
	err := os.Link(temp, path)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	// Somebody else was faster, or it is damaged.
	sound, err := holds(path, content)
	if err != nil {
		return err
	}
	if !sound {
		return os.Rename(temp, path)
	}
	_, err = renew(path)
	return err
}

// renew makes the file as new as if it had been put now, and reports whether
// there is one. The caller holds the lock. Its bytes are on the disk already: no
// file gets its name before they are.
func renew(path string) (bool, error) {
	err := os.Chtimes(path, time.Time{}, time.Now())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

// locked runs act while no other act of any Store on the directory runs. What
// is done under the lock is short; it is what keeps a Remove from taking a file
// that a Put has just renewed.
func (s *Store) locked(ctx context.Context, act func() error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return ctx.Err()
	}
	f, err := os.OpenFile(s.join(lockFile), os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // and with it the lock
	if err := flock(ctx, f); err != nil {
		return err
	}
	return act()
}

// flock waits for the lock by asking for it again and again: a thread that waits
// in the kernel could not be told that ctx has ended.
func flock(ctx context.Context, f *os.File) error {
	for pause := minPause; ; pause = min(2*pause, maxPause) {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if !errors.Is(err, unix.EWOULDBLOCK) && !errors.Is(err, unix.EINTR) {
			return err
		}
		if err := wait.For(ctx, pause); err != nil {
			return err
		}
	}
}
