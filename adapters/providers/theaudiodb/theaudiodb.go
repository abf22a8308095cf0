// Package theaudiodb finds images of artists and covers at TheAudioDB
// (theaudiodb.com/free_music_api, version 1).
package theaudiodb

import (
	"cmp"
	"context"
	"net/url"
	"time"

	"gatefold/adapters/providers/api"
	"gatefold/application/findimages"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

const (
	// DefaultURL is where the API is.
	DefaultURL = "https://www.theaudiodb.com"
	// FreeKey is the key that is for everybody.
	FreeKey = "123"
)

// Config says where the API is asked, and with which key.
type Config struct {
	Enabled bool
	BaseURL string
	Key     string // "": FreeKey
}

// Provider is TheAudioDB. It is safe for concurrent use.
type Provider struct {
	endpoint *api.Endpoint
	root     string // of the paths; the key is in it
}

var _ findimages.ArtworkProvider = (*Provider)(nil)

var about = findimages.About{ID: "theaudiodb", Name: "TheAudioDB", Slots: []artwork.Slot{
	artwork.SlotProfile, artwork.SlotBackground, artwork.SlotBanner, artwork.SlotLogo, artwork.SlotCover,
}, Rate: findimages.Rate{Requests: 1, Per: time.Second}}

// New returns TheAudioDB as cfg says. InvalidInput: the base URL is none.
func New(client *api.Client, cfg Config) (*Provider, error) {
	endpoint, err := client.Open(api.Service{
		Provider: about.ID, Name: about.Name, BaseURL: cfg.BaseURL,
		Rate:   about.Rate,
		Keyed:  true,
		Secure: []string{"theaudiodb.com"},
	})
	if err != nil {
		return nil, err
	}
	return &Provider{endpoint, "api/v1/json/" + url.PathEscape(cmp.Or(cfg.Key, FreeKey)) + "/"}, nil
}

// About describes TheAudioDB.
func (p *Provider) About() findimages.About { return about }

type artists struct {
	Artists []artist `json:"artists"`
}

type artist struct {
	Name    string `json:"strArtist"`
	Thumb   string `json:"strArtistThumb"`
	Fanart  string `json:"strArtistFanart"`
	Fanart2 string `json:"strArtistFanart2"`
	Fanart3 string `json:"strArtistFanart3"`
	Fanart4 string `json:"strArtistFanart4"`
	Wide    string `json:"strArtistWideThumb"`
	Banner  string `json:"strArtistBanner"`
	Logo    string `json:"strArtistLogo"`
}

type albums struct {
	Albums []album `json:"album"`
}

type album struct {
	Title   string `json:"strAlbum"`
	Artist  string `json:"strArtist"`
	Thumb   string `json:"strAlbumThumb"`
	ThumbHQ string `json:"strAlbumThumbHQ"`
}

// ArtistImages returns what there is of the artist: by the identifier or, if that is
// not known there, by name.
func (p *Provider) ArtistImages(ctx context.Context, wanted catalog.Artist) ([]findimages.Candidate, error) {
	offers := p.endpoint.Offers()
	if !wanted.MBID.IsZero() {
		found, err := p.artists(ctx, "artist-mb.php", url.Values{"i": {wanted.MBID.String()}})
		if err != nil {
			return nil, err
		}
		offerArtists(offers, found, false)
		if len(found) > 0 {
			return offers.List(), nil
		}
	}
	found, err := p.artists(ctx, "search.php", url.Values{"s": {wanted.Name}})
	if err != nil {
		return nil, err
	}
	offerArtists(offers, api.Alike(found, func(a artist) api.Likeness { return api.Compare(wanted.Name, a.Name) }), true)
	return offers.List(), nil
}

func (p *Provider) artists(ctx context.Context, path string, query url.Values) ([]artist, error) {
	found, _, err := api.Get[artists](ctx, p.endpoint, p.root+path, query)
	return found.Artists, err
}

// offerArtists adds the images of artists. TheAudioDB says no sizes, and has none that
// it enforces.
func offerArtists(offers *api.Offers, found []artist, byName bool) {
	for _, a := range found {
		for _, image := range []struct {
			slot      artwork.Slot
			kind, url string
		}{
			{artwork.SlotProfile, "strArtistThumb", a.Thumb},
			{artwork.SlotBackground, "strArtistFanart", a.Fanart},
			{artwork.SlotBackground, "strArtistFanart2", a.Fanart2},
			{artwork.SlotBackground, "strArtistFanart3", a.Fanart3},
			{artwork.SlotBackground, "strArtistFanart4", a.Fanart4},
			{artwork.SlotBackground, "strArtistWideThumb", a.Wide},
			{artwork.SlotBanner, "strArtistBanner", a.Banner},
			{artwork.SlotLogo, "strArtistLogo", a.Logo},
		} {
			offer(offers, image.slot, image.kind, image.url, byName)
		}
	}
}

// AlbumCovers returns the covers of the album: by the identifier of its release group
// or, if that is not known there, by its title and artist.
func (p *Provider) AlbumCovers(ctx context.Context, wanted catalog.Album) ([]findimages.Candidate, error) {
	offers := p.endpoint.Offers()
	if !wanted.ReleaseGroupMBID.IsZero() {
		found, err := p.albums(ctx, "album-mb.php", url.Values{"i": {wanted.ReleaseGroupMBID.String()}})
		if err != nil {
			return nil, err
		}
		offerAlbums(offers, found, false)
		if len(found) > 0 {
			return offers.List(), nil
		}
	}
	found, err := p.albums(ctx, "searchalbum.php", url.Values{"s": {wanted.ArtistName}, "a": {wanted.Name}})
	if err != nil {
		return nil, err
	}
	offerAlbums(offers, api.Alike(found, func(a album) api.Likeness { return api.CompareAlbums(wanted, a.Artist, a.Title) }), true)
	return offers.List(), nil
}

func (p *Provider) albums(ctx context.Context, path string, query url.Values) ([]album, error) {
	found, _, err := api.Get[albums](ctx, p.endpoint, p.root+path, query)
	return found.Albums, err
}

func offerAlbums(offers *api.Offers, found []album, byName bool) {
	for _, a := range found {
		offer(offers, artwork.SlotCover, "strAlbumThumbHQ", a.ThumbHQ, byName)
		offer(offers, artwork.SlotCover, "strAlbumThumb", a.Thumb, byName)
	}
}

// offer adds an image. Smaller ones are below its path.
func offer(offers *api.Offers, slot artwork.Slot, kind, url string, byName bool) {
	if url == "" {
		return
	}
	offers.Add(findimages.Candidate{Slot: slot, URL: url, ThumbnailURL: url + "/small", Kind: kind, ByName: byName})
}
