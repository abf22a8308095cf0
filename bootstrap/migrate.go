package bootstrap

import (
	"context"
	"fmt"
	"io"
	"strings"

	"gatefold/adapters/bunrepo"
	"gatefold/adapters/control"
	"gatefold/domain/artwork"
)

// registrySince is the first version of the schema that has the registry of instances.
const registrySince = 3

type migrateCommand struct {
	To      *int64 `placeholder:"VERSION" help:"The version to go to, forward or back. What a step back takes away is lost: make a backup before. Default: the latest."`
	Serving bool   `help:"Go back although instances serve: all of them are of the release to which VERSION belongs, and none of a later one."`
}

// Run migrates the database. A running server has done so when it started.
func (m migrateCommand) Run(c *command) error {
	cfg, _, err := c.beginQuietly()
	if err != nil {
		return err
	}
	if _, err := control.Dial(c.ctx, cfg.DataDir); err == nil && cfg.Embedded() {
		if m.To != nil {
			return artwork.Errorf(artwork.Conflict, "a server is running on %s: stop it first", cfg.DataDir)
		}
		_, err = fmt.Fprintln(c.stdout, "A server is running on this data directory; it migrated the database when it started.")
		return err
	}
	lock, err := lockDataDir(cfg)
	if err != nil {
		return err
	}
	defer func() { _ = lock.Unlock() }() // the end of the process does it too
	// Who holds an embedded deployment's lock knows that nobody serves.
	m.Serving = m.Serving || cfg.Embedded()
	return m.migrate(c.ctx, cfg, c.stdout)
}

func (m migrateCommand) migrate(ctx context.Context, cfg Config, w io.Writer) error {
	db, err := bunrepo.Open(ctx, cfg.DatabaseURL)
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // nothing is written any more
	if err := m.move(ctx, db); err != nil {
		return err
	}
	current, _, err := db.MigrationStatus(ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "The %s database is at version %d.\n", db.Kind(), current)
	return err
}

func (m migrateCommand) move(ctx context.Context, db *bunrepo.DB) error {
	if m.To == nil {
		return db.Migrate(ctx)
	}
	current, latest, err := db.MigrationStatus(ctx)
	if err != nil {
		return err
	}
	// A schema of a later release may tell otherwise who serves; MigrateTo refuses it.
	if *m.To < current && current >= registrySince && current <= latest && !m.Serving {
		if err := refuseWhileServing(ctx, db, *m.To); err != nil {
			return err
		}
	}
	return db.MigrateTo(ctx, *m.To)
}

// refuseWhileServing fails if an instance is alive: nobody knows of which release it is,
// and one that needs what is taken away would fail.
func refuseWhileServing(ctx context.Context, db *bunrepo.DB, version int64) error {
	state, err := bunrepo.NewDeployment(db).Look(ctx)
	if err != nil {
		return err
	}
	var live []string
	for _, member := range state.Members {
		if member.Live {
			live = append(live, member.Name)
		}
	}
	if len(live) == 0 {
		return nil
	}
	return artwork.Errorf(artwork.Conflict, "these instances serve: %s. Stop those of a release that needs a schema later than version %d (one that was killed counts for half a minute). "+
		"If all the others are of an earlier one, add --serving", strings.Join(live, ", "), version)
}
