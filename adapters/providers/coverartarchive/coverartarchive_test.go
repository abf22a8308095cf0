package coverartarchive

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

// TestOrder: the front of the release itself, then what others have looked at; the
// answer's URLs are upgraded, and thumbnails are the middle ones.
func TestOrder(t *testing.T) {
	t.Parallel()
	p, err := New(api.New("test", "", nil), Config{BaseURL: DefaultURL})
	require.NoError(t, err)
	var found answer
	require.NoError(t, api.Decode([]byte(`{"images":[
		{"front":false,"types":["Back"],"image":"http://coverartarchive.org/release/x/1.jpg"},
		{"front":false,"approved":false,"types":["Front"],"image":"http://coverartarchive.org/release/x/2.jpg"},
		{"front":false,"approved":true,"types":["Front","Sticker"],"image":"http://coverartarchive.org/release/x/3.png","thumbnails":{"small":"http://coverartarchive.org/release/x/3-250.jpg"}},
		{"front":false,"approved":true,"types":["Front"],"image":"http://coverartarchive.org/release/x/4.PDF"},
		{"front":true,"approved":true,"types":["Front"],"image":"http://coverartarchive.org/release/x/5.jpg",
			"thumbnails":{"250":"http://coverartarchive.org/release/x/5-250.jpg","500":"http://coverartarchive.org/release/x/5-500.jpg","1200":"http://coverartarchive.org/release/x/5-1200.jpg"}}
	]}`), &found))
	offers := p.endpoint.Offers()
	found.offer(offers)
	url := func(name string) string { return "https://coverartarchive.org/release/x/" + name }
	require.Equal(t, []findimages.Candidate{
		{Provider: about.ID, Slot: artwork.SlotCover, URL: url("5.jpg"), ThumbnailURL: url("5-500.jpg"), Kind: "Front"},
		{Provider: about.ID, Slot: artwork.SlotCover, URL: url("3.png"), ThumbnailURL: url("3-250.jpg"), Kind: "Front, Sticker"},
		{Provider: about.ID, Slot: artwork.SlotCover, URL: url("2.jpg"), Kind: "Front"},
	}, offers.List())
}

// TestReleaseBeforeGroup: the cover of the release itself is the surer one.
func TestReleaseBeforeGroup(t *testing.T) {
	t.Parallel()
	server := providerfixture.Start(t)
	server.Script(about.ID, providerfixture.Absent, providerfixture.Found)
	p := open(t, server, unlimited{})
	album := catalog.Album{MBID: artwork.NewID(), ReleaseGroupMBID: artwork.NewID()}
	found, err := p.AlbumCovers(t.Context(), album)
	require.NoError(t, err)
	require.NotEmpty(t, found)
	requests := server.Requests(about.ID)
	require.Equal(t, "release/"+album.MBID.String(), requests[0].Path)
	require.Equal(t, "release-group/"+album.ReleaseGroupMBID.String(), requests[1].Path)
	found, err = p.AlbumCovers(t.Context(), catalog.Album{Name: "A"})
	require.NoError(t, err)
	require.Empty(t, found)
	require.Len(t, server.Requests(about.ID), 2)
}

type unlimited struct{}

func (unlimited) Wait(context.Context, string, findimages.Rate) error { return nil }
