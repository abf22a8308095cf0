package fanarttv

import (
	"context"
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
	conformance.RunProvider(t, conformance.ProviderTraits{ID: about.ID, Keyed: true, ByMBID: true}, open)
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"artistthumb":[{"id":"1","url":"https://assets.fanart.tv/fanart/music/x/artistthumb/a.jpg","likes":"3"}],"musiclogo":[{"url":"http://assets.fanart.tv/fanart/a.png"}]}`))
	f.Add([]byte(`{"albums":{"fc325dd3-73ed-36aa-9c77-6b65a958e3cf":{"albumcover":[{"url":"https://assets.fanart.tv/fanart/a.jpg","likes":1}]}}}`))
	f.Add([]byte(`{"albums":[{"release_group_id":"fc325dd3-73ed-36aa-9c77-6b65a958e3cf","albumcover":[{"url":"https://assets.fanart.tv/fanart/a.jpg"}]}]}`))
	p, err := New(api.New("test", "https://example.org", nil), Config{BaseURL: DefaultURL, Key: "k"})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body []byte) {
		var found answer
		if api.Decode(body, &found) != nil {
			return
		}
		offers := p.endpoint.Offers()
		found.offerArtist(offers)
		offer(offers, found.Albums["fc325dd3-73ed-36aa-9c77-6b65a958e3cf"], findimages.Candidate{Slot: artwork.SlotCover})
		conformance.CheckCandidates(t, about, offers.List())
	})
}

// TestAlbums: both forms that the answer has had.
func TestAlbums(t *testing.T) {
	t.Parallel()
	const id = "fc325dd3-73ed-36aa-9c77-6b65a958e3cf"
	for _, body := range []string{
		`{"albums":{"` + id + `":{"albumcover":[{"url":"https://a/1","likes":"2"}],"cdart":[]}}}`,
		`{"albums":[{"release_group_id":"FC325DD3-73ED-36AA-9C77-6B65A958E3CF","albumcover":[{"url":"https://a/1","likes":2}]}]}`,
	} {
		var found answer
		require.NoError(t, api.Decode([]byte(body), &found))
		require.Equal(t, albums{id: {{URL: "https://a/1", Likes: 2}}}, found.Albums)
	}
}

func TestImages(t *testing.T) {
	t.Parallel()
	p, err := New(api.New("test", "", nil), Config{BaseURL: DefaultURL})
	require.NoError(t, err)
	var found answer
	require.NoError(t, api.Decode([]byte(`{
		"artistthumb":[{"url":"http://assets.fanart.tv/fanart/music/a.jpg","likes":"1"},{"url":"https://assets.fanart.tv/fanart/music/b.jpg","likes":"12"}],
		"musiclogo":[{"url":"https://assets.fanart.tv/fanart/music/c.png","likes":"0"}]}`), &found))
	offers := p.endpoint.Offers()
	found.offerArtist(offers)
	image := func(slot artwork.Slot, name, kind string, w, h, votes int) findimages.Candidate {
		return findimages.Candidate{
			Provider: about.ID, Slot: slot, URL: "https://assets.fanart.tv/fanart/music/" + name, ThumbnailURL: "https://assets.fanart.tv/preview/music/" + name,
			Kind: kind, Width: w, Height: h, Votes: votes,
		}
	}
	require.Equal(t, []findimages.Candidate{
		image(artwork.SlotProfile, "b.jpg", "artistthumb", 1000, 1000, 12),
		image(artwork.SlotProfile, "a.jpg", "artistthumb", 1000, 1000, 1),
		image(artwork.SlotLogo, "c.png", "musiclogo", 400, 155, 0),
	}, offers.List())
}

func TestKeys(t *testing.T) {
	t.Parallel()
	server := providerfixture.Start(t)
	p, err := New(api.New("test", "", unlimited{}), Config{BaseURL: server.URL(about.ID), Key: providerfixture.Key, ClientKey: "personal"})
	require.NoError(t, err)
	found, err := p.ArtistImages(t.Context(), catalog.Artist{MBID: artwork.NewID()})
	require.NoError(t, err)
	require.NotEmpty(t, found)
	require.Equal(t, "personal", server.Requests(about.ID)[0].Header.Get("client-key"))
}

type unlimited struct{}

func (unlimited) Wait(context.Context, string, findimages.Rate) error { return nil }
