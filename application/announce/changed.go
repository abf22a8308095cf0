package announce

import (
	"context"
	"encoding/json"
	"time"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Names of the events that say that a slot shows something else now.
const (
	ArtistImagesUpdated = "artist:images:updated"
	AlbumCoverUpdated   = "album:cover:updated"
	UserAvatarUpdated   = "user:avatar:updated"
)

// Names of the events that say that a subject is there no more. When it is again, its
// slots are announced.
const (
	ArtistDeleted = "artist:deleted"
	AlbumDeleted  = "album:deleted"
	UserDeleted   = "user:deleted"
)

// modification says that a slot shows something else since a time. The same
// modification may be announced twice; a later one of the slot has a later time.
type modification struct {
	place artwork.Place
	at    time.Time
	tag   *artwork.Tag // nil: the slot is empty
}

// what is told of every modification. A tag of null: the slot is empty now.
type what struct {
	UpdatedAt time.Time    `json:"updatedAt"`
	Tag       *artwork.Tag `json:"tag"`
}

type artistImagesUpdated struct {
	ArtistID   artwork.ID   `json:"artistId"`
	ArtistName string       `json:"artistName"`
	ImageType  artwork.Slot `json:"imageType"`
	what
}

type albumCoverUpdated struct {
	AlbumID    artwork.ID `json:"albumId"`
	AlbumName  string     `json:"albumName"`
	ArtistID   artwork.ID `json:"artistId"`
	ArtistName string     `json:"artistName"`
	what
}

type userAvatarUpdated struct {
	UserID      artwork.ID `json:"userId"`
	Username    string     `json:"username"`
	DisplayName string     `json:"displayName,omitempty"`
	what
}

type artistDeleted struct {
	ArtistID   artwork.ID `json:"artistId"`
	ArtistName string     `json:"artistName"`
	UpdatedAt  time.Time  `json:"updatedAt"`
}

type albumDeleted struct {
	AlbumID    artwork.ID `json:"albumId"`
	AlbumName  string     `json:"albumName"`
	ArtistID   artwork.ID `json:"artistId"`
	ArtistName string     `json:"artistName"`
	UpdatedAt  time.Time  `json:"updatedAt"`
}

type userDeleted struct {
	UserID    artwork.ID `json:"userId"`
	Username  string     `json:"username"`
	UpdatedAt time.Time  `json:"updatedAt"`
}

// Names are where an event's names of subjects come from.
type Names struct {
	Artists catalog.Artists
	Albums  catalog.Albums
	Users   catalog.Users
	Deleted catalog.Bin
}

// farewell returns the event of a subject that was deleted. NotFound: it is forgotten
// already.
func (n Names) farewell(ctx context.Context, subject artwork.Subject, at time.Time) (Event, error) {
	gone, err := n.Deleted.Find(ctx, subject)
	if err != nil {
		return Event{}, err
	}
	at = at.UTC()
	switch subject.Kind {
	case artwork.ArtistSubject:
		return NewEvent(ArtistDeleted, artistDeleted{subject.ID, gone.Name, at})
	case artwork.AlbumSubject:
		return NewEvent(AlbumDeleted, albumDeleted{subject.ID, gone.Name, gone.ArtistID, gone.ArtistName, at})
	default:
		return NewEvent(UserDeleted, userDeleted{subject.ID, gone.Name, at})
	}
}

// describe returns the event of a modification. NotFound: the subject is gone.
func (n Names) describe(ctx context.Context, m modification) (Event, error) {
	id, told := m.place.Subject.ID, what{m.at.UTC(), m.tag}
	switch m.place.Subject.Kind {
	case artwork.ArtistSubject:
		artist, err := n.Artists.Get(ctx, id)
		if err != nil {
			return Event{}, err
		}
		return NewEvent(ArtistImagesUpdated, artistImagesUpdated{id, artist.Name, m.place.Slot, told})
	case artwork.AlbumSubject:
		album, err := n.Albums.Get(ctx, id)
		if err != nil {
			return Event{}, err
		}
		return NewEvent(AlbumCoverUpdated, albumCoverUpdated{id, album.Name, album.ArtistID, album.ArtistName, told})
	case artwork.UserSubject:
		user, err := n.Users.Get(ctx, id)
		if err != nil {
			return Event{}, err
		}
		return NewEvent(UserAvatarUpdated, userAvatarUpdated{id, user.Username, user.DisplayName, told})
	}
	return Event{}, artwork.Errorf(artwork.Internal, "there is no event of %s", m.place)
}

// modificationsOf reads what describe and farewell write, but for the tag; other events
// are of no modification, and that of a subject which is gone is one of all its slots.
func modificationsOf(e Event) []modification {
	var told struct {
		ArtistID  artwork.ID   `json:"artistId"`
		AlbumID   artwork.ID   `json:"albumId"`
		UserID    artwork.ID   `json:"userId"`
		ImageType artwork.Slot `json:"imageType"`
		UpdatedAt time.Time    `json:"updatedAt"`
	}
	switch e.Name {
	case ArtistImagesUpdated, AlbumCoverUpdated, UserAvatarUpdated, ArtistDeleted, AlbumDeleted, UserDeleted:
	default:
		return nil
	}
	if json.Unmarshal(e.Data, &told) != nil {
		return nil // of another release
	}
	subject := artwork.Artist(told.ArtistID)
	switch e.Name {
	case ArtistImagesUpdated:
		return modificationsAt(told.UpdatedAt, subject, told.ImageType)
	case AlbumCoverUpdated, AlbumDeleted:
		subject = artwork.Album(told.AlbumID)
	case UserAvatarUpdated, UserDeleted:
		subject = artwork.User(told.UserID)
	}
	return modificationsAt(told.UpdatedAt, subject, subject.Kind.Slots()...)
}

func modificationsAt(at time.Time, subject artwork.Subject, slots ...artwork.Slot) (all []modification) {
	for _, slot := range slots {
		if m := (modification{place: artwork.Place{Subject: subject, Slot: slot}, at: at}); m.place.Check() == nil {
			all = append(all, m)
		}
	}
	return all
}
