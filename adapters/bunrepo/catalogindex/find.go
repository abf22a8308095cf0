package catalogindex

import (
	"cmp"
	"math"
	"slices"
	"sort"
	"strings"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// few is how many subjects are compared with a text name by name: then the sets of the
// terms that are left need not be made.
const few = 500

// find makes the set of those who match, counts it, and then goes along the list until the
// page is full.
func (s *shelf) find(query catalog.Query) Found {
	search := catalog.NewSearch(query.Text)
	matching, rank := s.match(search)
	matching = s.filtered(matching, query)
	total := matching.count()
	w := wanted{skip: int(min(offset(query), int64(total))), size: query.PageSize}
	var order []uint32
	switch by := query.Order.By; {
	case by == catalog.Best && !search.IsZero():
		order = s.byRank(matching, rank, query.After, w)
	case by == catalog.Best, by == catalog.ByName:
		rank = unranked
		order = s.byName(matching, query, w)
	default:
		rank = unranked
		order = s.byValue(matching, query, w)
	}
	found := Found{Total: total, More: len(order) > query.PageSize}
	for _, n := range order[:min(len(order), query.PageSize)] {
		found.At = append(found.At, catalog.Position{Rank: rank(n), Value: s.value(n, query.Order.By), SortKey: s.keys[n], ID: s.ids.all[n]})
	}
	return found
}

// wanted is how many subjects are skipped, and then taken. One more says that there are more.
type wanted struct{ skip, size int }

func (w wanted) most() int { return w.skip + w.size + 1 }

// cut returns what is wanted of the first most() of a list.
func (w wanted) cut(list []uint32) []uint32 { return list[min(w.skip, len(list)):] }

// offset returns how many subjects come before the page; the largest number there is for
// a page that is past the end of everything.
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

// filtered returns those of the set that meet the conditions of the query, but for the text.
func (s *shelf) filtered(some set, query catalog.Query) set {
	if s.owners == nil {
		query.ArtistID = artwork.ID{}
	}
	if query.ArtistID.IsZero() && query.Missing == 0 && query.Holding.Slot == 0 {
		return some
	}
	condition := s.condition(query)
	out := newSet(s.len())
	some.each(func(n uint32) {
		if condition(n) {
			out.add(n)
		}
	})
	return out
}

// condition returns what the subjects of the list are like, but for the text.
func (s *shelf) condition(query catalog.Query) func(n uint32) bool {
	holding := query.Holding
	var owner uint32
	known := true
	if !query.ArtistID.IsZero() {
		owner, known = s.owners.ids.number(query.ArtistID)
	}
	return func(n uint32) bool {
		return (query.ArtistID.IsZero() || known && s.owner[n] == owner) &&
			(query.Missing == 0 || s.slot(n, query.Missing).source == 0) &&
			(holding.Slot == 0 || s.slot(n, holding.Slot).allowed(holding))
	}
}

// allowed is catalog.Holding.Allows.
func (h *held) allowed(by catalog.Holding) bool {
	return (!by.Locked || h.locked) &&
		(by.Source == 0 || h.source == by.Source) &&
		(!by.Low || h.low) &&
		(by.Below == 0 || h.source != 0 && int(h.pixels) < by.Below)
}

// byName goes through the set in the order of names, or against it.
func (s *shelf) byName(some set, query catalog.Query, w wanted) (list []uint32) {
	from, to, step := 0, len(s.sorted), 1
	if query.Order.Descending {
		from, to, step = len(s.sorted)-1, -1, -1
	}
	if query.After != (catalog.Cursor{}) {
		before, found := s.before(query.After.Position)
		switch {
		case query.Order.Descending:
			from = before - 1
		case found:
			from = before + 1
		default:
			from = before
		}
	}
	for i := from; i != to && len(list) < w.most(); i += step {
		if n := s.sorted[i]; some.has(n) {
			list = append(list, n)
		}
	}
	return w.cut(list)
}

// byRank goes through the set in the order of names, rank by rank.
func (s *shelf) byRank(some set, rank ranking, after catalog.Cursor, w wanted) []uint32 {
	var ranks [catalog.Contained + 1][]uint32
	behind := 0 // where subjects of the cursor's rank come behind it
	if after != (catalog.Cursor{}) {
		before, found := s.before(after.Position)
		if behind = before; found {
			behind++
		}
	}
	for i, n := range s.sorted {
		if !some.has(n) {
			continue
		}
		r := rank(n)
		if len(ranks[r]) < w.most() && (r > after.Rank || r == after.Rank && i >= behind) {
			ranks[r] = append(ranks[r], n)
		}
	}
	list := slices.Concat(ranks[:]...)
	return w.cut(list[:min(len(list), w.most())])
}

// byValue goes through the set in any order, and keeps the first.
func (s *shelf) byValue(some set, query catalog.Query, w wanted) (list []uint32) {
	first := nearest{want: w.most()}
	after := s.placeOf(query)
	some.each(func(n uint32) {
		if p := s.place(n, query.Order); after == nil || p.compare(*after) > 0 {
			first.add(p)
		}
	})
	for _, p := range first.sorted() {
		list = append(list, p.n)
	}
	return w.cut(list)
}

type ranking func(n uint32) catalog.Rank

func unranked(uint32) catalog.Rank { return catalog.Unmatched }

// match returns who matches the text, and how well.
func (s *shelf) match(search catalog.Search) (set, ranking) {
	if search.IsZero() {
		return s.present, unranked
	}
	all := slices.Clone(s.present)
	start := slices.Clone(s.present)
	terms := slices.SortedStableFunc(slices.Values(search.Terms()), func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	for i, term := range terms {
		m := s.matching(term)
		all.keep(m.contain)
		start.keep(m.start)
		if left := terms[i+1:]; len(left) > 0 && all.count() <= few {
			return s.compared(all, search)
		}
	}
	return all, s.ranking(search.Text(), start)
}

// matching returns who has the term: in the names of their own, or in those of the owner.
func (s *shelf) matching(term string) matches {
	m := s.words.matching(term, s.len())
	if s.owners == nil {
		return m
	}
	owners := s.owners.words.matching(term, s.owners.len())
	// Without a branch, which would be foreseen wrongly half of the time.
	for n, owner := range s.owner {
		word, bit, of := n/64, n%64, owner%64
		m.contain[word] |= owners.contain[owner/64] >> of & 1 << bit
		m.start[word] |= owners.start[owner/64] >> of & 1 << bit
	}
	return m
}

// compared compares all names of a few subjects with the text.
func (s *shelf) compared(some set, search catalog.Search) (set, ranking) {
	ranks := map[uint32]catalog.Rank{}
	matching := newSet(s.len())
	some.each(func(n uint32) {
		var others []string
		if s.owners != nil {
			others = s.owners.names(s.owner[n])
		}
		if rank := search.Rank(s.names(n), others); rank != catalog.Unmatched {
			ranks[n] = rank
			matching.add(n)
		}
	})
	return matching, func(n uint32) catalog.Rank { return ranks[n] }
}

// ranking is catalog.Search.Rank for those who match the text. Who is sorted by what begins
// with the text stands in one stretch of the list.
func (s *shelf) ranking(text string, start set) ranking {
	from := sort.Search(len(s.sorted), func(i int) bool { return s.keys[s.sorted[i]] >= text })
	exact := from + sort.Search(len(s.sorted)-from, func(i int) bool { return s.keys[s.sorted[from+i]] != text })
	to := from + sort.Search(len(s.sorted)-from, func(i int) bool { return !strings.HasPrefix(s.keys[s.sorted[from+i]], text) })
	return func(n uint32) catalog.Rank {
		best := catalog.Contained
		switch position := int(s.positions[n]); {
		case from <= position && position < exact:
			return catalog.Exact
		case from <= position && position < to:
			best = catalog.Beginning
		case start.has(n):
			best = catalog.WordStarts
		}
		for _, name := range s.others[n] {
			if name == text {
				return catalog.Exact
			}
			if strings.HasPrefix(name, text) {
				best = min(best, catalog.NameBeginning)
			}
		}
		return best
	}
}

// place is where a subject stands in a list that is ordered by a value: by that, then by
// its position in the order of names.
type place struct {
	value    int64
	position int
	n        uint32
}

func (p place) compare(other place) int {
	return cmp.Or(cmp.Compare(p.value, other.value), cmp.Compare(p.position, other.position))
}

func (s *shelf) place(n uint32, order catalog.Order) place {
	return placed(s.value(n, order.By), int(s.positions[n]), n, order)
}

func placed(value int64, position int, n uint32, order catalog.Order) place {
	if order.Descending {
		value = -value
	}
	return place{value, position, n}
}

// value is what the order compares before the names; 0 if it compares nothing else.
func (s *shelf) value(n uint32, by catalog.OrderBy) int64 {
	switch by {
	case catalog.ByYear:
		return int64(s.years[n])
	case catalog.ByAdded:
		return s.added[n]
	case catalog.ByUpdated:
		return int64(s.modified(n))
	default:
		return 0
	}
}

// placeOf returns the place of the cursor, nil if there is none. The subject at it may be
// gone, or stand elsewhere by now.
func (s *shelf) placeOf(query catalog.Query) *place {
	if query.After == (catalog.Cursor{}) {
		return nil
	}
	position, found := s.before(query.After.Position)
	if !found {
		position-- // between two: behind the first of them
	}
	p := placed(query.After.Value, position, 0, query.Order)
	return &p
}

// nearest keeps the first of many places, in a heap whose top is the last of them.
type nearest struct {
	want   int
	places []place
}

func (n *nearest) add(p place) {
	switch {
	case len(n.places) < n.want:
		n.places = append(n.places, p)
		if len(n.places) == n.want {
			slices.SortFunc(n.places, func(a, b place) int { return b.compare(a) }) // which is a heap
		}
	case p.compare(n.places[0]) < 0:
		n.places[0] = p
		n.sink()
	}
}

// sink moves the top down to where it belongs.
func (n *nearest) sink() {
	for at := 0; ; {
		last := at
		for child := 2*at + 1; child <= 2*at+2 && child < len(n.places); child++ {
			if n.places[child].compare(n.places[last]) > 0 {
				last = child
			}
		}
		if last == at {
			return
		}
		n.places[at], n.places[last] = n.places[last], n.places[at]
		at = last
	}
}

// sorted returns them in order.
func (n *nearest) sorted() []place {
	slices.SortFunc(n.places, place.compare)
	return n.places
}
