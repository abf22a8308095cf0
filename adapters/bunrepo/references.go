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

// placesAtOnce bounds how many places Trim looks at in one statement.
const placesAtOnce = 1000

// crowdedRow is a place, and whether more images than are kept were in force there.
type crowdedRow struct {
	bun.BaseModel `bun:"table:slots,alias:s"`

	SubjectKind string `bun:"subject_kind"`
	SubjectID   uid    `bun:"subject_id"`
	Slot        string `bun:"slot"`
	Crowded     bool   `bun:"crowded"`
}

// Trim implements artwork.ImageArchive. It looks in steps, like References: the history
// may be long.
func (m *Images) Trim(ctx context.Context, keep int) (forgotten int, err error) {
	const op = "bunrepo.Trim"
	var last crowdedRow
	for {
		rows, err := m.crowded(ctx, last, keep)
		if err != nil {
			return forgotten, m.db.fail(ctx, op, err)
		}
		for _, row := range rows {
			if !row.Crowded {
				continue
			}
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
		if len(rows) < placesAtOnce {
			return forgotten, ctx.Err()
		}
		last = rows[len(rows)-1]
	}
}

// crowded returns the next places. Every place that has a history has a slot.
func (m *Images) crowded(ctx context.Context, after crowdedRow, keep int) (rows []crowdedRow, err error) {
	images := m.db.read.NewSelect().TableExpr("history AS h").ColumnExpr("count(DISTINCT h.image_id)").
		Where("h.subject_kind = s.subject_kind AND h.subject_id = s.subject_id AND h.slot = s.slot")
	query := m.db.read.NewSelect().Model(&rows).Column("subject_kind", "subject_id", "slot").
		ColumnExpr("(?) > ? AS crowded", images, keep).
		OrderExpr("s.subject_kind, s.subject_id, s.slot").Limit(placesAtOnce)
	if after.Slot != "" {
		query.Where("(s.subject_kind, s.subject_id, s.slot) > (?, ?, ?)", after.SubjectKind, after.SubjectID, after.Slot)
	}
	return rows, query.Scan(ctx)
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
