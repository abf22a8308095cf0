package wikimedia

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
	p, err := New(api.New("test", "https://example.org", limiter, api.Backoff(time.Millisecond)), Config{WikidataURL: server.URL(about.ID), CommonsURL: server.URL(about.ID)})
	require.NoError(t, err)
	return p
}

func TestProvider(t *testing.T) {
	t.Parallel()
	conformance.RunProvider(t, conformance.ProviderTraits{ID: about.ID, ByMBID: true, ByName: true}, open)
}

func FuzzAnswer(f *testing.F) {
	f.Add([]byte(`{"query":{"pages":[{"title":"File:A.jpg","imageinfo":[{"url":"https://upload.wikimedia.org/a.jpg","thumburl":"https://upload.wikimedia.org/b.jpg","width":1,"height":1,"mime":"image/jpeg","extmetadata":{"Artist":{"value":"<a href=\"x\">A</a>"},"LicenseShortName":{"value":"CC0"}}}]}]}}`))
	f.Add([]byte(`{"entities":{"Q1":{"labels":{"en":{"value":"A"}},"claims":{"P18":[{"rank":"normal","mainsnak":{"snaktype":"value","datavalue":{"value":"A.jpg"}}}]}}}}`))
	p, err := New(api.New("test", "https://example.org", nil), Config{WikidataURL: DefaultWikidataURL, CommonsURL: DefaultCommonsURL})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body []byte) {
		var found pages
		if api.Decode(body, &found) != nil {
			return
		}
		offers := p.commons.Offers()
		found.offer(offers, []wanted{{"File:A.jpg", artwork.SlotProfile, "P18"}}, true)
		conformance.CheckCandidates(t, about, offers.List())
		var known entities
		if api.Decode(body, &known) == nil {
			require.LessOrEqual(t, len(wantedOf([]item{known.Entities["Q1"]})), maxFiles)
		}
	})
}
