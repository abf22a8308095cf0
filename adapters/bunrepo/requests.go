package bunrepo

import (
	"context"
	"maps"
	"math"
	"slices"

	"github.com/uptrace/bun"
	"github.com/uptrace/bun/schema"

	"gatefold/application/warmcache"
	"gatefold/domain/artwork"
)

// Requests keeps how often keys are requested.
type Requests struct {
	db    *DB
	terms warmcache.RecordTerms
}

var (
	_ warmcache.Requests = (*Requests)(nil)
	_ warmcache.Changes  = (*ChangeLog)(nil)
)

// NewRequests returns the record of requests in the database, which forgets by
// the terms. All instances must have the same.
func NewRequests(db *DB, terms warmcache.RecordTerms) *Requests { return &Requests{db, terms} }

// requestsAtOnce is how many keys one transaction adds to: on SQLite everybody
// else who writes waits for it.
const requestsAtOnce = 500

// heatUp adds weights whose logarithms are known: ln(x+y) is the greater of ln x
// and ln y, and ln(1+e^-d) where d is how far apart they are. Postgres refuses an
// exponential that is too small for a number, and from 50 on it adds nothing.
const heatUp = `
INSERT INTO requested_keys AS r (key, heat) VALUES ?
ON CONFLICT (key) DO UPDATE SET heat =
	CASE WHEN r.heat > EXCLUDED.heat THEN r.heat ELSE EXCLUDED.heat END +
	CASE WHEN abs(r.heat - EXCLUDED.heat) < 50 THEN ln(1 + exp(-abs(r.heat - EXCLUDED.heat))) ELSE 0 END`

// coolDown deletes all but the hottest.
const coolDown = `
DELETE FROM requested_keys WHERE (heat, key) < (SELECT heat, key FROM requested_keys ORDER BY heat DESC, key DESC LIMIT 1 OFFSET ?)`

// Add implements warmcache.Requests. Every transaction takes the keys in the same
// order, so that none waits for one that waits for it.
func (q *Requests) Add(ctx context.Context, counts []warmcache.Count) error {
	byName := map[string]int{}
	for _, count := range counts {
		if count.N > 0 {
			byName[count.Key.String()] += count.N
		}
	}
	for names := range slices.Chunk(slices.Sorted(maps.Keys(byName)), requestsAtOnce) {
		err := q.db.change(ctx, "bunrepo.AddRequests", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
			return q.heatUp(ctx, tx, names, byName)
		})
		if err != nil {
			return err
		}
	}
	return q.db.change(ctx, "bunrepo.AddRequests", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.ExecContext(ctx, coolDown, q.terms.MaxKeys-1)
		return err
	})
}

func (q *Requests) heatUp(ctx context.Context, tx bun.Tx, names []string, counts map[string]int) error {
	// What weighs 1 now weighs 2^(now/halfLife) at the fixed moment, the year 1970.
	perSecond := math.Ln2 / q.terms.HalfLife.Seconds()
	now := q.db.engine.seconds()
	rows := make([]schema.QueryAppender, len(names))
	for i, name := range names {
		rows[i] = bun.SafeQuery("(?, ? + ? * ?)", name, math.Log(float64(counts[name])), perSecond, now)
	}
	_, err := tx.ExecContext(ctx, heatUp, bun.List(rows))
	return err
}

// MostRequested implements warmcache.Requests.
func (q *Requests) MostRequested(ctx context.Context, limit int) ([]artwork.Key, error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	var names []string
	err := q.db.read.NewRaw("SELECT key FROM requested_keys ORDER BY heat DESC, key DESC LIMIT ?", limit).Scan(ctx, &names)
	if err != nil {
		return nil, q.db.fail(ctx, "bunrepo.MostRequested", err)
	}
	keys := make([]artwork.Key, 0, len(names))
	for _, name := range names {
		if key, err := artwork.ParseKey(name); err == nil {
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// LastChanged implements warmcache.Changes.
func (l *ChangeLog) LastChanged(ctx context.Context, limit int) ([]artwork.Place, error) {
	if limit <= 0 {
		return nil, ctx.Err()
	}
	var rows []slotRow
	err := l.db.read.NewSelect().Model(&rows).
		Column("subject_kind", "subject_id", "slot").
		Where("s.changed_at > ?", neverChanged).
		OrderExpr("s.changed_at DESC").Limit(int64(limit)).
		Scan(ctx)
	if err != nil {
		return nil, l.db.fail(ctx, "bunrepo.LastChanged", err)
	}
	places := make([]artwork.Place, 0, len(rows))
	for _, row := range rows {
		place, err := parsePlace(row.SubjectKind, row.SubjectID, row.Slot)
		if err != nil {
			return nil, l.db.fail(ctx, "bunrepo.LastChanged", err)
		}
		places = append(places, place)
	}
	return places, nil
}
