package bootstrap

import (
	"cmp"
	"strings"
	"unicode"

	"gatefold/adapters/providers"
	"gatefold/adapters/providers/api"
)

// providerVariables are the settings of the external providers of images. Where no
// default is written, that of the provider's package holds.
type providerVariables struct {
	ProviderContact        string `env:"PROVIDER_CONTACT"`
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

func (c *checker) providers(v providerVariables) providers.Config {
	cfg := providers.Default()
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
		*provider.enabled = c.oneOf(provider.variable, provider.value, "true", "false") == "true"
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
		*url.base = c.baseURL(url.variable, cmp.Or(url.value, *url.base))
	}
	cfg.Discogs.Key, cfg.Discogs.Enabled = c.keyed("DISCOGS", v.DiscogsKey, v.DiscogsEnabled)
	cfg.FanartTV.Key, cfg.FanartTV.Enabled = c.keyed("FANARTTV", v.FanartTVKey, v.FanartTVEnabled)
	cfg.FanartTV.ClientKey = c.key("FANARTTV_CLIENT_KEY", v.FanartTVClientKey)
	cfg.LastFM.Key, cfg.LastFM.Enabled = c.keyed("LASTFM", v.LastFMKey, v.LastFMEnabled)
	cfg.TheAudioDB.Key = c.key("THEAUDIODB_API_KEY", v.TheAudioDBKey)
	return cfg
}

// baseURL does not repeat the value, which may contain a password.
func (c *checker) baseURL(variable, value string) string {
	if err := api.CheckBaseURL(value); err != nil {
		c.fail(variable, "%s", err)
	}
	return value
}

// keyed reads the settings of a provider that needs a key. "auto": it is asked if
// there is one.
func (c *checker) keyed(prefix, key, enabled string) (string, bool) {
	key = c.key(prefix+"_API_KEY", key)
	wish := c.oneOf(prefix+"_ENABLED", enabled, "auto", "true", "false")
	if wish == "true" && key == "" {
		c.fail(prefix+"_ENABLED", "true needs %s_API_KEY", prefix)
	}
	return key, wish != "false" && key != ""
}

// key does not repeat the value.
func (c *checker) key(variable, value string) string {
	value = strings.TrimSpace(value)
	if len(value) > 200 || strings.ContainsFunc(value, func(r rune) bool { return r <= ' ' || r >= unicode.MaxASCII }) {
		c.fail(variable, "a key has at most 200 letters, digits and signs, and no spaces")
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
