package bunrepo

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"gatefold/domain/account"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Sessions keeps who is signed in. A session is good for as long as its row is there
// and has not expired, by the clock of the database.
type Sessions struct{ db *DB }

var _ account.Sessions = (*Sessions)(nil)

// NewSessions returns the sessions in the database.
func NewSessions(db *DB) *Sessions { return &Sessions{db} }

// sessionRow is a family of refresh tokens.
type sessionRow struct {
	bun.BaseModel `bun:"table:sessions,alias:n"`

	ID       uid    `bun:"id,pk"`
	UserID   uid    `bun:"user_id"`
	Token    []byte `bun:"token_hash"`
	Previous []byte `bun:"previous_hash"`

	Fresh bool  `bun:"fresh,scanonly"` // rotated within the grace
	Ahead int64 `bun:"ahead,scanonly"` // of its begin: microseconds, negative
}

func (r sessionRow) age() time.Duration { return -time.Duration(r.Ahead) * time.Microsecond }

// expiredAtOnce bounds how many expired rows a change takes with it.
const expiredAtOnce = 100

// Begin implements account.Sessions.
func (s *Sessions) Begin(ctx context.Context, by artwork.Actor, session account.Session, life time.Duration) error {
	if err := by.Check(); err != nil {
		return err
	}
	return s.db.change(ctx, "bunrepo.BeginSession", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		user, err := s.admit(ctx, tx, session)
		if err != nil {
			return err
		}
		now := s.db.engine.fromNow(0)
		if err := s.makeRoom(ctx, tx, session.UserID); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO sessions (id, user_id, method, token_hash, created_at, rotated_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
			uid(session.ID), uid(session.UserID), string(session.Method), session.Token[:], now, now, s.db.engine.fromNow(life))
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "UPDATE accounts SET last_sign_in = ? WHERE user_id = ?", now, uid(session.UserID)); err != nil {
			return err
		}
		return note(ctx, tx, account.OfSignIn(by, user, session.Method))
	})
}

// admit returns the user, whose account nobody changes until the transaction ends, if
// the credential still counts.
func (s *Sessions) admit(ctx context.Context, tx bun.Tx, session account.Session) (catalog.User, error) {
	refused := artwork.Errorf(artwork.Forbidden, "the user cannot sign in, or not with this any more")
	var locked []accountRow
	if err := s.db.engine.forUpdate(tx.NewSelect().Model(&locked).Where("c.user_id = ?", uid(session.UserID))).Scan(ctx); err != nil {
		return catalog.User{}, err
	}
	if len(locked) == 0 {
		return catalog.User{}, refused
	}
	var rows []joinedAccountRow
	if err := selectAccounts(tx, &rows).Where("s.id = ?", uid(session.UserID)).Scan(ctx); err != nil {
		return catalog.User{}, err
	}
	if len(rows) == 0 || !rows[0].account().CanSignIn() || session.Method == account.ByPassword && rows[0].PasswordHash != session.Proof {
		return catalog.User{}, refused
	}
	return rows[0].value(), nil
}

// makeRoom removes what has expired, and the user's sessions that are one too many.
func (s *Sessions) makeRoom(ctx context.Context, tx bun.Tx, user artwork.ID) error {
	expired := tx.NewSelect().Model((*sessionRow)(nil)).Column("id").
		Where("n.expires_at <= ?", s.db.engine.fromNow(0)).OrderExpr("n.expires_at").Limit(expiredAtOnce)
	if _, err := tx.NewDelete().Model((*sessionRow)(nil)).Where("id IN (?)", s.db.engine.skipLocked(expired)).Exec(ctx); err != nil {
		return err
	}
	excess := tx.NewSelect().Model((*sessionRow)(nil)).Column("id").
		Where("n.user_id = ?", uid(user)).OrderExpr("n.rotated_at DESC, n.id DESC").Limit(expiredAtOnce).Offset(account.MaxSessions - 1)
	_, err := tx.NewDelete().Model((*sessionRow)(nil)).Where("id IN (?)", excess).Exec(ctx)
	return err
}

// Find implements account.Sessions.
func (s *Sessions) Find(ctx context.Context, session artwork.ID) (catalog.User, error) {
	var rows []userRow
	err := s.db.read.NewSelect().Model(&rows).ColumnExpr("s.*").Join("JOIN sessions AS n ON n.user_id = s.id").
		Where("n.id = ? AND n.expires_at > ?", uid(session), s.db.engine.fromNow(0)).Scan(ctx)
	if err != nil {
		return catalog.User{}, s.db.fail(ctx, "bunrepo.FindSession", err)
	}
	if len(rows) == 0 {
		return catalog.User{}, notFound("such session")
	}
	return rows[0].value(), nil
}

// Rotate implements account.Sessions.
func (s *Sessions) Rotate(ctx context.Context, by artwork.Actor, session artwork.ID, presented, next account.Hash, terms account.Terms) (done account.Rotation, err error) {
	if err := by.Check(); err != nil {
		return done, err
	}
	err = s.db.change(ctx, "bunrepo.RotateSession", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		row, user, err := s.lock(ctx, tx, session, terms.Grace)
		if err != nil {
			return err
		}
		life := terms.LifeAt(row.age())
		if terms.MaxAge > 0 && life <= 0 {
			return notFound("such session")
		}
		done = account.Rotation{User: user, Life: life}
		switch {
		case bytes.Equal(row.Token, presented[:]):
			done.InForce = next
			_, err := tx.ExecContext(ctx, "UPDATE sessions SET token_hash = ?, previous_hash = token_hash, rotated_at = ?, expires_at = ? WHERE id = ?",
				next[:], s.db.engine.fromNow(0), s.db.engine.fromNow(life), uid(session))
			return err
		case row.Fresh && bytes.Equal(row.Previous, presented[:]):
			done.Outcome = account.Repeated
			if copy(done.InForce[:], row.Token) != len(done.InForce) {
				return fmt.Errorf("the database holds a hash of %d bytes", len(row.Token))
			}
			return nil
		}
		done.Outcome, done.Life = account.Reused, 0
		if err := remove(ctx, tx, session); err != nil {
			return err
		}
		return note(ctx, tx, account.OfReuse(by, user))
	})
	return done, err
}

// lock returns a session that nobody else rotates or ends until the transaction does.
func (s *Sessions) lock(ctx context.Context, tx bun.Tx, session artwork.ID, grace time.Duration) (sessionRow, catalog.User, error) {
	var rows []sessionRow
	query := tx.NewSelect().Model(&rows).ColumnExpr("n.id, n.user_id, n.token_hash, n.previous_hash").
		ColumnExpr("n.rotated_at > ? AS fresh", s.db.engine.fromNow(-grace)).
		ColumnExpr("? AS ahead", s.db.engine.microsecondsUntil("n.created_at")).
		Where("n.id = ? AND n.expires_at > ?", uid(session), s.db.engine.fromNow(0))
	if err := s.db.engine.forUpdate(query).Scan(ctx); err != nil {
		return sessionRow{}, catalog.User{}, err
	}
	if len(rows) == 0 {
		return sessionRow{}, catalog.User{}, notFound("such session")
	}
	var user userRow
	if err := tx.NewSelect().Model(&user).Where("s.id = ?", rows[0].UserID).Scan(ctx); err != nil {
		return sessionRow{}, catalog.User{}, err
	}
	return rows[0], user.value(), nil
}

func remove(ctx context.Context, tx bun.Tx, session artwork.ID) error {
	_, err := tx.NewDelete().Model((*sessionRow)(nil)).Where("n.id = ?", uid(session)).Exec(ctx)
	return err
}

// End implements account.Sessions.
func (s *Sessions) End(ctx context.Context, by artwork.Actor, session artwork.ID) error {
	if err := by.Check(); err != nil {
		return err
	}
	return s.db.change(ctx, "bunrepo.EndSession", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		_, user, err := s.lock(ctx, tx, session, 0)
		if err != nil {
			return err
		}
		if err := remove(ctx, tx, session); err != nil {
			return err
		}
		return note(ctx, tx, account.OfSignOut(by, user, 1))
	})
}

// EndAll implements account.Sessions.
func (s *Sessions) EndAll(ctx context.Context, by artwork.Actor, user artwork.ID) (ended int, err error) {
	if err := by.Check(); err != nil {
		return 0, err
	}
	err = s.db.change(ctx, "bunrepo.EndAllSessions", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		result, err := tx.NewDelete().Model((*sessionRow)(nil)).Where("n.user_id = ?", uid(user)).Exec(ctx)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if ended = int(n); err != nil || n == 0 {
			return err
		}
		var row userRow
		if err := tx.NewSelect().Model(&row).Where("s.id = ?", uid(user)).Scan(ctx); err != nil {
			return err
		}
		return note(ctx, tx, account.OfSignOut(by, row.value(), ended))
	})
	if err != nil {
		return 0, err
	}
	return ended, nil
}

// Attempts keeps who has tried to sign in.
type Attempts struct{ db *DB }

var _ account.Attempts = (*Attempts)(nil)

// NewAttempts returns the attempts in the database.
func NewAttempts(db *DB) *Attempts { return &Attempts{db} }

// attemptRow is the attempts with one name.
type attemptRow struct {
	bun.BaseModel `bun:"table:sign_in_attempts,alias:m"`

	NameKey  []byte `bun:"name_key,pk"`
	Attempts int    `bun:"attempts"`

	Refused int64 `bun:"refused,scanonly"` // microseconds
}

// Begin implements account.Attempts.
func (a *Attempts) Begin(ctx context.Context, username string, throttle account.Throttle) (attempt account.Attempt, err error) {
	key := digest(catalog.FoldName(username))
	err = a.db.change(ctx, "bunrepo.BeginAttempt", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		attempt = account.Attempt{}
		forgotten := a.db.engine.fromNow(-throttle.Forget)
		if err := a.forget(ctx, tx, forgotten); err != nil {
			return err
		}
		row, err := a.lock(ctx, tx, key, forgotten)
		if err != nil {
			return err
		}
		if attempt.Refused = max(time.Duration(row.Refused)*time.Microsecond, 0); attempt.Refused > 0 {
			attempt.Number = row.Attempts
			return nil
		}
		attempt.Number = row.Attempts + 1
		attempt.Wait = throttle.Wait(attempt.Number)
		_, err = tx.ExecContext(ctx, "UPDATE sign_in_attempts SET attempts = ?, last_at = ?, blocked_until = ? WHERE name_key = ?",
			attempt.Number, a.db.engine.fromNow(0), a.db.engine.fromNow(attempt.Wait), key)
		return err
	})
	return attempt, err
}

// lock returns the row of the name, which is made if there is none.
func (a *Attempts) lock(ctx context.Context, tx bun.Tx, key []byte, forgotten any) (attemptRow, error) {
	now := a.db.engine.fromNow(0)
	// The update changes nothing, but locks the row, also against being forgotten.
	_, err := tx.ExecContext(ctx, `INSERT INTO sign_in_attempts (name_key, attempts, last_at, blocked_until) VALUES (?, 0, ?, ?)
		ON CONFLICT (name_key) DO UPDATE SET name_key = excluded.name_key`, key, now, now)
	if err != nil {
		return attemptRow{}, err
	}
	var row attemptRow
	err = tx.NewSelect().Model(&row).ColumnExpr("m.name_key, CASE WHEN m.last_at <= ? THEN 0 ELSE m.attempts END AS attempts", forgotten).
		ColumnExpr("? AS refused", a.db.engine.microsecondsUntil("m.blocked_until")).Where("m.name_key = ?", key).Scan(ctx)
	return row, err
}

// forget removes some of what was forgotten: whoever tries many names does not fill
// the table for ever.
func (a *Attempts) forget(ctx context.Context, tx bun.Tx, forgotten any) error {
	old := tx.NewSelect().Model((*attemptRow)(nil)).Column("name_key").
		Where("m.last_at <= ? AND m.blocked_until <= ?", forgotten, a.db.engine.fromNow(0)).OrderExpr("m.last_at").Limit(expiredAtOnce)
	_, err := tx.NewDelete().Model((*attemptRow)(nil)).Where("name_key IN (?)", a.db.engine.skipLocked(old)).Exec(ctx)
	return err
}

// Succeeded implements account.Attempts.
func (a *Attempts) Succeeded(ctx context.Context, username string) error {
	return a.db.change(ctx, "bunrepo.Succeeded", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewDelete().Model((*attemptRow)(nil)).Where("m.name_key = ?", digest(catalog.FoldName(username))).Exec(ctx)
		return err
	})
}
