package diskstore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"gatefold/domain/artwork"
)

// Open implements artwork.ImageStore. What is open can be read to its end even
// if it is removed meanwhile.
func (s *Store) Open(ctx context.Context, hash artwork.Hash) (artwork.StoredFile, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, _, err := s.open.open(s.path(hash))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, s.missing(hash, err)
	}
	if err != nil {
		return nil, classify("diskstore.Open", err)
	}
	return f, nil
}

// missing tells an image that is not there from a disk that is not there.
func (s *Store) missing(hash artwork.Hash, cause error) error {
	if _, err := os.Stat(s.join(imagesDir)); err != nil {
		return classify("diskstore.Open", err)
	}
	return notFound(hash, cause)
}

func notFound(hash artwork.Hash, cause error) error {
	return &artwork.Error{Kind: artwork.NotFound, Op: "diskstore.Open", Msg: "no image is stored under " + hash.String(), Err: cause}
}

// Remove implements artwork.ImageStore. That the file is gone may not survive a
// crash, after which it is there to be removed again.
func (s *Store) Remove(ctx context.Context, hash artwork.Hash, unlessPutSince time.Time) (bool, error) {
	var removed bool
	err := s.locked(ctx, func() (err error) {
		removed, err = removeOlder(s.path(hash), unlessPutSince)
		return err
	})
	s.open.drop(s.path(hash))
	return removed, classify("diskstore.Remove", err)
}

func removeOlder(path string, since time.Time) (bool, error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil || !info.Mode().IsRegular() || !info.ModTime().Before(since) {
		return false, err
	}
	if err := os.Remove(path); err != nil {
		return false, err
	}
	return true, nil
}

// List implements artwork.ImageStore. Files that are no images of the store are
// passed over. What is put or removed meanwhile may be visited or not.
func (s *Store) List(ctx context.Context, visit func(artwork.StoredInfo) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	shards, err := os.ReadDir(s.join(imagesDir))
	if err != nil {
		return classify("diskstore.List", err)
	}
	for _, shard := range shards {
		if !shard.IsDir() {
			continue
		}
		// One folder at a time, so that a million images need little memory.
		entries, err := os.ReadDir(s.join(imagesDir, shard.Name()))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return classify("diskstore.List", err)
		}
		if err := s.listShard(ctx, shard.Name(), entries, visit); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (s *Store) listShard(ctx context.Context, shard string, entries []fs.DirEntry, visit func(artwork.StoredInfo) error) error {
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		hash, err := artwork.ParseHash(e.Name())
		if err != nil || hash.Path() != imagesDir+"/"+shard+"/"+e.Name() {
			continue
		}
		info, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue // removed meanwhile
		}
		if err != nil {
			return classify("diskstore.List", err)
		}
		if !info.Mode().IsRegular() {
			continue
		}
		if err := visit(artwork.StoredInfo{Hash: hash, Size: info.Size(), ModTime: info.ModTime()}); err != nil {
			return err
		}
	}
	return nil
}
