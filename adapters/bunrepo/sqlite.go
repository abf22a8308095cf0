package bunrepo

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	"github.com/uptrace/bun/schema"
	sqlitedriver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"gatefold/domain/artwork"
)

// Parameters of the connections. Writers take the write lock when they begin
// (immediate): one that read first and then finds the lock taken could only
// fail. FULL makes COMMIT wait for the disk: what was acknowledged is kept.
const (
	sqliteCommon = "_busy_timeout=10000&_foreign_keys=on&_synchronous=FULL"
	sqliteWrite  = sqliteCommon + "&_journal_mode=WAL&_txlock=immediate"
	// Readers neither create the file nor change anything in it.
	sqliteRead = sqliteCommon + "&mode=rw&_query_only=on"
)

func openSQLite(path string) (*DB, error) {
	if path == "" || path == ":memory:" {
		return nil, artwork.Errorf(artwork.InvalidInput, `DATABASE_URL names no file: use "sqlite:PATH"`)
	}
	folder := filepath.Dir(path)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return nil, artwork.Errorf(artwork.InvalidInput, "DATABASE_URL names a file in %q, which is not a folder", folder)
	}
	read, err := sqlitePool(path, sqliteRead, readConnections)
	if err != nil {
		return nil, err
	}
	write, err := sqlitePool(path, sqliteWrite, 1)
	if err != nil {
		return nil, errors.Join(err, read.Close())
	}
	return &DB{engine: sqlite{path: path}, read: read, write: write, lists: newListIndex()}, nil
}

func sqlitePool(path, parameters string, connections int) (*bun.DB, error) {
	// A path may contain what separates the parts of a URI.
	file := url.URL{Path: path}
	pool, err := sql.Open("sqlite", "file:"+file.EscapedPath()+"?"+parameters)
	if err != nil {
		return nil, artwork.Wrap(artwork.Internal, "bunrepo.Open", err)
	}
	limitPool(pool, connections)
	return bun.NewDB(pool, sqlitedialect.New(), besideLaterRelease()), nil
}

type sqlite struct{ path string }

func (sqlite) kind() string { return "sqlite" }

func (sqlite) prepared(args ...any) []any { return args }

// forUpdate changes nothing: there is one writer at a time.
func (sqlite) forUpdate(query *bun.SelectQuery) *bun.SelectQuery { return query }

func (sqlite) forShare(query *bun.SelectQuery) *bun.SelectQuery { return query }

func (sqlite) forReference(query *bun.SelectQuery) *bun.SelectQuery { return query }

func (sqlite) skipLocked(query *bun.SelectQuery) *bun.SelectQuery { return query }

// endBy does nothing: the database is in this process, and its COMMIT cannot be
// on its way while nobody watches. mayCommit watches.
func (sqlite) endBy(context.Context, bun.Tx, time.Time) error { return nil }

func (sqlite) mayCommit(deadline time.Time) error {
	if isPast(deadline) {
		return errTooLate(nil)
	}
	return nil
}

// fromNow counts from now by the clock of the one process that uses the file.
func (sqlite) fromNow(ahead time.Duration) schema.QueryAppender {
	return stored(time.Now().Add(ahead))
}

func (sqlite) microsecondsUntil(column string) schema.QueryAppender {
	return bun.SafeQuery("? - ?", bun.Safe(column), time.Now().UnixMicro())
}

func (sqlite) seconds() schema.QueryAppender {
	return bun.SafeQuery("?", float64(time.Now().UnixMicro())/1e6)
}

// oneView is nil: every transaction of SQLite has one.
func (sqlite) oneView() *sql.TxOptions { return nil }

// changesSince counts changes by their row in catalog_changes: there is one writer, so they
// are committed in its order. Some of the last rows are always there.
func (sqlite) changesSince(ctx context.Context, conn bun.IConn, since string) (c changes, err error) {
	var first, last int64
	const ends = "SELECT (SELECT coalesce(min(seq), 0) FROM catalog_changes), (SELECT coalesce(max(seq), 0) FROM catalog_changes)"
	if err := conn.QueryRowContext(ctx, ends).Scan(&first, &last); err != nil {
		return c, err
	}
	c.now = strconv.FormatInt(last, 10)
	if since == "" || since == c.now {
		return c, nil
	}
	seen, err := strconv.ParseInt(since, 10, 64)
	if err != nil {
		return c, err
	}
	if c.lost = first > seen+1 || last < seen; c.lost {
		return c, nil
	}
	const changed = "SELECT subject_kind, subject_id FROM catalog_changes WHERE seq > ? AND seq <= ?"
	c.subjects, err = readChanged(ctx, conn, changed, seen, last)
	return c, err
}

func (sqlite) serialise(context.Context, bun.Tx, bool) error { return nil }

func (sqlite) classify(err error) artwork.ErrorKind {
	code := resultCode(err)
	switch code {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return artwork.Conflict
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return artwork.NotFound
	}
	switch code & 0xff { // the primary code, see sqlite.org/rescode.html
	case sqlite3.SQLITE_FULL:
		return artwork.StorageFull
	case sqlite3.SQLITE_TOOBIG:
		return artwork.InvalidInput
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_IOERR,
		sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH,
		sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_INTERRUPT:
		return artwork.Unavailable
	}
	return artwork.Internal
}

// retryable is never true: a writer waits for the lock before it does anything.
func (sqlite) retryable(error) bool { return false }

func (sqlite) timedOut(error) bool { return false }

// undone: after a disk error nobody knows what a recovery will find; anything
// else that refuses a COMMIT rolls it back.
func (sqlite) undone(err error) bool {
	code := resultCode(err)
	return code >= 0 && code&0xff != sqlite3.SQLITE_IOERR
}

// resultCode returns the extended result code, -1 if the error is not SQLite's.
func resultCode(err error) int {
	if e, ok := errors.AsType[*sqlitedriver.Error](err); ok {
		return e.Code()
	}
	return -1
}
