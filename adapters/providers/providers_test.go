package providers_test

import (
	"bytes"
	"context"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/adapters/providers"
	"gatefold/adapters/providers/api"
	"gatefold/adapters/providers/theaudiodb"
	"gatefold/application/findimages"
	"gatefold/application/keyring"
	"gatefold/application/providersettings"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/conformance"
	"gatefold/test/providerfixture"
)

type unlimited struct{}

func (unlimited) Wait(ctx context.Context, _ string, _ findimages.Rate) error { return ctx.Err() }

// everything switches on all there is, at the fixture.
func everything(server *providerfixture.Server) providers.Config {
	cfg := providers.Default()
	cfg.Version, cfg.Contact = "test", "https://example.org"
	cfg.CoverArtArchive.BaseURL = server.URL(providerfixture.CoverArtArchive)
	cfg.Deezer.BaseURL = server.URL(providerfixture.Deezer)
	cfg.Discogs.Enabled, cfg.Discogs.Key, cfg.Discogs.BaseURL = true, providerfixture.Key, server.URL(providerfixture.Discogs)
	cfg.FanartTV.Enabled, cfg.FanartTV.Key, cfg.FanartTV.BaseURL = true, providerfixture.Key, server.URL(providerfixture.FanartTV)
	cfg.ITunes.Enabled, cfg.ITunes.BaseURL = true, server.URL(providerfixture.ITunes)
	cfg.LastFM.Enabled, cfg.LastFM.Key, cfg.LastFM.BaseURL = true, providerfixture.Key, server.URL(providerfixture.LastFM)
	cfg.MusicBrainz.BaseURL = server.URL(providerfixture.MusicBrainz)
	cfg.TheAudioDB.BaseURL = server.URL(providerfixture.TheAudioDB)
	cfg.Wikimedia.WikidataURL, cfg.Wikimedia.CommonsURL = server.URL(providerfixture.Wikimedia), server.URL(providerfixture.Wikimedia)
	return cfg
}

// live has the providers asked as the configuration says.
func live(t *testing.T, cfg providers.Config, log *slog.Logger) *providers.Live {
	t.Helper()
	keys, err := keyring.New(strings.Repeat("secret", 6))
	require.NoError(t, err)
	l := providers.NewLive(cfg, nil, nil, unlimited{}, log)
	providersettings.NewFollower(memory.NewRepository().ProviderSettings(), l, keys, log)
	return l
}

var noLog = slog.New(slog.DiscardHandler)

func ids(l *providers.Live) []string {
	var found []string
	for _, p := range l.Artwork() {
		found = append(found, p.About().ID)
	}
	return found
}

func TestWhoIsAsked(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"coverartarchive", "theaudiodb", "wikimedia", "deezer"}, ids(live(t, providers.Default(), noLog)))

	server := providerfixture.Start(t)
	all := live(t, everything(server), noLog)
	require.Equal(t, []string{"coverartarchive", "fanarttv", "theaudiodb", "wikimedia", "deezer", "discogs", "lastfm", "itunes"}, ids(all))
	slots := map[artwork.Slot]bool{}
	for _, p := range all.Artwork() {
		artist, err := p.ArtistImages(t.Context(), catalog.Artist{Name: "A", MBID: artwork.NewID()})
		require.NoError(t, err)
		album, err := p.AlbumCovers(t.Context(), catalog.Album{Name: "B", ArtistName: "A", ReleaseGroupMBID: artwork.NewID()})
		require.NoError(t, err)
		for _, c := range append(artist, album...) {
			slots[c.Slot] = true
		}
	}
	require.Len(t, slots, 5, "something for every slot")
	matches, err := all.Artists(t.Context(), "A")
	require.NoError(t, err)
	require.NotEmpty(t, matches)
	groups, err := all.ReleaseGroups(t.Context(), "A", "B")
	require.NoError(t, err)
	require.NotEmpty(t, groups)
}

func TestNothingSwitchedOn(t *testing.T) {
	t.Parallel()
	none := live(t, providers.Config{}, noLog)
	require.Empty(t, none.Artwork())
	_, err := none.Artists(t.Context(), "A")
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err))
	_, err = none.ReleaseGroups(t.Context(), "A", "B")
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err))
}

// TestWrongURLs: each provider that is switched on needs to be somewhere; the others are
// asked all the same.
func TestWrongURLs(t *testing.T) {
	t.Parallel()
	all := reflect.TypeFor[providers.Config]()
	for i := range all.NumField() {
		cfg := providers.Config{Deezer: providers.Default().Deezer}
		field := all.Field(i)
		if field.Type.Kind() != reflect.Struct || field.Name == "Deezer" {
			continue
		}
		reflect.ValueOf(&cfg).Elem().Field(i).FieldByName("Enabled").SetBool(true)
		if key := reflect.ValueOf(&cfg).Elem().Field(i).FieldByName("Key"); key.IsValid() {
			key.SetString("key")
		}
		var log bytes.Buffer
		require.Equal(t, []string{"deezer"}, ids(live(t, cfg, slog.New(slog.NewTextHandler(&log, nil)))), field.Name)
		require.Contains(t, log.String(), "A provider cannot be asked as it is set up", field.Name)
	}
}

// twin is a provider that breaks one clause.
type twin struct {
	findimages.ArtworkProvider
	before func(*catalog.Artist, *catalog.Album)
	after  func([]findimages.Candidate, error) ([]findimages.Candidate, error)
}

func (w twin) ArtistImages(ctx context.Context, artist catalog.Artist) ([]findimages.Candidate, error) {
	if w.before != nil {
		w.before(&artist, &catalog.Album{})
	}
	return w.spoil(w.ArtworkProvider.ArtistImages(ctx, artist))
}

func (w twin) AlbumCovers(ctx context.Context, album catalog.Album) ([]findimages.Candidate, error) {
	if w.before != nil {
		w.before(&catalog.Artist{}, &album)
	}
	return w.spoil(w.ArtworkProvider.AlbumCovers(ctx, album))
}

func (w twin) spoil(found []findimages.Candidate, err error) ([]findimages.Candidate, error) {
	if w.after == nil {
		return found, err
	}
	return w.after(found, err)
}

// always adds a candidate to any answer.
func always(c findimages.Candidate) func([]findimages.Candidate, error) ([]findimages.Candidate, error) {
	return func(found []findimages.Candidate, err error) ([]findimages.Candidate, error) {
		if len(found) > 0 {
			c.Slot = found[0].Slot
		}
		return append([]findimages.Candidate{c}, found...), err
	}
}

// failing makes another error of one.
func failing(change func(error) error) func([]findimages.Candidate, error) ([]findimages.Candidate, error) {
	return func(found []findimages.Candidate, err error) ([]findimages.Candidate, error) {
		if err != nil {
			err = change(err)
		}
		return found, err
	}
}

// TestTheSuiteNotices: a clause that is broken fails its case.
func TestTheSuiteNotices(t *testing.T) {
	t.Parallel()
	traits := conformance.ProviderTraits{ID: "theaudiodb", Keyed: true, ByMBID: true, ByName: true}
	unavailable := failing(func(error) error { return artwork.Errorf(artwork.Unavailable, "something is wrong with its limit") })
	extra := findimages.Candidate{Provider: "theaudiodb", Slot: artwork.SlotProfile, URL: "https://example.org/a.jpg"}
	unsafe := findimages.Candidate{Provider: "theaudiodb", URL: "javascript:alert(1)"}
	for name, broken := range map[string]twin{
		"found: placeholders are no candidates":                               {after: always(extra)},
		"found: images of a subject of another name are no candidates":        {after: always(extra)},
		"found: a URL that cannot be offered is left out, with its candidate": {after: always(unsafe)},
		"ask: absent is an answer, not an error": {after: func([]findimages.Candidate, error) ([]findimages.Candidate, error) {
			return nil, artwork.Errorf(artwork.NotFound, "none")
		}},
		"found: candidates for every slot it offers, the best of each first": {after: func(found []findimages.Candidate, err error) ([]findimages.Candidate, error) {
			return append(found, found...), err
		}},
		"found: by name, and said so": {after: func(found []findimages.Candidate, err error) ([]findimages.Candidate, error) {
			return unnamed(found), err
		}},
		"found: by an identifier": {before: func(a *catalog.Artist, b *catalog.Album) { a.MBID, b.ReleaseGroupMBID = catalog.MBID{}, catalog.MBID{} }},
		"ask: odd names arrive as they are": {before: func(a *catalog.Artist, b *catalog.Album) {
			a.Name, b.Name = strings.ToLower(a.Name), strings.ToLower(b.Name)
		}},
		"ask: a cancelled ctx ends it with ctx's error":                            {after: unavailable},
		"ask: what does not answer ends with ctx's deadline":                       {after: unavailable},
		"ask: an answer that is not understood is DownloadFailed":                  {after: unavailable},
		"key: a refused key is Forbidden":                                          {after: unavailable},
		"key: no error names it":                                                   {after: failing(func(error) error { return artwork.Errorf(artwork.Forbidden, "refuses %s", providerfixture.Key) })},
		"ask: out of order is Unavailable":                                         {after: failing(func(error) error { return nil })},
		"ask: over its limit is Unavailable":                                       {after: failing(func(error) error { return nil })},
		"ask: over its limit for long is Unavailable at once, and leaves it alone": {after: failing(func(error) error { return nil })},
		"about: it never changes, and names the provider and its slots":            {ArtworkProvider: nameless{}},
	} {
		conformance.Rejects(t, conformance.ProviderCases(traits), name, conformance.OpenProvider(traits,
			func(t conformance.TB, server *providerfixture.Server, limiter findimages.Limiter) findimages.ArtworkProvider {
				w := broken
				if w.ArtworkProvider == nil {
					w.ArtworkProvider = audioDB(t, server, limiter)
				}
				return w
			}))
	}
	// What a wrapper cannot break is broken in what the provider is made of.
	for name, limiter := range map[string]findimages.Limiter{
		"limiter: every request has its turn": unlimited{},
		"limiter: no turn, no request":        unlimited{},
	} {
		conformance.Rejects(t, conformance.ProviderCases(traits), name, conformance.OpenProvider(traits,
			func(t conformance.TB, server *providerfixture.Server, _ findimages.Limiter) findimages.ArtworkProvider {
				return audioDB(t, server, limiter)
			}))
	}
}

func audioDB(t conformance.TB, server *providerfixture.Server, limiter findimages.Limiter) findimages.ArtworkProvider {
	p, err := theaudiodb.New(api.New("test", "https://example.org", limiter, api.Backoff(time.Millisecond)),
		theaudiodb.Config{BaseURL: server.URL("theaudiodb"), Key: providerfixture.Key})
	require.NoError(t, err)
	return p
}

func unnamed(found []findimages.Candidate) []findimages.Candidate {
	found = slices.Clone(found)
	for i := range found {
		found[i].ByName = false
	}
	return found
}

// nameless is a provider that says of itself only that it has covers.
type nameless struct{ findimages.ArtworkProvider }

func (nameless) About() findimages.About {
	return findimages.About{Slots: []artwork.Slot{artwork.SlotCover}}
}
