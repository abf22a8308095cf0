package bunrepo

import (
	"context"
	"encoding/json"
	"time"

	"github.com/uptrace/bun"

	"gatefold/application/announce"
	"gatefold/domain/artwork"
)

// ChangeLog keeps which places have changed, and which changes the cache may not
// have heard of.
type ChangeLog struct{ db *DB }

var (
	_ artwork.ChangeLog = (*ChangeLog)(nil)
	_ announce.Changes  = (*ChangeLog)(nil)
)

// NewChangeLog returns the log of the changes in the database.
func NewChangeLog(db *DB) *ChangeLog { return &ChangeLog{db} }

// pendingRow is a committed change that is not finished.
type pendingRow struct {
	bun.BaseModel `bun:"table:cache_pending,alias:c"`

	Token string `bun:"token,pk"`
	Keys  string `bun:"keys"`
}

// changesAtOnce bounds how many places a visit of those that changed holds in memory.
const changesAtOnce = 1000

// ChangedWithin implements artwork.ChangeLog.
func (l *ChangeLog) ChangedWithin(ctx context.Context, past time.Duration, visit func(artwork.Place) error) error {
	return l.eachChanged(ctx, "bunrepo.ChangedWithin", past, func(place artwork.Place, _ slotRow) error { return visit(place) })
}

// ModifiedWithin implements announce.Changes.
func (l *ChangeLog) ModifiedWithin(ctx context.Context, past time.Duration, visit func(artwork.Place, time.Time) error) error {
	return l.eachChanged(ctx, "bunrepo.ModifiedWithin", past, func(place artwork.Place, row slotRow) error {
		return visit(place, row.LastModified.Time)
	})
}

// eachChanged reads in steps, like Images.References, in the order in which the
// places changed: one that changes again meanwhile is met again, and none is
// passed over.
func (l *ChangeLog) eachChanged(ctx context.Context, op string, past time.Duration, visit func(artwork.Place, slotRow) error) error {
	var last slotRow
	for {
		var rows []slotRow
		query := l.db.read.NewSelect().Model(&rows).
			Column("subject_kind", "subject_id", "slot", "last_modified", "changed_at").
			OrderExpr("s.changed_at, s.subject_kind, s.subject_id, s.slot").Limit(changesAtOnce)
		if last.Slot == "" {
			query.Where("s.changed_at >= ?", l.db.engine.fromNow(-past))
		} else {
			query.Where("(s.changed_at, s.subject_kind, s.subject_id, s.slot) > (?, ?, ?, ?)", last.ChangedAt, last.SubjectKind, last.SubjectID, last.Slot)
		}
		if err := query.Scan(ctx); err != nil {
			return l.db.fail(ctx, op, err)
		}
		for i := range rows {
			place, err := parsePlace(rows[i].SubjectKind, rows[i].SubjectID, rows[i].Slot)
			if err != nil {
				return l.db.fail(ctx, op, err)
			}
			if err := visit(place, rows[i]); err != nil {
				return err
			}
		}
		if len(rows) < changesAtOnce {
			return ctx.Err()
		}
		last = rows[len(rows)-1]
	}
}

// Overdue implements artwork.ChangeLog.
func (l *ChangeLog) Overdue(ctx context.Context, limit int) ([]artwork.PendingChange, error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	var rows []pendingRow
	err := l.db.read.NewSelect().Model(&rows).
		Where("c.deadline <= ?", l.db.engine.fromNow(0)).
		OrderExpr("c.deadline, c.token").Limit(int64(limit)).
		Scan(ctx)
	if err != nil {
		return nil, l.db.fail(ctx, "bunrepo.Overdue", err)
	}
	changes := make([]artwork.PendingChange, len(rows))
	for i, row := range rows {
		changes[i] = artwork.PendingChange{Token: row.Token, Keys: parseKeys(row.Keys)}
	}
	return changes, nil
}

// Finish implements artwork.ChangeLog.
func (l *ChangeLog) Finish(ctx context.Context, token string) error {
	_, err := l.db.write.NewDelete().Model((*pendingRow)(nil)).Where("token = ?", token).Exec(ctx)
	return l.db.fail(ctx, "bunrepo.Finish", err)
}

// notePending records a change that the cache has to hear of. Several calls
// under one fence are one change.
func (db *DB) notePending(ctx context.Context, tx bun.Tx, fence artwork.Fence) error {
	keys, err := formatKeys(fence.Keys)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO cache_pending (token, keys, deadline, created_at) VALUES (?, ?, ?, ?) ON CONFLICT (token) DO NOTHING",
		fence.Token, keys, db.engine.fromNow(fence.Remaining()), db.engine.fromNow(0))
	return err
}

func formatKeys(keys []artwork.Key) (string, error) {
	names := make([]string, len(keys))
	for i, key := range keys {
		names[i] = key.String()
	}
	text, err := json.Marshal(names)
	return string(text), err
}

// parseKeys reads what formatKeys writes. What is no key here is one of another
// release, which looks after it.
func parseKeys(text string) []artwork.Key {
	var names []json.RawMessage
	_ = json.Unmarshal([]byte(text), &names)
	var keys []artwork.Key
	for _, raw := range names {
		var name string
		if json.Unmarshal(raw, &name) != nil {
			continue
		}
		if key, err := artwork.ParseKey(name); err == nil {
			keys = append(keys, key)
		}
	}
	return keys
}
