package bunrepo

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/schema"

	"gatefold/domain/artwork"
)

const (
	// connectTimeout bounds a connection attempt unless the URL says otherwise.
	connectTimeout = 5 * time.Second
	// connectionLifetime lets a changed address of the server be noticed.
	connectionLifetime = 30 * time.Minute
)

func openPostgres(ctx context.Context, url string) (*DB, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		// Without the cause: it quotes the URL, and so perhaps the password.
		return nil, artwork.Errorf(artwork.InvalidInput, "DATABASE_URL is not a valid Postgres URL: special characters in the password must be percent-encoded")
	}
	// Some poolers between the two cannot do with prepared statements.
	engine := postgres{url: url, prepares: config.DefaultQueryExecMode == pgx.QueryExecModeCacheStatement}
	// bun writes arguments into the statement, so that no two are alike: a cache
	// of prepared statements would only cost round trips.
	config.DefaultQueryExecMode = pgx.QueryExecModeSimpleProtocol
	if config.RuntimeParams["application_name"] == "" {
		config.RuntimeParams["application_name"] = "gatefold"
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = connectTimeout
	}
	if config.ValidateConnect == nil {
		// A standby would answer with what was in force a while ago.
		config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsPrimary
	}
	db := &DB{engine: engine, read: postgresPool(config, readConnections), write: postgresPool(config, writeConnections), lists: newListIndex()}
	if err := db.Ping(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func postgresPool(config *pgx.ConnConfig, connections int) *bun.DB {
	pool := stdlib.OpenDB(*config)
	limitPool(pool, connections)
	pool.SetConnMaxLifetime(connectionLifetime)
	return bun.NewDB(pool, pgdialect.New(), besideLaterRelease())
}

type postgres struct {
	url      string
	prepares bool // unless the URL says default_query_exec_mode=simple_protocol
}

func (postgres) kind() string { return "postgres" }

// prepared spares the server from planning the statement again, which takes
// longer than running it.
func (p postgres) prepared(args ...any) []any {
	if !p.prepares {
		return args
	}
	return append([]any{pgx.QueryExecModeCacheStatement}, args...)
}

func (postgres) forUpdate(query *bun.SelectQuery) *bun.SelectQuery { return query.For("UPDATE") }

func (postgres) forShare(query *bun.SelectQuery) *bun.SelectQuery { return query.For("SHARE") }

func (postgres) forReference(query *bun.SelectQuery) *bun.SelectQuery { return query.For("KEY SHARE") }

func (postgres) skipLocked(query *bun.SelectQuery) *bun.SelectQuery {
	return query.For("UPDATE SKIP LOCKED")
}

// firstAllowance is how much of the time that remains is set aside for telling
// the server.
const firstAllowance = 50 * time.Millisecond

// endBy sets the server's own limits, because a client that gives up cannot take
// back a COMMIT that is on its way. Each statement and each pause between two is
// limited to what remains, so it is called again before the last pause.
//
// The server counts from when it hears of the limit. What is set aside for that
// must have sufficed, or else the limit could lie past the deadline: then more
// is set aside.
func (postgres) endBy(ctx context.Context, tx bun.Tx, deadline time.Time) error {
	for allowance := firstAllowance; ; allowance *= 2 {
		asked := time.Now()
		remaining := (deadline.Sub(asked) - allowance).Milliseconds()
		if remaining <= 0 { // and 0 would mean no limit
			return errTooLate(nil)
		}
		_, err := tx.ExecContext(ctx, `SELECT set_config('lock_timeout', '?0', true), set_config('statement_timeout', '?0', true),
			set_config('idle_in_transaction_session_timeout', '?0', true)`, remaining)
		if err != nil {
			return err
		}
		if time.Since(asked) <= allowance {
			return nil
		}
	}
}

// mayCommit leaves the decision to the server, which endBy has instructed.
func (postgres) mayCommit(time.Time) error { return nil }

// fromNow does not change within a statement, so that an index can be used.
func (postgres) fromNow(ahead time.Duration) schema.QueryAppender {
	return bun.SafeQuery("statement_timestamp() + ? * interval '1 microsecond'", ahead.Microseconds())
}

func (postgres) microsecondsUntil(column string) schema.QueryAppender {
	return bun.SafeQuery("(extract(epoch FROM ? - statement_timestamp()) * 1000000)::bigint", bun.Safe(column))
}

func (postgres) seconds() schema.QueryAppender {
	return bun.SafeQuery("extract(epoch FROM statement_timestamp())::float8")
}

func (postgres) oneView() *sql.TxOptions {
	return &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
}

// changesSince remembers which transactions were visible, as Postgres writes a snapshot:
// changes are not committed in the order in which they were made. Whoever has seen the end
// of a transaction needs none of its rows, so that they may be forgotten for it. Transactions
// that have not begun yet are of another server, whose backup was restored here: every
// index was loaded after that.
func (postgres) changesSince(ctx context.Context, conn bun.IConn, since string) (c changes, err error) {
	if since == "" {
		return c, conn.QueryRowContext(ctx, "SELECT pg_current_snapshot()::text").Scan(&c.now)
	}
	const state = "SELECT pg_current_snapshot()::text, (SELECT f.xid >= pg_snapshot_xmin(?) AND f.xid < pg_snapshot_xmax(pg_current_snapshot()) FROM catalog_forgotten AS f), c.subject_kind, c.subject_id" +
		" FROM (SELECT TRUE) AS one LEFT JOIN catalog_changes AS c" +
		" ON c.xid >= pg_snapshot_xmin(?) AND c.xid < pg_snapshot_xmax(pg_current_snapshot()) AND NOT pg_visible_in_snapshot(c.xid, ?)"
	seen := bun.SafeQuery("?::pg_snapshot", since)
	err = eachRow(ctx, conn, state, []any{seen, seen, seen}, func(rows *sql.Rows) error {
		var kind sql.NullString
		var id uid
		if err := rows.Scan(&c.now, &c.lost, &kind, &id); err != nil || !kind.Valid {
			return err
		}
		subject, err := changedSubject(kind.String, id)
		c.subjects = append(c.subjects, subject)
		return err
	})
	return c, err
}

// librarySerial names the advisory lock of serialise.
const librarySerial = 0x6761746566 // "gatef"

func (postgres) serialise(ctx context.Context, tx bun.Tx, exclusive bool) error {
	lock := bun.Safe("pg_advisory_xact_lock_shared")
	if exclusive {
		lock = "pg_advisory_xact_lock"
	}
	_, err := tx.ExecContext(ctx, "SELECT ?(?)", lock, int64(librarySerial))
	return err
}

// The error codes that are told apart, from appendix A of the Postgres manual.
const (
	codeForeignKey      = "23503"
	codeUnique          = "23505"
	codeDiskFull        = "53100"
	codeReadOnly        = "25006"
	codeIdleTimeout     = "25P03"
	codeQueryCancelled  = "57014"
	codeLockUnavailable = "55P03"
	codeSerialization   = "40001"
	codeDeadlock        = "40P01"
)

func (postgres) classify(err error) artwork.ErrorKind {
	code := sqlState(err)
	switch code {
	case "":
		return classifyConnection(err)
	case codeForeignKey:
		return artwork.NotFound
	case codeUnique:
		return artwork.Conflict
	case codeDiskFull:
		return artwork.StorageFull
	case codeReadOnly, codeIdleTimeout, codeLockUnavailable, codeSerialization, codeDeadlock:
		return artwork.Unavailable
	}
	switch code[:2] {
	case "22": // data exception: a value out of the range of its column
		return artwork.InvalidInput
	case "08", "28", "3D", "53", "57", "58": // connection, user, database, resources, shutdown, system
		return artwork.Unavailable
	}
	return artwork.Internal
}

// classifyConnection classifies what is not an answer of the server.
func classifyConnection(err error) artwork.ErrorKind {
	var connecting *pgconn.ConnectError
	var network net.Error
	switch {
	case errors.As(err, &connecting), errors.As(err, &network),
		errors.Is(err, driver.ErrBadConn), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, net.ErrClosed),
		pgconn.Timeout(err), pgconn.SafeToRetry(err):
		return artwork.Unavailable
	}
	return artwork.Internal
}

// retryable counts a broken uniqueness in: when two transactions insert the same
// row at once, one can be refused by a second unique index (that of the MBIDs)
// although the row's own conflict is provided for. When it is repeated it meets
// the row. A real conflict only is told a little later.
func (postgres) retryable(err error) bool {
	code := sqlState(err)
	return code == codeSerialization || code == codeDeadlock || code == codeUnique
}

func (postgres) timedOut(err error) bool {
	code := sqlState(err)
	return code == codeIdleTimeout || code == codeQueryCancelled || code == codeLockUnavailable
}

// undone: an integrity error or a serialization failure refuses the commit, and
// a session that was ended for idling was ended before COMMIT arrived. A server
// that shuts down or a connection that breaks may have committed.
func (postgres) undone(err error) bool {
	code := sqlState(err)
	return code == codeIdleTimeout || strings.HasPrefix(code, "23") || strings.HasPrefix(code, "40") ||
		errors.Is(err, pgx.ErrTxCommitRollback)
}

// sqlState returns the server's error code, "" if the error is not an answer of
// the server to a statement.
func sqlState(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok && len(e.Code) == 5 {
		return e.Code
	}
	return ""
}
