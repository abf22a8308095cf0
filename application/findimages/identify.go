package findimages

import (
	"context"
	"strings"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// SearchIdentifiers finds what MusicBrainz identifier a subject may have. It sets none:
// names are ambiguous, and a wrong identifier brings the pictures of somebody else.
type SearchIdentifiers struct {
	identifier Identifier
	artists    catalog.Artists
	albums     catalog.Albums
}

// NewSearchIdentifiers returns the use case.
func NewSearchIdentifiers(identifier Identifier, artists catalog.Artists, albums catalog.Albums) *SearchIdentifiers {
	return &SearchIdentifiers{identifier, artists, albums}
}

// maxText bounds what is searched for, in bytes.
const maxText = 500

// Artist returns the artists that the text may mean; without one the name of the
// artist. NotFound: there is no such artist. Unavailable: MusicBrainz is turned off, or
// does not answer.
func (u *SearchIdentifiers) Artist(ctx context.Context, id artwork.ID, text string) ([]Match, error) {
	const op = "findimages.SearchIdentifiers"
	artist, err := u.artists.Get(ctx, id)
	if err != nil {
		return nil, artwork.Wrap(artwork.Internal, op, err)
	}
	if text, err = searchable(text, artist.Name); err != nil {
		return nil, err
	}
	matches, err := u.identifier.Artists(ctx, text)
	return matches, artwork.Wrap(artwork.Internal, op, err)
}

// Album returns the release groups that the text may mean; without one the name of the
// album by its artist. Errors are those of Artist.
func (u *SearchIdentifiers) Album(ctx context.Context, id artwork.ID, text string) ([]Match, error) {
	const op = "findimages.SearchIdentifiers"
	album, err := u.albums.Get(ctx, id)
	if err != nil {
		return nil, artwork.Wrap(artwork.Internal, op, err)
	}
	artist := album.ArtistName
	if text != "" {
		artist = "" // a person may know better who it is by
	}
	if text, err = searchable(text, album.Name); err != nil {
		return nil, err
	}
	matches, err := u.identifier.ReleaseGroups(ctx, artist, text)
	return matches, artwork.Wrap(artwork.Internal, op, err)
}

func searchable(text, name string) (string, error) {
	if text == "" {
		return name, nil
	}
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxText {
		return "", artwork.Errorf(artwork.InvalidInput, "query must have 1 to %d bytes", maxText)
	}
	return text, artwork.CheckText("query", text)
}
