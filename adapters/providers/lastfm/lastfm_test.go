package lastfm

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

func TestOriginals(t *testing.T) {
	t.Parallel()
	const host = "https://lastfm.freetls.fastly.net/i/u/"
	for raw, want := range map[string]string{
		host + "300x300/abc.png": host + "abc.png", host + "174s/abc.jpg": host + "abc.jpg", host + "abc.png": host + "abc.png",
		"https://example.org/300x300/abc.png": "https://example.org/300x300/abc.png", host + "a/b/c.png": host + "a/b/c.png",
	} {
		require.Equal(t, want, original(raw))
	}
}

func TestImages(t *testing.T) {
	t.Parallel()
	p, err := New(api.New("test", "", nil), Config{BaseURL: DefaultURL})
	require.NoError(t, err)
	const host = "https://lastfm.freetls.fastly.net/i/u/"
	offers := p.endpoint.Offers()
	album{Images: []img{{URL: host + "34s/a.png", Size: "small"}, {URL: host + "300x300/a.png", Size: "mega"}, {URL: host + "174s/a.png", Size: "large"}}}.offer(offers, true)
	require.Equal(t, []findimages.Candidate{{
		Provider: about.ID, Slot: artwork.SlotCover, URL: host + "a.png", ThumbnailURL: host + "300x300/a.png", Kind: "album cover", ByName: true,
	}}, offers.List())
	for _, hash := range placeholders {
		offers = p.endpoint.Offers()
		album{Images: []img{{URL: host + "300x300/" + hash + ".png", Size: "mega"}}}.offer(offers, true)
		require.Empty(t, offers.List())
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]api.Reason{0: 0, 6: api.Absent, 10: api.KeyRefused, 26: api.KeyRefused, 29: api.OverLimit, 11: api.Failing, 16: api.Failing, 3: api.Refused} {
		require.Equal(t, want, answer{Code: code}.Verdict(), code)
	}
}
