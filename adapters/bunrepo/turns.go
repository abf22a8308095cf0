package bunrepo

import (
	"context"
	"time"

	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
)

// Turns are shared by all processes on the database, for fleets without Redis.
//
// They are rows that expire, and no advisory locks: such a lock would keep a connection
// of the few that there are for as long as a rendering takes, would not end when its
// holder stalls, and is lost behind a pooler that hands connections round.
type Turns struct{ db *DB }

var _ renderimage.Turns = (*Turns)(nil)

// NewTurns returns the turns in the database.
func NewTurns(db *DB) *Turns { return &Turns{db} }

// turnPrefix is that of turns among the tasks of the fleet. What comes after all names
// that begin with it begins with turnEnd.
const (
	turnPrefix = "turn:"
	turnEnd    = "turn;"
)

const takeTurn = `
INSERT INTO fleet_tasks AS f (name, holder, until) VALUES (?, ?, ?)
ON CONFLICT (name) DO UPDATE SET holder = EXCLUDED.holder, until = EXCLUDED.until
WHERE f.until <= ?`

// giveTurn also clears up after holders that have died.
const giveTurn = "DELETE FROM fleet_tasks WHERE name = ? AND holder = ? OR name >= ? AND name < ? AND until <= ?"

// giveBudget bounds the giving back of a turn, which ends with its term otherwise.
const giveBudget = 5 * time.Second

// Take implements renderimage.Turns.
func (t *Turns) Take(ctx context.Context, name string, term time.Duration) (release func(), taken bool, err error) {
	now, holder := t.db.engine.fromNow, artwork.NewID().String()
	taken, err = t.db.affects(ctx, "bunrepo.Take", takeTurn, turnPrefix+name, holder, now(term), now(0))
	if err != nil || !taken {
		return nil, false, err
	}
	return func() { t.give(context.WithoutCancel(ctx), name, holder) }, true, nil
}

func (t *Turns) give(ctx context.Context, name, holder string) {
	ctx, cancel := context.WithTimeout(ctx, giveBudget)
	defer cancel()
	_, _ = t.db.affects(ctx, "bunrepo.Give", giveTurn, turnPrefix+name, holder, turnPrefix, turnEnd, t.db.engine.fromNow(0))
}
