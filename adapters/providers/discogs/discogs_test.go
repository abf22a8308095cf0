package discogs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/providers/api"
	"gatefold/application/findimages"
	"gatefold/domain/artwork"
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
