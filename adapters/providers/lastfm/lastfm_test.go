package lastfm

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
	f.Add([]byte(`{"album":{"name":"A","artist":"A","image":[{"#text":"https://lastfm.freetls.fastly.net/i/u/300x300/d95051e07a714889c8f7fbbccf61bf8b.png","size":"mega"},{"#text":"","size":"small"}]}}`))
	f.Add([]byte(`{"error":6,"message":"Album not found"}`))
	p, err := New(api.New("test", "https://example.org", nil), Config{BaseURL: DefaultURL, Key: "k"})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body []byte) {
		var found answer
		if api.Decode(body, &found) != nil {
			return
		}
		offers := p.endpoint.Offers()
		found.Album.offer(offers, true)
		conformance.CheckCandidates(t, about, offers.List())
	})
}
