package catalog

import (
	"context"
	"unicode/utf8"

	"gatefold/domain/artwork"
)

// Query selects a page of a list. Pages never overlap: what is equal in the Order is
// ordered by ID.
type Query struct {
	Text     string       // what is searched in names (Search); empty: all
	Missing  artwork.Slot // only subjects with no image in this slot; zero: all
	Holding  Holding      // only subjects with a slot that is like this; zero: all
	ArtistID artwork.ID   // only albums of this artist; zero: all. Ignored for artists and users
	Order    Order
	Page     int    // from 1; 0 if After says where the page begins
	After    Cursor // the page begins behind this; zero: at Page
	PageSize int    // 1 to MaxPageSize
}

// Holding is what a slot has to be like. All that is asked for is asked of the one
// slot.
type Holding struct {
	Slot   artwork.Slot   // the slot; zero if nothing is asked for
	Source artwork.Source // its image has this source; zero: any, or none
	Locked bool           // it is locked, with an image or without
	Low    bool           // its image is less than the slot is best in (artwork.Slot.Ideal)
	Below  int            // its image has a resolution less than this (artwork.Slot.Resolution); 0: any, or none
}

// Check returns an InvalidInput error unless the query can be asked of the kind
// of subject.
func (q Query) Check(kind artwork.SubjectKind) error {
	switch {
	case q.After == Cursor{} && q.Page < 1:
		return artwork.Errorf(artwork.InvalidInput, "pages are counted from 1")
	case q.After != Cursor{} && q.Page != 0:
		return artwork.Errorf(artwork.InvalidInput, "a page begins at a cursor or has a number, not both")
	case q.PageSize < 1 || q.PageSize > MaxPageSize:
		return artwork.Errorf(artwork.InvalidInput, "a page has 1 to %d items", MaxPageSize)
	case q.Missing != 0 && !kind.Has(q.Missing):
		return artwork.Errorf(artwork.InvalidInput, "an %s has no slot %q", kind, q.Missing)
	case q.Order.By == ByYear && kind != artwork.AlbumSubject:
		return artwork.Errorf(artwork.InvalidInput, "an %s has no year to be ordered by", kind)
	case q.After != Cursor{} && q.After.query != q.digest():
		return artwork.Errorf(artwork.InvalidInput, "the cursor belongs to another list")
	case utf8.RuneCountInString(q.Text) > maxName:
		return artwork.Errorf(artwork.InvalidInput, "the text to search for is longer than %d characters", maxName)
	}
	if err := q.Holding.check(kind); err != nil {
		return err
	}
	return artwork.CheckText("the text to search for", q.Text)
}

func (h Holding) check(kind artwork.SubjectKind) error {
	switch {
	case h == Holding{}:
		return nil
	case !kind.Has(h.Slot):
		return artwork.Errorf(artwork.InvalidInput, "an %s has no slot %q", kind, h.Slot)
	case h.Source != 0 && h.Source.String() == "":
		return artwork.Errorf(artwork.InvalidInput, "there is no such source")
	case h.Below < 0 || h.Below > maxBelow:
		return artwork.Errorf(artwork.InvalidInput, "a resolution is a number from 1 to %d", maxBelow)
	case h == Holding{Slot: h.Slot}:
		return artwork.Errorf(artwork.InvalidInput, "nothing is asked of the slot %q", h.Slot)
	}
	return nil
}

// Allows reports whether a slot is like it: with the image that is in force, nil for
// none, and locked or not.
func (h Holding) Allows(image *artwork.Image, locked bool) bool {
	if h.Locked && !locked {
		return false
	}
	if h.Source == 0 && !h.Low && h.Below == 0 {
		return true
	}
	if image == nil || h.Source != 0 && image.Source != h.Source {
		return false
	}
	resolution := h.Slot.Resolution(image.Width, image.Height)
	ideal := h.Slot.Resolution(h.Slot.Ideal())
	return (!h.Low || resolution < ideal) && (h.Below == 0 || resolution < h.Below)
}

const (
	// MaxPageSize bounds a page of a list.
	MaxPageSize = 200
	// maxBelow is a side that no image has (artwork's limit is 16 384).
	maxBelow = 100_000
)

// Page is a part of a list and the length of the whole.
type Page[T any] struct {
	Items []T
	// Images are the images in force of the items that have any, by slot.
	Images map[artwork.ID]map[artwork.Slot]*artwork.Image
	Total  int    // the length of the whole list
	Next   Cursor // where the next page begins; zero if this is the last
}

// Repository keeps one kind of subject: artists, albums or users. All methods
// may be called concurrently. Every method may fail with Unavailable when the
// database cannot be reached, and with ctx's error when ctx ends.
type Repository[T any] interface {
	// Get returns one subject. NotFound: there is none with this ID.
	Get(ctx context.Context, id artwork.ID) (T, error)
	// List returns a page. Whatever was committed before the call began is in it. A page
	// past the end is empty, not an error. From cursor to cursor every subject that is in
	// the list all the time, and in the same place, is met once, whatever is added, moved
	// or removed meanwhile. InvalidInput: the query cannot be asked (Query.Check).
	List(ctx context.Context, query Query) (Page[T], error)
	// Put creates the subject or replaces what is known of it, and reports
	// whether it was created; CreatedAt, UpdatedAt and Missing are kept by the
	// repository. by wants it: what it changes is in the activity log (activity.Log),
	// in the same transaction. Conflict: another subject holds the same MBID or user name;
	// the message names its ID; or the subject was deleted and can be restored
	// (ErrDeleted). NotFound: an album's artist does not exist.
	// InvalidInput: the subject has no ID or cannot be stored (its Check), or by
	// cannot (Actor.Check).
	Put(ctx context.Context, by artwork.Actor, subject T) (created bool, err error)
}

type (
	// Artists is the repository of artists.
	Artists interface {
		Repository[Artist]
		// SetBackgroundPosition replaces the artist's. by wants it: as for Put.
		// NotFound: there is no such artist. InvalidInput: by cannot be kept
		// (Actor.Check).
		SetBackgroundPosition(ctx context.Context, by artwork.Actor, id artwork.ID, position string) error
	}
	// Albums is the repository of albums.
	Albums interface{ Repository[Album] }
	// Users is the repository of users.
	Users interface{ Repository[User] }
)
