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

// Names are where an event's names of subjects come from.
type Names struct {
	Artists catalog.Artists
	Albums  catalog.Albums
	Users   catalog.Users
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

// modificationOf reads what describe writes, but for the tag; other events are of no
// modification.
func modificationOf(e Event) (m modification, ok bool) {
	var told struct {
		ArtistID  artwork.ID   `json:"artistId"`
		AlbumID   artwork.ID   `json:"albumId"`
		UserID    artwork.ID   `json:"userId"`
		ImageType artwork.Slot `json:"imageType"`
		UpdatedAt time.Time    `json:"updatedAt"`
	}
	switch e.Name {
	case ArtistImagesUpdated, AlbumCoverUpdated, UserAvatarUpdated:
	default:
		return modification{}, false
	}
	if json.Unmarshal(e.Data, &told) != nil {
		return modification{}, false // of another release
	}
	switch e.Name {
	case ArtistImagesUpdated:
		m.place = artwork.Place{Subject: artwork.Artist(told.ArtistID), Slot: told.ImageType}
	case AlbumCoverUpdated:
		m.place = artwork.Place{Subject: artwork.Album(told.AlbumID), Slot: artwork.SlotCover}
	case UserAvatarUpdated:
		m.place = artwork.Place{Subject: artwork.User(told.UserID), Slot: artwork.SlotAvatar}
	}
	m.at = told.UpdatedAt
	return m, m.place.Check() == nil
}
