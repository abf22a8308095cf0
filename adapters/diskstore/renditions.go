package diskstore

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"gatefold/domain/artwork"
)

var _ artwork.RenditionStore = (*Store)(nil)

const (
	renditionsDir = "renditions"
	// usedEvery is how exactly it is known when a rendition was used last.
	usedEvery = 24 * time.Hour
)

func (s *Store) under(path string) string { return s.join(filepath.FromSlash(path)) }

// PutRendition implements artwork.RenditionStore. The content is on the disk before it
// has its name; the name may not survive a crash.
func (s *Store) PutRendition(ctx context.Context, key artwork.RenditionKey, content []byte) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	// First, because the folder for it is missing if the disk is no longer mounted.
	temp, err := s.writeTemp(ctx, content)
	if err != nil {
		return classify("diskstore.PutRendition", err)
	}
	path := s.under(key.Path())
	err = moveInto(temp, path)
	if errors.Is(err, fs.ErrNotExist) { // somebody has removed the empty folder
		err = moveInto(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp) // or it becomes stale
	}
	s.open.drop(path) // which is another file's now
	return classify("diskstore.PutRendition", err)
}

func moveInto(temp, path string) error {
	if err := os.MkdirAll(filepath.Dir(path), dirMode); err != nil {
		return err
	}
	return os.Rename(temp, path)
}

// OpenRendition implements artwork.RenditionStore.
func (s *Store) OpenRendition(ctx context.Context, key artwork.RenditionKey) (artwork.StoredFile, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	path := s.under(key.Path())
	f, info, err := s.open.open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &artwork.Error{Kind: artwork.NotFound, Op: "diskstore.OpenRendition", Msg: "no rendition is stored under " + key.Path(), Err: err}
	}
	if err != nil {
		return nil, classify("diskstore.OpenRendition", err)
	}
	if now := time.Now(); now.Sub(info.ModTime()) > usedEvery {
		_ = os.Chtimes(path, time.Time{}, now) // if the disk can only be read, nothing is lost
	}
	return f, nil
}

// RemoveRenditions implements artwork.RenditionStore.
func (s *Store) RemoveRenditions(ctx context.Context, original artwork.Hash) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	dir := s.under(original.RenditionsPath())
	err := os.RemoveAll(dir)
	s.open.dropBelow(dir)
	return classify("diskstore.RemoveRenditions", err)
}

// RemoveRendition implements artwork.RenditionStore.
func (s *Store) RemoveRendition(ctx context.Context, path string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, ok := artwork.ParseRenditionPath(path); !ok {
		return artwork.Errorf(artwork.InvalidInput, "%q is not where a rendition is", path)
	}
	err := os.Remove(s.under(path))
	s.open.drop(s.under(path))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	_ = os.Remove(filepath.Dir(s.under(path))) // only if it is empty
	return classify("diskstore.RemoveRendition", err)
}

// ListRenditions implements artwork.RenditionStore.
func (s *Store) ListRenditions(ctx context.Context, visit func(artwork.RenditionInfo) error) error {
	return s.eachEntry(ctx, renditionsDir, func(shard string, _ fs.DirEntry) error {
		return s.eachEntry(ctx, shard, func(original string, _ fs.DirEntry) error {
			return s.eachEntry(ctx, original, func(path string, e fs.DirEntry) error {
				return visitRendition(path, e, visit)
			})
		})
	})
}

func visitRendition(path string, e fs.DirEntry, visit func(artwork.RenditionInfo) error) error {
	hash, ok := artwork.ParseRenditionPath(path)
	info, err := e.Info()
	switch {
	case !ok || errors.Is(err, fs.ErrNotExist): // none of ours, or removed meanwhile
		return nil
	case err != nil:
		return classify("diskstore.ListRenditions", err)
	case !info.Mode().IsRegular():
		return nil
	}
	return visit(artwork.RenditionInfo{Original: hash, Path: path, Size: info.Size(), UsedAt: info.ModTime()})
}

// eachEntry visits what is in a folder, with its path relative to the root. What is no
// folder has nothing in it.
func (s *Store) eachEntry(ctx context.Context, dir string, visit func(path string, e fs.DirEntry) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(s.under(dir))
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
		return nil
	}
	if err != nil {
		return classify("diskstore.ListRenditions", err)
	}
	for _, e := range entries {
		if err := visit(dir+"/"+e.Name(), e); err != nil {
			return err
		}
	}
	return ctx.Err()
}
