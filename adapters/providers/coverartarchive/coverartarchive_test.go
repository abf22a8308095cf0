package coverartarchive

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
	p, err := New(api.New("test", "https://example.org", limiter, api.Backoff(time.Millisecond)), Config{BaseURL: server.URL(about.ID)})
	require.NoError(t, err)
	return p
}

func TestProvider(t *testing.T) {
	t.Parallel()
	conformance.RunProvider(t, conformance.ProviderTraits{ID: about.ID, ByMBID: true}, open)
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"images":[{"types":["Front"],"front":true,"image":"http://coverartarchive.org/release/x/1.jpg","thumbnails":{"500":"http://coverartarchive.org/release/x/1-500.jpg"},"approved":true,"id":1}]}`))
	f.Add([]byte(`{"images":[{"front":true,"image":"x.pdf"},{"types":["Back"]}]}`))
	p, err := New(api.New("test", "https://example.org", nil), Config{BaseURL: DefaultURL})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body []byte) {
		var found answer
		if api.Decode(body, &found) != nil {
			return
		}
		offers := p.endpoint.Offers()
		found.offer(offers)
		conformance.CheckCandidates(t, about, offers.List())
	})
}
