package catalogindex

import (
	"cmp"
	"slices"
	"sort"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// shelf holds the subjects of one kind, by number: a subject keeps its number for ever.
type shelf struct {
	kind   artwork.SubjectKind
	owners *shelf // of albums: the artists
	ids    identifiers
	words  dictionary

	present set
	keys    []string            // sort keys
	others  map[uint32][]string // names that are not the sort key
	owner   []uint32            // of albums: the number of the artist
	years   []uint16            // up to 9999
	added   []int64             // microseconds since 1970
	slots   []held              // as many as the kind has for each

	sorted    []uint32 // those present, in the order of sort keys and IDs
	positions []uint32 // by number: where in sorted
	unsettled []uint32 // whose place has changed
}

// held is what a slot holds.
type held struct {
	modified uint32 // seconds since 1970, until 2106; 0: never
	pixels   uint16 // of the image in force (artwork.Slot.Resolution), up to 16 384; 0: there is none
	source   artwork.Source
	low      bool
	locked   bool
}

func newShelf(kind artwork.SubjectKind, owners *shelf) *shelf {
	return &shelf{kind: kind, owners: owners, ids: newIdentifiers(), words: newDictionary(), others: map[uint32][]string{}}
}

func (s *shelf) len() int { return len(s.keys) }

// numbered returns the number of the ID, with a place for everything.
func (s *shelf) numbered(id artwork.ID) uint32 {
	n := s.ids.numbered(id)
	if int(n) == s.len() {
		s.keys = append(s.keys, "")
		s.years, s.added = append(s.years, 0), append(s.added, 0)
		s.slots = append(s.slots, make([]held, len(s.kind.Slots()))...)
		s.positions = append(s.positions, 0)
		if s.owners != nil {
			s.owner = append(s.owner, 0)
		}
		s.present = s.present.grown(s.len())
	}
	return n
}

func (s *shelf) put(subject Subject) {
	n := s.numbered(subject.ID)
	s.rename(n, subject.Names)
	if s.owners != nil {
		s.owner[n] = s.owners.numbered(subject.Owner)
	}
	s.years[n] = uint16(subject.Year)
	s.added[n] = subject.Added.UnixMicro()
	clear(s.slots[s.firstSlot(n):s.firstSlot(n+1)])
	for _, slot := range subject.Slots {
		s.setSlot(n, slot)
	}
}

// rename has the subject found by the names, and by no others.
func (s *shelf) rename(n uint32, names []string) {
	present := s.present.has(n)
	if present && slices.Equal(s.names(n), names) {
		return
	}
	if present {
		s.forgetWords(n)
	}
	for _, word := range wordsOf(names) {
		s.words.add(word, n)
	}
	if !present || s.keys[n] != names[0] {
		s.unsettled = append(s.unsettled, n)
	}
	s.present.add(n)
	s.keys[n] = names[0]
	delete(s.others, n)
	if len(names) > 1 {
		s.others[n] = names[1:]
	}
}

func (s *shelf) names(n uint32) []string { return append([]string{s.keys[n]}, s.others[n]...) }

func (s *shelf) forgetWords(n uint32) {
	for _, word := range wordsOf(s.names(n)) {
		s.words.remove(word, n)
	}
}

func (s *shelf) remove(id artwork.ID) {
	n, ok := s.ids.number(id)
	if !ok || !s.present.has(n) {
		return
	}
	s.forgetWords(n)
	delete(s.others, n)
	s.keys[n] = ""
	s.present.remove(n)
	s.unsettled = append(s.unsettled, n)
}

func (s *shelf) firstSlot(n uint32) int { return int(n) * len(s.kind.Slots()) }

func (s *shelf) slot(n uint32, slot artwork.Slot) *held {
	return &s.slots[s.firstSlot(n)+slices.Index(s.kind.Slots(), slot)]
}

func (s *shelf) setSlot(n uint32, slot Slot) {
	h := held{locked: slot.Locked}
	if !slot.Modified.IsZero() {
		h.modified = uint32(slot.Modified.Unix())
	}
	if slot.Image != nil {
		resolution := slot.Slot.Resolution(slot.Image.Width, slot.Image.Height)
		h.pixels, h.source = uint16(resolution), slot.Image.Source
		h.low = resolution < slot.Slot.Resolution(slot.Slot.Ideal())
	}
	*s.slot(n, slot.Slot) = h
}

// modified returns when a slot of the subject was changed last, in seconds since 1970.
func (s *shelf) modified(n uint32) (last uint32) {
	for _, h := range s.slots[s.firstSlot(n):s.firstSlot(n+1)] {
		last = max(last, h.modified)
	}
	return last
}

// settle brings sorted up to date: what has changed is taken out and merged in again.
func (s *shelf) settle() {
	if len(s.unsettled) == 0 {
		return
	}
	changed := newSet(s.len())
	for _, n := range s.unsettled {
		changed.add(n)
	}
	rest := slices.DeleteFunc(s.sorted, func(n uint32) bool { return changed.has(n) })
	var moved []uint32
	changed.keep(s.present)
	changed.each(func(n uint32) { moved = append(moved, n) })
	slices.SortFunc(moved, s.compare)
	s.sorted = s.merged(rest, moved)
	for position, n := range s.sorted {
		s.positions[n] = uint32(position)
	}
	s.unsettled = nil
}

func (s *shelf) compare(a, b uint32) int {
	return cmp.Or(cmp.Compare(s.keys[a], s.keys[b]), compareIDs(s.ids.all[a], s.ids.all[b]))
}

func compareIDs(a, b artwork.ID) int { return slices.Compare(a[:], b[:]) }

// merged merges few into many. The places of the few are looked for, not come across.
func (s *shelf) merged(many, few []uint32) []uint32 {
	if len(few) == 0 {
		return many
	}
	out := make([]uint32, 0, len(many)+len(few))
	for _, n := range few {
		at := sort.Search(len(many), func(i int) bool { return s.compare(many[i], n) > 0 })
		out = append(append(out, many[:at]...), n)
		many = many[at:]
	}
	return append(out, many...)
}

// before returns how many subjects come before the position in the order of sort keys, and
// whether one is at it.
func (s *shelf) before(at catalog.Position) (n int, found bool) {
	return sort.Find(len(s.sorted), func(i int) int {
		n := s.sorted[i]
		return cmp.Or(cmp.Compare(at.SortKey, s.keys[n]), compareIDs(at.ID, s.ids.all[n]))
	})
}
