package diskstore

import (
	"container/list"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

const (
	// mostDescriptors bounds the files that are kept open: those that were asked for
	// lately.
	mostDescriptors = 256
	// smallFile is up to which size files are kept open, and read through memory in one
	// piece: to open one takes longer than to read it. The kernel sends larger ones
	// faster by itself, from a descriptor that nobody shares.
	smallFile = 64 << 10
)

// descriptors are files that are open, for who asks for them again. What a file holds
// never changes: one that is replaced is another file, and the descriptor of one that has
// no name any more is not used again, whoever has taken the name.
type descriptors struct {
	mu    sync.Mutex
	kept  map[string]*list.Element // of *descriptor, by path
	order *list.List               // the one that was used last comes first
}

func newDescriptors() *descriptors {
	return &descriptors{kept: map[string]*list.Element{}, order: list.New()}
}

type descriptor struct {
	path    string
	file    *os.File
	readers int
	dropped bool // it is closed when its last reader is done
}

// open returns the file, and what is known of it. An error is that of the system.
func (d *descriptors) open(path string) (*storedFile, fs.FileInfo, error) {
	if kept := d.take(path); kept != nil {
		info, err := kept.file.Stat()
		if err == nil && named(info) {
			return d.reader(kept, info), info, nil
		}
		d.drop(path)
		d.release(kept)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	if info.Size() > smallFile {
		return &storedFile{SectionReader: io.NewSectionReader(file, 0, info.Size()), own: file}, info, nil
	}
	return d.reader(d.keep(path, file), info), info, nil
}

// named reports whether the file still has a name.
func named(info fs.FileInfo) bool {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && stat.Nlink > 0
}

// take returns the descriptor that is kept for a path, for one more reader; nil if there
// is none.
func (d *descriptors) take(path string) *descriptor {
	d.mu.Lock()
	defer d.mu.Unlock()
	e := d.kept[path]
	if e == nil {
		return nil
	}
	d.order.MoveToFront(e)
	kept, _ := e.Value.(*descriptor)
	kept.readers++
	return kept
}

// keep keeps a file that was opened, in place of the one that was used least recently.
func (d *descriptors) keep(path string, file *os.File) *descriptor {
	opened := &descriptor{path: path, file: file, readers: 1}
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.kept[path]; e != nil { // somebody else was faster
		d.forget(e)
	}
	d.kept[path] = d.order.PushFront(opened)
	if d.order.Len() > mostDescriptors {
		d.forget(d.order.Back())
	}
	return opened
}

// drop closes what is kept for a path, once nobody reads it.
func (d *descriptors) drop(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.kept[path]; e != nil {
		d.forget(e)
	}
}

// dropBelow is drop for all paths in a folder.
func (d *descriptors) dropBelow(dir string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for path, e := range d.kept {
		if filepath.Dir(path) == dir {
			d.forget(e)
		}
	}
}

// forget is called with the lock.
func (d *descriptors) forget(e *list.Element) {
	kept, _ := d.order.Remove(e).(*descriptor)
	delete(d.kept, kept.path)
	kept.dropped = true
	kept.closeIfUnused()
}

// release ends the reading of one reader.
func (d *descriptors) release(kept *descriptor) {
	d.mu.Lock()
	defer d.mu.Unlock()
	kept.readers--
	kept.closeIfUnused()
}

func (k *descriptor) closeIfUnused() {
	if k.dropped && k.readers == 0 {
		_ = k.file.Close() // it was only read
	}
}

func (d *descriptors) reader(kept *descriptor, info fs.FileInfo) *storedFile {
	return &storedFile{SectionReader: io.NewSectionReader(kept.file, 0, info.Size()), release: func() { d.release(kept) }}
}

// storedFile is one reader of an open file, which has the size that it had then.
type storedFile struct {
	*io.SectionReader
	own     *os.File // nil: it is shared, and
	release func()   // ends this reading of it
	closed  bool
}

// Close implements io.Closer.
func (f *storedFile) Close() error {
	if f.closed {
		return fs.ErrClosed
	}
	f.closed = true
	if f.own != nil {
		return f.own.Close()
	}
	f.release()
	return nil
}

// Read implements io.Reader.
func (f *storedFile) Read(p []byte) (int, error) {
	if f.closed {
		return 0, fs.ErrClosed
	}
	return f.SectionReader.Read(p)
}

var pieces = sync.Pool{New: func() any { return new([smallFile]byte) }}

// WriteTo implements io.WriterTo: what is left of a large file is for a writer that can
// have the kernel send it, and is written otherwise in pieces from memory that is used
// again.
func (f *storedFile) WriteTo(w io.Writer) (written int64, err error) {
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil || f.closed {
		return 0, err
	}
	if sender, ok := w.(io.ReaderFrom); ok && f.own != nil {
		if _, err := f.own.Seek(at, io.SeekStart); err != nil {
			return 0, err
		}
		return sender.ReadFrom(f.own)
	}
	piece, _ := pieces.Get().(*[smallFile]byte)
	defer pieces.Put(piece)
	for at < f.Size() {
		n, err := f.ReadAt(piece[:min(smallFile, f.Size()-at)], at)
		if n == 0 {
			return written, err // it is shorter than it was
		}
		m, err := w.Write(piece[:n])
		written, at = written+int64(m), at+int64(m)
		if err != nil {
			return written, err
		}
	}
	_, err = f.Seek(at, io.SeekStart)
	return written, err
}
