package backup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"sort"
	"sync"
	"time"

	"gatefold/domain/artwork"
)

// copiesAtOnce is how many images are copied at once: a copy mostly waits for the disk.
const copiesAtOnce = 4

// Create makes backups.
type Create struct {
	database Database
	archive  artwork.ImageArchive
	store    artwork.ImageStore
	vault    Vault
	copies   artwork.ImageStore
	now      func() time.Time
}

// NewCreate returns the act of copying the database and the store into the vault, whose
// images are in copies.
func NewCreate(database Database, archive artwork.ImageArchive, store artwork.ImageStore, vault Vault, copies artwork.ImageStore) *Create {
	return &Create{database, archive, store, vault, copies, time.Now}
}

// CreateIn is what a backup is made with.
type CreateIn struct {
	Program string // the version of the program
	// Redis writes copies of what Redis holds into files that it makes by path; nil: none
	// are wanted. That it fails is told, and fails nothing else.
	Redis func(ctx context.Context, path func(name string) string) error
	// Secret is what the deployment has generated for itself and keeps in a file; nil if
	// the operator has given it one, and keeps it.
	Secret []byte
	// Keep says which backups stay.
	Keep Retention
}

// Created is what a backup has become, and what went for it.
type Created struct {
	Manifest *Manifest
	Removed  []string // the backups that are no longer kept
	Freed    int      // the images that went with them
}

// Run makes a backup. The deployment may go on meanwhile; an image that is put in force
// after the act has begun may or may not be part of it. After an error, and after a crash,
// there is no new backup, and the others are as they were.
//
// Conflict: another backup is being made in the same place. Unavailable, StorageFull: the
// database, the store or the vault fails.
func (c *Create) Run(ctx context.Context, in CreateIn, observer Observer) (Created, error) {
	unlock, err := c.vault.Lock(ctx)
	if err != nil {
		return Created{}, err
	}
	defer unlock()
	manifest, err := c.create(ctx, in, observer)
	if err != nil {
		return Created{}, err
	}
	removed, freed, err := prune(ctx, c.vault, c.copies, in.Keep, c.now())
	return Created{manifest, removed, freed}, err
}

func (c *Create) create(ctx context.Context, in CreateIn, observer Observer) (*Manifest, error) {
	begun := c.now()
	manifest := &Manifest{Format: Format, ID: idOf(begun), Program: in.Program, CreatedAt: begun.UTC()}
	draft, err := c.vault.Begin(manifest.ID)
	if err != nil {
		return nil, err
	}
	if err := c.fill(ctx, draft, manifest, in, observer); err != nil {
		draft.Discard()
		return nil, err
	}
	manifest.Took = c.now().Sub(begun).Seconds()
	if err := draft.Commit(ctx, manifest); err != nil {
		draft.Discard()
		return nil, err
	}
	return manifest, nil
}

// fill writes everything but the manifest.
func (c *Create) fill(ctx context.Context, draft Draft, manifest *Manifest, in CreateIn, observer Observer) error {
	referenced, err := c.dump(ctx, draft, manifest)
	if err != nil {
		return err
	}
	if err := c.copyImages(ctx, referenced, manifest, observer); err != nil {
		return err
	}
	if err := draft.Write(imagesFile, func(w io.Writer) error { return writeImages(w, referenced) }); err != nil {
		return err
	}
	if in.Secret != nil {
		err := draft.Write(secretFile, func(w io.Writer) error {
			_, err := w.Write(in.Secret)
			return err
		})
		if err != nil {
			return err
		}
	}
	if in.Redis != nil {
		if err := in.Redis(ctx, draft.Path); err != nil {
			manifest.Redis = err.Error()
		}
	}
	return ctx.Err()
}

// dump copies the database and returns the size of every image that the copy refers to.
func (c *Create) dump(ctx context.Context, draft Draft, manifest *Manifest) (map[artwork.Hash]int64, error) {
	referenced := map[artwork.Hash]int64{}
	err := c.database.Dump(ctx, draft.Path(databaseFile), func(hash artwork.Hash, size int64) error {
		referenced[hash] = size
		return nil
	})
	if err != nil {
		return nil, err
	}
	current, _, err := c.database.MigrationStatus(ctx)
	manifest.Database = Origin{Kind: c.database.Kind(), Schema: current}
	return referenced, err
}

// copyImages copies what the vault does not have. What turns out to be gone is taken out
// of referenced if nothing refers to it any more.
func (c *Create) copyImages(ctx context.Context, referenced map[artwork.Hash]int64, manifest *Manifest, observer Observer) error {
	wanted, err := c.wanted(ctx, referenced)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	done := 0
	err = each(ctx, wanted, func(ctx context.Context, hash artwork.Hash) error {
		size, err := c.copyImage(ctx, hash)
		lost := errors.Is(err, ErrDamaged)
		purged := false
		if lost {
			var refers bool
			refers, err = c.archive.Refers(ctx, hash)
			purged = !refers
		}
		if err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		done++
		observer.Progress(done, len(wanted))
		switch {
		case purged:
			delete(referenced, hash)
		case lost:
			manifest.Images.Lost = append(manifest.Images.Lost, hash)
		default:
			manifest.Images.New++
			manifest.Images.NewBytes += size
		}
		return nil
	})
	sort.Slice(manifest.Images.Lost, func(i, j int) bool { return less(manifest.Images.Lost[i], manifest.Images.Lost[j]) })
	for _, hash := range manifest.Images.Lost {
		delete(referenced, hash)
	}
	for _, size := range referenced {
		manifest.Images.Count++
		manifest.Images.Bytes += size
	}
	return err
}

// wanted returns what is referenced and not yet in the vault in its full size.
func (c *Create) wanted(ctx context.Context, referenced map[artwork.Hash]int64) ([]artwork.Hash, error) {
	missing := make(map[artwork.Hash]bool, len(referenced))
	for hash := range referenced {
		missing[hash] = true
	}
	err := c.copies.List(ctx, func(stored artwork.StoredInfo) error {
		if size, ok := referenced[stored.Hash]; ok && size == stored.Size {
			delete(missing, stored.Hash)
		}
		return nil
	})
	return sorted(missing), err
}

// copyImage copies one image into the vault. ErrDamaged: the store does not have it, or has
// other bytes under its hash.
func (c *Create) copyImage(ctx context.Context, hash artwork.Hash) (int64, error) {
	content, err := read(ctx, c.store, hash)
	if err != nil {
		return 0, err
	}
	_, err = c.copies.Put(ctx, content)
	return int64(len(content)), err
}

// read returns the content of the hash. ErrDamaged: the store does not have it, or has
// other bytes under its hash.
func read(ctx context.Context, store artwork.ImageStore, hash artwork.Hash) ([]byte, error) {
	file, err := store.Open(ctx, hash)
	if artwork.KindOf(err) == artwork.NotFound {
		return nil, fmt.Errorf("%s is missing: %w", hash, ErrDamaged)
	}
	if err != nil {
		return nil, err
	}
	content, err := io.ReadAll(file)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	if artwork.HashOf(content) != hash {
		return nil, fmt.Errorf("%s has other bytes: %w", hash, ErrDamaged)
	}
	return content, nil
}

// each calls do with every hash, several at once, until one fails.
func each(ctx context.Context, hashes []artwork.Hash, do func(context.Context, artwork.Hash) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan artwork.Hash)
	var working sync.WaitGroup
	for range copiesAtOnce {
		working.Go(func() {
			for hash := range queue {
				if err := do(ctx, hash); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, hash := range hashes {
		select {
		case queue <- hash:
		case <-ctx.Done():
		}
	}
	close(queue)
	working.Wait()
	return context.Cause(ctx)
}

func less(a, b artwork.Hash) bool { return a.String() < b.String() }

func sorted(set map[artwork.Hash]bool) []artwork.Hash {
	hashes := make([]artwork.Hash, 0, len(set))
	for hash := range set {
		hashes = append(hashes, hash)
	}
	sort.Slice(hashes, func(i, j int) bool { return less(hashes[i], hashes[j]) })
	return hashes
}

// writeImages writes a line for every image: its hash, as sha256sum has it, and its size.
func writeImages(w io.Writer, images map[artwork.Hash]int64) error {
	set := make(map[artwork.Hash]bool, len(images))
	for hash := range images {
		set[hash] = true
	}
	buffered := bufio.NewWriter(w)
	for _, hash := range sorted(set) {
		if _, err := fmt.Fprintf(buffered, "%s %d\n", hash, images[hash]); err != nil {
			return err
		}
	}
	return buffered.Flush()
}
