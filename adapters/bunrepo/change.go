package bunrepo

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"gatefold/domain/artwork"
)

const (
	// maxAttempts bounds how often a transaction is tried that meets another one.
	maxAttempts = 5
	// patience bounds the wait for the answer to COMMIT or ROLLBACK.
	patience = 10 * time.Second
)

// work is what a transaction does. It may run several times.
type work func(ctx context.Context, tx bun.Tx) error

// change runs work in a transaction that ends before the fence's deadline, and
// commits it if the fence is still held.
func (db *DB) change(ctx context.Context, op string, fence artwork.Fence, do work) error {
	var err error
	for range maxAttempts {
		err = db.attempt(ctx, fence, do)
		if err == nil || !db.engine.retryable(err) {
			break
		}
	}
	if lost, ok := errors.AsType[*fenceError](err); ok {
		return lost.error
	}
	return db.fail(ctx, op, err)
}

// fenceError carries an error of StillHeld past all classification.
type fenceError struct{ error }

func (db *DB) attempt(ctx context.Context, fence artwork.Fence, do work) error {
	bounded, cancel := within(ctx, fence.Deadline)
	defer cancel()
	conn, err := db.write.Conn(bounded)
	if err != nil {
		return db.lateOr(fence, err)
	}
	defer func() { _ = conn.Close() }() // back to the pool
	// A transaction of database/sql is rolled back, even while it commits, when
	// the context that it began with ends. Only giveUp ends this one.
	detached, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	tx, err := begin(bounded, detached, giveUp, conn)
	if err != nil {
		return db.lateOr(fence, err)
	}
	defer func() { // does nothing after a commit
		defer time.AfterFunc(patience, giveUp).Stop()
		_ = tx.Rollback()
	}()
	if err := db.perform(bounded, tx, fence, do); err != nil {
		return db.lateOr(fence, err)
	}
	return db.commit(ctx, tx, giveUp, fence)
}

func begin(bounded, detached context.Context, giveUp func(), conn bun.Conn) (bun.Tx, error) {
	stop := context.AfterFunc(bounded, giveUp)
	defer stop()
	// Statements that wait for a lock must see what its last holder wrote.
	return conn.BeginTx(detached, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
}

// perform does the work between two calls of endBy: the first bounds its
// statements, the second what follows.
func (db *DB) perform(ctx context.Context, tx bun.Tx, fence artwork.Fence, do work) error {
	if !fence.Deadline.IsZero() {
		if err := db.engine.endBy(ctx, tx, fence.Deadline); err != nil {
			return err
		}
	}
	if err := do(ctx, tx); err != nil {
		return err
	}
	if err := db.requireRevision(ctx, tx, fence); err != nil {
		return err
	}
	if !fence.Deadline.IsZero() {
		if err := db.engine.endBy(ctx, tx, fence.Deadline); err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (db *DB) commit(ctx context.Context, tx bun.Tx, giveUp func(), fence artwork.Fence) error {
	if err := fence.StillHeld(ctx); err != nil {
		return &fenceError{err}
	}
	if err := db.engine.mayCommit(fence.Deadline); err != nil {
		return err
	}
	defer time.AfterFunc(patience, giveUp).Stop()
	err := tx.Commit()
	switch {
	case err == nil:
		return nil
	case db.engine.timedOut(err) && db.engine.undone(err):
		return errTooLate(err)
	case db.engine.undone(err), errors.Is(err, sql.ErrTxDone):
		return err
	default:
		return &artwork.Error{Kind: artwork.OutcomeUnknown, Op: "bunrepo.change", Msg: "the database did not say whether it committed the change", Err: ownTimeout(err)}
	}
}

// lateOr returns err, or what it means if the fence's deadline brought it about.
func (db *DB) lateOr(fence artwork.Fence, err error) error {
	if _, ok := errors.AsType[*artwork.Error](err); ok || fence.Deadline.IsZero() {
		return err
	}
	if db.engine.timedOut(err) || isPast(fence.Deadline) {
		return errTooLate(err)
	}
	return err
}

func isPast(deadline time.Time) bool { return !deadline.IsZero() && !time.Now().Before(deadline) }

// within returns ctx with the deadline, if there is one.
func within(ctx context.Context, deadline time.Time) (context.Context, context.CancelFunc) {
	if deadline.IsZero() {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline)
}
