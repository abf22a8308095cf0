package providers

import (
	"strings"

	"gatefold/adapters/providers/api"
	"gatefold/adapters/providers/coverartarchive"
	"gatefold/adapters/providers/deezer"
	"gatefold/adapters/providers/discogs"
	"gatefold/adapters/providers/fanarttv"
	"gatefold/adapters/providers/itunes"
	"gatefold/adapters/providers/lastfm"
	"gatefold/adapters/providers/musicbrainz"
	"gatefold/adapters/providers/theaudiodb"
	"gatefold/adapters/providers/wikimedia"
	"gatefold/application/findimages"
	"gatefold/application/providersettings"
)

// musicBrainz is the provider of identifiers, which is no findimages.ArtworkProvider.
const musicBrainz = "musicbrainz"

// part is one provider in a Config: what can be set of it.
type part struct {
	about    findimages.About
	needsKey bool
	note     string
	enabled  *bool
	switched string // the variable of the environment that says whether it is asked
	texts    []text
	// open returns the provider; nil for MusicBrainz.
	open func(*api.Client) (findimages.ArtworkProvider, error)
}

// text is a field that is an address or a key, and the variable that it is read from.
type text struct {
	field    providersettings.Field
	variable string
	value    *string
}

// parts returns all providers of the configuration, in the order in which they are asked.
func (c *Config) parts() []part {
	const baseURL, key, clientKey = providersettings.BaseURL, providersettings.Key, providersettings.ClientKey
	return []part{
		{
			about: (&coverartarchive.Provider{}).About(), enabled: &c.CoverArtArchive.Enabled, switched: "COVERARTARCHIVE_ENABLED",
			texts: []text{{baseURL, "COVERARTARCHIVE_URL", &c.CoverArtArchive.BaseURL}},
			open:  opening(c.CoverArtArchive, coverartarchive.New),
		},
		{
			about: (&fanarttv.Provider{}).About(), enabled: &c.FanartTV.Enabled, switched: "FANARTTV_ENABLED", needsKey: true,
			texts: []text{
				{baseURL, "FANARTTV_URL", &c.FanartTV.BaseURL}, {key, "FANARTTV_API_KEY", &c.FanartTV.Key}, {clientKey, "FANARTTV_CLIENT_KEY", &c.FanartTV.ClientKey},
			},
			open: opening(c.FanartTV, fanarttv.New),
		},
		{
			about: (&theaudiodb.Provider{}).About(), enabled: &c.TheAudioDB.Enabled, switched: "THEAUDIODB_ENABLED",
			texts: []text{{baseURL, "THEAUDIODB_URL", &c.TheAudioDB.BaseURL}, {key, "THEAUDIODB_API_KEY", &c.TheAudioDB.Key}},
			open:  opening(c.TheAudioDB, theaudiodb.New),
		},
		{
			about: (&wikimedia.Provider{}).About(), enabled: &c.Wikimedia.Enabled, switched: "WIKIMEDIA_ENABLED",
			texts: []text{{baseURL, "WIKIDATA_URL", &c.Wikimedia.WikidataURL}, {providersettings.CommonsURL, "COMMONS_URL", &c.Wikimedia.CommonsURL}},
			open:  opening(c.Wikimedia, wikimedia.New),
		},
		{
			about: (&deezer.Provider{}).About(), enabled: &c.Deezer.Enabled, switched: "DEEZER_ENABLED",
			texts: []text{{baseURL, "DEEZER_URL", &c.Deezer.BaseURL}},
			open:  opening(c.Deezer, deezer.New),
		},
		{
			about: (&discogs.Provider{}).About(), enabled: &c.Discogs.Enabled, switched: "DISCOGS_ENABLED", needsKey: true,
			texts: []text{{baseURL, "DISCOGS_URL", &c.Discogs.BaseURL}, {key, "DISCOGS_API_KEY", &c.Discogs.Key}},
			open:  opening(c.Discogs, discogs.New),
		},
		{
			about: (&lastfm.Provider{}).About(), enabled: &c.LastFM.Enabled, switched: "LASTFM_ENABLED", needsKey: true,
			texts: []text{{baseURL, "LASTFM_URL", &c.LastFM.BaseURL}, {key, "LASTFM_API_KEY", &c.LastFM.Key}},
			open:  opening(c.LastFM, lastfm.New),
		},
		{
			about: (&itunes.Provider{}).About(), enabled: &c.ITunes.Enabled, switched: "ITUNES_ENABLED",
			note:  "Its terms allow promotional use only, which is why it is off by default.",
			texts: []text{{baseURL, "ITUNES_URL", &c.ITunes.BaseURL}},
			open:  opening(c.ITunes, itunes.New),
		},
		{
			about: findimages.About{ID: musicBrainz, Name: "MusicBrainz", Rate: musicbrainz.Rate}, enabled: &c.MusicBrainz.Enabled, switched: "MUSICBRAINZ_ENABLED",
			note:  "It has identifiers, by which the others find the right artist, and no images.",
			texts: []text{{baseURL, "MUSICBRAINZ_URL", &c.MusicBrainz.BaseURL}},
		},
	}
}

// opening returns a call of a constructor.
func opening[C any, P findimages.ArtworkProvider](cfg C, open func(*api.Client, C) (P, error)) func(*api.Client) (findimages.ArtworkProvider, error) {
	return func(client *api.Client) (findimages.ArtworkProvider, error) { return open(client, cfg) }
}

// describe returns the providers as far as they can be set up. pinned are the variables
// of the environment that say something else than the default, and what they say.
func (c *Config) describe(pinned map[string]string) []providersettings.Provider {
	var all []providersettings.Provider
	for _, p := range c.parts() {
		described := providersettings.Provider{
			ID: p.about.ID, Name: p.about.Name, Slots: p.about.Slots, NeedsKey: p.needsKey, Note: p.note, Rate: providersettings.Rate(p.about.Rate),
			Given: map[providersettings.Field]providersettings.Given{providersettings.Enabled: givenSwitch(p, pinned)},
		}
		for _, t := range p.texts {
			_, isPinned := pinned[t.variable]
			given := providersettings.Given{Variable: t.variable, Pinned: isPinned}
			if t.field.IsKey() {
				given.Key, given.Pinned = providersettings.Secret(*t.value), *t.value != ""
			} else {
				given.Value = *t.value
			}
			described.Given[t.field] = given
		}
		all = append(all, described)
	}
	return all
}

// orderVariable is the variable of the environment that puts the providers in order.
const orderVariable = "PROVIDER_ORDER"

func givenOrder(pinned map[string]string) providersettings.Given {
	order, isPinned := pinned[orderVariable]
	return providersettings.Given{Variable: orderVariable, Value: order, Pinned: isPinned}
}

// CheckOrder returns the order that the text says, as IDs with commas between, or an
// InvalidInput error unless it can be one.
func CheckOrder(text string) (string, error) {
	ids, err := providersettings.CheckOrder((&Config{}).describe(nil), text)
	return strings.Join(ids, ","), err
}

func givenSwitch(p part, pinned map[string]string) providersettings.Given {
	given := providersettings.Given{Variable: p.switched, Value: providersettings.False}
	if *p.enabled {
		given.Value = providersettings.True
	}
	if p.needsKey {
		given.Value = providersettings.Auto
	}
	if value, ok := pinned[p.switched]; ok {
		given.Value, given.Pinned = value, true
	}
	return given
}

// with returns the configuration with the provider as it is set up, switched on or not.
func (c Config) with(set providersettings.Resolved) Config {
	for _, p := range c.parts() {
		if p.about.ID != set.ID {
			continue
		}
		*p.enabled = set.State() == providersettings.Active
		for _, t := range p.texts {
			setting := set.Settings[t.field]
			*t.value = setting.Value
			if t.field.IsKey() {
				*t.value = string(setting.Key)
			}
		}
	}
	return c
}

// part returns the provider with the ID.
func (c *Config) part(id string) (part, bool) {
	for _, p := range c.parts() {
		if p.about.ID == id {
			return p, true
		}
	}
	return part{}, false
}

// hosts returns where the base URLs of the configuration are.
func (c *Config) hosts() []string {
	var hosts []string
	for _, p := range c.parts() {
		for _, t := range p.texts {
			if host := api.HostOf(*t.value); t.field.IsURL() && host != "" {
				hosts = append(hosts, host)
			}
		}
	}
	return hosts
}
