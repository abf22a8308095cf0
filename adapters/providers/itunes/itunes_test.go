package itunes

import (
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

func TestImages(t *testing.T) {
	t.Parallel()
	p, err := New(api.New("test", "", nil), Config{BaseURL: DefaultURL})
	require.NoError(t, err)
	const dir = "https://is1-ssl.mzstatic.com/image/thumb/Music/x/source/"
	offers := p.endpoint.Offers()
	answer{Results: []album{
		{Artist: "A", Title: "Other", Artwork: dir + "1/100x100bb.jpg"},
		{Artist: "A", Title: "B (Deluxe)", Artwork: dir + "2/100x100bb.jpg"},
		{Artist: "A", Title: "B", Artwork: dir + "3/100x100bb-85.png"},
		{Artist: "C", Title: "B", Artwork: dir + "4/100x100bb.jpg"},
	}}.offer(offers, catalog.Album{Name: "B", ArtistName: "a"})
	image := func(name, kind string) findimages.Candidate {
		return findimages.Candidate{
			Provider: about.ID, Slot: artwork.SlotCover, URL: dir + name + "/3000x3000bb." + kind, ThumbnailURL: dir + name + "/600x600bb." + kind,
			Kind: "album artwork", ByName: true,
		}
	}
	require.Equal(t, []findimages.Candidate{image("3", "png"), image("2", "jpg")}, offers.List())
}
