package backup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"gatefold/domain/artwork"
)

// Verify says whether backups are what was written.
type Verify struct {
	vault  Vault
	copies artwork.ImageStore
}

// NewVerify returns the act of reading the backups of a vault, whose images are in copies.
func NewVerify(vault Vault, copies artwork.ImageStore) *Verify { return &Verify{vault, copies} }

// List returns the backups of the vault, the oldest first.
func (v *Verify) List(ctx context.Context) ([]Kept, error) { return v.vault.List(ctx) }

// Verified is what was found of backups.
type Verified struct {
	Backups int
	Images  int
	// Wrong says what is missing or damaged.
	Wrong []string
}

// Run reads the backup of the ID or, if that is "", all of them, and every image that they
// refer to; each is held against its hash. It changes nothing, and may run beside Create.
// NotFound: there is no such backup, or none at all.
func (v *Verify) Run(ctx context.Context, id string, observer Observer) (Verified, error) {
	kept, err := v.vault.List(ctx)
	if err != nil {
		return Verified{}, err
	}
	if id != "" {
		one, err := find(kept, id)
		if err != nil {
			return Verified{}, err
		}
		kept = []Kept{one}
	}
	if len(kept) == 0 {
		return Verified{}, artwork.Errorf(artwork.NotFound, "there is no backup yet")
	}
	found := Verified{Backups: len(kept)}
	images := map[artwork.Hash]bool{}
	for _, backup := range kept {
		if err := v.files(ctx, backup, &found, images); err != nil {
			return found, err
		}
	}
	found.Images = len(images)
	return found, v.images(ctx, sorted(images), &found, observer)
}

// files checks the files of a backup and collects its images.
func (v *Verify) files(ctx context.Context, backup Kept, found *Verified, images map[artwork.Hash]bool) error {
	if unreadable := backup.Err; unreadable != nil {
		found.Wrong = append(found.Wrong, fmt.Sprintf("%s: %v", backup.ID, unreadable))
		return nil
	}
	sound := true
	for _, file := range backup.Manifest.Files {
		err := v.vault.Check(ctx, backup.ID, file)
		if errors.Is(err, ErrDamaged) {
			sound = sound && file.Name != imagesFile
			found.Wrong = append(found.Wrong, fmt.Sprintf("%s: %v", backup.ID, err))
		} else if err != nil {
			return err
		}
	}
	for _, hash := range backup.Manifest.Images.Lost {
		found.Wrong = append(found.Wrong, fmt.Sprintf("%s: the image %s was lost before it was made", backup.ID, hash))
	}
	if !sound {
		return nil
	}
	listed, err := imagesOf(v.vault, backup)
	for _, image := range listed {
		images[image.Hash] = true
	}
	return err
}

func (v *Verify) images(ctx context.Context, hashes []artwork.Hash, found *Verified, observer Observer) error {
	var mu sync.Mutex
	done := 0
	return each(ctx, hashes, func(ctx context.Context, hash artwork.Hash) error {
		_, err := read(ctx, v.copies, hash)
		mu.Lock()
		defer mu.Unlock()
		done++
		observer.Progress(done, len(hashes))
		if errors.Is(err, ErrDamaged) {
			found.Wrong = append(found.Wrong, fmt.Sprintf("the copy of the image %v: remove the file, and the next backup copies it again", err))
			return nil
		}
		return err
	})
}

// LastComplete returns when the newest backup was begun that lacks nothing, and 1970 if there is
// none.
func LastComplete(ctx context.Context, vault Vault) (time.Time, error) {
	kept, err := vault.List(ctx)
	if artwork.KindOf(err) == artwork.NotFound && err != nil {
		err = nil
	}
	for _, backup := range slices.Backward(kept) {
		if backup.Manifest != nil && backup.Manifest.Complete() {
			return backup.Manifest.CreatedAt, err
		}
	}
	return time.Unix(0, 0), err
}

// find returns the backup of the ID or, for "latest", the newest that can be read.
func find(kept []Kept, id string) (Kept, error) {
	for i := len(kept) - 1; i >= 0; i-- {
		if kept[i].ID == id || id == Latest && kept[i].Err == nil {
			return kept[i], kept[i].Err
		}
	}
	if id == Latest {
		return Kept{}, artwork.Errorf(artwork.NotFound, "there is no backup yet")
	}
	return Kept{}, artwork.Errorf(artwork.NotFound, "there is no backup %s", id)
}

// imagesOf returns the images of a backup, whose list must be sound.
func imagesOf(vault Vault, backup Kept) ([]artwork.StoredInfo, error) {
	if backup.Err != nil {
		return nil, backup.Err
	}
	file, err := os.Open(vault.Path(backup.ID, imagesFile))
	if err != nil {
		return nil, artwork.Wrap(artwork.Unavailable, "backup.Images", err)
	}
	defer func() { _ = file.Close() }() // only read
	var images []artwork.StoredInfo
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		text, number, _ := strings.Cut(lines.Text(), " ")
		hash, err := artwork.ParseHash(text)
		size, errSize := strconv.ParseInt(number, 10, 64)
		if err = errors.Join(err, errSize); err != nil {
			return nil, fmt.Errorf("%s of the backup %s: %w: %w", imagesFile, backup.ID, ErrDamaged, err)
		}
		images = append(images, artwork.StoredInfo{Hash: hash, Size: size})
	}
	return images, artwork.Wrap(artwork.Unavailable, "backup.Images", lines.Err())
}
