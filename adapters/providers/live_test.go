package providers_test

import (
	"context"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/adapters/providers"
	"gatefold/adapters/providers/api"
	"gatefold/application/findimages"
	"gatefold/application/keyring"
	"gatefold/application/providersettings"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/providerfixture"
)

// setUp are providers, and what sets them up.
type setUp struct {
	*providers.Live
	*providersettings.Settings
}

type nobody struct{}

func (nobody) ProviderChanged(context.Context, string, int64) {}

func settingUp(t *testing.T, cfg providers.Config, allowHosts ...string) setUp {
	t.Helper()
	keys, err := keyring.New(strings.Repeat("secret", 6))
	require.NoError(t, err)
	store := memory.NewRepository().ProviderSettings()
	l := providers.NewLive(cfg, nil, allowHosts, unlimited{}, noLog, api.Backoff(time.Millisecond))
	follower := providersettings.NewFollower(store, l, keys, noLog)
	return setUp{l, providersettings.NewSettings(store, l, keys, follower, nobody{}, noLog)}
}

func (s setUp) set(t *testing.T, id string, field providersettings.Field, value string) {
	t.Helper()
	_, err := s.Change(t.Context(), artwork.Actor{Name: "ana"}, id, nil, providersettings.Patch{field: &value})
	require.NoError(t, err)
}

func (s setUp) provider(t *testing.T, id string) findimages.ArtworkProvider {
	t.Helper()
	for _, p := range s.Artwork() {
		if p.About().ID == id {
			return p
		}
	}
	require.FailNow(t, id+" is not asked")
	return nil
}

var someone = catalog.Artist{Name: "Someone", MBID: artwork.NewID()}

// TestWhatIsNotChangedStaysWhatItIs: that a provider wants to be left alone is not
// forgotten because another one is set up.
func TestWhatIsNotChangedStaysWhatItIs(t *testing.T) {
	t.Parallel()
	server := providerfixture.Start(t)
	s := settingUp(t, everything(server))
	server.Script(providerfixture.Deezer, providerfixture.TooManyForLong)
	before := s.provider(t, "deezer")
	_, err := before.ArtistImages(t.Context(), someone)
	require.ErrorContains(t, err, "over its limit")
	asked := len(server.Requests(providerfixture.Deezer))

	s.set(t, "itunes", providersettings.Enabled, "false")
	require.NotContains(t, ids(s.Live), "itunes")
	_, err = s.provider(t, "deezer").ArtistImages(t.Context(), someone)
	require.ErrorContains(t, err, "left alone")
	require.Len(t, server.Requests(providerfixture.Deezer), asked)

	s.set(t, "deezer", providersettings.BaseURL, server.URL(providerfixture.Deezer)+"/")
	server.Script(providerfixture.Deezer, providerfixture.Found)
	_, err = s.provider(t, "deezer").ArtistImages(t.Context(), someone)
	require.NoError(t, err, "at another address it is not known to be over its limit")
	_, err = before.ArtistImages(t.Context(), someone)
	require.ErrorContains(t, err, "left alone", "who has begun with the former one goes on with it")
}

// TestAKeyThatIsSetIsSent, and to nobody else.
func TestAKeyThatIsSetIsSent(t *testing.T) {
	t.Parallel()
	server := providerfixture.Start(t)
	cfg := everything(server)
	cfg.FanartTV.Key, cfg.FanartTV.Enabled = "", false
	s := settingUp(t, cfg)
	require.NotContains(t, ids(s.Live), "fanarttv")
	s.set(t, "fanarttv", providersettings.Key, providerfixture.Key)
	s.set(t, "fanarttv", providersettings.ClientKey, "mine")
	found, err := s.provider(t, "fanarttv").ArtistImages(t.Context(), someone)
	require.NoError(t, err)
	require.NotEmpty(t, found)
	requests := server.Requests(providerfixture.FanartTV)
	require.Equal(t, "mine", requests[0].Header.Get("Client-Key"))
	s.set(t, "fanarttv", providersettings.Key, "wrong")
	_, err = s.provider(t, "fanarttv").ArtistImages(t.Context(), someone)
	require.Equal(t, artwork.Forbidden, artwork.KindOf(err))
	require.NotContains(t, err.Error(), "wrong")
}

// TestAnswersOfAnotherOriginDoNotCount: what one address answered is not shown for
// another.
func TestAnswersOfAnotherOriginDoNotCount(t *testing.T) {
	t.Parallel()
	server := providerfixture.Start(t)
	cfg := providers.Config{Deezer: everything(server).Deezer}
	s := settingUp(t, cfg)
	repository := memory.NewRepository()
	artists := repository.Artists()
	_, err := artists.Put(t.Context(), artwork.Actor{Name: "test"}, catalog.Artist{ID: someone.MBID, Name: "Someone"})
	require.NoError(t, err)
	search := findimages.NewSearchArtistAvatars(findimages.NewLiveSearch(s.Artwork, memory.NewAnswers(1<<20), blind{}, noLog),
		findimages.NewRecorder(repository.Considerations(), noLog), artists)
	ask := func(requests int) {
		t.Helper()
		before := len(server.Requests(providerfixture.Deezer))
		_, result, err := search.Run(t.Context(), findimages.In{ID: someone.MBID}, nil)
		require.NoError(t, err)
		require.NotEmpty(t, result.Found)
		require.Len(t, server.Requests(providerfixture.Deezer), before+requests)
	}
	ask(1)
	ask(0)
	s.set(t, "deezer", providersettings.BaseURL, server.URL(providerfixture.Deezer)+"/")
	ask(1)
	ask(0)
	s.set(t, "deezer", providersettings.BaseURL, server.URL(providerfixture.Deezer))
	ask(0)
}

type blind struct{}

func (blind) Fingerprint(context.Context, string) (uint64, error) {
	return 0, artwork.Errorf(artwork.NotFound, "not looked at")
}

// TestAnAdminLeadsNobodyIntoThePrivateNetwork: the operator may.
func TestAnAdminLeadsNobodyIntoThePrivateNetwork(t *testing.T) {
	t.Parallel()
	server := providerfixture.Start(t)
	inside := server.URL(providerfixture.Deezer)
	host, err := url.Parse(inside)
	require.NoError(t, err)

	s := settingUp(t, providers.Default())
	s.set(t, "deezer", providersettings.BaseURL, inside)
	_, err = s.provider(t, "deezer").ArtistImages(t.Context(), someone)
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err))
	require.ErrorContains(t, err, "not public")
	require.NotContains(t, artwork.MessageOf(err), host.Host, "the address is for the log")
	require.Empty(t, server.Requests(providerfixture.Deezer))
	outcome, err := s.Test(t.Context(), artwork.Actor{}, "deezer", nil)
	require.NoError(t, err)
	require.False(t, outcome.OK)
	require.Contains(t, outcome.Message, "DOWNLOAD_ALLOW_HOSTS")

	s = settingUp(t, providers.Default(), host.Host)
	s.set(t, "deezer", providersettings.BaseURL, inside)
	_, err = s.provider(t, "deezer").ArtistImages(t.Context(), someone)
	require.NoError(t, err)
}

// TestTheTestAsksEveryProvider, switched on or not.
func TestTheTestAsksEveryProvider(t *testing.T) {
	t.Parallel()
	server := providerfixture.Start(t)
	s := settingUp(t, everything(server))
	all, err := s.List(t.Context())
	require.NoError(t, err)
	require.Len(t, all.Providers, 9)
	for _, p := range all.Providers {
		s.set(t, p.ID, providersettings.Enabled, "false")
		before := len(server.Requests(p.ID))
		outcome, err := s.Test(t.Context(), artwork.Actor{}, p.ID, nil)
		require.NoError(t, err)
		require.True(t, outcome.OK, outcome.Message)
		require.Regexp(t, "^"+p.Name+" answers: [1-9]", outcome.Message)
		require.Greater(t, len(server.Requests(p.ID)), before)
		if p.NeedsKey {
			server.Script(p.ID, providerfixture.KeyRefused)
			outcome, err = s.Test(t.Context(), artwork.Actor{}, p.ID, nil)
			require.NoError(t, err)
			require.False(t, outcome.OK)
			require.Contains(t, outcome.Message, "refuses the key")
			require.NotContains(t, outcome.Message, providerfixture.Key)
		}
	}
	require.Empty(t, s.Artwork())
	_, err = s.Artists(t.Context(), "A")
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err))
}

// TestUnknownProvidersAreLeftOut: of a release after this one, say.
func TestUnknownProvidersAreLeftOut(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	l := providers.NewLive(providers.Default(), nil, nil, unlimited{}, slog.New(slog.NewTextHandler(&log, nil)))
	l.Use(t.Context(), []providersettings.Resolved{{Provider: providersettings.Provider{ID: "new"}}})
	require.Empty(t, l.Artwork())
	require.Contains(t, log.String(), "provider=new")
}
