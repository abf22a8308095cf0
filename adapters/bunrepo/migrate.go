package bunrepo

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"gatefold/domain/artwork"
)

//go:embed migrations
var migrationFiles embed.FS

// migrations are the steps of one engine's schema.
type migrations struct {
	dialect goose.Dialect
	folder  string
	options []goose.ProviderOption
	// versionTable counts the tables in which goose keeps the version: 0 or 1.
	versionTable string
}

func (postgres) migrations() (migrations, error) {
	// Session-level: it holds across the steps, each of which is a transaction,
	// and ends with the connection of an instance that dies.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300))
	if err != nil {
		return migrations{}, err
	}
	return migrations{
		dialect:      goose.DialectPostgres,
		folder:       "migrations/postgres",
		options:      []goose.ProviderOption{goose.WithSessionLocker(locker)},
		versionTable: "SELECT count(*) FROM pg_class WHERE oid = to_regclass('goose_db_version')",
	}, nil
}

func (sqlite) migrations() (migrations, error) {
	return migrations{
		dialect:      goose.DialectSQLite3,
		folder:       "migrations/sqlite",
		versionTable: "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'goose_db_version'",
	}, nil
}

// Migrate brings the schema up to date; on SQLite it creates the file. Several
// instances may do so at once: each step is taken by one of them, and all return
// when it is done.
func (db *DB) Migrate(ctx context.Context) error {
	provider, err := db.provider()
	if err != nil {
		return err
	}
	return db.fail(ctx, "bunrepo.Migrate", untilDone(ctx, provider))
}

// untilDone takes the pending steps. Where there is no lock to take (SQLite) an
// instance fails at a step that another one takes at the same time, and its
// transaction leaves nothing behind; it tries again as long as there is progress.
func untilDone(ctx context.Context, provider *goose.Provider) error {
	for before := int64(-1); ; {
		_, err := provider.Up(ctx)
		if err == nil {
			return nil
		}
		after, errVersion := provider.GetDBVersion(ctx)
		if errVersion != nil || after <= before {
			return err
		}
		before = after
	}
}

// MigrationStatus returns the version of the schema, 0 before the first Migrate,
// and the version that Migrate brings it to. It changes nothing.
func (db *DB) MigrationStatus(ctx context.Context) (current, latest int64, err error) {
	provider, err := db.provider()
	if err != nil {
		return 0, 0, err
	}
	for _, source := range provider.ListSources() {
		latest = max(latest, source.Version)
	}
	if e, ok := db.engine.(sqlite); ok {
		if _, err := os.Stat(e.path); errors.Is(err, fs.ErrNotExist) {
			return 0, latest, nil
		}
	}
	current, err = db.version(ctx)
	return current, latest, db.fail(ctx, "bunrepo.MigrationStatus", err)
}

// version reads what goose wrote. Goose's own way to ask creates its table.
func (db *DB) version(ctx context.Context) (int64, error) {
	steps, err := db.engine.migrations()
	if err != nil {
		return 0, err
	}
	var tables int
	if err := db.read.QueryRowContext(ctx, steps.versionTable).Scan(&tables); err != nil || tables == 0 {
		return 0, err
	}
	var version sql.NullInt64
	err = db.read.QueryRowContext(ctx, "SELECT max(version_id) FROM goose_db_version").Scan(&version)
	return version.Int64, err
}

func (db *DB) provider() (*goose.Provider, error) {
	steps, err := db.engine.migrations()
	if err != nil {
		return nil, artwork.Wrap(artwork.Internal, "bunrepo.Migrate", err)
	}
	files, err := fs.Sub(migrationFiles, steps.folder)
	if err != nil {
		return nil, artwork.Wrap(artwork.Internal, "bunrepo.Migrate", err)
	}
	options := slices.Concat(steps.options, []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)})
	provider, err := goose.NewProvider(steps.dialect, db.write.DB, files, options...)
	return provider, artwork.Wrap(artwork.Internal, "bunrepo.Migrate", err)
}
