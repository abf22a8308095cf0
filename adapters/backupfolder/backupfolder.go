// Package backupfolder keeps backups in a folder, each in a folder of its own.
package backupfolder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/gofrs/flock"

	"gatefold/application/backup"
	"gatefold/domain/artwork"
)

// What lies in the folder, beside the images.
const (
	backupsDir   = "backups"
	draftPrefix  = "unfinished-"
	manifestFile = "manifest.json"
	manifestSum  = "manifest.json.sha256" // as sha256sum writes it
	lockFile     = "backup.lock"
)

// A backup holds hashes of passwords and may hold a secret: nobody else reads it.
const (
	dirMode  = 0o700
	fileMode = 0o600
)

// Folder is a vault in a folder. Several processes may read it; one at a time writes.
type Folder struct{ root string }

var _ backup.Vault = (*Folder)(nil)

// Open returns the vault in the folder, and creates what is missing of it. Unavailable: it
// cannot be written.
func Open(dir string) (*Folder, error) {
	f, err := Inspect(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(f.root, backupsDir), dirMode); err != nil {
		return nil, classify("backupfolder.Open", err)
	}
	return f, nil
}

// Inspect returns the vault in the folder as it is, which may be one that only can be read.
func Inspect(dir string) (*Folder, error) {
	root, err := filepath.Abs(dir)
	return &Folder{root}, classify("backupfolder.Inspect", err)
}

// Root returns the absolute path of the folder.
func (f *Folder) Root() string { return f.root }

// Path implements backup.Vault.
func (f *Folder) Path(id, name string) string { return filepath.Join(f.root, backupsDir, id, name) }

// Lock implements backup.Vault. It ends with the process, however that ends.
func (f *Folder) Lock(context.Context) (func(), error) {
	lock := flock.New(filepath.Join(f.root, lockFile), flock.SetPermissions(fileMode))
	taken, err := lock.TryLock()
	if err != nil {
		return nil, classify("backupfolder.Lock", err)
	}
	if !taken {
		return nil, artwork.Errorf(artwork.Conflict, "another process is making a backup in %s", f.root)
	}
	return func() { _ = lock.Unlock() }, nil
}

// Begin implements backup.Vault.
func (f *Folder) Begin(id string) (backup.Draft, error) {
	const op = "backupfolder.Begin"
	stale, err := filepath.Glob(f.Path(draftPrefix+"*", ""))
	for _, dir := range stale {
		err = errors.Join(err, os.RemoveAll(dir))
	}
	if err != nil {
		return nil, classify(op, err)
	}
	if _, err := os.Stat(f.Path(id, "")); err == nil {
		return nil, artwork.Errorf(artwork.Conflict, "there is a backup %s already: wait for a second", id)
	}
	d := &draft{f, id}
	return d, classify(op, os.Mkdir(d.Path(""), dirMode))
}

// List implements backup.Vault.
func (f *Folder) List(context.Context) ([]backup.Kept, error) {
	entries, err := os.ReadDir(filepath.Join(f.root, backupsDir)) // in the order of names
	if errors.Is(err, fs.ErrNotExist) {
		return nil, artwork.Errorf(artwork.NotFound, "there are no backups in %s", f.root)
	}
	if err != nil {
		return nil, classify("backupfolder.List", err)
	}
	var kept []backup.Kept
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), draftPrefix) {
			manifest, err := f.manifest(entry.Name())
			kept = append(kept, backup.Kept{ID: entry.Name(), Manifest: manifest, Err: err})
		}
	}
	return kept, nil
}

func (f *Folder) manifest(id string) (*backup.Manifest, error) {
	text, err := os.ReadFile(f.Path(id, manifestFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is missing: %w", manifestFile, backup.ErrDamaged)
	}
	if err != nil {
		return nil, classify("backupfolder.Manifest", err)
	}
	sum, err := os.ReadFile(f.Path(id, manifestSum))
	if err != nil || string(sum) != sumOf(text) {
		return nil, fmt.Errorf("%s is not what was written: %w", manifestFile, backup.ErrDamaged)
	}
	var manifest backup.Manifest
	if err := json.Unmarshal(text, &manifest); err != nil || manifest.ID != id {
		return nil, fmt.Errorf("%s is not the manifest of %s: %w", manifestFile, id, backup.ErrDamaged)
	}
	if manifest.Format != backup.Format {
		return nil, artwork.Errorf(artwork.InvalidInput, "it was made by version %s in a format (%d) that this program does not know", manifest.Program, manifest.Format)
	}
	for _, file := range manifest.Files {
		if file.Name != filepath.Base(file.Name) {
			return nil, fmt.Errorf("%s names a file of another folder: %w", manifestFile, backup.ErrDamaged)
		}
	}
	return &manifest, nil
}

// Check implements backup.Vault.
func (f *Folder) Check(ctx context.Context, id string, file backup.File) error {
	found, err := describe(ctx, f.Path(id, file.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is missing: %w", file.Name, backup.ErrDamaged)
	}
	if err != nil {
		return classify("backupfolder.Check", err)
	}
	if found != file {
		return fmt.Errorf("%s is not what was written: %w", file.Name, backup.ErrDamaged)
	}
	return nil
}

// Remove implements backup.Vault. It takes the name away first: there is either a whole
// backup, or none.
func (f *Folder) Remove(id string) error {
	doomed := f.Path(draftPrefix+id, "")
	err := os.Rename(f.Path(id, ""), doomed)
	if err == nil {
		err = os.RemoveAll(doomed)
	}
	return classify("backupfolder.Remove", err)
}

// draft is a folder that gets its name when all of it is on the disk.
type draft struct {
	folder *Folder
	id     string
}

// Path implements backup.Draft.
func (d *draft) Path(name string) string { return d.folder.Path(draftPrefix+d.id, name) }

// Write implements backup.Draft.
func (d *draft) Write(name string, write func(io.Writer) error) error {
	file, err := os.OpenFile(d.Path(name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err == nil {
		err = errors.Join(write(file), file.Close())
	}
	return classify("backupfolder.Write", err)
}

// Commit implements backup.Draft.
func (d *draft) Commit(ctx context.Context, manifest *backup.Manifest) error {
	const op = "backupfolder.Commit"
	entries, err := os.ReadDir(d.Path(""))
	if err != nil {
		return classify(op, err)
	}
	for _, entry := range entries {
		file, err := describe(ctx, d.Path(entry.Name()))
		if err == nil {
			err = keep(d.Path(entry.Name()))
		}
		if err != nil {
			return classify(op, err)
		}
		manifest.Files = append(manifest.Files, file)
	}
	err = d.writeManifest(manifest)
	if err == nil {
		err = sync(d.Path(""))
	}
	if err == nil {
		err = os.Rename(d.Path(""), d.folder.Path(d.id, ""))
	}
	if err == nil {
		err = sync(filepath.Dir(d.Path("")))
	}
	return classify(op, err)
}

func (d *draft) writeManifest(manifest *backup.Manifest) error {
	text, err := json.MarshalIndent(manifest, "", "  ")
	if err != nil {
		return err
	}
	for name, content := range map[string]string{manifestFile: string(text) + "\n", manifestSum: sumOf(append(text, '\n'))} {
		err := d.Write(name, func(w io.Writer) error {
			_, err := io.WriteString(w, content)
			return err
		})
		if err == nil {
			err = sync(d.Path(name))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func sumOf(manifest []byte) string {
	sum := sha256.Sum256(manifest)
	return hex.EncodeToString(sum[:]) + "  " + manifestFile + "\n"
}

// Discard implements backup.Draft. What it leaves, the next Begin removes.
func (d *draft) Discard() { _ = os.RemoveAll(d.Path("")) }

// keep makes a file, whoever wrote it, its owner's, and durable.
func keep(path string) error {
	if err := os.Chmod(path, fileMode); err != nil {
		return err
	}
	return sync(path)
}

func sync(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}

// describe reads a file.
func describe(ctx context.Context, path string) (backup.File, error) {
	file, err := os.Open(path)
	if err != nil {
		return backup.File{}, err
	}
	defer func() { _ = file.Close() }() // only read
	hash := sha256.New()
	size, err := io.Copy(hash, until(ctx, file))
	return backup.File{Name: filepath.Base(path), Size: size, SHA256: hex.EncodeToString(hash.Sum(nil))}, err
}

type reading func([]byte) (int, error)

func (r reading) Read(p []byte) (int, error) { return r(p) }

// until reads until ctx ends.
func until(ctx context.Context, r io.Reader) io.Reader {
	return reading(func(p []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return r.Read(p)
	})
}

// classify gives an error its kind, and passes on that a context ended.
func classify(op string, err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if _, ok := errors.AsType[*artwork.Error](err); ok {
		return err
	}
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return &artwork.Error{Kind: artwork.StorageFull, Op: op, Msg: "there is no room for a backup", Err: err}
	}
	return &artwork.Error{Kind: artwork.Unavailable, Op: op, Msg: "the folder of backups cannot be used: " + err.Error(), Err: err}
}
