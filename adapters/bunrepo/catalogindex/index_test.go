package catalogindex_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo/catalogindex"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// shelves is a catalogue as the index is told of it, and the index.
type shelves struct {
	random          *rand.Rand
	artists, albums map[artwork.ID]catalogindex.Subject
	index           *catalogindex.Index
}

func newShelves(seed uint64) *shelves {
	return &shelves{
		random: rand.New(rand.NewPCG(seed, 0)), index: catalogindex.New(),
		artists: map[artwork.ID]catalogindex.Subject{}, albums: map[artwork.ID]catalogindex.Subject{},
	}
}

func (s *shelves) of(kind artwork.SubjectKind) map[artwork.ID]catalogindex.Subject {
	if kind == artwork.AlbumSubject {
		return s.albums
	}
	return s.artists
}

// id returns one of a few, so that subjects are replaced and come again.
func (s *shelves) id() (id artwork.ID) {
	id[15] = byte(1 + s.random.IntN(60))
	return id
}

func (s *shelves) name() string {
	words := make([]string, 1+s.random.IntN(3))
	for i := range words {
		words[i] = []string{"Ana", "anna", "Ban", "banana", "The", "x/Ana", "Łódź", "b"}[s.random.IntN(8)]
	}
	return catalog.SortKey(strings.Join(words, " "))
}

// change puts or removes a subject, or changes a slot.
func (s *shelves) change() {
	kind := artwork.ArtistSubject
	if len(s.artists) > 0 && s.random.IntN(2) == 0 {
		kind = artwork.AlbumSubject
	}
	all := s.of(kind)
	id := s.id()
	subject, known := all[id]
	switch {
	case known && s.random.IntN(4) == 0 && kind == artwork.AlbumSubject:
		delete(all, id)
		s.index.Remove(artwork.Subject{Kind: kind, ID: id})
		return
	case known && s.random.IntN(2) == 0:
		slot := s.slot(kind)
		subject.Slots = append(slices.DeleteFunc(slices.Clone(subject.Slots), func(other catalogindex.Slot) bool { return other.Slot == slot.Slot }), slot)
		s.index.SetSlot(artwork.Subject{Kind: kind, ID: id}, slot)
	default:
		subject = catalogindex.Subject{ID: id, Names: []string{s.name()}, Year: s.random.IntN(4), Added: time.Unix(int64(s.random.IntN(3)), 0), Slots: []catalogindex.Slot{s.slot(kind)}}
		if name := s.name(); kind == artwork.ArtistSubject && name != subject.Names[0] {
			subject.Names = append(subject.Names, name)
		}
		if kind == artwork.AlbumSubject {
			subject.Owner = s.someArtist()
		}
		s.index.Put(kind, subject)
	}
	all[id] = subject
}

func (s *shelves) someArtist() artwork.ID {
	var ids []artwork.ID
	for id := range s.artists {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b artwork.ID) int { return slices.Compare(a[:], b[:]) })
	return ids[s.random.IntN(len(ids))]
}

func (s *shelves) slot(kind artwork.SubjectKind) catalogindex.Slot {
	slot := catalogindex.Slot{Slot: kind.Slots()[s.random.IntN(len(kind.Slots()))], Locked: s.random.IntN(3) == 0}
	if s.random.IntN(3) > 0 {
		side := 200 + 300*s.random.IntN(5)
		slot.Image = &artwork.Image{Source: artwork.Source(1 + s.random.IntN(3)), Content: artwork.Content{Width: side, Height: side}}
		slot.Modified = time.Unix(int64(1+s.random.IntN(3)), 0)
	}
	return slot
}

func (s *shelves) query(kind artwork.SubjectKind) catalog.Query {
	texts := []string{"", "", "a", "an", "ana", "the", "ana ban", "b a", "lodz", "zz", "x ana", "a b n t"}
	q := catalog.Query{Text: texts[s.random.IntN(len(texts))], Page: 1, PageSize: 1 + s.random.IntN(7)}
	slot := kind.Slots()[s.random.IntN(len(kind.Slots()))]
	if s.random.IntN(3) == 0 {
		q.Missing = slot
	}
	if s.random.IntN(3) == 0 {
		q.Holding = catalog.Holding{Slot: slot, Locked: s.random.IntN(2) == 0, Low: s.random.IntN(2) == 0, Source: artwork.Source(s.random.IntN(4)), Below: 500 * s.random.IntN(3)}
	}
	if s.random.IntN(6) == 0 {
		q.ArtistID = s.id()
	}
	by := []catalog.OrderBy{catalog.Best, catalog.ByName, catalog.ByAdded, catalog.ByUpdated, catalog.ByYear}
	q.Order.By = by[s.random.IntN(len(by))]
	q.Order.Descending = q.Order.By != catalog.Best && s.random.IntN(2) == 0
	return q
}

// expected is the whole list, found by looking at every subject.
func (s *shelves) expected(kind artwork.SubjectKind, q catalog.Query) (all []catalog.Position) {
	search := catalog.NewSearch(q.Text)
	for id, subject := range s.of(kind) {
		var others []string
		if kind == artwork.AlbumSubject {
			others = s.artists[subject.Owner].Names
		}
		rank := search.Rank(subject.Names, others)
		held, asked := s.slotOf(subject, q.Holding.Slot), s.slotOf(subject, q.Missing)
		switch {
		case !search.IsZero() && rank == catalog.Unmatched,
			kind == artwork.AlbumSubject && !q.ArtistID.IsZero() && q.ArtistID != subject.Owner,
			q.Missing != 0 && asked.Image != nil,
			q.Holding.Slot != 0 && !q.Holding.Allows(held.Image, held.Locked):
			continue
		}
		at := catalog.Position{SortKey: subject.Names[0], ID: id}
		switch q.Order.By {
		case catalog.Best:
			if !search.IsZero() {
				at.Rank = rank
			}
		case catalog.ByName:
		case catalog.ByAdded:
			at.Value = subject.Added.UnixMicro()
		case catalog.ByYear:
			at.Value = int64(subject.Year)
		case catalog.ByUpdated:
			for _, slot := range subject.Slots {
				if !slot.Modified.IsZero() {
					at.Value = max(at.Value, slot.Modified.Unix())
				}
			}
		}
		all = append(all, at)
	}
	slices.SortFunc(all, q.Order.Compare)
	return all
}

func (s *shelves) slotOf(subject catalogindex.Subject, slot artwork.Slot) (held catalogindex.Slot) {
	for _, known := range subject.Slots {
		if known.Slot == slot {
			held = known
		}
	}
	return held
}

// TestEveryPageIsAsIfEverySubjectWereLookedAt compares pages, by number and from cursor to
// cursor, with lists that are made in the simplest way, while the catalogue changes.
func TestEveryPageIsAsIfEverySubjectWereLookedAt(t *testing.T) {
	t.Parallel()
	s := newShelves(1)
	for range 120 {
		for range 10 {
			s.change()
		}
		s.index.Settle()
		for _, kind := range []artwork.SubjectKind{artwork.ArtistSubject, artwork.AlbumSubject} {
			for range 10 {
				s.requirePages(t, kind, s.query(kind))
			}
		}
	}
}

func (s *shelves) requirePages(t *testing.T, kind artwork.SubjectKind, q catalog.Query) {
	t.Helper()
	want := s.expected(kind, q)
	for rest := want; ; rest = rest[q.PageSize:] {
		found := s.index.Find(kind, q)
		require.Equal(t, len(want), found.Total, "%+v", q)
		page := rest[:min(q.PageSize, len(rest))]
		require.Equal(t, append([]catalog.Position{}, page...), append([]catalog.Position{}, found.At...), "%+v", q)
		require.Equal(t, len(rest) > q.PageSize, found.More, "%+v", q)
		if !found.More {
			break
		}
		if s.random.IntN(2) == 0 || q.Page == 0 {
			q.Page, q.After = 0, q.CursorAt(page[len(page)-1])
		} else {
			q.Page++
		}
	}
	q.Page, q.After = 1_000_000, catalog.Cursor{}
	require.Equal(t, catalogindex.Found{Total: len(want)}, s.index.Find(kind, q), "past the end")
}

// TestACursorMayBeOfWhatIsGone: the list goes on where the subject was.
func TestACursorMayBeOfWhatIsGone(t *testing.T) {
	t.Parallel()
	s := newShelves(2)
	for range 300 {
		s.change()
		s.index.Settle()
		q := s.query(artwork.AlbumSubject)
		list := s.expected(artwork.AlbumSubject, q)
		if len(list) == 0 {
			continue
		}
		at := list[s.random.IntN(len(list))]
		delete(s.albums, at.ID)
		s.index.Remove(artwork.Album(at.ID))
		s.index.Settle()
		want := s.expected(artwork.AlbumSubject, q)
		behind := slices.IndexFunc(want, func(p catalog.Position) bool { return q.Order.Compare(p, at) > 0 })
		q.Page, q.After, q.PageSize = 0, q.CursorAt(at), 200
		got := s.index.Find(artwork.AlbumSubject, q).At
		if behind < 0 {
			require.Empty(t, got, "%+v", q)
		} else {
			require.Equal(t, want[behind:], got, "%+v", q)
		}
	}
}

// BenchmarkFind measures what a page takes without a database: of 500 000 albums, with the
// most common words and filters.
func BenchmarkFind(b *testing.B) {
	index := large(100_000, 500_000)
	for _, q := range []catalog.Query{
		{}, {Text: "a"}, {Text: "lo"}, {Text: "the of"}, {Text: "a e i o u"}, {Text: "word12 word3"},
		{Missing: artwork.SlotCover}, {Missing: artwork.SlotCover, Text: "the a"}, {Order: catalog.Order{By: catalog.ByUpdated, Descending: true}},
	} {
		q.Page, q.PageSize = 1, 50
		b.Run(fmt.Sprintf("%q missing %s sort %d", q.Text, q.Missing, q.Order.By), func(b *testing.B) {
			for b.Loop() {
				index.Find(artwork.AlbumSubject, q)
			}
		})
	}
}

// BenchmarkLoad measures what it takes to make the index of 600 000 subjects.
func BenchmarkLoad(b *testing.B) {
	for b.Loop() {
		large(100_000, 500_000)
	}
}

func large(artists, albums int) *catalogindex.Index {
	random := rand.New(rand.NewPCG(3, 0))
	zipf := rand.NewZipf(random, 1.1, 5, 80_000)
	common := []string{"the", "of", "a", "love", "live", "in", "black", "and"}
	name := func() string {
		words := make([]string, 1+random.IntN(4))
		for i := range words {
			if n := zipf.Uint64(); n < uint64(len(common)) {
				words[i] = common[n]
			} else {
				words[i] = fmt.Sprintf("%cord%d%c", 'a'+rune(n%26), n, 'a'+rune(n%23))
			}
		}
		return strings.Join(words, " ")
	}
	id := func() (id artwork.ID) {
		for i := range id {
			id[i] = byte(random.Uint32())
		}
		return id
	}
	index := catalogindex.New()
	ids := make([]artwork.ID, artists)
	for i := range ids {
		ids[i] = id()
		index.Put(artwork.ArtistSubject, catalogindex.Subject{ID: ids[i], Names: []string{name()}})
	}
	for i := range albums {
		album := catalogindex.Subject{ID: id(), Owner: ids[random.IntN(artists)], Names: []string{name()}, Year: 1950 + i%70}
		if i%2 == 0 {
			album.Slots = []catalogindex.Slot{{Slot: artwork.SlotCover, Image: &artwork.Image{Source: artwork.Local}, Modified: time.Unix(int64(i), 0)}}
		}
		index.Put(artwork.AlbumSubject, album)
	}
	index.Settle()
	return index
}
