// Package providers asks the external catalogues that are switched on, as they are set up
// at the time; each is in a package below.
package providers

import (
	"context"

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

// Config says which providers are asked, where, and with which keys, as long as the
// settings do not say otherwise.
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

// switchedOff is an identifier that is not to be asked.
type switchedOff struct{}

var errSwitchedOff = &artwork.Error{
	Kind: artwork.Unavailable, Op: "providers", Msg: "MusicBrainz is switched off", Err: findimages.ErrSwitchedOff,
}

func (switchedOff) Artists(context.Context, string) ([]findimages.Match, error) {
	return nil, errSwitchedOff
}

func (switchedOff) ReleaseGroups(context.Context, string, string) ([]findimages.Match, error) {
	return nil, errSwitchedOff
}
