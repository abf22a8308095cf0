package providers

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"

	"gatefold/adapters/providers/api"
	"gatefold/adapters/providers/musicbrainz"
	"gatefold/application/findimages"
	"gatefold/application/providersettings"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Live is the providers as they are set up at the time. It is safe for concurrent use.
type Live struct {
	base      Config
	described []providersettings.Provider
	order     providersettings.Given
	client    *api.Client
	log       *slog.Logger

	mu      sync.Mutex
	opened  map[string]opened // by the provider's ID
	current atomic.Pointer[lineup]
}

// lineup is whom is asked.
type lineup struct {
	artwork    []findimages.ArtworkProvider
	identifier findimages.Identifier
}

var (
	_ providersettings.Providers = (*Live)(nil)
	_ findimages.Identifier      = (*Live)(nil)
)

// opened is a provider that was opened.
type opened struct {
	origin   string
	artwork  originated            // of all but MusicBrainz
	identify findimages.Identifier // of MusicBrainz
}

// NewLive returns the providers of the environment's configuration, of which pinned are
// the variables that say something else than the default. They take turns with the
// limiter. Nothing is asked before Use.
//
// Base URLs that the configuration does not have are reached at public addresses and
// the allowed hosts only, each written host:port.
func NewLive(base Config, pinned map[string]string, allowHosts []string, limiter findimages.Limiter, log *slog.Logger, options ...api.Option) *Live {
	options = append([]api.Option{api.Within(slices.Concat(base.hosts(), allowHosts))}, options...)
	l := &Live{
		base: base, described: base.describe(pinned), order: givenOrder(pinned), client: api.New(base.Version, base.Contact, limiter, options...), log: log,
		opened: map[string]opened{},
	}
	l.current.Store(&lineup{identifier: switchedOff{}})
	return l
}

// All implements providersettings.Providers.
func (l *Live) All() []providersettings.Provider { return l.described }

// Order implements providersettings.Providers.
func (l *Live) Order() providersettings.Given { return l.order }

// CheckURL implements providersettings.Providers.
func (l *Live) CheckURL(text string) error { return api.CheckBaseURL(text) }

// Use implements providersettings.Providers. A provider that is set up as before stays
// what it is: what it knows of the other side's limits and failures is not forgotten.
func (l *Live) Use(ctx context.Context, all []providersettings.Resolved) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next, kept := lineup{identifier: switchedOff{}}, map[string]opened{}
	for _, provider := range all {
		if provider.State() != providersettings.Active {
			continue
		}
		o, ok := l.opened[provider.ID]
		if !ok || o.origin != provider.Origin {
			var err error
			if o, err = l.open(provider); err != nil {
				l.log.ErrorContext(ctx, "A provider cannot be asked as it is set up", "provider", provider.ID, "error", err.Error())
				continue
			}
		}
		kept[provider.ID] = o
		if o.identify != nil {
			next.identifier = o.identify
		} else {
			asked := o.artwork
			asked.about.Preference = provider.Preference
			next.artwork = append(next.artwork, asked)
		}
	}
	l.opened = kept
	l.current.Store(&next)
}

// open opens a provider as it is set up, whether it is switched on or not.
func (l *Live) open(provider providersettings.Resolved) (opened, error) {
	cfg := l.base.with(provider)
	p, ok := cfg.part(provider.ID)
	if !ok {
		return opened{}, artwork.Errorf(artwork.NotFound, "there is no provider %q", provider.ID)
	}
	if p.open == nil {
		identifier, err := musicbrainz.New(l.client, cfg.MusicBrainz)
		return opened{origin: provider.Origin, identify: identifier}, err
	}
	source, err := p.open(l.client)
	if err != nil {
		return opened{}, err
	}
	about := source.About()
	about.Origin = provider.Origin
	return opened{origin: provider.Origin, artwork: originated{source, about}}, nil
}

// originated is a provider that says which of its APIs is asked.
type originated struct {
	findimages.ArtworkProvider
	about findimages.About
}

// About implements findimages.ArtworkProvider.
func (o originated) About() findimages.About { return o.about }

// Artwork returns the providers that are asked now, in the order that is set or else
// always in the same: those that are asked by identifiers, which are surer than names, are
// first.
func (l *Live) Artwork() []findimages.ArtworkProvider { return l.current.Load().artwork }

// Artists implements findimages.Identifier by MusicBrainz as it is set up now.
func (l *Live) Artists(ctx context.Context, text string) ([]findimages.Match, error) {
	return l.current.Load().identifier.Artists(ctx, text)
}

// ReleaseGroups implements findimages.Identifier by MusicBrainz as it is set up now.
func (l *Live) ReleaseGroups(ctx context.Context, artist, title string) ([]findimages.Match, error) {
	return l.current.Load().identifier.ReleaseGroups(ctx, artist, title)
}

// What a test asks for: the examples of MusicBrainz's own documentation, which every
// catalogue of music has. That one has no images of them is an answer too.
var (
	sampleArtist = catalog.Artist{Name: "Nirvana", MBID: artwork.MustParseID("5b11f4ce-a62d-471e-81fc-a69a8278c7da")}
	sampleAlbum  = catalog.Album{Name: "Nevermind", ArtistName: "Nirvana", ReleaseGroupMBID: artwork.MustParseID("1b022e01-4da6-387b-8658-8678046e4cef")}
)

// Try implements providersettings.Providers. It takes turns like every search, and asks
// anew: nothing that is kept counts, nor what the provider has done before.
func (l *Live) Try(ctx context.Context, provider providersettings.Resolved) (string, error) {
	o, err := l.open(provider)
	if err != nil {
		return "", err
	}
	if o.identify != nil {
		matches, err := o.identify.Artists(ctx, sampleArtist.Name)
		return fmt.Sprintf("%s answers: %d artists that may be called %s", provider.Name, len(matches), sampleArtist.Name), err
	}
	var found []findimages.Candidate
	subject := sampleArtist.Name
	if o.artwork.About().Offers(artwork.ArtistSubject) {
		found, err = o.artwork.ArtistImages(ctx, sampleArtist)
	} else {
		subject = sampleAlbum.Name + " by " + sampleAlbum.ArtistName
		found, err = o.artwork.AlbumCovers(ctx, sampleAlbum)
	}
	return fmt.Sprintf("%s answers: %d images of %s", provider.Name, len(found), subject), err
}
