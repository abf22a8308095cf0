package bunrepo

import (
	"context"
	"slices"

	"github.com/uptrace/bun"

	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

var _ artwork.ImageReviser = (*Images)(nil)

// Revise implements artwork.ImageReviser.
func (m *Images) Revise(ctx context.Context, fence artwork.Fence, revision artwork.Revision) (artwork.Revised, error) {
	if err := revision.Check(); err != nil {
		return artwork.Revised{}, err
	}
	var revised artwork.Revised
	err := m.revise(ctx, "bunrepo.Revise", fence, revision.Place, func(ctx context.Context, tx bun.Tx, b *board, known []artwork.KnownRecord) error {
		before := b.state(b.slots[revision.Place])
		after, changed, err := before.Revise(revision, known, b.now)
		if err != nil {
			return err
		}
		if revision.Focus != nil {
			if _, err := insertRecords(ctx, tx, []artwork.Record{*after.InForce}); err != nil {
				return err
			}
		}
		if !revision.Withdraw.IsZero() {
			if err := withdraw(ctx, tx, b.records[revision.Withdraw], known); err != nil {
				return err
			}
		}
		revised = artwork.Revised{Image: after.Image(), Changed: changed}
		b.point(revision.Place, before, after, changed, revision.By, revision.Act())
		b.tell(activity.OfRevision(revision, b.names[revision.Place.Subject], before, after))
		return nil
	})
	if err != nil {
		return artwork.Revised{}, err
	}
	return revised, nil
}

// Purge implements artwork.ImageReviser.
func (m *Images) Purge(ctx context.Context, fence artwork.Fence, purge artwork.Purge) (artwork.Purged, error) {
	if err := purge.Check(); err != nil {
		return artwork.Purged{}, err
	}
	var purged artwork.Purged
	err := m.revise(ctx, "bunrepo.Purge", fence, purge.Place, func(ctx context.Context, tx bun.Tx, b *board, known []artwork.KnownRecord) error {
		before := b.state(b.slots[purge.Place])
		after, gone, err := before.Purge(purge, known, b.now)
		if err != nil {
			return err
		}
		changed := after != before
		purged = artwork.Purged{Revised: artwork.Revised{Image: after.Image(), Changed: changed}, Contents: artwork.Contents(gone)}
		b.point(purge.Place, before, after, changed, purge.By, artwork.ActSucceeded)
		b.tell(activity.OfPurge(purge, purged.Contents, b.names[purge.Place.Subject], before, after))
		b.gone = gone
		return forgetConsidered(ctx, tx, purge.Place)
	})
	if err != nil {
		return artwork.Purged{}, err
	}
	return purged, nil
}

// revise runs decide on the locked place and what is known of it, and saves what
// became of it.
func (m *Images) revise(
	ctx context.Context, op string, fence artwork.Fence, place artwork.Place,
	decide func(ctx context.Context, tx bun.Tx, b *board, known []artwork.KnownRecord) error,
) error {
	return m.db.change(ctx, op, fence, func(ctx context.Context, tx bun.Tx) error {
		b := newBoard()
		if err := m.take(ctx, tx, b, []artwork.Place{place}); err != nil {
			return err
		}
		known, err := b.readPlace(ctx, tx, place)
		if err != nil {
			return err
		}
		if err := decide(ctx, tx, b, known); err != nil {
			return err
		}
		return b.save(ctx, tx, m.db, fence)
	})
}

// ofPlace selects the rows of a table of the place.
func ofPlace(query *bun.SelectQuery, place artwork.Place) *bun.SelectQuery {
	return query.Where("subject_kind = ? AND subject_id = ? AND slot = ?", place.Subject.Kind.String(), uid(place.Subject.ID), place.Slot.String())
}

// readPlace reads all records of the place.
func (b *board) readPlace(ctx context.Context, tx bun.Tx, place artwork.Place) ([]artwork.KnownRecord, error) {
	var rows []imageRow
	if err := ofPlace(tx.NewSelect().Model(&rows), place).Scan(ctx); err != nil {
		return nil, err
	}
	known := make([]artwork.KnownRecord, len(rows))
	for i := range rows {
		record, err := rows[i].record()
		if err != nil {
			return nil, err
		}
		known[i] = artwork.KnownRecord{Record: record, Withdrawn: rows[i].Withdrawn}
		b.records[record.ID] = record
	}
	return known, nil
}

// point has the place point where the state says, and notes what took force.
func (b *board) point(place artwork.Place, before, after artwork.SlotState, changed bool, by artwork.Actor, act artwork.Act) {
	slot := b.slots[place]
	if after != before {
		slot.set(after)
		b.changed[place] = true
	}
	switch {
	case changed && after.InForce != nil && (before.InForce == nil || before.InForce.ID != after.InForce.ID):
		b.note(slot, by.Name, act, artwork.ID{})
	case changed:
		b.move(slot)
	}
}

// tell remembers what the activity log is to be told, if anything is.
func (b *board) tell(entry activity.Entry, changed bool) {
	if changed {
		b.entries = append(b.entries, entry)
	}
}

// withdraw withdraws the picture of the record, or forgets it if it never was in
// force.
func withdraw(ctx context.Context, tx bun.Tx, picture artwork.Record, known []artwork.KnownRecord) error {
	var same []uid
	for _, k := range known {
		if k.SamePicture(picture) {
			same = append(same, uid(k.ID))
		}
	}
	wasInForce, err := tx.NewSelect().Model((*historyRow)(nil)).Where("image_id IN (?)", bun.List(same)).Exists(ctx)
	if err != nil {
		return err
	}
	if !wasInForce {
		_, err = tx.NewDelete().Model((*imageRow)(nil)).Where("id IN (?)", bun.List(same)).Exec(ctx)
		return err
	}
	_, err = tx.NewUpdate().Model((*imageRow)(nil)).Set("withdrawn = ?", true).Where("id IN (?)", bun.List(same)).Exec(ctx)
	return err
}

// offer takes back that the pictures of records were withdrawn, and returns how many
// records had been.
func offer(ctx context.Context, tx bun.Tx, records []artwork.Record) (offered int64, err error) {
	for _, r := range records {
		if r.Source != artwork.Custom {
			continue
		}
		result, err := tx.NewUpdate().Model((*imageRow)(nil)).Set("withdrawn = ?", false).
			Where("subject_kind = ? AND subject_id = ? AND slot = ?", r.Place.Subject.Kind.String(), uid(r.Place.Subject.ID), r.Place.Slot.String()).
			Where("hash = ? AND source = ? AND withdrawn", r.Content.Hash[:], r.Source.String()).Exec(ctx)
		if err != nil {
			return offered, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return offered, err
		}
		offered += n
	}
	return offered, nil
}

// forget removes records to which no slot points any more, with their history.
func forget(ctx context.Context, tx bun.Tx, records []artwork.Record) error {
	for some := range slices.Chunk(records, chunkSize) {
		ids := make([]uid, len(some))
		for i, r := range some {
			ids[i] = uid(r.ID)
		}
		if _, err := tx.NewDelete().Model((*historyRow)(nil)).Where("image_id IN (?)", bun.List(ids)).Exec(ctx); err != nil {
			return err
		}
		if _, err := tx.NewDelete().Model((*imageRow)(nil)).Where("id IN (?)", bun.List(ids)).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}
