// Package migrated gives tests databases that have the present schema.
package migrated

import (
	"context"
	"errors"

	"gatefold/adapters/bunrepo"
	"gatefold/test/testenv"
)

// Postgres is testenv.Postgres for a database with the present schema and nothing in it.
func Postgres(tb testenv.TB) string {
	tb.Helper()
	return fresh(tb)
}

var fresh = testenv.PostgresFrom(func(url string) error {
	ctx := context.Background()
	db, err := bunrepo.Open(ctx, url)
	if err != nil {
		return err
	}
	return errors.Join(db.Migrate(ctx), db.Close())
})
