package bunrepo

import (
	"context"
	"time"

	"gatefold/domain/fleet"
)

// Claims keeps which instance does a task that is to be done once.
type Claims struct{ db *DB }

var _ fleet.Claims = (*Claims)(nil)

// NewClaims returns the claims in the database.
func NewClaims(db *DB) *Claims { return &Claims{db} }

// takeClaim is one statement: of two that run at once the second waits, and then
// looks at what the first has written.
const takeClaim = `
INSERT INTO fleet_tasks AS f (name, holder, until) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, until = EXCLUDED.until
WHERE f.until <= ? AND (f.finished_at IS NULL OR f.finished_at <= ?)`

// Claim implements fleet.Claims.
func (c *Claims) Claim(ctx context.Context, claim fleet.Claim, rest time.Duration) (taken bool, holder string, err error) {
	now := c.db.engine.fromNow
	taken, err = c.db.affects(ctx, "bunrepo.Claim", takeClaim, claim.Task, claim.Holder, now(claim.Term), now(0), now(-rest))
	if taken || err != nil {
		return taken, "", err
	}
	err = c.db.write.QueryRowContext(ctx, "SELECT holder FROM fleet_tasks WHERE name = ? AND until > ?", claim.Task, now(0)).Scan(&holder)
	if isNoRow(err) {
		return false, "", nil
	}
	return false, holder, c.db.fail(ctx, "bunrepo.Claim", err)
}

// Renew implements fleet.Claims.
func (c *Claims) Renew(ctx context.Context, claim fleet.Claim) error {
	now := c.db.engine.fromNow
	held, err := c.db.affects(ctx, "bunrepo.Renew", "UPDATE fleet_tasks SET until = ? WHERE name = ? AND holder = ? AND until > ?",
		now(claim.Term), claim.Task, claim.Holder, now(0))
	if err == nil && !held {
		err = errNotHeld()
	}
	return err
}

// Release implements fleet.Claims.
func (c *Claims) Release(ctx context.Context, claim fleet.Claim, finished bool) error {
	now := c.db.engine.fromNow
	_, err := c.db.affects(ctx, "bunrepo.Release", "UPDATE fleet_tasks SET until = ?, finished_at = CASE WHEN ? THEN ? ELSE finished_at END WHERE name = ? AND holder = ? AND until > ?",
		now(0), finished, now(0), claim.Task, claim.Holder, now(0))
	return err
}

// affects runs a statement and reports whether it changed a row.
func (db *DB) affects(ctx context.Context, op, statement string, args ...any) (bool, error) {
	result, err := db.write.ExecContext(ctx, statement, args...)
	if err != nil {
		return false, db.fail(ctx, op, err)
	}
	n, err := result.RowsAffected()
	return n > 0, db.fail(ctx, op, err)
}
