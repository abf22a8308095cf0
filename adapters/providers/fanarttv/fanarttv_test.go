package fanarttv

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
