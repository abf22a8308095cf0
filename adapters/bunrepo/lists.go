package bunrepo

import (
	"context"
	"database/sql"
	"math"
	"slices"
	"sort"

	"github.com/uptrace/bun"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// fewSubjects is how many subjects a list looks at one by one: those that meet its
// rarest condition, if they are that few. Of other lists so many subjects meet each
// condition that a page is soon found in the order of the list.
const fewSubjects = 2000

// List implements catalog.Repository.
func (s *subjects[T, R]) List(ctx context.Context, query catalog.Query) (page catalog.Page[T], err error) {
	if err := query.Check(s.kind); err != nil {
		return page, err
	}
	// One transaction, so that nothing changes between its statements.
	options := &sql.TxOptions{Isolation: sql.LevelRepeatableRead}
	if s.db.Kind() == "sqlite" {
		options = nil // it knows no other
	}
	err = s.db.read.RunInTx(ctx, options, func(ctx context.Context, tx bun.Tx) error {
		if err := s.db.engine.planLists(ctx, tx); err != nil {
			return err
		}
		page, err = s.list(ctx, tx, query)
		return err
	})
	if err != nil {
		return catalog.Page[T]{}, s.db.fail(ctx, "bunrepo.List", err)
	}
	return page, nil
}

func (s *subjects[T, R]) list(ctx context.Context, tx bun.Tx, query catalog.Query) (page catalog.Page[T], err error) {
	found, err := newListing(tx, s.kind, query, s.atOnce).find(ctx)
	if err != nil {
		return page, err
	}
	page.Total, page.TotalIsLowerBound = found.total, found.atLeast
	if found.more {
		page.Next = query.CursorAt(found.at[len(found.at)-1])
	}
	if page.Items, err = s.inOrder(ctx, tx, found.at); err != nil {
		return page, err
	}
	page.Images, err = s.images(ctx, tx, found.at)
	return page, err
}

// inOrder reads the subjects at the positions.
func (s *subjects[T, R]) inOrder(ctx context.Context, tx bun.Tx, at []catalog.Position) ([]T, error) {
	if len(at) == 0 {
		return nil, nil
	}
	var rows []R
	if err := s.selectRows(&rows).Conn(tx).Where("s.id IN (?)", bun.List(idsAt(at))).Scan(ctx); err != nil {
		return nil, err
	}
	known := make(map[artwork.ID]R, len(rows))
	for _, row := range rows {
		known[row.key()] = row
	}
	var subjects []T
	for _, position := range at {
		if row, ok := known[position.ID]; ok {
			subjects = append(subjects, row.value())
		}
	}
	return subjects, nil
}

func idsAt(at []catalog.Position) []uid {
	ids := make([]uid, len(at))
	for i, position := range at {
		ids[i] = uid(position.ID)
	}
	return ids
}

// listedImages is inForce for many subjects.
const listedImages = `
SELECT s.subject_id, s.slot, s.image_id, s.locked, s.last_modified,
	i.hash, i.size, i.mime_type, i.width, i.height, i.thumb_hash, i.dominant_color, i.source, i.provider, i.focal_x, i.focal_y
FROM slots AS s JOIN images AS i ON i.id = s.image_id
WHERE s.subject_kind = ? AND s.subject_id IN (?)`

// images reads the images in force of the subjects at the positions.
func (s *subjects[T, R]) images(ctx context.Context, tx bun.Tx, at []catalog.Position) (map[artwork.ID]map[artwork.Slot]*artwork.Image, error) {
	if len(at) == 0 {
		return nil, nil
	}
	rows, err := tx.QueryContext(ctx, listedImages, s.kind.String(), bun.List(idsAt(at)))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var images map[artwork.ID]map[artwork.Slot]*artwork.Image
	for rows.Next() {
		var subject uid
		var name string
		var row inForceRow
		if err := rows.Scan(slices.Concat([]any{&subject, &name}, row.columns())...); err != nil {
			return nil, err
		}
		slot, err := artwork.ParseSlot(name)
		if err != nil {
			return nil, err
		}
		image, err := row.image()
		if err != nil {
			return nil, err
		}
		if images == nil {
			images = map[artwork.ID]map[artwork.Slot]*artwork.Image{}
		}
		if images[artwork.ID(subject)] == nil {
			images[artwork.ID(subject)] = map[artwork.Slot]*artwork.Image{}
		}
		images[artwork.ID(subject)][slot] = image
	}
	return images, rows.Err()
}

// listing is one look for a page of a list.
type listing struct {
	tx     bun.Tx
	kind   artwork.SubjectKind
	shelf  shelf
	query  catalog.Query
	search catalog.Search
	atOnce int
	known  int // how long the list is at least
}

func newListing(tx bun.Tx, kind artwork.SubjectKind, query catalog.Query, atOnce int) *listing {
	if kind != artwork.AlbumSubject {
		query.ArtistID = artwork.ID{}
	}
	return &listing{tx: tx, kind: kind, shelf: shelves[kind], query: query, search: catalog.NewSearch(query.Text), atOnce: atOnce}
}

// found is what was found of a list.
type found struct {
	at      []catalog.Position // of the page
	more    bool               // there is another page
	total   int
	atLeast bool // the total is a lower bound
}

// find looks for the page.
//
// A list without conditions, or with one that an index is made for, is read in its
// order. Of others the conditions are tried: if few subjects meet one of them, these
// are looked at one by one, and the list is counted by the way. Else a page is soon
// found in the order of the list, or of one rank of it.
func (l *listing) find(ctx context.Context) (found, error) {
	if l.search.IsZero() && l.conditions() <= 1 && l.query.Holding.Below == 0 {
		return l.inOrder(ctx)
	}
	ids, few, err := l.candidates(ctx)
	switch {
	case err != nil:
		return found{}, err
	case few:
		return l.oneByOne(ctx, ids)
	case l.search.IsZero():
		return l.inOrder(ctx)
	default:
		return l.byRank(ctx)
	}
}

func (l *listing) conditions() (n int) {
	h := l.query.Holding
	for _, asked := range []bool{l.query.Missing != 0, h.Source != 0, h.Locked, h.Low, h.Below != 0, !l.query.ArtistID.IsZero()} {
		if asked {
			n++
		}
	}
	return n
}

// oneByOne looks at all subjects that may be in the list.
func (l *listing) oneByOne(ctx context.Context, ids []uid) (found, error) {
	at, err := l.look(ctx, ids)
	if err != nil {
		return found{}, err
	}
	total := len(at)
	start := int(min(offset(l.query), int64(total)))
	if after := l.query.After; after != (catalog.Cursor{}) {
		start = sort.Search(total, func(i int) bool { return at[i].Compare(after.Position) > 0 })
	}
	return l.page(at[start:], total, false), nil
}

// page cuts the page from what begins with it.
func (l *listing) page(at []catalog.Position, total int, atLeast bool) found {
	f := found{at: at, total: total, atLeast: atLeast}
	if len(at) > l.query.PageSize {
		f.at, f.more = at[:l.query.PageSize], true
	}
	return f
}

// offset returns how many rows come before the page; the largest number there is
// for a page that is past the end of everything.
func offset(query catalog.Query) int64 {
	if query.Page == 0 {
		return 0
	}
	page, size := int64(query.Page), int64(query.PageSize)
	if page-1 > math.MaxInt64/size {
		return math.MaxInt64
	}
	return (page - 1) * size
}

// inOrder reads the list in its order, from where the page begins.
func (l *listing) inOrder(ctx context.Context) (found, error) {
	total, counted, err := l.count(ctx)
	if err != nil {
		return found{}, err
	}
	skip := offset(l.query)
	if counted && skip >= int64(total) {
		return found{total: total}, nil
	}
	sql := l.ordered()
	if after := l.query.After; after != (catalog.Cursor{}) {
		sql.add(" AND (s.sort_key, "+l.lead().id+") > (?, ?)", after.SortKey, uid(after.ID))
	}
	sql.add(" ORDER BY s.sort_key, "+l.lead().id+" LIMIT ? OFFSET ?", l.query.PageSize+1, skip)
	at, err := l.positions(ctx, sql)
	if err != nil {
		return found{}, err
	}
	if !counted {
		total = len(at)
		if len(at) > 0 { // else nobody knows how long it is that it ended before
			total += int(skip)
		}
	}
	return l.page(at, total, !counted), nil
}

// lead is the table that gives a list its order, as s.
type lead struct{ table, id string }

func (l *listing) lead() lead {
	if l.query.Missing != 0 || l.query.Holding.Slot != 0 {
		return lead{"catalog_slots", "s.subject_id"}
	}
	return lead{l.shelf.table, "s.id"}
}

// ordered selects the positions of the list, without their order. A slot that is
// asked about leads, so that an index has what the list needs.
func (l *listing) ordered() *statement { return l.selected("s.slot") }

func (l *listing) selected(slot string) *statement {
	lead := l.lead()
	sql := &statement{}
	sql.add("SELECT " + lead.id + ", s.sort_key FROM " + lead.table + " AS s WHERE ")
	switch h := l.query.Holding; {
	case h.Slot != 0:
		sql.add(slot+" = ?", h.Slot.String())
		sql.holds("s", catalog.Holding{Source: h.Source, Locked: h.Locked, Low: h.Low})
		if h.Below != 0 { // not by the index of pixels, which has another order
			sql.add(" AND s.pixels + 0 BETWEEN 1 AND ?", h.Below-1)
		}
		l.requireMissing(sql, lead.id)
		l.requireArtist(sql, lead.id)
	case l.query.Missing != 0:
		sql.add(slot+" = ? AND s.source = ''", l.query.Missing.String())
		l.requireArtist(sql, lead.id)
	case !l.query.ArtistID.IsZero():
		sql.add("s.artist_id = ?", uid(l.query.ArtistID))
	default:
		sql.add("TRUE")
	}
	return sql
}

// Conditions on the subject whose ID is the expression. Each is a subquery that gives
// one value: a database can only evaluate it for the rows that it comes to, and not
// begin with all that meet it.

func (l *listing) requireMissing(sql *statement, id string) {
	if l.query.Missing != 0 {
		sql.add(" AND (SELECT m.source FROM catalog_slots AS m WHERE m.subject_id = "+id+" AND m.slot = ?) = ''", l.query.Missing.String())
	}
}

func (l *listing) requireHolding(sql *statement, id string) {
	if h := l.query.Holding; h.Slot != 0 {
		sql.add(" AND (SELECT 1 FROM catalog_slots AS h WHERE h.subject_id = "+id+" AND h.slot = ?", h.Slot.String())
		sql.holds("h", h)
		sql.add(") = 1")
	}
}

func (l *listing) requireArtist(sql *statement, id string) {
	if !l.query.ArtistID.IsZero() {
		sql.add(" AND (SELECT o.artist_id FROM albums AS o WHERE o.id = "+id+") = ?", uid(l.query.ArtistID))
	}
}

// count counts the list, if that takes no time.
func (l *listing) count(ctx context.Context) (total int, counted bool, err error) {
	missing, holding := l.query.Missing, l.query.Holding
	sql := &statement{}
	switch {
	case !l.query.ArtistID.IsZero():
		if l.conditions() > 1 {
			return 0, false, nil
		}
		sql.add("SELECT count(*) FROM albums WHERE artist_id = ?", uid(l.query.ArtistID))
	case holding.Below != 0, missing != 0 && holding.Slot != 0 && missing != holding.Slot:
		return 0, false, nil
	default:
		sql.add("SELECT CAST(coalesce(sum(s.n), 0) AS bigint) FROM catalog_counts AS s WHERE s.slot = ?", l.countedSlot().String())
		if missing != 0 {
			sql.add(" AND s.source = ''")
		}
		sql.holds("s", holding)
	}
	err = l.tx.QueryRowContext(ctx, sql.text.String(), sql.args...).Scan(&total)
	return total, true, err
}

// countedSlot is the slot that is asked about; every subject has each of its kind.
func (l *listing) countedSlot() artwork.Slot {
	switch {
	case l.query.Missing != 0:
		return l.query.Missing
	case l.query.Holding.Slot != 0:
		return l.query.Holding.Slot
	default:
		return l.kind.Slots()[0]
	}
}

// positions runs a statement that selects IDs and sort keys.
func (l *listing) positions(ctx context.Context, sql *statement) (at []catalog.Position, err error) {
	err = sql.each(ctx, l.tx, func(scan func(...any) error) error {
		var id uid
		var sortKey string
		if err := scan(&id, &sortKey); err != nil {
			return err
		}
		at = append(at, catalog.Position{SortKey: sortKey, ID: artwork.ID(id)})
		return nil
	})
	return at, err
}
