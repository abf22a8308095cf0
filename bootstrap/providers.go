package bootstrap

import (
	"cmp"
	"strings"
	"unicode"

	"gatefold/adapters/providers"
	"gatefold/adapters/providers/api"
	"gatefold/application/providersettings"
	"gatefold/domain/artwork"
)

// providerVariables are the settings of the external providers of images. Where no
// default is written, that of the provider's package holds.
type providerVariables struct {
	ProviderContact        string `env:"PROVIDER_CONTACT"`
	ProviderOrder          string `env:"PROVIDER_ORDER"`
	CoverArtArchiveURL     string `env:"COVERARTARCHIVE_URL"`
	CoverArtArchiveEnabled string `env:"COVERARTARCHIVE_ENABLED" envDefault:"true"`
	DeezerURL              string `env:"DEEZER_URL"`
	DeezerEnabled          string `env:"DEEZER_ENABLED" envDefault:"true"`
	DiscogsURL             string `env:"DISCOGS_URL"`
	DiscogsKey             string `env:"DISCOGS_API_KEY"`
	DiscogsEnabled         string `env:"DISCOGS_ENABLED" envDefault:"auto"`
	FanartTVURL            string `env:"FANARTTV_URL"`
	FanartTVKey            string `env:"FANARTTV_API_KEY"`
	FanartTVClientKey      string `env:"FANARTTV_CLIENT_KEY"`
	FanartTVEnabled        string `env:"FANARTTV_ENABLED" envDefault:"auto"`
	ITunesURL              string `env:"ITUNES_URL"`
	ITunesEnabled          string `env:"ITUNES_ENABLED" envDefault:"false"`
	LastFMURL              string `env:"LASTFM_URL"`
	LastFMKey              string `env:"LASTFM_API_KEY"`
	LastFMEnabled          string `env:"LASTFM_ENABLED" envDefault:"auto"`
	MusicBrainzURL         string `env:"MUSICBRAINZ_URL"`
	MusicBrainzEnabled     string `env:"MUSICBRAINZ_ENABLED" envDefault:"true"`
	TheAudioDBURL          string `env:"THEAUDIODB_URL"`
	TheAudioDBKey          string `env:"THEAUDIODB_API_KEY"`
	TheAudioDBEnabled      string `env:"THEAUDIODB_ENABLED" envDefault:"true"`
	WikidataURL            string `env:"WIKIDATA_URL"`
	CommonsURL             string `env:"COMMONS_URL"`
	WikimediaEnabled       string `env:"WIKIMEDIA_ENABLED" envDefault:"true"`
}

// providers returns the configuration, and of it what the settings cannot change: the
// variables that say something else than the default. A file that spells out every
// default, as .env.example does, leaves all to the settings.
func (c *checker) providers(v providerVariables) (providers.Config, map[string]string) {
	cfg, pinned := providers.Default(), map[string]string{}
	cfg.Version, cfg.Contact = Version, c.contact("PROVIDER_CONTACT", v.ProviderContact)

	for _, provider := range []struct {
		enabled  *bool
		variable string
		value    string
	}{
		{&cfg.CoverArtArchive.Enabled, "COVERARTARCHIVE_ENABLED", v.CoverArtArchiveEnabled},
		{&cfg.Deezer.Enabled, "DEEZER_ENABLED", v.DeezerEnabled},
		{&cfg.ITunes.Enabled, "ITUNES_ENABLED", v.ITunesEnabled},
		{&cfg.MusicBrainz.Enabled, "MUSICBRAINZ_ENABLED", v.MusicBrainzEnabled},
		{&cfg.TheAudioDB.Enabled, "THEAUDIODB_ENABLED", v.TheAudioDBEnabled},
		{&cfg.Wikimedia.Enabled, "WIKIMEDIA_ENABLED", v.WikimediaEnabled},
	} {
		value := c.oneOf(provider.variable, provider.value, "true", "false")
		if enabled := value == "true"; enabled != *provider.enabled {
			*provider.enabled, pinned[provider.variable] = enabled, value
		}
	}
	for _, url := range []struct {
		base     *string
		variable string
		value    string
	}{
		{&cfg.CoverArtArchive.BaseURL, "COVERARTARCHIVE_URL", v.CoverArtArchiveURL},
		{&cfg.Deezer.BaseURL, "DEEZER_URL", v.DeezerURL},
		{&cfg.Discogs.BaseURL, "DISCOGS_URL", v.DiscogsURL},
		{&cfg.FanartTV.BaseURL, "FANARTTV_URL", v.FanartTVURL},
		{&cfg.ITunes.BaseURL, "ITUNES_URL", v.ITunesURL},
		{&cfg.LastFM.BaseURL, "LASTFM_URL", v.LastFMURL},
		{&cfg.MusicBrainz.BaseURL, "MUSICBRAINZ_URL", v.MusicBrainzURL},
		{&cfg.TheAudioDB.BaseURL, "THEAUDIODB_URL", v.TheAudioDBURL},
		{&cfg.Wikimedia.WikidataURL, "WIKIDATA_URL", v.WikidataURL},
		{&cfg.Wikimedia.CommonsURL, "COMMONS_URL", v.CommonsURL},
	} {
		if value := c.baseURL(url.variable, cmp.Or(url.value, *url.base)); value != *url.base {
			*url.base, pinned[url.variable] = value, value
		}
	}
	for _, provider := range []struct {
		enabled *bool
		key     *string
		prefix  string
		value   string
		wish    string
	}{
		{&cfg.Discogs.Enabled, &cfg.Discogs.Key, "DISCOGS", v.DiscogsKey, v.DiscogsEnabled},
		{&cfg.FanartTV.Enabled, &cfg.FanartTV.Key, "FANARTTV", v.FanartTVKey, v.FanartTVEnabled},
		{&cfg.LastFM.Enabled, &cfg.LastFM.Key, "LASTFM", v.LastFMKey, v.LastFMEnabled},
	} {
		*provider.key = c.key(provider.prefix+"_API_KEY", provider.value)
		// "auto": it is asked if there is a key, here or in the settings.
		wish := c.oneOf(provider.prefix+"_ENABLED", provider.wish, "auto", "true", "false")
		*provider.enabled = wish != "false" && *provider.key != ""
		if wish != "auto" {
			pinned[provider.prefix+"_ENABLED"] = wish
		}
	}
	cfg.FanartTV.ClientKey = c.key("FANARTTV_CLIENT_KEY", v.FanartTVClientKey)
	cfg.TheAudioDB.Key = c.key("THEAUDIODB_API_KEY", v.TheAudioDBKey)
	if strings.TrimSpace(v.ProviderOrder) != "" {
		order, err := providers.CheckOrder(v.ProviderOrder)
		if err != nil {
			c.fail("PROVIDER_ORDER", "%s", artwork.MessageOf(err))
		}
		pinned["PROVIDER_ORDER"] = order
	}
	return cfg, pinned
}

// baseURL does not repeat the value, which may contain a password.
func (c *checker) baseURL(variable, value string) string {
	if err := api.CheckBaseURL(value); err != nil {
		c.fail(variable, "%s", err)
	}
	return value
}

// key does not repeat the value.
func (c *checker) key(variable, value string) string {
	value = strings.TrimSpace(value)
	if err := providersettings.CheckKey(value); err != nil {
		c.fail(variable, "%s", err)
	}
	return value
}

func (c *checker) contact(variable, value string) string {
	value = strings.TrimSpace(value)
	if len(value) > 200 || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r >= unicode.MaxASCII || r == '(' || r == ')' }) {
		c.fail(variable, "it is not a URL or an e-mail address")
	}
	return value
}
