// Package providers opens the external catalogues that are switched on; each is in a
// package below.
package providers

import (
	"context"

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
	"gatefold/domain/artwork"
)

// Config says which providers are asked, where, and with which keys.
type Config struct {
	Version string // of Gatefold, which the providers are told
	Contact string // a URL or an e-mail address of whom runs it; "": they are told none

	CoverArtArchive coverartarchive.Config
	Deezer          deezer.Config
	Discogs         discogs.Config
	FanartTV        fanarttv.Config
	ITunes          itunes.Config
	LastFM          lastfm.Config
	MusicBrainz     musicbrainz.Config
	TheAudioDB      theaudiodb.Config
	Wikimedia       wikimedia.Config
}

// Default returns what is asked without any configuration: the providers that need
// no key, but for iTunes, whose terms are narrow.
func Default() Config {
	return Config{
		CoverArtArchive: coverartarchive.Config{Enabled: true, BaseURL: coverartarchive.DefaultURL},
		Deezer:          deezer.Config{Enabled: true, BaseURL: deezer.DefaultURL},
		Discogs:         discogs.Config{BaseURL: discogs.DefaultURL},
		FanartTV:        fanarttv.Config{BaseURL: fanarttv.DefaultURL},
		ITunes:          itunes.Config{BaseURL: itunes.DefaultURL},
		LastFM:          lastfm.Config{BaseURL: lastfm.DefaultURL},
		MusicBrainz:     musicbrainz.Config{Enabled: true, BaseURL: musicbrainz.DefaultURL},
		TheAudioDB:      theaudiodb.Config{Enabled: true, BaseURL: theaudiodb.DefaultURL},
		Wikimedia:       wikimedia.Config{Enabled: true, WikidataURL: wikimedia.DefaultWikidataURL, CommonsURL: wikimedia.DefaultCommonsURL},
	}
}

// Set is the providers of a configuration.
type Set struct {
	// Artwork are those that are switched on, always in the same order: first those
	// that are asked by identifiers, which are surer than names.
	Artwork []findimages.ArtworkProvider
	// Identifier is MusicBrainz. While it is switched off, it answers Unavailable.
	Identifier findimages.Identifier
}

// New opens the providers that cfg switches on. They take turns with the limiter. It
// connects to nothing. InvalidInput: a base URL is none.
func New(cfg Config, limiter findimages.Limiter, options ...api.Option) (Set, error) {
	client := api.New(cfg.Version, cfg.Contact, limiter, options...)
	var set Set
	for _, p := range []struct {
		enabled bool
		open    func() (findimages.ArtworkProvider, error)
	}{
		{cfg.CoverArtArchive.Enabled, opener(client, cfg.CoverArtArchive, coverartarchive.New)},
		{cfg.FanartTV.Enabled, opener(client, cfg.FanartTV, fanarttv.New)},
		{cfg.TheAudioDB.Enabled, opener(client, cfg.TheAudioDB, theaudiodb.New)},
		{cfg.Wikimedia.Enabled, opener(client, cfg.Wikimedia, wikimedia.New)},
		{cfg.Deezer.Enabled, opener(client, cfg.Deezer, deezer.New)},
		{cfg.Discogs.Enabled, opener(client, cfg.Discogs, discogs.New)},
		{cfg.LastFM.Enabled, opener(client, cfg.LastFM, lastfm.New)},
		{cfg.ITunes.Enabled, opener(client, cfg.ITunes, itunes.New)},
	} {
		if !p.enabled {
			continue
		}
		provider, err := p.open()
		if err != nil {
			return Set{}, err
		}
		set.Artwork = append(set.Artwork, provider)
	}
	if !cfg.MusicBrainz.Enabled {
		set.Identifier = switchedOff{}
		return set, nil
	}
	identifier, err := musicbrainz.New(client, cfg.MusicBrainz)
	if err != nil {
		return Set{}, err
	}
	set.Identifier = identifier
	return set, nil
}

// opener returns a call of a constructor.
func opener[C any, P findimages.ArtworkProvider](client *api.Client, cfg C, open func(*api.Client, C) (P, error)) func() (findimages.ArtworkProvider, error) {
	return func() (findimages.ArtworkProvider, error) { return open(client, cfg) }
}

// switchedOff is an identifier that is not to be asked.
type switchedOff struct{}

var errSwitchedOff = &artwork.Error{
	Kind: artwork.Unavailable, Op: "providers", Msg: "MusicBrainz is switched off (MUSICBRAINZ_ENABLED)", Err: findimages.ErrSwitchedOff,
}

func (switchedOff) Artists(context.Context, string) ([]findimages.Match, error) {
	return nil, errSwitchedOff
}

func (switchedOff) ReleaseGroups(context.Context, string, string) ([]findimages.Match, error) {
	return nil, errSwitchedOff
}
