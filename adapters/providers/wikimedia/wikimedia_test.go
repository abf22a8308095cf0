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

func TestFiles(t *testing.T) {
	t.Parallel()
	p, err := New(api.New("test", "", nil), Config{WikidataURL: DefaultWikidataURL, CommonsURL: DefaultCommonsURL})
	require.NoError(t, err)
	var found pages
	require.NoError(t, api.Decode([]byte(`{"query":{"pages":[
		{"title":"File:Logo.svg","imageinfo":[{"url":"https://upload.wikimedia.org/logo.svg","thumburl":"https://upload.wikimedia.org/logo.svg/1000px-logo.svg.png","width":512,"height":200,"mime":"image/svg+xml","descriptionurl":"javascript:x"}]},
		{"title":"File:Gone.jpg","missing":true},
		{"title":"File:Song.ogg","imageinfo":[{"url":"https://upload.wikimedia.org/song.ogg","mime":"audio/ogg"}]},
		{"title":"File:Photo.jpg","imageinfo":[{"url":"https://upload.wikimedia.org/photo.jpg","thumburl":"https://upload.wikimedia.org/photo-1000.jpg","width":3000,"height":2000,"mime":"image/jpeg","descriptionurl":"https://commons.wikimedia.org/wiki/File:Photo.jpg",
			"extmetadata":{"Artist":{"value":"<a href=\"//x\">Ana</a> &amp; Luis"},"LicenseShortName":{"value":"CC BY 4.0"},"LicenseUrl":{"value":"https://creativecommons.org/licenses/by/4.0"}}}]}
	]}}`), &found))
	offers := p.commons.Offers()
	found.offer(offers, []wanted{
		{"File:Gone.jpg", artwork.SlotProfile, "P18"}, {"File:Photo.jpg", artwork.SlotProfile, "P18"},
		{"File:Song.ogg", artwork.SlotProfile, "P18"}, {"File:Logo.svg", artwork.SlotLogo, "P154"},
	}, false)
	require.Equal(t, []findimages.Candidate{
		{
			Provider: about.ID, Slot: artwork.SlotProfile, URL: "https://upload.wikimedia.org/photo.jpg", ThumbnailURL: "https://upload.wikimedia.org/photo-1000.jpg",
			Width: 3000, Height: 2000, Kind: "P18", Licence: "CC BY 4.0 https://creativecommons.org/licenses/by/4.0", Attribution: "Ana & Luis",
			SourcePage: "https://commons.wikimedia.org/wiki/File:Photo.jpg",
		},
		{Provider: about.ID, Slot: artwork.SlotLogo, URL: "https://upload.wikimedia.org/logo.svg/1000px-logo.svg.png", Kind: "P154"},
	}, offers.List())
}

func TestClaims(t *testing.T) {
	t.Parallel()
	var known entities
	require.NoError(t, api.Decode([]byte(`{"entities":{"Q1":{"claims":{"P18":[
		{"rank":"deprecated","mainsnak":{"snaktype":"value","datavalue":{"value":"Old.jpg"}}},
		{"rank":"normal","mainsnak":{"snaktype":"value","datavalue":{"value":"Some_photo.jpg"}}},
		{"rank":"normal","mainsnak":{"snaktype":"somevalue"}},
		{"rank":"normal","mainsnak":{"snaktype":"value","datavalue":{"value":"A|File:B.jpg"}}},
		{"rank":"preferred","mainsnak":{"snaktype":"value","datavalue":{"value":"Best.jpg"}}}
	]}}}}`), &known))
	require.Equal(t, []wanted{{"File:Best.jpg", artwork.SlotProfile, "P18"}, {"File:Some photo.jpg", artwork.SlotProfile, "P18"}},
		wantedOf([]item{known.Entities["Q1"], known.Entities["Q1"], {}}))
}

func TestNames(t *testing.T) {
	t.Parallel()
	i := item{Labels: map[string]text{"en": {"Prince"}, "de": {"Der Prinz"}}, Aliases: map[string][]text{"en": {{"The Artist"}}}}
	require.Equal(t, api.Same, i.likeness("PRINCE"))
	require.Equal(t, api.Same, i.likeness("der prinz"))
	require.Equal(t, api.Similar, i.likeness("The Artist"), "an alias")
	require.Equal(t, api.Different, i.likeness("Prince Charles"))
}

func TestTextOf(t *testing.T) {
	t.Parallel()
	for markup, want := range map[string]string{
		"Ana":                                 "Ana",
		"":                                    "",
		`<a href="//x" title="a > b">Ana</a>`: `b">Ana`, // not HTML that Commons writes
		`<div class="fn"> <b>Ana</b><br/>Luis</div>`:                   "Ana Luis",
		"<style>.a{b:c}</style>Ana<!-- x --><script>alert(1)</script>": "Ana",
		`<span style="display: none;">Q1</span>Ana`:                    "Ana",
		"A &amp; B &lt;C&gt;":                                          "A & B <C>",
		"Ana <unclosed":                                                "Ana",
	} {
		require.Equal(t, want, textOf(markup), markup)
	}
}

func TestVerdicts(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]api.Reason{"": 0, "ratelimited": api.OverLimit, "maxlag": api.Failing, "badvalue": api.Refused} {
		var found hits
		found.Error.Code = code
		require.Equal(t, want, found.Verdict(), code)
	}
}
