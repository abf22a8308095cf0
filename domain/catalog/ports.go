package catalog

import (
	"context"

	"gatefold/domain/artwork"
)

// Query selects a page of a list. Lists are ordered by sort name (albums by
// name), without case and accents, then by ID, so that pages never overlap.
type Query struct {
	Text     string       // only names (of a user also the display name) that contain it, without case and accents; empty: all
	Missing  artwork.Slot // only subjects with no image in this slot; zero: all
	ArtistID artwork.ID   // only albums of this artist; zero: all. Ignored for artists and users
	Page     int          // from 1
	PageSize int          // 1 to MaxPageSize
}

// Check returns an InvalidInput error unless the query can be asked of the kind
// of subject.
func (q Query) Check(kind artwork.SubjectKind) error {
	switch {
	case q.Page < 1:
		return artwork.Errorf(artwork.InvalidInput, "pages are counted from 1")
	case q.PageSize < 1 || q.PageSize > MaxPageSize:
		return artwork.Errorf(artwork.InvalidInput, "a page has 1 to %d items", MaxPageSize)
	case q.Missing != 0 && !kind.Has(q.Missing):
		return artwork.Errorf(artwork.InvalidInput, "an %s has no slot %q", kind, q.Missing)
	}
	return artwork.CheckText("the text to search for", q.Text)
}

// MaxPageSize bounds a page of a list.
const MaxPageSize = 200

// Page is a part of a list and the length of the whole.
type Page[T any] struct {
	Items []T
	Total int
}

// Repository keeps one kind of subject: artists, albums or users. All methods
// may be called concurrently. Every method may fail with Unavailable when the
// database cannot be reached, and with ctx's error when ctx ends.
type Repository[T any] interface {
	// Get returns one subject. NotFound: there is none with this ID.
	Get(ctx context.Context, id artwork.ID) (T, error)
	// List returns a page. A page past the end is empty, not an error.
	// InvalidInput: the query cannot be asked (Query.Check).
	List(ctx context.Context, query Query) (Page[T], error)
	// Put creates the subject or replaces what is known of it, and reports
	// whether it was created; CreatedAt, UpdatedAt and Missing are kept by the
	// repository. by wants it: what it changes is in the activity log (activity.Log),
	// in the same transaction. Conflict: another subject holds the same MBID or user name;
	// the message names its ID. NotFound: an album's artist does not exist.
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
