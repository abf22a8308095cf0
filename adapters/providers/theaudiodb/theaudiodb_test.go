package theaudiodb

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/providers/api"
	"gatefold/application/findimages"
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
	conformance.RunProvider(t, conformance.ProviderTraits{ID: about.ID, Keyed: true, ByMBID: true, ByName: true}, open)
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"artists":[{"strArtist":"A","strArtistThumb":"https://r2.theaudiodb.com/images/media/artist/thumb/a.jpg","strArtistLogo":null,"strArtistFanart":""}]}`))
	f.Add([]byte(`{"album":[{"strAlbum":"A","strArtist":"A","strAlbumThumb":"https://r2.theaudiodb.com/images/media/album/thumb/a.jpg"}]}`))
	f.Add([]byte(`{"artists":null}`))
	p, err := New(api.New("test", "https://example.org", nil), Config{BaseURL: DefaultURL})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body []byte) {
		var found artists
		if api.Decode(body, &found) != nil {
			return
		}
		offers := p.endpoint.Offers()
		offerArtists(offers, found.Artists, false)
		conformance.CheckCandidates(t, about, offers.List())
		var covers albums
		if api.Decode(body, &covers) == nil {
			offerAlbums(offers, covers.Albums, true)
			conformance.CheckCandidates(t, about, offers.List())
		}
	})
}
