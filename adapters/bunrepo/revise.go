package bunrepo

import (
	"context"

	"github.com/uptrace/bun"

	"gatefold/domain/artwork"
)

var _ artwork.ImageReviser = (*Images)(nil)

// Revise implements artwork.ImageReviser.
func (m *Images) Revise(ctx context.Context, fence artwork.Fence, revision artwork.Revision) (artwork.Revised, error) {
	if err := revision.Check(); err != nil {
		return artwork.Revised{}, err
	}
	var revised artwork.Revised
	err := m.db.change(ctx, "bunrepo.Revise", fence, func(ctx context.Context, tx bun.Tx) error {
		b := newBoard()
		if err := m.take(ctx, tx, b, []artwork.Place{revision.Place}); err != nil {
			return err
		}
		known, err := b.readPlace(ctx, tx, revision.Place)
		if err != nil {
			return err
		}
		if revised, err = b.revise(revision, known); err != nil {
			return err
		}
		return b.save(ctx, tx, m.db, fence)
	})
	if err != nil {
		return artwork.Revised{}, err
	}
	return revised, nil
}

// readPlace reads all records of the place.
func (b *board) readPlace(ctx context.Context, tx bun.Tx, place artwork.Place) ([]artwork.Record, error) {
	var rows []imageRow
	err := tx.NewSelect().Model(&rows).
		Where("i.subject_kind = ? AND i.subject_id = ? AND i.slot = ?", place.Subject.Kind.String(), uid(place.Subject.ID), place.Slot.String()).
		Scan(ctx)
	if err != nil {
		return nil, err
	}
	known := make([]artwork.Record, len(rows))
	for i := range rows {
		if known[i], err = rows[i].record(); err != nil {
			return nil, err
		}
		b.records[known[i].ID] = known[i]
	}
	return known, nil
}

func (b *board) revise(r artwork.Revision, known []artwork.Record) (artwork.Revised, error) {
	slot := b.slots[r.Place]
	before := b.state(slot)
	after, changed, err := before.Revise(r, known, b.now)
	if err != nil {
		return artwork.Revised{}, err
	}
	if after != before {
		slot.set(after)
		b.changed[r.Place] = true
	}
	switch {
	case changed && r.Remove != 0 && after.InForce != nil:
		b.note(slot, r.By.Name, artwork.ID{})
	case changed:
		b.move(slot)
	}
	return artwork.Revised{Image: after.Image(), Changed: changed}, nil
}
