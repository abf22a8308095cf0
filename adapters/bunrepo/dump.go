package bunrepo

import (
	"context"
	"errors"

	"github.com/uptrace/bun"

	"gatefold/application/backup"
	"gatefold/domain/artwork"
)

var _ backup.Database = (*DB)(nil)

// instancesTable says which instances run. Those that did when a dump was made do not when it
// is restored, and nobody shall wait for them.
const instancesTable = "instances"

// Dump implements backup.Database: a file of pg_dump's custom format, or a database of
// SQLite. Which instances run is left out.
func (db *DB) Dump(ctx context.Context, path string, visit func(artwork.Hash, int64) error) error {
	return db.fail(ctx, "bunrepo.Dump", db.engine.dump(ctx, db, path, visit))
}

// Load implements backup.Database.
func (db *DB) Load(ctx context.Context, path string) error {
	const op = "bunrepo.Load"
	blank, err := db.Blank(ctx)
	if err == nil && !blank {
		err = artwork.Errorf(artwork.Conflict, "the database is not empty")
	}
	if err == nil {
		err = db.engine.load(ctx, path)
	}
	return db.fail(ctx, op, err)
}

// Blank implements backup.Database.
func (db *DB) Blank(ctx context.Context) (bool, error) {
	blank, err := db.engine.blank(ctx, db)
	return blank, db.fail(ctx, "bunrepo.Blank", err)
}

// contents calls visit with everything that records refer to.
func contents(ctx context.Context, on bun.IDB, visit func(artwork.Hash, int64) error) (err error) {
	rows, err := on.NewSelect().Model((*imageRow)(nil)).ColumnExpr("DISTINCT i.hash, i.size").Rows(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var hash []byte
		var size int64
		if err := rows.Scan(&hash, &size); err != nil {
			return err
		}
		if len(hash) != len(artwork.Hash{}) {
			return artwork.Errorf(artwork.Internal, "a record has a hash of %d bytes", len(hash))
		}
		if err := visit(artwork.Hash(hash), size); err != nil {
			return err
		}
	}
	return rows.Err()
}
