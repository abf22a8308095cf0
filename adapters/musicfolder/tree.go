package musicfolder

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"gatefold/domain/artwork"
)

// dir is one folder of the library, as far as it is known from the names in it.
type dir struct {
	path     string
	parent   *dir // nil: the root of the library
	info     fs.FileInfo
	audio    []file
	hasAudio bool   // outlives audio, which is given up once the folder is visited
	pictures []file // those whose name means something
	folders  []string
}

// file is a file of a dir.
type file struct {
	name string
	base string // the name without extension, in lower case
}

var audioFormats = map[string]string{
	".mp3": "MP3", ".flac": "FLAC", ".ogg": "Ogg", ".oga": "Ogg", ".opus": "Opus",
	".m4a": "MP4", ".m4b": "MP4", ".mp4": "MP4",
}

var pictureExtensions = []string{".jpg", ".jpeg", ".png", ".webp"}

// serverFolders are what file servers and systems keep between the music.
var serverFolders = []string{"@eadir", "@tmp", "#recycle", "#snapshot", "$recycle.bin", "system volume information", "lost+found", "__macosx"}

// discName matches the folders that hold one disc of an album: "CD1",
// "Disc 2", "Disk 03", "cd 1 - The Beginning".
var discName = regexp.MustCompile(`(?i)^(cd|disc|disk)[ ._#-]*[0-9]{1,3}([^0-9].*)?$`)

var errNotUTF8 = errors.New("the name is not valid UTF-8")

// albumRoot returns the folder of the whole album, which for the folder of one
// disc is the one above.
func (d *dir) albumRoot() *dir {
	if d.parent != nil && discName.MatchString(filepath.Base(d.path)) {
		return d.parent
	}
	return d
}

// join returns the path of a file in d.
func (d *dir) join(f file) string { return filepath.Join(d.path, f.name) }

// walker goes through the folders of a library.
type walker struct {
	ctx   context.Context // a walker lives for one call
	above []fs.FileInfo   // the folders that contain the root
	enter func(*dir) error
	lost  func(path string, err error) error
}

// tree calls enter with each folder, before those in it, and lost with each one
// below the root that cannot be read. It stops at their first error.
func (f *Folder) tree(ctx context.Context, enter func(*dir) error, lost func(path string, err error) error) error {
	if err := f.check(); err != nil {
		return err
	}
	return f.subtree(ctx, f.root, enter, lost)
}

// subtree is tree for a part of the library.
func (f *Folder) subtree(ctx context.Context, top string, enter func(*dir) error, lost func(path string, err error) error) error {
	w := walker{ctx: ctx, above: foldersAbove(top), enter: enter, lost: lost}
	root, err := list(nil, top)
	if err != nil {
		return artwork.Wrap(artwork.Unavailable, "musicfolder", err)
	}
	return w.walk(root)
}

func (w *walker) walk(d *dir) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if err := w.enter(d); err != nil {
		return err
	}
	d.audio = nil
	for _, name := range d.folders {
		if err := w.descend(d, filepath.Join(d.path, name)); err != nil {
			return err
		}
	}
	return nil
}

func (w *walker) descend(parent *dir, path string) error {
	if !utf8.ValidString(path) {
		return w.lost(path, errNotUTF8)
	}
	d, err := list(parent, path)
	switch {
	case isGone(err): // since its parent was listed
		return nil
	case err != nil:
		return w.lost(path, err)
	case w.loops(d):
		return nil
	}
	return w.walk(d)
}

// loops reports whether d is a folder that contains itself, by way of a
// symbolic link.
func (w *walker) loops(d *dir) bool {
	for up := d.parent; up != nil; up = up.parent {
		if os.SameFile(up.info, d.info) {
			return true
		}
	}
	return slices.ContainsFunc(w.above, func(info fs.FileInfo) bool { return os.SameFile(info, d.info) })
}

// foldersAbove returns the folders that the root lies in.
func foldersAbove(root string) []fs.FileInfo {
	path, err := filepath.EvalSymlinks(root)
	if err != nil {
		return nil
	}
	var above []fs.FileInfo
	for path != filepath.Dir(path) {
		path = filepath.Dir(path)
		if info, err := os.Stat(path); err == nil {
			above = append(above, info)
		}
	}
	return above
}

// list reads the names in a folder, sorted.
func list(parent *dir, path string) (*dir, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	d := &dir{path: path, parent: parent, info: info}
	for _, entry := range entries {
		d.add(entry)
	}
	d.hasAudio = len(d.audio) > 0
	return d, nil
}

// add files an entry under what it is.
func (d *dir) add(entry fs.DirEntry) {
	name := entry.Name()
	if ignored(name) {
		return
	}
	mode := entry.Type()
	extension := strings.ToLower(filepath.Ext(name))
	f := file{name: name, base: strings.ToLower(strings.TrimSuffix(name, filepath.Ext(name)))}
	isAudio := audioFormats[extension] != ""
	isPicture := slices.Contains(pictureExtensions, extension) && means(f.base)
	if mode&fs.ModeSymlink != 0 {
		target, err := os.Stat(filepath.Join(d.path, name))
		if err != nil {
			return // it leads nowhere
		}
		mode = target.Mode().Type()
	}
	switch {
	case mode.IsDir():
		d.folders = append(d.folders, name)
	case !mode.IsRegular(): // a pipe would block whoever opens it
	case isAudio:
		d.audio = append(d.audio, f)
	case isPicture && utf8.ValidString(name):
		d.pictures = append(d.pictures, f)
	}
}

func ignored(name string) bool {
	return strings.HasPrefix(name, ".") || slices.Contains(serverFolders, strings.ToLower(name))
}
