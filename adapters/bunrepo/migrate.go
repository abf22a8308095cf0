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
// when it is done. The schema of a later release stays what it is.
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

// MigrateTo brings the schema to a version, forward or back. Each step is a
// transaction; after an error, what was done before stays, and it can be called again.
// What a step back takes away is lost. InvalidInput: there is no such version.
// Conflict: the schema is that of a later release, and only that one can undo it.
func (db *DB) MigrateTo(ctx context.Context, version int64) error {
	const op = "bunrepo.MigrateTo"
	provider, err := db.provider()
	if err != nil {
		return err
	}
	current, latest, err := db.MigrationStatus(ctx)
	if err != nil {
		return err
	}
	if err := reachable(provider, version, current, latest); err != nil {
		return err
	}
	if version < current {
		_, err = provider.DownTo(ctx, version)
	} else {
		_, err = provider.UpTo(ctx, version)
	}
	return db.fail(ctx, op, err)
}

// reachable says whether this release can bring the schema to a version. It does not
// to 0, where there would be nothing left.
func reachable(provider *goose.Provider, version, current, latest int64) error {
	if current > latest {
		return artwork.Errorf(artwork.Conflict, "the schema is at version %d, and this release knows it up to %d: "+
			"only the release that made it can take it back", current, latest)
	}
	var known []int64
	for _, source := range provider.ListSources() {
		known = append(known, source.Version)
	}
	if !slices.Contains(known, version) {
		return artwork.Errorf(artwork.InvalidInput, "there is no version %d of the schema; there are %v", version, known)
	}
	return nil
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
