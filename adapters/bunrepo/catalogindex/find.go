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

// find goes through all that match the text, which are found by their words; counts those
// that meet the other conditions; and keeps the places of the page.
func (s *shelf) find(query catalog.Query) Found {
	matching, rank := s.match(catalog.NewSearch(query.Text))
	if query.Order.By != catalog.Best {
		rank = unranked
	}
	condition := s.condition(query)
	skip := offset(query)
	page := nearest{want: int(min(skip, int64(s.len()))) + query.PageSize + 1}
	after := s.placeOf(query)
	total := 0
	matching.each(func(n uint32) {
		if !condition(n) {
			return
		}
		total++
		if place := s.place(n, rank(n), query.Order); after == nil || place.compare(*after) > 0 {
			page.add(place)
		}
	})
	places := page.sorted()
	places = places[min(int64(len(places)), skip):]
	found := Found{Total: total, More: len(places) > query.PageSize}
	for _, place := range places[:min(len(places), query.PageSize)] {
		found.At = append(found.At, catalog.Position{
			Rank: rank(place.n), Value: s.value(place.n, query.Order.By), SortKey: s.keys[place.n], ID: s.ids.all[place.n],
		})
	}
	return found
}

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
	for n, owner := range s.owner {
		if owners.contain.has(owner) {
			m.contain.add(uint32(n)) //nolint:gosec // numbers are 32 bits
			if owners.start.has(owner) {
				m.start.add(uint32(n)) //nolint:gosec // numbers are 32 bits
			}
		}
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

// condition returns what the subjects of the list are like, but for the text.
func (s *shelf) condition(query catalog.Query) func(n uint32) bool {
	holding := query.Holding
	owner, known := uint32(0), true
	if s.owners == nil {
		query.ArtistID = artwork.ID{}
	} else if !query.ArtistID.IsZero() {
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

// place is where a subject stands in a list, as numbers: first is compared first.
type place struct {
	first, second int64
	n             uint32
}

func (p place) compare(other place) int {
	return cmp.Or(cmp.Compare(p.first, other.first), cmp.Compare(p.second, other.second))
}

func (s *shelf) place(n uint32, rank catalog.Rank, order catalog.Order) place {
	return placeAt(rank, s.value(n, order.By), int64(s.positions[n]), order, n)
}

func placeAt(rank catalog.Rank, value, position int64, order catalog.Order, n uint32) place {
	switch {
	case order.By == catalog.Best:
		return place{int64(rank), position, n}
	case order.By == catalog.ByName && order.Descending:
		return place{0, -position, n}
	case order.Descending:
		return place{-value, position, n}
	default:
		return place{value, position, n}
	}
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
	at := query.After.Position
	before, found := s.before(at)
	position := int64(before)
	if backwards := query.Order.By == catalog.ByName && query.Order.Descending; !found && !backwards {
		position-- // between two: behind the first of them
	}
	p := placeAt(at.Rank, at.Value, position, query.Order, 0)
	return &p
}

// nearest keeps the first of many places.
type nearest struct {
	want   int
	places []place // the first so many of those that were added, and some more
	full   bool    // the first so many are sorted: what comes behind them is not wanted
}

func (n *nearest) add(p place) {
	if n.full && p.compare(n.places[n.want-1]) > 0 {
		return
	}
	n.places = append(n.places, p)
	if len(n.places) >= 2*n.want {
		n.sorted()
	}
}

// sorted returns the first so many, in order.
func (n *nearest) sorted() []place {
	slices.SortFunc(n.places, place.compare)
	if len(n.places) >= n.want {
		n.places, n.full = n.places[:n.want], true
	}
	return n.places
}
