// Package findimages finds images for subjects in external catalogues: all of them
// at once, so that one that is slow or dead keeps nobody waiting.
package findimages

import (
	"context"
	"errors"
	"time"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// ArtworkProvider is an external catalogue of images. Its methods may be called
// concurrently.
//
// What it finds is what it says: nothing is downloaded or checked. No candidates is
// an answer, not an error: the provider does not know the subject, or has no image of
// it. Placeholders, which some providers show for what they do not have, are no
// candidates.
//
// Errors are Unavailable (out of reach, over its limit, failing), Forbidden (it
// refuses the key), DownloadFailed (its answer is not understood) or ctx's error as
// it is. Their messages are for the person who searches, and name no key.
type ArtworkProvider interface {
	// About describes the provider. It never changes.
	About() About
	// ArtistImages returns candidates for the slots of an artist, the best of each
	// slot first.
	ArtistImages(ctx context.Context, artist catalog.Artist) ([]Candidate, error)
	// AlbumCovers returns candidates for the cover of an album, the best first. The
	// album carries its artist's name.
	AlbumCovers(ctx context.Context, album catalog.Album) ([]Candidate, error)
}

// About describes a provider.
type About struct {
	ID    string // in the API and in records: "coverartarchive"
	Name  string // for people: "Cover Art Archive"
	Slots []artwork.Slot
	// Rate is how often it is asked at most.
	Rate Rate
	// Preference is the provider's place among those that somebody has put in order: 1 is
	// the first. 0: nobody has.
	Preference int
	// Origin tells the API that is asked, and the keys it is asked with, from others
	// that the same provider may be asked at, and names none of them: what one of them
	// answered is not what another would. "": there is only one.
	Origin string
}

// Offers reports whether the provider has images for any slot of the kind of subject.
func (a About) Offers(kind artwork.SubjectKind) bool {
	for _, slot := range a.Slots {
		if kind.Has(slot) {
			return true
		}
	}
	return false
}

// Candidate is an image that a provider offers for a slot.
type Candidate struct {
	Provider     string       `json:"provider"` // its ID
	Slot         artwork.Slot `json:"slot"`
	URL          string       `json:"url"`                    // of the largest version; http or https
	ThumbnailURL string       `json:"thumbnailUrl,omitempty"` // of a smaller one; "" if there is none
	Width        int          `json:"width,omitempty"`        // pixels, as the provider says; 0: it does not
	Height       int          `json:"height,omitempty"`
	Votes        int          `json:"votes,omitempty"` // how many people liked it; comparable within a provider only
	Kind         string       `json:"kind,omitempty"`  // the provider's own word for what it is: "hdmusiclogo"
	Licence      string       `json:"licence,omitempty"`
	Attribution  string       `json:"attribution,omitempty"` // whom the licence wants to be named
	SourcePage   string       `json:"sourcePage,omitempty"`  // about the image, for people; http or https
	// ByName: the subject was found by its name and not by an identifier; it may be
	// another one that is called the same.
	ByName bool `json:"byName,omitempty"`
}

// Identifier finds the MusicBrainz identifiers of subjects by name. Errors are those
// of ArtworkProvider.
type Identifier interface {
	// Artists returns the artists that a text may mean, the best match first.
	Artists(ctx context.Context, text string) ([]Match, error)
	// ReleaseGroups returns the release groups (what people call an album) that a
	// title may mean; the artist's name may be empty.
	ReleaseGroups(ctx context.Context, artist, title string) ([]Match, error)
}

// ErrSwitchedOff is in the chain of the error of an Identifier that is not to be
// asked at all.
var ErrSwitchedOff = errors.New("it is switched off")

// Match is what an identifier may be of.
type Match struct {
	MBID           catalog.MBID `json:"mbid"`
	Name           string       `json:"name"`
	Artist         string       `json:"artist,omitempty"`         // of a release group
	Disambiguation string       `json:"disambiguation,omitempty"` // what tells it from others of the same name
	Details        string       `json:"details,omitempty"`        // kind, place and time, such as "Group, Iceland, 1994"
	Score          int          `json:"score"`                    // 0 to 100, as MusicBrainz says
}

// Rate is how often a provider may be asked.
type Rate struct {
	Requests int
	Per      time.Duration
}

// Limiter keeps all instances together within the rates of providers. It may be
// called concurrently.
type Limiter interface {
	// Wait returns when a request may be sent to the provider, in the order of the
	// calls of one process. Unavailable: too many wait already, or the turn would
	// not come before ctx's deadline; then no turn was used. A cancelled ctx ends it
	// with ctx's error.
	Wait(ctx context.Context, provider string, rate Rate) error
}
