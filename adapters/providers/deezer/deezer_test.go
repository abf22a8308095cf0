package deezer

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/providers/api"
	"gatefold/application/findimages"
	"gatefold/domain/catalog"
	"gatefold/test/conformance"
	"gatefold/test/providerfixture"
)

func open(t conformance.TB, server *providerfixture.Server, limiter findimages.Limiter) findimages.ArtworkProvider {
	p, err := New(api.New("test", "https://example.org", limiter, api.Backoff(time.Millisecond)), Config{BaseURL: server.URL(about.ID)})
	require.NoError(t, err)
	return p
}

func TestProvider(t *testing.T) {
	t.Parallel()
	conformance.RunProvider(t, conformance.ProviderTraits{ID: about.ID, ByName: true}, open)
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"data":[{"name":"A","title":"A","artist":{"name":"A"},"picture_xl":"https://e-cdns-images.dzcdn.net/images/artist/x/1000x1000-000000-80-0-0.jpg","cover_xl":"https://e-cdns-images.dzcdn.net/images/cover/x/1000x1000-000000-80-0-0.jpg","nb_fan":7}],"total":1}`))
	f.Add([]byte(`{"error":{"type":"Exception","message":"Quota limit exceeded","code":4}}`))
	p, err := New(api.New("test", "https://example.org", nil), Config{BaseURL: DefaultURL})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body []byte) {
		var found answer[artist]
		if api.Decode(body, &found) != nil {
			return
		}
		offers := p.endpoint.Offers()
		offerArtists(offers, catalog.Artist{Name: "A"}, found.Data)
		conformance.CheckCandidates(t, about, offers.List())
		var albums answer[album]
		if api.Decode(body, &albums) == nil {
			offerAlbums(offers, catalog.Album{Name: "A", ArtistName: "A"}, albums.Data)
			conformance.CheckCandidates(t, about, offers.List())
		}
	})
}
