// Package bunrepo keeps images, the catalogue, what imports remember and API
// tokens in a database, Postgres or SQLite, through uptrace/bun.
package bunrepo

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"gatefold/domain/artwork"
)

// Limits of the connection pools. A few connections serve hot reads faster than
// many; writers that wait for one another must not keep readers from theirs,
// hence the second pool.
const (
	readConnections  = 8
	writeConnections = 4
	idleTime         = 5 * time.Minute
)

// LoadsAtOnce is how many reads of images in force may run at once in a rush and
// leave connections to everything else: to what an apply looks up before it
// changes anything, to tokens, lists and the probe.
const LoadsAtOnce = readConnections - 2

// DB is a database in which Gatefold keeps what it knows. The repositories are
// made on it. All methods may be called concurrently.
type DB struct {
	engine engine
	read   *bun.DB
	write  *bun.DB
	lists  *listIndex

	observer Observer // nil: nobody is told of statements
}

// engine is what differs between the databases.
type engine interface {
	// kind names the engine for people.
	kind() string
	// migrations says how the schema is brought up to date.
	migrations() (migrations, error)
	// classify returns the kind of error that one of the driver is.
	classify(err error) artwork.ErrorKind
	// retryable reports whether the database may have ended a transaction only
	// because of another one that ran at the same time.
	retryable(err error) bool
	// timedOut reports whether the server ended a statement or transaction
	// because the limit that endBy set had passed.
	timedOut(err error) bool
	// undone reports whether a failed COMMIT has certainly changed nothing.
	undone(err error) bool
	// endBy has the server end the transaction by itself at the deadline.
	endBy(ctx context.Context, tx bun.Tx, deadline time.Time) error
	// mayCommit is the last look at the deadline before COMMIT.
	mayCommit(deadline time.Time) error
	// forUpdate has a SELECT lock its rows.
	forUpdate(query *bun.SelectQuery) *bun.SelectQuery
	// forShare has a SELECT lock its rows against those who change them.
	forShare(query *bun.SelectQuery) *bun.SelectQuery
	// forReference has a SELECT keep its rows from being removed, as a reference to
	// them would: others may refer to them as well, and change what else is in them.
	forReference(query *bun.SelectQuery) *bun.SelectQuery
	// skipLocked has a SELECT lock its rows, and leave out those that others have
	// locked: two that clean up do not wait for each other.
	skipLocked(query *bun.SelectQuery) *bun.SelectQuery
	// prepared returns the arguments of a statement that is worth keeping prepared.
	prepared(args ...any) []any
	// fromNow is the time that lies so far ahead of the statement's beginning, by
	// the clock of the database.
	fromNow(ahead time.Duration) schema.QueryAppender
	// microsecondsUntil is how long it takes until the time in a column, in
	// microseconds, by the clock of the database; negative if that was before.
	microsecondsUntil(column string) schema.QueryAppender
	// seconds is the time since 1970 at the statement's beginning, by the clock of
	// the database.
	seconds() schema.QueryAppender
	// oneView are the options of a transaction that reads, and between whose statements
	// nothing changes.
	oneView() *sql.TxOptions
	// changesSince returns what has changed in the catalogue since the changes that went
	// as far as since; "" for how far those before the statement go.
	changesSince(ctx context.Context, conn bun.IConn, since string) (changes, error)
	// serialise waits until no other transaction that called it with exclusive,
	// or any that did if exclusive is true, runs any more.
	serialise(ctx context.Context, tx bun.Tx, exclusive bool) error
	// dump, load and blank are those of the DB.
	dump(ctx context.Context, db *DB, path string, visit func(artwork.Hash, int64) error) error
	load(ctx context.Context, path string) error
	blank(ctx context.Context, db *DB) (bool, error)
}

// Open returns the database at the URL: "sqlite:PATH", a file that is created
// when it is migrated, or "postgres://…". A Postgres server is connected to
// once; a SQLite file is not touched.
//
// Errors: InvalidInput for any other URL; Unavailable if the server cannot be
// reached or refuses the user. No error contains the URL's password.
func Open(ctx context.Context, url string) (*DB, error) {
	scheme, rest, _ := strings.Cut(url, ":")
	switch scheme {
	case "sqlite":
		return openSQLite(rest)
	case "postgres", "postgresql":
		return openPostgres(ctx, url)
	default:
		return nil, artwork.Errorf(artwork.InvalidInput, `DATABASE_URL is neither "sqlite:PATH" nor "postgres://USER:PASSWORD@HOST/DATABASE"`)
	}
}

// Kind returns "postgres" or "sqlite".
func (db *DB) Kind() string { return db.engine.kind() }

// Ping returns nil if the database answers, else an Unavailable error.
func (db *DB) Ping(ctx context.Context) error {
	var one int
	err := db.read.QueryRowContext(ctx, "SELECT 1").Scan(&one)
	return db.fail(ctx, "bunrepo.Ping", err)
}

// Close closes all connections. Calls that are under way fail.
func (db *DB) Close() error {
	return errors.Join(db.read.Close(), db.write.Close())
}

func limitPool(pool *sql.DB, connections int) {
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	pool.SetConnMaxIdleTime(idleTime)
}

// besideLaterRelease has columns ignored that a later release has added: while it is
// rolled out, and after it was undone, this one serves with its schema.
func besideLaterRelease() bun.DBOption { return bun.WithDiscardUnknownColumns() }
