package discogs

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/providers/api"
	"gatefold/application/findimages"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/conformance"
	"gatefold/test/providerfixture"
)

func open(t conformance.TB, server *providerfixture.Server, limiter findimages.Limiter) findimages.ArtworkProvider {
	p, err := New(api.New("test", "https://example.org", limiter, api.Backoff(time.Millisecond)), Config{BaseURL: server.URL(about.ID), Key: providerfixture.Key})
	require.NoError(t, err)
	return p
}

func TestProvider(t *testing.T) {
	t.Parallel()
	conformance.RunProvider(t, conformance.ProviderTraits{ID: about.ID, Keyed: true, ByName: true}, open)
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"images":[{"type":"primary","uri":"https://i.discogs.com/x.jpeg","uri150":"https://i.discogs.com/y.jpeg","width":600,"height":"600"},{"uri":"https://s.discogs.com/images/spacer.gif"}]}`))
	p, err := New(api.New("test", "https://example.org", nil), Config{BaseURL: DefaultURL, Key: "k"})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body []byte) {
		var found details
		if api.Decode(body, &found) != nil {
			return
		}
		offers := p.endpoint.Offers()
		found.offer(offers, artwork.SlotCover)
		conformance.CheckCandidates(t, about, offers.List())
	})
}

func TestImages(t *testing.T) {
	t.Parallel()
	p, err := New(api.New("test", "", nil), Config{BaseURL: DefaultURL})
	require.NoError(t, err)
	offers := p.endpoint.Offers()
	details{Images: []img{
		{Kind: "secondary", URI: "https://i.discogs.com/2.jpeg"},
		{Kind: "primary", URI: "https://i.discogs.com/1.jpeg", URI150: "https://i.discogs.com/1s.jpeg", Width: 600, Height: 590},
		{Kind: "primary", URI: "https://s.discogs.com/images/spacer.gif"},
		{Kind: "primary"}, // without a key, URIs are empty
	}}.offer(offers, artwork.SlotCover)
	require.Equal(t, []findimages.Candidate{
		{Provider: about.ID, Slot: artwork.SlotCover, URL: "https://i.discogs.com/1.jpeg", ThumbnailURL: "https://i.discogs.com/1s.jpeg", Width: 600, Height: 590, Kind: "primary", ByName: true},
		{Provider: about.ID, Slot: artwork.SlotCover, URL: "https://i.discogs.com/2.jpeg", Kind: "secondary", ByName: true},
	}, offers.List())
}

// TestTitles: the artist and the title of an album stand in one text.
func TestTitles(t *testing.T) {
	t.Parallel()
	album := catalog.Album{Name: "B - C", ArtistName: "A"}
	for title, want := range map[string]api.Likeness{
		"A - B - C": api.Same, "A (2) - B - C": api.Same, "A - B": api.Different, "B - C": api.Different, "D - B - C": api.Different,
		"a - b - c (Deluxe)": api.Similar, "": api.Different, " - ": api.Different,
	} {
		require.Equal(t, want, likeAlbum(album, title), title)
	}
}

// TestReleases: an album that came out once has no master.
func TestReleases(t *testing.T) {
	t.Parallel()
	server := providerfixture.Start(t)
	server.Script(about.ID, providerfixture.Absent, providerfixture.Found)
	found, err := open(t, server, unlimited{}).AlbumCovers(t.Context(), catalog.Album{Name: "B", ArtistName: "A"})
	require.NoError(t, err)
	require.NotEmpty(t, found)
	var paths []string
	for _, r := range server.Requests(about.ID) {
		paths = append(paths, strings.TrimRight(r.Path, "0123456789")+" "+r.Query.Get("type"))
	}
	require.Equal(t, []string{"database/search master", "database/search release", "releases/ "}, paths)
}

type unlimited struct{}

func (unlimited) Wait(context.Context, string, findimages.Rate) error { return nil }
