package bunrepo

import (
	"bytes"
	"context"
	"slices"

	"github.com/uptrace/bun"

	"gatefold/application/fillmissing"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Gaps says which slots are empty. It reads subjects a page at a time, and what is
// known of them by their keys: a join of whole tables is at the mercy of what the
// planner believes, and most subjects may have their image.
type Gaps struct{ db *DB }

var _ fillmissing.Gaps = (*Gaps)(nil)

// NewGaps returns the empty slots in the database.
func NewGaps(db *DB) *Gaps { return &Gaps{db} }

// pagesAtOnce bounds what one call of After reads: some tenths of a second's worth in a
// catalogue of millions, of which all slots are full.
const pagesAtOnce = 50

// gapRow is a subject that may have an empty slot.
type gapRow struct {
	ID        uid    `bun:"id"`
	Name      string `bun:"name"`
	Artist    string `bun:"artist"`
	NameKey   []byte `bun:"name_key"` // of the artist
	MBID      uid    `bun:"mbid"`
	GroupMBID uid    `bun:"group_mbid"`
}

// After implements fillmissing.Gaps.
func (g *Gaps) After(ctx context.Context, slot artwork.Slot, after artwork.ID, limit int) (gaps []fillmissing.Gap, reached artwork.ID, err error) {
	for range pagesAtOnce {
		rows, err := g.subjects(ctx, slot, func(query *bun.SelectQuery) {
			query.OrderExpr("id").Limit(chunkSize)
			if !after.IsZero() {
				query.Where("id > ?", uid(after))
			}
		})
		if err != nil || len(rows) == 0 {
			return gaps, reached, err
		}
		some, err := g.gaps(ctx, slot, rows)
		if err != nil {
			return nil, artwork.ID{}, err
		}
		gaps = append(gaps, some...)
		if len(gaps) >= limit {
			gaps = gaps[:limit]
			return gaps, gaps[limit-1].SubjectID, nil
		}
		after = artwork.ID(rows[len(rows)-1].ID)
		reached = after
	}
	return gaps, reached, nil
}

// Among implements fillmissing.Gaps.
func (g *Gaps) Among(ctx context.Context, slot artwork.Slot, ids []artwork.ID) (gaps []fillmissing.Gap, err error) {
	var rows []gapRow
	for some := range slices.Chunk(ids, chunkSize) {
		found, err := g.subjects(ctx, slot, func(query *bun.SelectQuery) { query.Where("id IN (?)", bun.List(uids(some))) })
		if err != nil {
			return nil, err
		}
		rows = append(rows, found...)
	}
	slices.SortFunc(rows, func(a, b gapRow) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	for some := range slices.Chunk(rows, chunkSize) {
		found, err := g.gaps(ctx, slot, some)
		if err != nil {
			return nil, err
		}
		gaps = append(gaps, found...)
	}
	return gaps, nil
}

// subjects returns the selected subjects that have the slot, in the order of their
// IDs.
func (g *Gaps) subjects(ctx context.Context, slot artwork.Slot, narrow func(*bun.SelectQuery)) (rows []gapRow, err error) {
	inner := g.db.read.NewSelect()
	query := g.db.read.NewSelect().OrderExpr("s.id")
	if artwork.AlbumSubject.Has(slot) {
		inner.TableExpr("albums").ColumnExpr("id, name, artist_id, mbid, release_group_mbid")
		query.ColumnExpr("s.id, s.name, s.mbid, s.release_group_mbid AS group_mbid, a.name AS artist, a.name_key").
			TableExpr("(?) AS s", inner).Join("JOIN artists AS a ON a.id = s.artist_id")
	} else {
		inner.TableExpr("artists").ColumnExpr("id, name, mbid, name_key")
		query.ColumnExpr("s.id, s.name, s.mbid, s.name_key").TableExpr("(?) AS s", inner)
	}
	narrow(inner)
	return rows, g.db.fail(ctx, "bunrepo.Gaps", query.Scan(ctx, &rows))
}

// gaps returns what is known of those rows whose slot is empty.
func (g *Gaps) gaps(ctx context.Context, slot artwork.Slot, rows []gapRow) ([]fillmissing.Gap, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	slots, err := g.slots(ctx, slot, rows)
	if err != nil {
		return nil, err
	}
	rows = slices.DeleteFunc(slices.Clone(rows), func(row gapRow) bool { return !artwork.ID(slots[row.ID].ImageID).IsZero() })
	if len(rows) == 0 {
		return nil, nil
	}
	learned, err := g.learned(ctx, slot, rows)
	if err != nil {
		return nil, err
	}
	several, err := g.several(ctx, rows)
	gaps := make([]fillmissing.Gap, len(rows))
	for i, row := range rows {
		gaps[i] = fillmissing.Gap{
			SubjectID: artwork.ID(row.ID), Name: row.Name, Artist: row.Artist, MBID: catalog.MBID(row.MBID), GroupMBID: catalog.MBID(row.GroupMBID),
			Namesakes: several[string(row.NameKey)], Locked: slots[row.ID].Locked, KeptEmpty: slots[row.ID].KeptEmpty, Learned: learned[row.ID],
		}
	}
	return gaps, err
}

func idsOf(rows []gapRow) []uid {
	ids := make([]uid, len(rows))
	for i, row := range rows {
		ids[i] = row.ID
	}
	return ids
}

// slots returns the rows of the slot, by their subject.
func (g *Gaps) slots(ctx context.Context, slot artwork.Slot, rows []gapRow) (map[uid]slotRow, error) {
	var found []slotRow
	err := g.db.read.NewSelect().Model(&found).Column("subject_id", "image_id", "locked", "kept_empty").
		Where("s.subject_kind = ? AND s.subject_id IN (?) AND s.slot = ?", fillmissing.Wish{Slot: slot}.Kind().String(), bun.List(idsOf(rows)), slot.String()).
		Scan(ctx)
	slots := make(map[uid]slotRow, len(found))
	for _, row := range found {
		slots[row.SubjectID] = row
	}
	return slots, g.db.fail(ctx, "bunrepo.Gaps", err)
}

// learned returns what was learned of the slot, by its subject.
func (g *Gaps) learned(ctx context.Context, slot artwork.Slot, rows []gapRow) (map[uid]*fillmissing.Learned, error) {
	var found []fillLearnedRow
	err := g.db.read.NewSelect().Model(&found).
		Where("l.subject_kind = ? AND l.subject_id IN (?) AND l.slot = ?", fillmissing.Wish{Slot: slot}.Kind().String(), bun.List(idsOf(rows)), slot.String()).
		Scan(ctx)
	learned := make(map[uid]*fillmissing.Learned, len(found))
	for _, row := range found {
		learned[row.SubjectID] = &fillmissing.Learned{At: row.AskedAt.Time, Outcome: fillmissing.Outcome(row.Outcome), Score: row.Score, Question: row.Question}
	}
	return learned, g.db.fail(ctx, "bunrepo.Gaps", err)
}

// several returns which of the names several artists have.
func (g *Gaps) several(ctx context.Context, rows []gapRow) (map[string]bool, error) {
	keys := make([][]byte, len(rows))
	for i, row := range rows {
		keys[i] = row.NameKey
	}
	var found [][]byte
	err := g.db.read.NewRaw("SELECT name_key FROM artists WHERE name_key IN (?) GROUP BY name_key HAVING count(*) > 1", bun.List(keys)).Scan(ctx, &found)
	several := make(map[string]bool, len(found))
	for _, key := range found {
		several[string(key)] = true
	}
	return several, g.db.fail(ctx, "bunrepo.Gaps", err)
}

// missing selects the subjects whose slot is empty.
func missing(query *bun.SelectQuery, slot artwork.Slot) *bun.SelectQuery {
	kind := fillmissing.Wish{Slot: slot}.Kind()
	return query.TableExpr("? AS s", tables[kind]).
		Join("LEFT JOIN slots AS p ON p.subject_kind = ? AND p.subject_id = s.id AND p.slot = ?", kind.String(), slot.String()).
		Where("p.image_id IS NULL")
}
