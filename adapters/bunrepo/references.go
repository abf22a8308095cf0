package bunrepo

import (
	"context"

	"github.com/uptrace/bun"

	"gatefold/domain/artwork"
)

// referencesAtOnce bounds how many records References holds in memory.
const referencesAtOnce = 1000

// References implements artwork.ImageArchive. It reads in steps, so that a slow
// visit keeps no connection and no old version of the table alive.
func (m *Images) References(ctx context.Context, visit func(artwork.Content) error) error {
	var last imageRow
	for {
		var rows []imageRow
		query := m.db.read.NewSelect().Model(&rows).
			Column("id", "hash", "size", "mime_type", "width", "height", "thumb_hash", "dominant_color").
			OrderExpr("i.hash, i.id").Limit(referencesAtOnce)
		if last.Hash != nil {
			query.Where("(i.hash, i.id) > (?, ?)", last.Hash, last.ID)
		}
		if err := query.Scan(ctx); err != nil {
			return m.db.fail(ctx, "bunrepo.References", err)
		}
		for i := range rows {
			content, err := rows[i].content()
			if err != nil {
				return m.db.fail(ctx, "bunrepo.References", err)
			}
			if err := visit(content); err != nil {
				return err
			}
		}
		if len(rows) < referencesAtOnce {
			return ctx.Err()
		}
		last = rows[len(rows)-1]
	}
}

// Refers implements artwork.ImageArchive. It asks the primary: who is about to
// remove bytes must not hear of an earlier state.
func (m *Images) Refers(ctx context.Context, hash artwork.Hash) (bool, error) {
	refers, err := m.db.write.NewSelect().Model((*imageRow)(nil)).Where("i.hash = ?", hash[:]).Exists(ctx)
	return refers, m.db.fail(ctx, "bunrepo.Refers", err)
}

// Trim implements artwork.ImageArchive.
func (m *Images) Trim(ctx context.Context, keep int) (forgotten int, err error) {
	const op = "bunrepo.Trim"
	var rows []slotRow
	err = m.db.read.NewSelect().TableExpr("history AS h").Column("subject_kind", "subject_id", "slot").
		Group("subject_kind", "subject_id", "slot").Having("count(DISTINCT image_id) > ?", keep).Scan(ctx, &rows)
	if err != nil {
		return 0, m.db.fail(ctx, op, err)
	}
	for _, row := range rows {
		place, err := parsePlace(row.SubjectKind, row.SubjectID, row.Slot)
		if err != nil {
			return forgotten, m.db.fail(ctx, op, err)
		}
		n, err := m.trim(ctx, op, place, keep)
		forgotten += n
		if artwork.KindOf(err) == artwork.NotFound {
			continue // it was deleted: it is forgotten as a whole, or not at all
		}
		if err != nil {
			return forgotten, err
		}
	}
	return forgotten, nil
}

func (m *Images) trim(ctx context.Context, op string, place artwork.Place, keep int) (forgotten int, err error) {
	err = m.revise(ctx, op, artwork.Unfenced(), place, func(ctx context.Context, tx bun.Tx, b *board, known []artwork.KnownRecord) error {
		var took []uid
		query := tx.NewSelect().Model((*historyRow)(nil)).Column("image_id").OrderExpr("h.id DESC")
		if err := ofPlace(query, place).Scan(ctx, &took); err != nil {
			return err
		}
		ids := make([]artwork.ID, len(took))
		for i, id := range took {
			ids[i] = artwork.ID(id)
		}
		b.gone = b.state(b.slots[place]).Expendable(known, ids, keep)
		forgotten = len(b.gone)
		return nil
	})
	return forgotten, err
}
