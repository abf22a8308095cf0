package bunrepo

import (
	"context"
	"errors"
	"slices"

	"gatefold/application/bulkapply"
	"gatefold/application/fillmissing"
)

// Backlog counts the work that is left to jobs.
type Backlog struct{ db *DB }

// NewBacklog returns the backlog in the database.
func NewBacklog(db *DB) *Backlog { return &Backlog{db} }

// Unfinished counts jobs that have not ended: of a kind, bulk or fill, in a state, queued, running or
// paused.
type Unfinished struct {
	Kind, State string
	Jobs        int
}

// Count counts the jobs of every kind in every state, also where there are none.
func (b *Backlog) Count(ctx context.Context) (counts []Unfinished, err error) {
	const op = "bunrepo.Backlog"
	for _, kind := range []string{"bulk", "fill"} {
		for _, state := range []fillmissing.State{fillmissing.Queued, fillmissing.Running, fillmissing.Paused} {
			counts = append(counts, Unfinished{Kind: kind, State: string(state)})
		}
	}
	rows, err := b.db.read.QueryContext(ctx, `SELECT 'bulk', CASE WHEN started_at IS NULL THEN ? ELSE ? END AS state, count(*) FROM bulk_jobs WHERE finished_at IS NULL GROUP BY 2
		UNION ALL SELECT 'fill', state, count(*) FROM fill_jobs WHERE finished_at IS NULL GROUP BY 2`, string(bulkapply.Queued), string(bulkapply.Running))
	if err != nil {
		return nil, b.db.fail(ctx, op, err)
	}
	defer func() { err = b.db.fail(ctx, op, errors.Join(err, rows.Close())) }()
	for rows.Next() {
		var found Unfinished
		if err := rows.Scan(&found.Kind, &found.State, &found.Jobs); err != nil {
			return nil, err
		}
		i := slices.IndexFunc(counts, func(c Unfinished) bool { return c.Kind == found.Kind && c.State == found.State })
		if i >= 0 {
			counts[i] = found
		}
	}
	return counts, rows.Err()
}
