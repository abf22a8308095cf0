package bootstrap

import (
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"gatefold/domain/artwork"
)

// lockDataDir takes the lock on the data directory for the life of the process.
// An embedded deployment holds it alone; instances that share a database and a
// cache share the directory too. It is released with the process, however that
// ends.
func lockDataDir(cfg Config) (*flock.Flock, error) {
	if err := os.MkdirAll(cfg.DataDir, 0o750); err != nil {
		return nil, artwork.Errorf(artwork.InvalidInput, "DATA_DIR: %s cannot be created: %v", cfg.DataDir, err)
	}
	lock := flock.New(filepath.Join(cfg.DataDir, "gatefold.lock"))
	take := lock.TryRLock
	if cfg.Embedded() {
		take = lock.TryLock
	}
	taken, err := take()
	if err != nil {
		return nil, artwork.Errorf(artwork.InvalidInput, "DATA_DIR: %s cannot be locked: %v", cfg.DataDir, err)
	}
	if !taken {
		return nil, artwork.Errorf(artwork.Conflict, "another gatefold process holds %s: with SQLite, or with the cache in memory, "+
			"exactly one may use it. Stop the other one, choose another DATA_DIR, or use Postgres and Redis", cfg.DataDir)
	}
	return lock, nil
}
