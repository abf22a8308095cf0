package bunrepo

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

// Activity keeps who changed what.
type Activity struct{ db *DB }

var _ activity.Log = (*Activity)(nil)

// NewActivity returns the activity log in the database.
func NewActivity(db *DB) *Activity { return &Activity{db} }

// activityRow is an entry.
type activityRow struct {
	bun.BaseModel `bun:"table:activity,alias:y"`

	ID          int64          `bun:"id,pk,autoincrement"`
	At          changeTime     `bun:"at"`
	Actor       string         `bun:"actor"`
	ActorID     uid            `bun:"actor_id"`
	Address     string         `bun:"address"`
	RequestID   string         `bun:"request_id"`
	Action      string         `bun:"action"`
	SubjectKind string         `bun:"subject_kind"`
	SubjectID   uid            `bun:"subject_id"`
	SubjectName string         `bun:"subject_name"`
	Slot        string         `bun:"slot"`
	Before      sql.NullString `bun:"facts_before"`
	After       sql.NullString `bun:"facts_after"`
}

func newActivityRow(e activity.Entry) activityRow {
	return activityRow{
		At:    changeTime{now: true},
		Actor: e.Actor.Name, ActorID: uid(e.Actor.ID), Address: e.Actor.Address, RequestID: e.Actor.RequestID,
		Action:      string(e.Action),
		SubjectKind: string(e.Subject.Kind), SubjectID: uid(e.Subject.ID), SubjectName: e.Subject.Name,
		Slot:   e.Slot.String(),
		Before: sql.NullString{String: string(e.Before), Valid: e.Before != nil},
		After:  sql.NullString{String: string(e.After), Valid: e.After != nil},
	}
}

func (r *activityRow) entry() (e activity.Entry, err error) {
	e = activity.Entry{
		ID: r.ID, At: r.At.Time,
		Actor:   artwork.Actor{Name: r.Actor, ID: artwork.ID(r.ActorID), Address: r.Address, RequestID: r.RequestID},
		Action:  artwork.Action(r.Action),
		Subject: activity.Subject{Kind: activity.Kind(r.SubjectKind), ID: artwork.ID(r.SubjectID), Name: r.SubjectName},
	}
	if r.Before.Valid {
		e.Before = activity.Facts(r.Before.String)
	}
	if r.After.Valid {
		e.After = activity.Facts(r.After.String)
	}
	if r.Slot != "" {
		e.Slot, err = artwork.ParseSlot(r.Slot)
	}
	return e, err
}

// note writes entries in the transaction of the change that they tell of.
func note(ctx context.Context, tx bun.Tx, entries ...activity.Entry) error {
	for some := range slices.Chunk(entries, chunkSize) {
		rows := make([]activityRow, len(some))
		for i, entry := range some {
			kept, err := entry.Kept()
			if err != nil {
				return err
			}
			rows[i] = newActivityRow(kept)
		}
		if _, err := tx.NewInsert().Model(&rows).ExcludeColumn("id").Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Record implements activity.Log.
func (a *Activity) Record(ctx context.Context, entry activity.Entry) error {
	return a.db.change(ctx, "bunrepo.Record", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		return note(ctx, tx, entry)
	})
}

// List implements activity.Log.
func (a *Activity) List(ctx context.Context, query activity.Query) (page activity.Page, err error) {
	const op = "bunrepo.ListActivity"
	if err := query.Check(); err != nil {
		return page, err
	}
	var rows []activityRow
	// One more than asked for tells whether there is another page.
	err = selected(a.db.read.NewSelect().Model(&rows), query).OrderExpr("y.id DESC").Limit(int64(query.Limit) + 1).Scan(ctx)
	if err != nil {
		return page, a.db.fail(ctx, op, err)
	}
	if len(rows) > query.Limit {
		rows = rows[:query.Limit]
		page.Next = rows[query.Limit-1].ID
	}
	for i := range rows {
		entry, err := rows[i].entry()
		if err != nil {
			return activity.Page{}, a.db.fail(ctx, op, err)
		}
		page.Items = append(page.Items, entry)
	}
	return page, nil
}

// selected adds the conditions of the query.
func selected(to *bun.SelectQuery, query activity.Query) *bun.SelectQuery {
	if query.Before != 0 {
		to.Where("y.id < ?", query.Before)
	}
	if query.Actor != "" {
		to.Where("y.actor = ?", query.Actor)
	}
	if query.Action != "" {
		action, family, _ := query.Actions() // the query was checked
		if family {
			// "/" is the character after ".".
			to.Where("y.action > ? AND y.action < ?", action, action[:len(action)-1]+"/")
		} else {
			to.Where("y.action = ?", action)
		}
	}
	if query.Kind != "" {
		to.Where("y.subject_kind = ?", string(query.Kind))
	}
	if !query.ID.IsZero() {
		to.Where("y.subject_id = ?", uid(query.ID))
	}
	if !query.Since.IsZero() {
		to.Where("y.at >= ?", instant{query.Since})
	}
	if !query.Until.IsZero() {
		to.Where("y.at < ?", instant{query.Until})
	}
	return to
}

// Trim implements activity.Log.
func (a *Activity) Trim(ctx context.Context, keep time.Duration, limit int) (removed int, err error) {
	if limit <= 0 {
		return 0, ctx.Err()
	}
	err = a.db.change(ctx, "bunrepo.Trim", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		expired := tx.NewSelect().Model((*activityRow)(nil)).Column("id").
			Where("y.at < ?", a.db.engine.fromNow(-keep)).OrderExpr("y.at, y.id").Limit(int64(limit))
		result, err := tx.NewDelete().Model((*activityRow)(nil)).Where("id IN (?)", expired).Exec(ctx)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		removed = int(n)
		return err
	})
	return removed, err
}
