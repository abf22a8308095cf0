// Package catalogindex finds the pages of the catalogue's lists in process memory: which
// subjects match a query, in which order, and how many there are.
package catalogindex

import (
	"time"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Subject is what lists need to know of an artist, an album or a user.
type Subject struct {
	ID    artwork.ID
	Owner artwork.ID // the artist of an album; else zero
	// Names are the names by which it is found (catalog.SearchForm), the sort key
	// (catalog.SortKey) first.
	Names []string
	Year  int
	Added time.Time
	Slots []Slot // those that are not empty, unlocked and never changed; others may be there
}

// Slot is what lists need to know of a slot.
type Slot struct {
	Slot     artwork.Slot
	Image    *artwork.Image // in force; nil: none. Of it only the source, the width and the height matter
	Locked   bool
	Modified time.Time // zero: never
}

// Index is the whole catalogue, as far as lists need it. Several goroutines may search it
// at once, while nobody changes it.
type Index struct {
	shelves [artwork.UserSubject + 1]*shelf
}

// New returns an empty index.
func New() *Index {
	artists := newShelf(artwork.ArtistSubject, nil)
	x := &Index{}
	x.shelves[artwork.ArtistSubject] = artists
	x.shelves[artwork.AlbumSubject] = newShelf(artwork.AlbumSubject, artists)
	x.shelves[artwork.UserSubject] = newShelf(artwork.UserSubject, nil)
	return x
}

// Put adds the subject or replaces what is known of it. Settle has to follow.
func (x *Index) Put(kind artwork.SubjectKind, subject Subject) { x.shelves[kind].put(subject) }

// SetSlot replaces what is known of one slot of a subject that was put.
func (x *Index) SetSlot(subject artwork.Subject, slot Slot) {
	shelf := x.shelves[subject.Kind]
	if n, ok := shelf.ids.number(subject.ID); ok {
		shelf.setSlot(n, slot)
	}
}

// Remove forgets the subject, if it is known. Settle has to follow.
func (x *Index) Remove(subject artwork.Subject) { x.shelves[subject.Kind].remove(subject.ID) }

// Settle puts in order what was put and removed since it was called last.
func (x *Index) Settle() {
	for _, shelf := range x.shelves {
		if shelf != nil {
			shelf.settle()
		}
	}
}

// Found is a page of a list.
type Found struct {
	At    []catalog.Position
	More  bool // there is another page
	Total int  // the length of the whole list
}

// Find returns the page of the list of the kind. The query must have passed its Check.
func (x *Index) Find(kind artwork.SubjectKind, query catalog.Query) Found {
	return x.shelves[kind].find(query)
}
