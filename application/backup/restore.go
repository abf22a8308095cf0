package backup

import (
	"context"
	"errors"
	"os"
	"sync"

	"gatefold/domain/artwork"
)

// Latest names the newest backup that can be read.
const Latest = "latest"

// Restore brings a backup back.
type Restore struct {
	vault    Vault
	copies   artwork.ImageStore
	database Database
	store    artwork.ImageStore
}

// NewRestore returns the act of bringing a backup of the vault, whose images are in copies,
// into the database and the store.
func NewRestore(vault Vault, copies artwork.ImageStore, database Database, store artwork.ImageStore) *Restore {
	return &Restore{vault, copies, database, store}
}

// RestoreIn is what to restore.
type RestoreIn struct {
	ID string // of the backup, or Latest
	// Secret is given what the deployment had generated for itself, if the backup has it,
	// before anything that it has sealed is there.
	Secret func(secret []byte) error
}

// Run brings the backup into an empty deployment, that nobody uses: the images first, then
// the database, which is the moment from which they are referred to. The history, the tags and
// the accounts are those of the moment when the backup was made. After an error, the database
// is as empty as before, and the same call may be repeated.
//
// Everything is checked against its hash before, or while, it is copied. ErrDamaged: it is
// not what was written. Conflict: the database is not empty. InvalidInput: the backup is one
// of another kind of database, or was made by a later version.
func (r *Restore) Run(ctx context.Context, in RestoreIn, observer Observer) (*Manifest, error) {
	kept, err := r.vault.List(ctx)
	if err != nil {
		return nil, err
	}
	backup, err := find(kept, in.ID)
	if err != nil {
		return nil, err
	}
	manifest := backup.Manifest
	if err := r.fits(ctx, manifest); err != nil {
		return nil, err
	}
	for _, file := range manifest.Files {
		if err := r.vault.Check(ctx, manifest.ID, file); err != nil {
			return nil, err
		}
	}
	if err := r.images(ctx, backup, observer); err != nil {
		return nil, err
	}
	if err := r.secret(manifest, in.Secret); err != nil {
		return nil, err
	}
	return manifest, r.database.Load(ctx, r.vault.Path(manifest.ID, databaseFile))
}

// fits checks that the backup can be brought into this database.
func (r *Restore) fits(ctx context.Context, manifest *Manifest) error {
	if kind := r.database.Kind(); kind != manifest.Database.Kind {
		return artwork.Errorf(artwork.InvalidInput, "the backup %s is of a %s database, and DATABASE_URL names one of %s: "+
			"restore it into its own kind", manifest.ID, manifest.Database.Kind, kind)
	}
	blank, err := r.database.Blank(ctx)
	if err != nil {
		return err
	}
	if !blank {
		return artwork.Errorf(artwork.Conflict, "the database is not empty: a backup is only restored into an empty one, so that nothing is lost. "+
			"Stop every instance, and set the old database aside")
	}
	_, latest, err := r.database.MigrationStatus(ctx)
	if err == nil && manifest.Database.Schema > latest {
		err = artwork.Errorf(artwork.InvalidInput, "the backup %s was made by version %s, whose schema (%d) is newer than this program knows (%d): restore it with that version",
			manifest.ID, manifest.Program, manifest.Database.Schema, latest)
	}
	return err
}

func (r *Restore) images(ctx context.Context, backup Kept, observer Observer) error {
	images, err := imagesOf(r.vault, backup)
	if err != nil {
		return err
	}
	hashes := make([]artwork.Hash, len(images))
	for i, image := range images {
		hashes[i] = image.Hash
	}
	var mu sync.Mutex
	done := 0
	return each(ctx, hashes, func(ctx context.Context, hash artwork.Hash) error {
		content, err := read(ctx, r.copies, hash)
		if err == nil {
			_, err = r.store.Put(ctx, content)
		}
		mu.Lock()
		defer mu.Unlock()
		done++
		observer.Progress(done, len(hashes))
		return err
	})
}

func (r *Restore) secret(manifest *Manifest, use func([]byte) error) error {
	if !manifest.has(secretFile) {
		return nil
	}
	secret, err := os.ReadFile(r.vault.Path(manifest.ID, secretFile))
	if err != nil {
		return errors.Join(artwork.Errorf(artwork.Unavailable, "the secret of the backup %s cannot be read", manifest.ID), err)
	}
	return use(secret)
}
