// Package backup copies a deployment to another place, and brings a copy back: the
// database as it was at one moment, and every image that it refers to.
//
// # Why a backup is whole
//
// The database is copied first, in one snapshot, and with it is told which images it
// refers to. Images never change under their hash, so that it does not matter when they
// are copied, as long as they are still there. One that was purged meanwhile is missing
// from the backup, as it is from the deployment. One that the database still refers to
// and that the store has lost is told, and the backup is kept all the same: it holds
// everything else.
//
// Renditions and what is cached follow from what is copied, so they are not. The copy of
// Redis that can be had with a backup is for who wants to look into it; nothing is ever
// restored from it.
package backup

import (
	"context"
	"errors"
	"io"
	"time"

	"gatefold/domain/artwork"
)

// Format is the layout of the backups that this program writes and reads.
const Format = 1

// The files of a backup, beside the copies of Redis.
const (
	databaseFile = "database"
	imagesFile   = "images.txt"
	secretFile   = "auth-secret"
)

// Manifest says what a backup holds. It is written last: without one there is no backup.
type Manifest struct {
	Format    int       `json:"format"`
	ID        string    `json:"id"`
	Program   string    `json:"program"` // the version that wrote it
	CreatedAt time.Time `json:"createdAt"`
	// Took is how long that was, in seconds.
	Took     float64 `json:"tookSeconds"`
	Database Origin  `json:"database"`
	Images   Images  `json:"images"`
	// Redis says why there is no copy of Redis although one was wanted.
	Redis string `json:"redis,omitempty"`
	Files []File `json:"files"`
}

// Origin is the database that was copied.
type Origin struct {
	Kind   string `json:"kind"`   // postgres or sqlite
	Schema int64  `json:"schema"` // the version of its schema
}

// Images counts what the database refers to.
type Images struct {
	Count int   `json:"count"`
	Bytes int64 `json:"bytes"`
	// New counts those that no earlier backup had: what this one has taken.
	New      int   `json:"new"`
	NewBytes int64 `json:"newBytes"`
	// Lost are those that the store could not give, or not as they were.
	Lost []artwork.Hash `json:"lost,omitempty"`
}

// File is one file of a backup.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Complete reports whether the backup holds all that it was to hold.
func (m *Manifest) Complete() bool { return len(m.Images.Lost) == 0 && m.Redis == "" }

func (m *Manifest) has(name string) bool {
	for _, file := range m.Files {
		if file.Name == name {
			return true
		}
	}
	return false
}

// idLayout makes the IDs of backups: when they were begun, in UTC. They sort by time.
const idLayout = "20060102T150405.000Z"

func idOf(moment time.Time) string { return moment.UTC().Format(idLayout) }

// Database is what is copied as a whole.
type Database interface {
	// Kind returns "postgres" or "sqlite".
	Kind() string
	// Dump writes the database as it is at one moment into a file, which must not exist,
	// and calls visit once with every content that records refer to at that moment. It
	// waits for no writer, and none waits for it.
	Dump(ctx context.Context, path string, visit func(artwork.Hash, int64) error) error
	// Load makes a dump the database: all of it or, after an error, nothing. Conflict:
	// there is something in the database already.
	Load(ctx context.Context, path string) error
	// Blank reports whether there is nothing in the database, not even a schema.
	Blank(ctx context.Context) (bool, error)
	// MigrationStatus returns the version of the schema, and the latest that there is.
	MigrationStatus(ctx context.Context) (current, latest int64, err error)
}

// Vault is where backups are kept: each with its files, and the images that they share.
type Vault interface {
	// Lock keeps every other process from writing to the vault until unlock is called.
	// Conflict: another one does.
	Lock(ctx context.Context) (unlock func(), err error)
	// Begin begins a backup, and removes what is left of one that was never finished. The
	// lock must be held. Conflict: there is one of that ID.
	Begin(id string) (Draft, error)
	// List returns the backups, the oldest first. One whose manifest cannot be read is
	// there too, with the reason.
	List(ctx context.Context) ([]Kept, error)
	// Check compares a file of a backup with what the manifest says of it. ErrDamaged: it
	// is missing, or not what it was.
	Check(ctx context.Context, id string, file File) error
	// Path returns where a file of a backup lies.
	Path(id, name string) string
	// Remove removes a backup, but no image. The lock must be held.
	Remove(id string) error
}

// Draft is a backup that is being written.
type Draft interface {
	// Path returns where a file is to be written that some tool writes.
	Path(name string) string
	// Write writes a file, which only its owner may read.
	Write(name string, write func(io.Writer) error) error
	// Commit makes the draft a backup, with the size and hash of every file filled in;
	// when it returns, the backup survives a crash.
	Commit(ctx context.Context, manifest *Manifest) error
	// Discard removes what was written, as far as that can be.
	Discard()
}

// Kept is a backup in a vault.
type Kept struct {
	ID       string
	Manifest *Manifest // nil if it cannot be read
	Err      error
}

// Observer is told how far an act has come.
type Observer interface {
	Progress(done, total int)
}

// ErrDamaged is what a part of a backup is that is missing, or not what was written.
var ErrDamaged = errors.New("damaged")
