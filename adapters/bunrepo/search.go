package bunrepo

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// shelf is where the names of a kind of subject are found.
type shelf struct {
	table, from   string
	names, others []string // columns with folded names: its own, and of what it belongs to
	beginnings    []string // indexed expressions with the beginnings of its own names, at least 100 characters
}

var shelves = [...]shelf{
	artwork.ArtistSubject: {
		table: "artists", from: "artists AS s",
		names:      []string{"s.folded_name", "s.sort_key"},
		beginnings: []string{"substr(s.folded_name, 1, 100)", "s.sort_key"},
	},
	artwork.AlbumSubject: {
		table: "albums", from: "albums AS s JOIN artists AS a ON a.id = s.artist_id",
		names: []string{"s.folded_name"}, others: []string{"a.folded_name", "a.sort_key"},
		beginnings: []string{"s.sort_key"},
	},
	artwork.UserSubject: {
		table: "users", from: "users AS s",
		names:      []string{"s.folded_name", "s.folded_display"},
		beginnings: []string{"s.sort_key", "substr(s.folded_display, 1, 100)"},
	},
}

// indexedBeginning is how many characters the expressions of shelf.beginnings have.
const indexedBeginning = 100

// statement is an SQL statement that is put together.
type statement struct {
	text strings.Builder
	args []any
}

func (s *statement) add(text string, args ...any) {
	s.text.WriteString(text)
	s.args = append(s.args, args...)
}

// holds adds what the row of catalog_slots or catalog_counts has to be like.
func (s *statement) holds(alias string, h catalog.Holding) {
	if h.Source != 0 {
		s.add(" AND "+alias+".source = ?", h.Source.String())
	}
	if h.Locked {
		s.add(" AND " + alias + ".locked")
	}
	if h.Low {
		s.add(" AND " + alias + ".low")
	}
	if h.Below != 0 {
		s.add(" AND "+alias+".pixels > 0 AND "+alias+".pixels < ?", h.Below)
	}
}

// each runs the statement and has every row read.
func (s *statement) each(ctx context.Context, db *DB, read func(scan func(...any) error) error) error {
	rows, err := db.read.QueryContext(ctx, s.text.String(), s.args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := read(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// candidates returns all subjects that may be in the list, if a condition is met by
// few of them.
func (l *listing) candidates(ctx context.Context) (ids []uid, few bool, err error) {
	for _, sql := range l.filters() {
		sql.add(" LIMIT ?", l.atOnce+1)
		if ids, few, err = l.ids(ctx, sql, l.atOnce+1); few || err != nil {
			return ids, few, err
		}
	}
	for _, term := range l.longest() {
		if ids, few, err = l.withTerm(ctx, term, false); few || err != nil {
			return ids, few, err
		}
		if len(l.search.Terms()) == 1 && l.conditions() == 0 {
			l.known = len(ids)
		}
	}
	return nil, false, nil
}

// filters select the IDs of the subjects that meet a condition, one by one.
func (l *listing) filters() (all []*statement) {
	ofSlot := func(slot artwork.Slot, h catalog.Holding, more string) {
		sql := &statement{}
		sql.add("SELECT s.subject_id FROM catalog_slots AS s WHERE s.slot = ?"+more, slot.String())
		sql.holds("s", h)
		all = append(all, sql)
	}
	if !l.query.ArtistID.IsZero() {
		sql := &statement{}
		sql.add("SELECT s.id FROM albums AS s WHERE s.artist_id = ?", uid(l.query.ArtistID))
		all = append(all, sql)
	}
	h := l.query.Holding
	for _, one := range []catalog.Holding{{Below: h.Below}, {Locked: h.Locked}, {Low: h.Low}, {Source: h.Source}} {
		if one != (catalog.Holding{}) {
			ofSlot(h.Slot, one, "")
		}
	}
	if l.query.Missing != 0 {
		ofSlot(l.query.Missing, catalog.Holding{}, " AND s.source = ''")
	}
	return all
}

// ids runs a statement that selects at most limit IDs, and returns each of them once.
// few is true if these are all.
func (l *listing) ids(ctx context.Context, sql *statement, limit int) (ids []uid, few bool, err error) {
	n, seen := 0, map[uid]bool{}
	err = sql.each(ctx, l.db, func(scan func(...any) error) error {
		var id uid
		if err := scan(&id); err != nil {
			return err
		}
		if n++; !seen[id] {
			seen[id], ids = true, append(ids, id)
		}
		return nil
	})
	return ids, err == nil && n < limit && len(ids) <= l.atOnce, err
}

// maxTerms bounds how many words of a text a database is asked about. All are
// compared in the end.
const maxTerms = 4

// longest returns the terms that are probably the rarest.
func (l *listing) longest() []string {
	terms := slices.SortedStableFunc(slices.Values(l.search.Terms()), func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	return terms[:min(maxTerms, len(terms))]
}

// withTerm returns subjects whose names, or those of what they belong to, have a word
// with the term: all, if these are few. If starting is true, the term has to start a
// word.
func (l *listing) withTerm(ctx context.Context, term string, starting bool) (all []uid, few bool, err error) {
	few = true
	add := func(kind artwork.SubjectKind, columns, join string) error {
		complete, err := l.fewWords(ctx, kind, term, starting)
		if err != nil {
			return err
		}
		limit := 2*l.atOnce + 1 // a subject may have the term more than once
		sql := &statement{}
		sql.add("SELECT "+columns+" FROM catalog_suffixes AS x JOIN catalog_words AS w ON w.kind = x.kind AND w.word = x.word"+join+" WHERE x.kind = ?", kind.String())
		sql.within("x.suffix", term)
		if starting {
			sql.add(" AND x.starts")
		}
		sql.add(" LIMIT ?", limit)
		ids, ended, err := l.ids(ctx, sql, limit)
		few, all = few && complete && ended, append(all, ids...)
		return err
	}
	if err := add(l.kind, "w.subject_id", ""); err != nil || l.kind != artwork.AlbumSubject {
		return all, few, err
	}
	err = add(artwork.ArtistSubject, "b.id", " JOIN albums AS b ON b.artist_id = w.subject_id")
	slices.SortFunc(all, func(a, b uid) int { return slices.Compare(a[:], b[:]) })
	all = slices.Compact(all)
	return all, few && len(all) <= l.atOnce, err
}

// fewWords reports whether few words have the term. Who looks for names with one of
// many could look for long, because nobody may have these words any more.
func (l *listing) fewWords(ctx context.Context, kind artwork.SubjectKind, term string, starting bool) (bool, error) {
	sql := &statement{}
	sql.add("SELECT count(*) FROM (SELECT 1 FROM catalog_suffixes AS x WHERE x.kind = ?", kind.String())
	sql.within("x.suffix", term)
	if starting {
		sql.add(" AND x.starts")
	}
	sql.add(" LIMIT ?) AS counted", l.atOnce+1)
	var n int
	err := l.db.read.QueryRowContext(ctx, sql.text.String(), sql.args...).Scan(&n)
	return n <= l.atOnce, err
}

// within adds that the expression begins with the text.
func (s *statement) within(expression, text string) {
	s.add(" AND "+expression+" >= ?", text)
	if end := behind(text); end != "" {
		s.add(" AND "+expression+" < ?", end)
	}
}

// look returns those of the subjects that are in the list, in its order.
func (l *listing) look(ctx context.Context, ids []uid) ([]catalog.Position, error) {
	var at []catalog.Position
	for some := range slices.Chunk(ids, chunkSize) {
		sql := l.selectNames()
		sql.add("s.id IN (?)", bun.List(some))
		found, err := l.ranked(ctx, sql)
		if err != nil {
			return nil, err
		}
		at = append(at, found...)
	}
	slices.SortFunc(at, catalog.Position.Compare)
	return at, nil
}

// selectNames begins a statement for ranked.
func (l *listing) selectNames() *statement {
	sql := &statement{}
	sql.add("SELECT s.id, s.sort_key, " + strings.Join(slices.Concat(l.shelf.names, l.shelf.others), ", ") + " FROM " + l.shelf.from + " WHERE ")
	return sql
}

// ranked runs a statement that selects names, and returns what is in the list.
func (l *listing) ranked(ctx context.Context, sql *statement) (at []catalog.Position, err error) {
	l.requireMissing(sql, "s.id")
	l.requireHolding(sql, "s.id")
	if !l.query.ArtistID.IsZero() {
		sql.add(" AND s.artist_id = ?", uid(l.query.ArtistID))
	}
	sql.add(" ORDER BY s.sort_key, s.id")
	own := len(l.shelf.names)
	names := make([]string, own+len(l.shelf.others))
	var id uid
	var sortKey string
	columns := []any{&id, &sortKey}
	for i := range names {
		columns = append(columns, &names[i])
	}
	err = sql.each(ctx, l.db, func(scan func(...any) error) error {
		if err := scan(columns...); err != nil {
			return err
		}
		position := catalog.Position{SortKey: sortKey, ID: artwork.ID(id)}
		if !l.search.IsZero() {
			if position.Rank = l.search.Rank(names[:own], names[own:]); position.Rank == catalog.Unmatched {
				return nil
			}
		}
		at = append(at, position)
		return nil
	})
	return at, err
}

// farthest is how far down, in subjects, pages of a search can be asked for by number
// if it finds many.
const farthest = 10_000

// byRank finds the page of a list that very many names match, rank by rank.
func (l *listing) byRank(ctx context.Context) (found, error) {
	skip, from := offset(l.query), l.query.After.Position
	if skip > farthest {
		return found{}, artwork.Errorf(artwork.InvalidInput, "too many names match for a page so far down: go on from page to page with the cursor, or search for more")
	}
	var at []catalog.Position
	want := int(skip) + l.query.PageSize + 1
	for rank := max(from.Rank, catalog.Exact); rank <= catalog.Contained && len(at) < want; rank++ {
		begin := catalog.Position{Rank: rank}
		if rank == from.Rank {
			begin = from
		}
		some, err := l.ofRank(ctx, rank, begin, want-len(at))
		if err != nil {
			return found{}, err
		}
		at = append(at, some...)
	}
	l.known = max(l.known, len(at))
	return l.page(at[min(int(skip), len(at)):], l.known, true), nil
}

// ofRank returns up to want positions of the rank behind the given one.
func (l *listing) ofRank(ctx context.Context, rank catalog.Rank, begin catalog.Position, want int) ([]catalog.Position, error) {
	ids, few, err := l.mayHave(ctx, rank)
	if err != nil {
		return nil, err
	}
	if !few {
		return l.walk(ctx, rank, begin, want)
	}
	at, err := l.look(ctx, ids)
	at = slices.DeleteFunc(at, func(p catalog.Position) bool { return p.Rank != rank || p.Compare(begin) <= 0 })
	return at[:min(want, len(at))], err
}

// mayHave returns all subjects that may have the rank, if these are few.
func (l *listing) mayHave(ctx context.Context, rank catalog.Rank) (ids []uid, few bool, err error) {
	switch rank {
	case catalog.Exact, catalog.Beginning:
		return l.beginning(ctx)
	case catalog.WordStarts:
		for _, term := range l.longest() {
			if ids, few, err = l.withTerm(ctx, term, true); few || err != nil {
				return ids, few, err
			}
		}
	}
	return nil, false, nil // the list would have been looked at one by one
}

// beginning returns the subjects of which a name begins with the text, if these are few.
func (l *listing) beginning(ctx context.Context) (all []uid, few bool, err error) {
	text := firstCharacters(l.search.Text(), indexedBeginning)
	for _, expression := range l.shelf.beginnings {
		sql := &statement{}
		sql.add("SELECT s.id FROM " + l.shelf.table + " AS s WHERE TRUE")
		sql.within(expression, text)
		sql.add(" LIMIT ?", l.atOnce+1)
		ids, few, err := l.ids(ctx, sql, l.atOnce+1)
		if err != nil || !few {
			return nil, false, err
		}
		all = append(all, ids...)
	}
	slices.SortFunc(all, func(a, b uid) int { return slices.Compare(a[:], b[:]) })
	all = slices.Compact(all)
	return all, len(all) <= l.atOnce, nil
}

func firstCharacters(text string, n int) string {
	for i := range text {
		if n == 0 {
			return text[:i]
		}
		n--
	}
	return text
}

// stride is how many subjects a step of walk comes past. It is so few that a database
// reads them by an index.
const stride = 1000

// walk goes along the list as if there were no text, and returns up to want positions of
// the rank behind the given one. Very many names match, so that it does not go far.
func (l *listing) walk(ctx context.Context, rank catalog.Rank, begin catalog.Position, want int) ([]catalog.Position, error) {
	var at []catalog.Position
	for len(at) < want {
		end, more, err := l.step(ctx, rank, begin)
		if err != nil {
			return nil, err
		}
		sql := l.selectNames()
		sql.stretch(begin)
		if more {
			sql.add(" AND (s.sort_key, s.id) <= (?, ?)", end.SortKey, uid(end.ID))
		}
		l.narrow(sql, rank)
		l.matching(sql, rank)
		found, err := l.ranked(ctx, sql)
		if err != nil {
			return nil, err
		}
		at = append(at, slices.DeleteFunc(found, func(p catalog.Position) bool { return p.Rank != rank })...)
		if !more {
			break
		}
		begin = end
	}
	return at[:min(want, len(at))], nil
}

// step returns the position a stride behind begin, if there is one.
func (l *listing) step(ctx context.Context, rank catalog.Rank, begin catalog.Position) (end catalog.Position, more bool, err error) {
	sql := &statement{}
	sql.add("SELECT s.id, s.sort_key FROM " + l.shelf.table + " AS s WHERE ")
	sql.stretch(begin)
	l.narrow(sql, rank)
	sql.add(" ORDER BY s.sort_key, s.id LIMIT 1 OFFSET ?", stride-1)
	at, err := l.positions(ctx, sql)
	if err != nil || len(at) == 0 {
		return end, false, err
	}
	return at[0], true, nil
}

// stretch adds that rows lie behind the position, if it is one. It always says something
// of the order, for which there is an index.
func (s *statement) stretch(begin catalog.Position) {
	if begin.ID.IsZero() {
		s.add("s.sort_key >= ''")
		return
	}
	s.add("(s.sort_key, s.id) > (?, ?)", begin.SortKey, uid(begin.ID))
}

// narrow adds between which sort keys all of the rank are, if that is known: the only
// name of an album of its own is what it is sorted by.
func (l *listing) narrow(sql *statement, rank catalog.Rank) {
	if rank <= catalog.Beginning && l.kind == artwork.AlbumSubject {
		sql.within("s.sort_key", firstCharacters(l.search.Text(), indexedBeginning))
	}
}

// matching adds what is true of all names that may have the rank.
func (l *listing) matching(sql *statement, rank catalog.Rank) {
	either := func(columns []string, pattern string) {
		for i, column := range columns {
			sql.add([]string{" AND (", " OR "}[min(i, 1)]+column+` LIKE ? ESCAPE '\'`, pattern)
		}
		sql.add(")")
	}
	if rank <= catalog.Beginning {
		either(l.shelf.names, beginning(l.search.Text()))
		return
	}
	for _, term := range l.longest() {
		either(slices.Concat(l.shelf.names, l.shelf.others), containing(term))
	}
}
