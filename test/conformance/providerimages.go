package conformance

import (
	"net/url"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"gatefold/application/findimages"
	"gatefold/domain/artwork"
	"gatefold/test/providerfixture"
)

// images asks for everything that a provider has of a subject.
func (b *ProviderBench) images(t TB, s subject) []findimages.Candidate {
	t.Helper()
	ofArtist, err := b.provider.ArtistImages(t.Context(), s.artist)
	require.NoError(t, err)
	ofAlbum, err := b.provider.AlbumCovers(t.Context(), s.album)
	require.NoError(t, err)
	for _, c := range ofArtist {
		require.True(t, artwork.ArtistSubject.Has(c.Slot), "%+v", c)
	}
	for _, c := range ofAlbum {
		require.True(t, artwork.AlbumSubject.Has(c.Slot), "%+v", c)
	}
	return append(ofArtist, ofAlbum...)
}

func aboutIsConstant(t TB, open func(TB) *ProviderBench) {
	b := open(t)
	about := b.provider.About()
	require.Equal(t, b.traits.ID, about.ID)
	require.NotEmpty(t, about.Name)
	require.NotEmpty(t, about.Slots)
	b.script(providerfixture.Failing)
	_, _ = b.provider.ArtistImages(t.Context(), anArtist)
	require.Equal(t, about, b.provider.About())
}

func foundInEverySlot(t TB, open func(TB) *ProviderBench) {
	b := open(t)
	found := b.images(t, whom())
	slots := map[artwork.Slot]bool{}
	urls := map[string]bool{}
	for i, c := range found {
		require.Equal(t, b.traits.ID, c.Provider)
		require.Contains(t, b.provider.About().Slots, c.Slot)
		require.True(t, strings.HasPrefix(c.URL, "http"), c.URL)
		require.NotEqual(t, c.URL, c.ThumbnailURL)
		require.Equal(t, c.Width > 0, c.Height > 0, "%+v", c)
		key := c.Slot.String() + " " + c.URL
		require.False(t, urls[key], "twice: %s", key)
		urls[key] = true
		if i > 0 && found[i-1].Slot == c.Slot {
			require.GreaterOrEqual(t, found[i-1].Votes, c.Votes, "the best of a slot comes first")
		} else {
			require.False(t, slots[c.Slot], "the candidates of a slot are together")
		}
		slots[c.Slot] = true
	}
	for _, slot := range b.provider.About().Slots {
		require.True(t, slots[slot], "no candidate for %s", slot)
	}
}

func asksOnlyForItsSlots(t TB, open func(TB) *ProviderBench) {
	b := open(t)
	if !b.provider.About().Offers(artwork.ArtistSubject) {
		found, err := b.provider.ArtistImages(t.Context(), anArtist)
		require.NoError(t, err)
		require.Empty(t, found)
	}
	if !b.provider.About().Offers(artwork.AlbumSubject) {
		found, err := b.provider.AlbumCovers(t.Context(), anAlbum)
		require.NoError(t, err)
		require.Empty(t, found)
	}
	require.Empty(t, b.requests())
}

func placeholdersDropped(t TB, open func(TB) *ProviderBench) {
	b := open(t)
	b.script(providerfixture.Placeholder)
	require.Empty(t, b.images(t, whom()))
	require.NotEmpty(t, b.requests())
}

func unsafeURLsDropped(t TB, open func(TB) *ProviderBench) {
	b := open(t)
	server, _, _ := strings.Cut(b.server.URL(""), "://")
	require.Equal(t, "http", server)
	b.script(providerfixture.Unsafe)
	found := b.images(t, whom())
	for _, c := range found {
		require.True(t, strings.HasPrefix(c.URL, b.server.URL("images")), c.URL)
		require.True(t, c.ThumbnailURL == "" || strings.HasPrefix(c.ThumbnailURL, b.server.URL("images")), c.ThumbnailURL)
	}
	for _, slot := range b.provider.About().Slots {
		require.True(t, slices.ContainsFunc(found, func(c findimages.Candidate) bool { return c.Slot == slot }), "the others of %s are left out as well", slot)
	}
}

func foundByMBID(t TB, open func(TB) *ProviderBench) {
	b := open(t)
	found := b.images(t, whom())
	require.NotEmpty(t, found)
	for _, c := range found {
		require.False(t, c.ByName, "%+v", c)
	}
	ids := []string{anArtist.MBID.String(), anAlbum.MBID.String(), anAlbum.ReleaseGroupMBID.String()}
	require.Contains(t, ids, b.requests()[0].MBID)
}

func foundByName(t TB, open func(TB) *ProviderBench) {
	b := open(t)
	found := b.images(t, whom().nameOnly())
	require.NotEmpty(t, found)
	for _, c := range found {
		require.True(t, c.ByName, "%+v", c)
	}
}

func foundByNameAfterAll(t TB, open func(TB) *ProviderBench) {
	each(t, open, func(b *ProviderBench, ask ask) {
		b.script(providerfixture.Absent, providerfixture.Found)
		n, err := ask.run(t.Context(), whom())
		require.NoError(t, err)
		require.Positive(t, n)
		b.script(providerfixture.Absent, providerfixture.Found)
		if ask.name == "artist images" {
			found, err := b.provider.ArtistImages(t.Context(), anArtist)
			require.NoError(t, err)
			require.True(t, found[0].ByName)
		}
	})
}

func strangersDropped(t TB, open func(TB) *ProviderBench) {
	b := open(t)
	b.script(providerfixture.Stranger)
	require.Empty(t, b.images(t, whom().nameOnly()))
	require.NotEmpty(t, b.requests())
}

func keyRefused(t TB, open func(TB) *ProviderBench) {
	each(t, open, func(b *ProviderBench, ask ask) {
		b.script(providerfixture.KeyRefused)
		_, err := ask.run(t.Context(), whom())
		requireFault(t, artwork.Forbidden, err, ask.name)
		require.Len(t, b.requests(), 1, "it would say the same again")
	})
}

func keyNotLeaked(t TB, open func(TB) *ProviderBench) {
	for _, behaviour := range []providerfixture.Behaviour{
		providerfixture.KeyRefused, providerfixture.Failing, providerfixture.Reset, providerfixture.TooManyForLong, providerfixture.Malformed,
		providerfixture.WrongTypes, providerfixture.WebPage, providerfixture.Oversize,
	} {
		each(t, open, func(b *ProviderBench, ask ask) {
			b.script(behaviour)
			_, err := ask.run(t.Context(), whom())
			require.Error(t, err)
			require.NotContains(t, err.Error(), providerfixture.Key, behaviour)
		})
	}
}

// CheckCandidates fails the test unless candidates are such as the provider may
// offer, whatever it was answered.
func CheckCandidates(t TB, about findimages.About, candidates []findimages.Candidate) {
	t.Helper()
	for _, c := range candidates {
		require.Equal(t, about.ID, c.Provider)
		require.Contains(t, about.Slots, c.Slot)
		requireURL(t, c.URL)
		if c.ThumbnailURL != "" {
			requireURL(t, c.ThumbnailURL)
		}
		if c.SourcePage != "" {
			requireURL(t, c.SourcePage)
		}
		require.True(t, c.Width >= 0 && c.Height >= 0 && c.Votes >= 0, "%+v", c)
		for _, text := range []string{c.Kind, c.Licence, c.Attribution} {
			require.True(t, utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl), "%q", text)
		}
	}
}

func requireURL(t TB, raw string) {
	t.Helper()
	u, err := url.Parse(raw)
	require.NoError(t, err)
	require.Contains(t, []string{"http", "https"}, u.Scheme, raw)
	require.NotEmpty(t, u.Hostname(), raw)
	require.Nil(t, u.User, raw)
}
