package itunes

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
	f.Add([]byte(`{"resultCount":1,"results":[{"artistName":"A","collectionName":"A","artworkUrl100":"https://is1-ssl.mzstatic.com/image/thumb/Music/x/source/100x100bb.jpg"}]}`))
	p, err := New(api.New("test", "https://example.org", nil), Config{BaseURL: DefaultURL})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body []byte) {
		var found answer
		if api.Decode(body, &found) != nil {
			return
		}
		offers := p.endpoint.Offers()
		found.offer(offers, catalog.Album{Name: "A", ArtistName: "A"})
		conformance.CheckCandidates(t, about, offers.List())
	})
}
