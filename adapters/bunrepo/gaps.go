package bunrepo

import (
	"cmp"
	"context"
	"slices"

	"github.com/uptrace/bun"

	"gatefold/application/fillmissing"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Gaps says which slots are empty.
type Gaps struct{ db *DB }

var _ fillmissing.Gaps = (*Gaps)(nil)

// NewGaps returns the empty slots in the database.
func NewGaps(db *DB) *Gaps { return &Gaps{db} }

// gapRow is an empty slot.
type gapRow struct {
	ID        uid     `bun:"id"`
	Name      string  `bun:"name"`
	Artist    string  `bun:"artist"`
	MBID      uid     `bun:"mbid"`
	GroupMBID uid     `bun:"group_mbid"`
	Namesakes bool    `bun:"namesakes"`
	Locked    bool    `bun:"locked"`
	KeptEmpty bool    `bun:"kept_empty"`
	AskedAt   instant `bun:"asked_at"`
	Outcome   string  `bun:"outcome"`
	Score     float64 `bun:"score"`
	Question  string  `bun:"question"`
}

func (r gapRow) gap() fillmissing.Gap {
	gap := fillmissing.Gap{
		SubjectID: artwork.ID(r.ID), Name: r.Name, Artist: r.Artist, MBID: catalog.MBID(r.MBID), GroupMBID: catalog.MBID(r.GroupMBID),
		Namesakes: r.Namesakes, Locked: r.Locked, KeptEmpty: r.KeptEmpty,
	}
	if !r.AskedAt.IsZero() {
		gap.Learned = &fillmissing.Learned{At: r.AskedAt.Time, Outcome: fillmissing.Outcome(r.Outcome), Score: r.Score, Question: r.Question}
	}
	return gap
}

// missing selects the subjects whose slot is empty.
func missing(query *bun.SelectQuery, slot artwork.Slot) *bun.SelectQuery {
	kind := fillmissing.Wish{Slot: slot}.Kind()
	return query.TableExpr("? AS s", tables[kind]).
		Join("LEFT JOIN slots AS p ON p.subject_kind = ? AND p.subject_id = s.id AND p.slot = ?", kind.String(), slot.String()).
		Where("p.image_id IS NULL")
}

// gaps selects what is known of them, in the order of their IDs.
func (g *Gaps) gaps(slot artwork.Slot) *bun.SelectQuery {
	query := missing(g.db.read.NewSelect(), slot).
		ColumnExpr("s.id, s.name, s.mbid").
		ColumnExpr("COALESCE(p.locked, ?) AS locked, COALESCE(p.kept_empty, ?) AS kept_empty", false, false).
		ColumnExpr("l.asked_at, COALESCE(l.outcome, '') AS outcome, COALESCE(l.score, 0.0) AS score, COALESCE(l.question, '') AS question").
		Join("LEFT JOIN fill_learned AS l ON l.subject_kind = ? AND l.subject_id = s.id AND l.slot = ?", fillmissing.Wish{Slot: slot}.Kind().String(), slot.String()).
		OrderExpr("s.id")
	if artwork.AlbumSubject.Has(slot) {
		return query.Join("JOIN artists AS a ON a.id = s.artist_id").
			ColumnExpr("a.name AS artist, s.release_group_mbid AS group_mbid").
			ColumnExpr("EXISTS (SELECT 1 FROM artists AS o WHERE o.name_key = a.name_key AND o.id <> a.id) AS namesakes")
	}
	return query.ColumnExpr("'' AS artist, NULL AS group_mbid").
		ColumnExpr("EXISTS (SELECT 1 FROM artists AS o WHERE o.name_key = s.name_key AND o.id <> s.id) AS namesakes")
}

// After implements fillmissing.Gaps.
func (g *Gaps) After(ctx context.Context, slot artwork.Slot, after artwork.ID, limit int) ([]fillmissing.Gap, error) {
	query := g.gaps(slot).Limit(int64(limit))
	if !after.IsZero() {
		query.Where("s.id > ?", uid(after))
	}
	return g.read(ctx, query)
}

// Among implements fillmissing.Gaps.
func (g *Gaps) Among(ctx context.Context, slot artwork.Slot, ids []artwork.ID) ([]fillmissing.Gap, error) {
	var all []fillmissing.Gap
	for some := range slices.Chunk(ids, chunkSize) {
		gaps, err := g.read(ctx, g.gaps(slot).Where("s.id IN (?)", bun.List(uids(some))))
		if err != nil {
			return nil, err
		}
		all = append(all, gaps...)
	}
	slices.SortFunc(all, func(a, b fillmissing.Gap) int { return cmp.Compare(a.SubjectID.String(), b.SubjectID.String()) })
	return all, nil
}

func (g *Gaps) read(ctx context.Context, query *bun.SelectQuery) ([]fillmissing.Gap, error) {
	var rows []gapRow
	if err := query.Scan(ctx, &rows); err != nil {
		return nil, g.db.fail(ctx, "bunrepo.Gaps", err)
	}
	gaps := make([]fillmissing.Gap, len(rows))
	for i, row := range rows {
		gaps[i] = row.gap()
	}
	return gaps, nil
}
