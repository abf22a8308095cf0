package bunrepo

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/uptrace/bun"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// shelf is where the names of a kind of subject are found.
type shelf struct {
	table, from   string
	names, others []string // columns with folded names: its own, the sort key first, and of what it belongs to
	beginning     string   // an indexed expression with the first 100 characters of a name that is not in the sort key; "": there is none
}

var shelves = [...]shelf{
	artwork.ArtistSubject: {
		table: "artists", from: "artists AS s",
		names:     []string{"s.sort_key", "s.folded_name"},
		beginning: "substr(s.folded_name, 1, 100)",
	},
	artwork.AlbumSubject: {
		table: "albums", from: "albums AS s JOIN artists AS a ON a.id = s.artist_id",
		names: []string{"s.sort_key", "s.folded_name"}, others: []string{"a.folded_name", "a.sort_key"},
	},
	artwork.UserSubject: {
		table: "users", from: "users AS s",
		names:     []string{"s.sort_key", "s.folded_name", "s.folded_display"},
		beginning: "substr(s.folded_display, 1, 100)",
	},
}

// indexedBeginning is how many characters shelf.beginning has.
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
func (s *statement) each(ctx context.Context, tx bun.Tx, read func(scan func(...any) error) error) error {
	rows, err := tx.QueryContext(ctx, s.text.String(), s.args...)
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
	err = sql.each(ctx, l.tx, func(scan func(...any) error) error {
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
	limit := 2*l.atOnce + 1 // a subject may have the term more than once
	for _, by := range l.postings() {
		if few, err = l.fewWords(ctx, by.kind, term, starting); !few || err != nil {
			return all, false, err
		}
		sql := &statement{}
		sql.add("SELECT " + by.id)
		by.find(sql, term)
		if starting {
			sql.add(" AND x.starts")
		}
		sql.add(" LIMIT ?", limit)
		ids, ended, err := l.ids(ctx, sql, limit)
		all = append(all, ids...)
		if !ended || err != nil {
			return all, false, err
		}
	}
	slices.SortFunc(all, compareIDs)
	all = slices.Compact(all)
	return all, len(all) <= l.atOnce, nil
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
	err := l.tx.QueryRowContext(ctx, sql.text.String(), sql.args...).Scan(&n)
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
		found, err := l.lookAt(ctx, some)
		if err != nil {
			return nil, err
		}
		at = append(at, found...)
	}
	slices.SortFunc(at, catalog.Position.Compare)
	return at, nil
}

func (l *listing) lookAt(ctx context.Context, some []uid) ([]catalog.Position, error) {
	if l.search.IsZero() {
		sql := l.selected("s.slot || ''") // which is in no index, so that only the ID is looked up
		sql.add(" AND "+l.lead().id+" IN (?)", bun.List(some))
		return l.positions(ctx, sql)
	}
	sql := &statement{}
	sql.add("SELECT s.id, s.sort_key, "+l.shelf.columns()+" FROM "+l.shelf.from+" WHERE s.id IN (?)", bun.List(some))
	l.requireMissing(sql, "s.id")
	l.requireHolding(sql, "s.id")
	l.requireOwner(sql)
	found, _, err := l.ranked(ctx, sql, len(some)+1)
	return found, err
}

// columns are the names, for a SELECT.
func (s shelf) columns() string { return strings.Join(slices.Concat(s.names, s.others), ", ") }

// requireOwner adds that the album is the artist's, if one is asked for.
func (l *listing) requireOwner(sql *statement) {
	if !l.query.ArtistID.IsZero() {
		sql.add(" AND s.artist_id = ?", uid(l.query.ArtistID))
	}
}

// ranked runs a statement that selects names, and returns what is in the list; if there
// are more than limit rows, of the first of them, and the position of the last of these.
func (l *listing) ranked(ctx context.Context, sql *statement, limit int) (at []catalog.Position, last catalog.Position, err error) {
	sql.add(" ORDER BY s.sort_key, s.id LIMIT ?", limit)
	own := len(l.shelf.names)
	names := make([]string, own+len(l.shelf.others))
	var id uid
	var position catalog.Position
	columns := []any{&id, &position.SortKey}
	for i := range names {
		columns = append(columns, &names[i])
	}
	n := 0
	err = sql.each(ctx, l.tx, func(scan func(...any) error) error {
		if err := scan(columns...); err != nil {
			return err
		}
		n++
		position.ID = artwork.ID(id)
		if position.Rank = l.search.Rank(names[:own], names[own:]); position.Rank != catalog.Unmatched {
			at = append(at, position)
		}
		return nil
	})
	if n == limit {
		last = position
	}
	return at, last, err
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
		at, end, more, err := l.walk(ctx, rank, begin, want, aFewSteps)
		if err != nil || !more {
			return at, err
		}
		if ids, few, err = l.withAllTerms(ctx); err != nil {
			return nil, err
		}
		if !few {
			rest, _, _, err := l.walk(ctx, rank, end, want-len(at), math.MaxInt)
			return append(at, rest...), err
		}
	}
	at, err := l.look(ctx, ids)
	at = slices.DeleteFunc(at, func(p catalog.Position) bool { return p.Rank != rank || p.Compare(begin) <= 0 })
	return at[:min(want, len(at))], err
}

// mayHave returns all subjects that may have the rank, if these are few.
func (l *listing) mayHave(ctx context.Context, rank catalog.Rank) (ids []uid, few bool, err error) {
	switch rank {
	case catalog.Exact:
		return l.beginning(ctx, (*statement).is, "s.sort_key", l.shelf.beginning)
	case catalog.Beginning:
		ids, few, err = l.beginning(ctx, (*statement).within, "s.sort_key")
		if l.conditions() == 0 && utf8.RuneCountInString(l.search.Text()) <= indexedBeginning {
			l.known = max(l.known, len(ids))
		}
		return ids, few, err
	case catalog.NameBeginning:
		return l.beginning(ctx, (*statement).within, l.shelf.beginning)
	case catalog.WordStarts:
		for _, term := range l.longest() {
			if ids, few, err = l.withTerm(ctx, term, true); few || err != nil {
				return ids, few, err
			}
		}
	default: // the whole list would have been looked at one by one
	}
	return nil, false, nil
}

// beginning returns subjects of which one of the expressions meets the condition with the
// beginning of the text: all, if these are few.
func (l *listing) beginning(ctx context.Context, condition func(sql *statement, expression, text string), expressions ...string) (all []uid, few bool, err error) {
	text := firstCharacters(l.search.Text(), indexedBeginning)
	few = true
	for _, expression := range expressions {
		if expression == "" {
			continue
		}
		sql := &statement{}
		sql.add("SELECT s.id FROM " + l.shelf.table + " AS s WHERE TRUE")
		condition(sql, expression, text)
		sql.add(" LIMIT ?", l.atOnce+1)
		ids, ended, err := l.ids(ctx, sql, l.atOnce+1)
		if err != nil {
			return nil, false, err
		}
		few, all = few && ended, append(all, ids...)
	}
	slices.SortFunc(all, compareIDs)
	all = slices.Compact(all)
	return all, few && len(all) <= l.atOnce, nil
}

// is adds that the expression is the text, or if that is the beginning of a longer one
// begins with it.
func (s *statement) is(expression, text string) {
	if utf8.RuneCountInString(text) < indexedBeginning {
		s.add(" AND "+expression+" = ?", text)
		return
	}
	s.within(expression, text)
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

// withAllTerms returns the subjects that have all terms, if these are few enough to be
// looked at; it is for words that many names have, but few have together. What the rarest
// is on has to be counted, because no statistics know it.
func (l *listing) withAllTerms(ctx context.Context) (common []uid, few bool, err error) {
	terms := l.longest()
	if len(terms) < 2 {
		return nil, false, nil
	}
	for _, most := range []int{4 * l.atOnce, 16 * l.atOnce} {
		for i, rarest := range terms {
			if few, err = l.atMost(ctx, rarest, most); err != nil {
				return nil, false, err
			}
			if few {
				others := slices.Delete(slices.Clone(terms), i, i+1)
				return l.withTerms(ctx, rarest, others)
			}
		}
	}
	return nil, false, nil
}

// atMost reports whether so many names at most have the term.
func (l *listing) atMost(ctx context.Context, term string, most int) (bool, error) {
	total := 0
	for _, by := range l.postings() {
		sql := &statement{}
		sql.add("SELECT count(*) FROM (SELECT 1")
		by.find(sql, term)
		sql.add(" LIMIT ?) AS counted", most+1)
		var n int
		if err := l.tx.QueryRowContext(ctx, sql.text.String(), sql.args...).Scan(&n); err != nil {
			return false, err
		}
		if total += n; total > most {
			return false, nil
		}
	}
	return true, nil
}

// withTerms returns the subjects that have the term, and the others too.
func (l *listing) withTerms(ctx context.Context, term string, others []string) (all []uid, few bool, err error) {
	limit := 4*l.atOnce + 1
	for _, by := range l.postings() {
		sql := &statement{}
		sql.add("SELECT " + by.id)
		by.find(sql, term)
		for _, other := range others {
			sql.add(" AND (EXISTS (SELECT 1 FROM catalog_words AS v WHERE v.kind = ? AND v.subject_id = "+by.id+` AND v.word LIKE ? ESCAPE '\')`, l.kind.String(), containing(other))
			if l.kind == artwork.AlbumSubject {
				sql.add(" OR EXISTS (SELECT 1 FROM catalog_words AS v WHERE v.kind = 'artist' AND v.subject_id = "+by.owner+` AND v.word LIKE ? ESCAPE '\')`, containing(other))
			}
			sql.add(")")
		}
		sql.add(" LIMIT ?", limit)
		ids, _, err := l.ids(ctx, sql, limit)
		if err != nil {
			return nil, false, err
		}
		all = append(all, ids...)
	}
	slices.SortFunc(all, compareIDs)
	all = slices.Compact(all)
	return all, len(all) <= 2*l.atOnce, nil
}

// postings is one way from words to the subjects of the list.
type postings struct {
	kind      artwork.SubjectKind // whose words
	join      string
	id, owner string // expressions: the ID of the subject, and of what it belongs to
}

// postings returns the ways from words to subjects: their own words, and for albums those
// of their artists.
func (l *listing) postings() []postings {
	if l.kind != artwork.AlbumSubject {
		return []postings{{l.kind, "", "w.subject_id", ""}}
	}
	return []postings{
		{l.kind, "", "w.subject_id", "(SELECT b.artist_id FROM albums AS b WHERE b.id = w.subject_id)"},
		{artwork.ArtistSubject, " JOIN albums AS b ON b.artist_id = w.subject_id", "b.id", "w.subject_id"},
	}
}

// find adds from where words with the term lead to subjects.
func (p postings) find(sql *statement, term string) {
	sql.add(" FROM catalog_suffixes AS x JOIN catalog_words AS w ON w.kind = x.kind AND w.word = x.word"+p.join+" WHERE x.kind = ?", p.kind.String())
	sql.within("x.suffix", term)
}

func compareIDs(a, b uid) int { return slices.Compare(a[:], b[:]) }

const (
	// stride is how many subjects a step of walk comes past. It is so few that a database
	// reads them by an index.
	stride = 1000
	// aFewSteps are enough to find a page of what many names have.
	aFewSteps = 4
)

// walk goes along the list as if there were no text, and returns up to want positions of
// the rank behind the given one. It ends after so many steps; then more is true, and end
// is where it is to go on.
func (l *listing) walk(ctx context.Context, rank catalog.Rank, begin catalog.Position, want, steps int) (
	at []catalog.Position, end catalog.Position, more bool, err error,
) {
	for end, more = begin, true; more && len(at) < want; steps-- {
		if steps == 0 {
			return at, end, true, nil
		}
		var found []catalog.Position
		if found, end, more, err = l.step(ctx, rank, end, want); err != nil {
			return nil, end, false, err
		}
		at = append(at, found...)
	}
	return at[:min(want, len(at))], end, false, nil
}

// step goes one stride, or less if it has found enough.
func (l *listing) step(ctx context.Context, rank catalog.Rank, begin catalog.Position, want int) (
	at []catalog.Position, end catalog.Position, more bool, err error,
) {
	sql := l.ordered()
	l.stretch(sql, rank, begin)
	sql.add(" ORDER BY s.sort_key, "+l.lead().id+" LIMIT 1 OFFSET ?", stride-1)
	ends, err := l.positions(ctx, sql)
	if err != nil {
		return nil, end, false, err
	}
	sql = l.named(rank, begin, ends)
	l.matching(sql, rank)
	limit := 2 * want // some may have another rank
	at, last, err := l.ranked(ctx, sql, limit)
	at = slices.DeleteFunc(at, func(p catalog.Position) bool { return p.Rank != rank })
	switch {
	case last != (catalog.Position{}):
		return at, last, true, err
	case len(ends) > 0:
		return at, ends[0], true, err
	default:
		return at, end, false, err
	}
}

// named selects the names of what is in the list but for the text, from behind the
// position to the end of the stride, if it has one.
func (l *listing) named(rank catalog.Rank, begin catalog.Position, ends []catalog.Position) *statement {
	lead := l.lead()
	upTo := func(sql *statement) {
		l.stretch(sql, rank, begin)
		for _, end := range ends {
			sql.add(" AND (s.sort_key, "+lead.id+") <= (?, ?)", end.SortKey, uid(end.ID))
		}
	}
	sql := &statement{}
	sql.add("SELECT s.id, s.sort_key, " + l.shelf.columns() + " FROM ")
	if lead.table == l.shelf.table {
		sql.add(l.shelf.from + " WHERE TRUE")
		l.requireOwner(sql)
		upTo(sql)
		return sql
	}
	slots := l.ordered()
	upTo(slots)
	// The limit only says that there are not many.
	sql.add("("+slots.text.String()+" ORDER BY s.sort_key, s.subject_id LIMIT ?) AS passed, ", append(slots.args, 2*stride)...)
	sql.add(l.shelf.from + " WHERE s.id = passed.subject_id")
	return sql
}

// stretch adds that rows lie behind the position, if it is one, and between which sort keys
// all of the rank are, if that is known. There is one lower bound, because a database may use any of several.
func (l *listing) stretch(sql *statement, rank catalog.Rank, begin catalog.Position) {
	prefix := ""
	if rank == catalog.Beginning || rank == catalog.Exact && l.shelf.beginning == "" {
		prefix = firstCharacters(l.search.Text(), indexedBeginning)
	}
	if begin.ID.IsZero() {
		sql.add(" AND s.sort_key >= ?", prefix)
	} else {
		sql.add(" AND (s.sort_key, "+l.lead().id+") > (?, ?)", begin.SortKey, uid(begin.ID))
	}
	if end := behind(prefix); end != "" {
		sql.add(" AND s.sort_key < ?", end)
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
	if rank <= catalog.NameBeginning {
		either(l.shelf.names, beginning(l.search.Text()))
		return
	}
	for _, term := range l.longest() {
		either(slices.Concat(l.shelf.names, l.shelf.others), containing(term))
	}
}
