package bunrepo

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/uptrace/bun"
)

// Statement is what was sent to the database and answered, or not.
type Statement struct {
	query     string
	Operation string // its first word
	Begun     time.Time
	Err       error // that the database failed with
}

// Text returns the statement without the values in it.
func (s Statement) Text() string { return withoutValues(s.query) }

// Observer is told of every statement, with the context of who has sent it. It keeps nobody
// waiting and may be called concurrently.
type Observer func(ctx context.Context, statement Statement)

// Observe has the observer told of every statement from now on. It must be called before
// anything else is.
func (db *DB) Observe(observer Observer) {
	db.observer = observer
	db.read = db.read.WithQueryHook(statements{observer})
	db.write = db.write.WithQueryHook(statements{observer})
}

// Pools returns the state of the connections for reading and for writing.
func (db *DB) Pools() (read, write sql.DBStats) { return db.read.Stats(), db.write.Stats() }

// statements is a hook of bun.
type statements struct{ observe Observer }

// BeforeQuery implements bun.QueryHook.
func (statements) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

// AfterQuery implements bun.QueryHook. To roll back what was committed sends nothing.
func (s statements) AfterQuery(ctx context.Context, e *bun.QueryEvent) {
	if errors.Is(e.Err, sql.ErrTxDone) {
		return
	}
	err := failure(e.Err)
	s.observe(ctx, Statement{query: e.Query, Operation: e.Operation(), Begun: e.StartTime, Err: err})
}

// tell tells the observer of a statement that does not go through bun.
func (db *DB) tell(ctx context.Context, query string, begun time.Time, err error) {
	if db.observer == nil {
		return
	}
	operation, _, _ := strings.Cut(strings.TrimSpace(query), " ")
	db.observer(ctx, Statement{query: query, Operation: operation, Begun: begun, Err: failure(err)})
}

// failure leaves out what is none of the database: that there is no row is an answer.
func failure(err error) error {
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
