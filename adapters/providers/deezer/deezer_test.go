package deezer

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

// TestOrder: an exact name before one that is nearly so, then the one with more fans.
func TestOrder(t *testing.T) {
	t.Parallel()
	p, err := New(api.New("test", "", nil), Config{BaseURL: DefaultURL})
	require.NoError(t, err)
	picture := func(name string) string {
		return "https://e-cdns-images.dzcdn.net/images/artist/" + name + "/1000x1000.jpg"
	}
	offers := p.endpoint.Offers()
	offerArtists(offers, catalog.Artist{Name: "Nirvana"}, []artist{
		{Name: "Nirvana (UK)", Large: picture("uk"), Fans: 9000},
		{Name: "Nirvana Tribute", Large: picture("tribute"), Fans: 8000},
		{Name: "NIRVANA", Large: picture("few"), Fans: 3},
		{Name: "Nirvana", Large: picture("many"), Small: picture("small"), Fans: 7000},
		{Name: "Nirvana", Large: picture(""), Fans: 6000},
		{Name: "Nirvana", Large: picture("d41d8cd98f00b204e9800998ecf8427e"), Fans: 5000},
	})
	var names []string
	for _, c := range offers.List() {
		names = append(names, c.URL)
	}
	require.Equal(t, []string{picture("many"), picture("few"), picture("uk")}, names)
	require.Equal(t, findimages.Candidate{
		Provider: about.ID, Slot: artwork.SlotProfile, URL: picture("many"), ThumbnailURL: picture("small"), Width: 1000, Height: 1000,
		Votes: 7000, Kind: "artist picture", ByName: true,
	}, offers.List()[0])
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]api.Reason{0: 0, 4: api.OverLimit, 700: api.Failing, 800: api.Absent, 600: api.Refused} {
		require.Equal(t, want, answer[artist]{Error: refusal{code}}.Verdict(), code)
	}
}
