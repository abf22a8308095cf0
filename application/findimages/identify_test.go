package findimages_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/findimages"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// asked notes what it is asked for.
type asked []string

func (a *asked) Artists(_ context.Context, text string) ([]findimages.Match, error) {
	*a = append(*a, "artist "+text)
	return []findimages.Match{{Name: text, Score: 100}}, nil
}

func (a *asked) ReleaseGroups(_ context.Context, artist, title string) ([]findimages.Match, error) {
	*a = append(*a, "album "+title+" by "+artist)
	return nil, artwork.Errorf(artwork.Unavailable, "over its limit")
}

func TestSearchIdentifiers(t *testing.T) {
	repo := memory.NewRepository()
	artist := catalog.Artist{ID: artwork.NewID(), Name: "Genesis"}
	album := catalog.Album{ID: artwork.NewID(), ArtistID: artist.ID, Name: "Foxtrot"}
	_, err := repo.Artists().Put(t.Context(), artwork.Actor{Name: "test"}, artist)
	require.NoError(t, err)
	_, err = repo.Albums().Put(t.Context(), artwork.Actor{Name: "test"}, album)
	require.NoError(t, err)
	var heard asked
	search := findimages.NewSearchIdentifiers(&heard, repo.Artists(), repo.Albums())

	matches, err := search.Artist(t.Context(), artist.ID, "")
	require.NoError(t, err)
	require.Len(t, matches, 1)
	_, err = search.Artist(t.Context(), artist.ID, " genesis (UK) ")
	require.NoError(t, err)
	_, err = search.Album(t.Context(), album.ID, "")
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err))
	_, _ = search.Album(t.Context(), album.ID, "foxtrot live")
	require.Equal(t, asked{"artist Genesis", "artist genesis (UK)", "album Foxtrot by Genesis", "album foxtrot live by "}, heard)

	for _, bad := range []string{"  ", strings.Repeat("x", 501), "\x00", "\xff"} {
		_, err := search.Artist(t.Context(), artist.ID, bad)
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), "%q", bad)
		_, err = search.Album(t.Context(), album.ID, bad)
		require.Equal(t, artwork.InvalidInput, artwork.KindOf(err), "%q", bad)
	}
	_, err = search.Artist(t.Context(), album.ID, "")
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
	_, err = search.Album(t.Context(), artist.ID, "")
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
	require.Len(t, heard, 4)
}
