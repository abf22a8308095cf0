package bunrepo

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"gatefold/domain/artwork"
)

const (
	// sqliteDump may write, but only into another file.
	sqliteDump = sqliteCommon + "&mode=rw"
	// sqliteAlone is a file that nobody else knows of yet; no other is left beside it.
	sqliteAlone = "mode=rw&_journal_mode=MEMORY"
)

// dump has SQLite write what one read transaction sees into a new file.
func (s sqlite) dump(ctx context.Context, _ *DB, path string, visit func(artwork.Hash, int64) error) error {
	pool, err := sqlitePool(s.path, sqliteDump, 1)
	if err != nil {
		return err
	}
	_, err = pool.ExecContext(ctx, "VACUUM INTO ?", path)
	if err = errors.Join(err, pool.Close()); err != nil {
		return err
	}
	written, err := sqlitePool(path, sqliteAlone, 1)
	if err != nil {
		return err
	}
	if err = contents(ctx, written, visit); err == nil {
		_, err = written.ExecContext(ctx, "DELETE FROM "+instancesTable)
	}
	return errors.Join(err, written.Close())
}

// load gives a copy of the file the name of the database when all of it is on the disk.
func (s sqlite) load(ctx context.Context, path string) error {
	temp := s.path + ".restored"
	if err := copyFile(ctx, path, temp); err != nil {
		return errors.Join(fileError(err), os.Remove(temp))
	}
	// Link refuses to take the place of a file that has come meanwhile.
	return fileError(errors.Join(os.Link(temp, s.path), os.Remove(temp), syncPath(filepath.Dir(s.path))))
}

func (s sqlite) blank(context.Context, *DB) (bool, error) {
	info, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, fileError(err)
	}
	return false, checkRegular(info)
}

func checkRegular(info fs.FileInfo) error {
	if !info.Mode().IsRegular() {
		return artwork.Errorf(artwork.InvalidInput, "DATABASE_URL: %s is not a file", info.Name())
	}
	return nil
}

// copyFile copies a file, and returns when it is on the disk.
func copyFile(ctx context.Context, from, to string) (err error) {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, source.Close()) }()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Sync(), target.Close(), ctx.Err())
}

func syncPath(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// fileError classifies what went wrong with a file.
func fileError(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &artwork.Error{Kind: artwork.Unavailable, Op: "bunrepo.Load", Msg: err.Error(), Err: err}
}
