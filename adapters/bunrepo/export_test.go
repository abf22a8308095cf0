package bunrepo

import (
	"context"
	"time"

	"github.com/uptrace/bun"
)

// Write gives tests the connections for changes.
func (db *DB) Write() *bun.DB { return db.write }

// Read gives tests the connections for reading.
func (db *DB) Read() *bun.DB { return db.read }

// Down takes every migration back.
func (db *DB) Down(ctx context.Context) error { return db.DownTo(ctx, 0) }

// DownTo takes the migrations after the version back.
func (db *DB) DownTo(ctx context.Context, version int64) error {
	provider, err := db.provider()
	if err != nil {
		return err
	}
	_, err = provider.DownTo(ctx, version)
	return err
}

// WithoutServerDeadline returns the database as it would be if only the client
// watched the deadline of a fence, before it sends COMMIT.
func (db *DB) WithoutServerDeadline() *DB {
	return &DB{engine: clientDeadline{db.engine}, read: db.read, write: db.write}
}

type clientDeadline struct{ engine }

func (clientDeadline) endBy(context.Context, bun.Tx, time.Time) error { return nil }

// BeforeLock returns the database with a hook that is called before rows are
// locked; and, unless lock is true, as it would be if it did not lock them.
func (db *DB) BeforeLock(lock bool, hook func()) *DB {
	return &DB{engine: hookedLock{db.engine, lock, hook}, read: db.read, write: db.write}
}

type hookedLock struct {
	engine
	lock bool
	hook func()
}

func (h hookedLock) forUpdate(query *bun.SelectQuery) *bun.SelectQuery {
	h.hook()
	if h.lock {
		return h.engine.forUpdate(query)
	}
	return query
}
