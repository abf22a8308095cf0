// Package musicfolder reads a music library from a folder of audio files: their
// tags, the pictures in them and the pictures beside them.
package musicfolder

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
	"unicode/utf8"

	"gatefold/application/importlibrary"
	"gatefold/domain/artwork"
)

var _ importlibrary.Source = (*Folder)(nil)

// partFiles bounds how many files one part of a folder stands for, so that an
// import makes progress, and holds little, in a folder of very many files.
const partFiles = 500

// Folder is a music library in a folder. Its methods may be called
// concurrently. Hidden files and folders (with a leading dot) and the folders
// that file servers keep for themselves (@eaDir and the like) are ignored.
// Symbolic links are followed, except to a folder that contains the link.
type Folder struct {
	root      string
	log       *slog.Logger
	tagReader func() error // starts the tag reader, once
	newNotify func() (notifier, error)
	pollEvery time.Duration
}

// Open returns the library in the folder dir. NotFound: there is no such
// folder; InvalidInput: it is not a folder.
func Open(dir string, log *slog.Logger) (*Folder, error) {
	root, err := filepath.Abs(dir)
	if err != nil {
		return nil, artwork.Wrap(artwork.Unavailable, "musicfolder.Open", err)
	}
	if !utf8.ValidString(root) {
		return nil, artwork.Errorf(artwork.InvalidInput, "the path %q of the music folder is not valid UTF-8", root)
	}
	f := &Folder{
		root:      root,
		log:       log,
		tagReader: sync.OnceValue(startTagReader),
		newNotify: newNotify,
		pollEvery: PollInterval,
	}
	return f, f.check()
}

// Root returns the absolute path of the library.
func (f *Folder) Root() string { return f.root }

// check reports why the library cannot be read at all, if so.
func (f *Folder) check() error {
	info, err := os.Stat(f.root)
	switch {
	case isGone(err):
		return artwork.Errorf(artwork.NotFound, "there is no music folder %s", f.root)
	case err != nil:
		return artwork.Wrap(artwork.Unavailable, "musicfolder", err)
	case !info.IsDir():
		return artwork.Errorf(artwork.InvalidInput, "%s is not a folder", f.root)
	}
	return nil
}

// Exists reports whether the file is still there. In doubt, when the file
// system cannot say, it is.
func (f *Folder) Exists(path string) bool {
	_, err := os.Stat(path)
	return !isGone(err)
}

// isGone tells a file that does not exist from one that cannot be reached.
func isGone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// Count returns the number of audio files, by their names alone.
func (f *Folder) Count(ctx context.Context) (int, error) {
	n := 0
	err := f.tree(ctx, func(d *dir) error {
		n += len(d.audio)
		return nil
	}, func(string, error) error { return nil })
	return n, err
}

// Walk visits the folders that hold audio files in the order of their paths.
// AudioFiles counts those of one part; parts of a folder with very many albums
// may describe one album more than once. A folder of which a file could not be
// opened is visited without a fingerprint, because nothing about the file
// changes when it becomes readable. A sub-folder that cannot be read is visited
// with nothing but itself in Skipped.
func (f *Folder) Walk(ctx context.Context, unchanged func(path, fingerprint string) (bool, error), visit func(importlibrary.Folder) error) error {
	return f.tree(ctx, func(d *dir) error {
		if len(d.audio) == 0 {
			return nil
		}
		mark := fingerprint(d)
		same, err := unchanged(d.path, mark)
		if err != nil {
			return err
		}
		if same {
			return visit(importlibrary.Folder{Path: d.path, Fingerprint: mark, Unchanged: true, AudioFiles: len(d.audio)})
		}
		return f.read(ctx, d, mark, visit)
	}, func(path string, err error) error {
		path = validPath(path)
		return visit(importlibrary.Folder{Path: path, Skipped: []importlibrary.Skipped{{Path: path, Reason: unreadable(err)}}})
	})
}

// read reads the files of one folder and visits it, in parts if they are many.
func (f *Folder) read(ctx context.Context, d *dir, mark string, visit func(importlibrary.Folder) error) error {
	if err := f.tagReader(); err != nil {
		return err
	}
	albums := newCollector(d)
	part := importlibrary.Folder{Path: d.path, Fingerprint: mark}
	for i, file := range d.audio {
		if err := ctx.Err(); err != nil {
			return err
		}
		part.AudioFiles++
		if skip := albums.read(file.name); skip != nil {
			part.Skipped = append(part.Skipped, skip.Skipped)
			if skip.unopened {
				mark = ""
			}
		}
		if part.AudioFiles == partFiles && i+1 < len(d.audio) {
			part.Partial = true
			part.Albums = albums.drainIfFull()
			if err := visit(part); err != nil {
				return err
			}
			part = importlibrary.Folder{Path: d.path, Fingerprint: mark}
		}
	}
	part.Fingerprint = mark
	part.Albums = albums.drain()
	return visit(part)
}
