package catalog

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"gatefold/domain/artwork"
)

// Item is an Artist, an Album or a User.
type Item interface {
	// Subject returns what the item is as the subject of images.
	Subject() artwork.Subject
	// Check returns an InvalidInput error unless the item can be stored.
	Check() error
}

var (
	_ Item = Artist{}
	_ Item = Album{}
	_ Item = User{}
)

// Subject implements Item.
func (a Artist) Subject() artwork.Subject { return artwork.Artist(a.ID) }

// Subject implements Item.
func (a Album) Subject() artwork.Subject { return artwork.Album(a.ID) }

// Subject implements Item.
func (u User) Subject() artwork.Subject { return artwork.User(u.ID) }

var (
	// ErrDeleted is in the chain of the Conflict that refuses to create a subject
	// whose ID is that of one that was deleted and can be restored.
	ErrDeleted = errors.New("the subject was deleted")
	// ErrHasAlbums is in the chain of the Conflict that refuses to delete an artist
	// who has albums that do not go with it.
	ErrHasAlbums = errors.New("the artist has albums")
)

// Deletion is the wish that subjects be in the catalogue no more. They can be
// restored for a while.
type Deletion struct {
	// Subjects are of one kind, or an artist and albums of it.
	Subjects []artwork.Subject
	By       artwork.Actor
	// With is the artist because of whom albums are deleted; zero if they are deleted
	// for themselves.
	With artwork.ID
}

// Check returns an InvalidInput error unless the deletion can be kept.
func (d Deletion) Check() error {
	if err := d.By.Check(); err != nil {
		return err
	}
	return checkSubjects(d.Subjects)
}

func checkSubjects(subjects []artwork.Subject) error {
	for _, s := range subjects {
		if s.ID.IsZero() || len(s.Kind.Slots()) == 0 {
			return artwork.Errorf(artwork.InvalidInput, "there is no such kind of subject, or it has no ID")
		}
	}
	return nil
}

// Restoration is the wish that subjects which were deleted be in the catalogue again.
type Restoration struct {
	Subjects []artwork.Subject
	By       artwork.Actor
	// As is what the one subject is from now on, instead of what it was: as Put says
	// it, by somebody who need not know that it was deleted. A user comes back without
	// any way to sign in then. nil: as it was.
	As Item
}

// Check returns an InvalidInput error unless the restoration can be.
func (r Restoration) Check() error {
	if err := r.By.Check(); err != nil {
		return err
	}
	if r.As != nil {
		if !slices.Equal(r.Subjects, []artwork.Subject{r.As.Subject()}) {
			return artwork.Errorf(artwork.InvalidInput, "what %s is to be is said of it alone", r.As.Subject())
		}
		if err := r.As.Check(); err != nil {
			return err
		}
	}
	return checkSubjects(r.Subjects)
}

// Deleted is a subject that can be restored.
type Deleted struct {
	Subject    artwork.Subject
	Name       string // when it was deleted
	ArtistID   artwork.ID
	ArtistName string    // when it was deleted; of albums, like ArtistID
	At         time.Time // by the clock of the database
	By         string
	With       artwork.ID // the artist with whom an album went; zero if it was deleted for itself
	Albums     int        // that went with an artist, and can be restored
}

// DeletedQuery selects a page of what can be restored, the latest first.
type DeletedQuery struct {
	Kind  artwork.SubjectKind // zero: all
	With  artwork.ID          // only albums that went with the artist; zero: all
	After DeletedCursor       // the page begins behind this; zero: at the beginning
	Limit int                 // 1 to MaxPageSize
}

// Check returns an InvalidInput error unless the query can be asked.
func (q DeletedQuery) Check() error {
	if q.Limit < 1 || q.Limit > MaxPageSize {
		return artwork.Errorf(artwork.InvalidInput, "a page has 1 to %d items", MaxPageSize)
	}
	return nil
}

// DeletedPage is a part of what can be restored.
type DeletedPage struct {
	Items []Deleted
	Next  DeletedCursor // where the next page begins; zero if this is the last
}

// DeletedCursor is a place in the list of what can be restored.
type DeletedCursor struct {
	At time.Time // to the microsecond
	ID artwork.ID
}

// Cursor returns the place of the subject.
func (d Deleted) Cursor() DeletedCursor { return DeletedCursor{d.At, d.Subject.ID} }

// IsZero reports whether the cursor is the beginning.
func (c DeletedCursor) IsZero() bool { return c == DeletedCursor{} }

// String returns the cursor as it stands in a URL; "" for the zero value.
func (c DeletedCursor) String() string {
	if c.IsZero() {
		return ""
	}
	text := binary.BigEndian.AppendUint64(nil, uint64(c.At.UnixMicro()))
	return base64.RawURLEncoding.EncodeToString(append(text, c.ID[:]...))
}

// ParseDeletedCursor reads what String writes. InvalidInput: it is none.
func ParseDeletedCursor(s string) (DeletedCursor, error) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	var c DeletedCursor
	if err != nil || len(raw) != 8+len(c.ID) {
		return c, &artwork.Error{Kind: artwork.InvalidInput, Msg: "this is no cursor of such a list", Err: err}
	}
	c.At = time.UnixMicro(int64(binary.BigEndian.Uint64(raw))).UTC()
	copy(c.ID[:], raw[8:])
	return c, nil
}

// Bin keeps what was deleted for as long as it can be restored. All methods may be
// called concurrently, also from several processes. Every method may fail with
// Unavailable when the database cannot be reached, and with ctx's error when ctx ends.
type Bin interface {
	// Delete takes the subjects out of the catalogue, all of them or, on an error,
	// none, in one transaction that ends before the fence's deadline, and returns
	// those that were in it. For everybody else they do not exist any more: no port
	// answers with them or their images. What is known of their slots, their images
	// with all that was in force, their uploads and how a user signs in, is kept and
	// referred to (artwork.ImageArchive.References). What somebody else writes at the
	// same time was written before, or finds nothing. Every place of theirs counts as
	// modified (artwork.ChangeLog, announce.Changes). Sessions of users have ended;
	// their names, as MBIDs of artists and albums, are free for others. The activity
	// log has each subject, in the same transaction.
	//
	// NotFound: one of them was never there, or is forgotten. Conflict: an artist has
	// albums that are not among the subjects (ErrHasAlbums), or nobody would be left
	// who can sign in as an administrator. InvalidInput: Deletion.Check. Errors of
	// fence.StillHeld: as for artwork.ImageRepository.Apply.
	Delete(ctx context.Context, fence artwork.Fence, deletion Deletion) (gone []artwork.Subject, err error)
	// Restore puts the subjects back as they were, all of them or, on an error, none,
	// as Delete takes them out, and returns those that were not there. Each slot shows
	// the image that it showed, with the same tag; every place counts as modified,
	// now. Artists come before their albums.
	//
	// NotFound: one of them was never there, or is forgotten. Conflict: another
	// subject holds the MBID or user name by now, which the message names, or an
	// album's artist is not there. Otherwise as Delete.
	Restore(ctx context.Context, fence artwork.Fence, restoration Restoration) (back []artwork.Subject, err error)
	// Find returns a subject that can be restored. NotFound: it is not one.
	Find(ctx context.Context, subject artwork.Subject) (Deleted, error)
	// List returns a page. InvalidInput: DeletedQuery.Check.
	List(ctx context.Context, query DeletedQuery) (DeletedPage, error)
	// Forget forgets for good what was deleted longer ago than keep, the oldest first
	// and at most limit subjects: with their images, of which the bytes are not
	// touched. It returns how many subjects those were, and how many records.
	Forget(ctx context.Context, keep time.Duration, limit int) (subjects, records int, err error)
}

// DeletedError is the Conflict of a Put whose subject was deleted (ErrDeleted).
func DeletedError(subject artwork.Subject) error {
	return &artwork.Error{Kind: artwork.Conflict, Msg: fmt.Sprintf("%s was deleted: restore it", subject), Err: ErrDeleted}
}

// HasAlbumsError is the Conflict of a deletion of an artist who has albums
// (ErrHasAlbums).
func HasAlbumsError(artist artwork.ID) error {
	return &artwork.Error{
		Kind: artwork.Conflict, Err: ErrHasAlbums,
		Msg: fmt.Sprintf("%s has albums: delete them first, or with the artist", artwork.Artist(artist)),
	}
}

// LastAdminError is the Conflict of a deletion that would leave nobody who can sign in
// as an administrator.
func LastAdminError() error {
	return artwork.Errorf(artwork.Conflict, "this is the last administrator who can sign in")
}

// OrphanError is the Conflict of a restoration of an album whose artist is not there.
func OrphanError(album, artist artwork.ID) error {
	return artwork.Errorf(artwork.Conflict, "%s belongs to %s, which is not there: restore the artist first", artwork.Album(album), artwork.Artist(artist))
}
