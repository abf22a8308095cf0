package bunrepo

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/uptrace/bun"
)

// Observer is told of every statement: its first word, how long its answer took, and whether
// it failed. It keeps nobody waiting and may be called concurrently.
type Observer func(operation string, took time.Duration, err error)

// Observe has the observer told of every statement from now on. It must be called before
// anything else is.
func (db *DB) Observe(observer Observer) {
	db.read = db.read.WithQueryHook(statements{observer})
	db.write = db.write.WithQueryHook(statements{observer})
}

// Pools returns the state of the connections for reading and for writing.
func (db *DB) Pools() (read, write sql.DBStats) { return db.read.Stats(), db.write.Stats() }

// statements is a hook of bun.
type statements struct{ observe Observer }

// BeforeQuery implements bun.QueryHook.
func (statements) BeforeQuery(ctx context.Context, _ *bun.QueryEvent) context.Context { return ctx }

// AfterQuery implements bun.QueryHook. That there is no row is an answer, and to roll
// back what was committed does nothing.
func (s statements) AfterQuery(_ context.Context, e *bun.QueryEvent) {
	err := e.Err
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, sql.ErrTxDone) || errors.Is(err, context.Canceled) {
		err = nil
	}
	s.observe(e.Operation(), time.Since(e.StartTime), err)
}
