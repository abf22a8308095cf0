package theaudiodb

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

func TestImages(t *testing.T) {
	t.Parallel()
	p, err := New(api.New("test", "", nil), Config{BaseURL: DefaultURL})
	require.NoError(t, err)
	const dir = "https://r2.theaudiodb.com/images/"
	offers := p.endpoint.Offers()
	offerArtists(offers, []artist{{Thumb: dir + "t.jpg", Fanart2: dir + "f2.jpg", Fanart: "http://www.theaudiodb.com/images/f.jpg", Logo: dir + "l.png"}}, true)
	image := func(slot artwork.Slot, url, kind string) findimages.Candidate {
		return findimages.Candidate{Provider: about.ID, Slot: slot, URL: url, ThumbnailURL: url + "/small", Kind: kind, ByName: true}
	}
	require.Equal(t, []findimages.Candidate{
		image(artwork.SlotProfile, dir+"t.jpg", "strArtistThumb"),
		image(artwork.SlotBackground, "https://www.theaudiodb.com/images/f.jpg", "strArtistFanart"),
		image(artwork.SlotBackground, dir+"f2.jpg", "strArtistFanart2"),
		image(artwork.SlotLogo, dir+"l.png", "strArtistLogo"),
	}, offers.List())
	offers = p.endpoint.Offers()
	offerAlbums(offers, []album{{Thumb: dir + "a.jpg", ThumbHQ: dir + "hq.jpg"}}, true)
	require.Equal(t, []findimages.Candidate{
		image(artwork.SlotCover, dir+"hq.jpg", "strAlbumThumbHQ"), image(artwork.SlotCover, dir+"a.jpg", "strAlbumThumb"),
	}, offers.List())
}

// TestFreeKey: without a key there is one for everybody.
func TestFreeKey(t *testing.T) {
	t.Parallel()
	server := providerfixture.Start(t)
	p, err := New(api.New("test", "", unlimited{}), Config{BaseURL: server.URL(about.ID)})
	require.NoError(t, err)
	found, err := p.ArtistImages(t.Context(), catalog.Artist{Name: "A"})
	require.NoError(t, err)
	require.NotEmpty(t, found)
	require.Equal(t, "api/v1/json/123/search.php", server.Requests(about.ID)[0].Path)
}

type unlimited struct{}

func (unlimited) Wait(context.Context, string, findimages.Rate) error { return nil }
