// Package itunes finds covers in the iTunes Store, by name (performance-partners.apple.com,
// "Search API"). Its terms allow the images only to promote what the store sells.
package itunes

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"gatefold/adapters/providers/api"
	"gatefold/application/findimages"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// DefaultURL is where the API is.
const DefaultURL = "https://itunes.apple.com"

// Config says where the API is asked.
type Config struct {
	Enabled bool
	BaseURL string
}

// Provider is the iTunes Store. It is safe for concurrent use.
type Provider struct{ endpoint *api.Endpoint }

var _ findimages.ArtworkProvider = (*Provider)(nil)

var about = findimages.About{ID: "itunes", Name: "iTunes", Slots: artwork.AlbumSubject.Slots(), Rate: findimages.Rate{Requests: 20, Per: time.Minute}}

// New returns the store as cfg says. InvalidInput: the base URL is none.
func New(client *api.Client, cfg Config) (*Provider, error) {
	endpoint, err := client.Open(api.Service{
		Provider: about.ID, Name: about.Name, BaseURL: cfg.BaseURL,
		Rate:        about.Rate,
		OverLimitAs: http.StatusForbidden,
		Secure:      []string{"mzstatic.com"},
	})
	if err != nil {
		return nil, err
	}
	return &Provider{endpoint}, nil
}

// About describes the store.
func (p *Provider) About() findimages.About { return about }

// ArtistImages returns none: the store has none.
func (p *Provider) ArtistImages(context.Context, catalog.Artist) ([]findimages.Candidate, error) {
	return nil, nil
}

type answer struct {
	Results []album `json:"results"`
}

type album struct {
	Artist  string `json:"artistName"`
	Title   string `json:"collectionName"`
	Artwork string `json:"artworkUrl100"`
}

// AlbumCovers returns the covers of the albums of that title and artist.
func (p *Provider) AlbumCovers(ctx context.Context, wanted catalog.Album) ([]findimages.Candidate, error) {
	term := strings.TrimSpace(api.SearchedArtist(wanted) + " " + wanted.Name)
	found, _, err := api.Get[answer](ctx, p.endpoint, "search", url.Values{
		"term": {term}, "media": {"music"}, "entity": {"album"}, "limit": {"50"},
	})
	if err != nil {
		return nil, err
	}
	offers := p.endpoint.Offers()
	found.offer(offers, wanted)
	return offers.List(), nil
}

// scale is the part of a URL that says how large a cover is to be.
var scale = regexp.MustCompile(`/100x100bb(-\d+)?\.(jpg|png|webp)$`)

// offer adds the covers. The store makes none larger than it was delivered, so that
// asking for the largest gives what there is, of a size that the answer does not say.
func (a answer) offer(offers *api.Offers, wanted catalog.Album) {
	for _, found := range api.Alike(a.Results, func(x album) api.Likeness { return api.CompareAlbums(wanted, x.Artist, x.Title) }) {
		offers.Add(findimages.Candidate{
			Slot: artwork.SlotCover, Kind: "album artwork", ByName: true,
			URL:          scale.ReplaceAllString(found.Artwork, "/3000x3000bb.$2"),
			ThumbnailURL: scale.ReplaceAllString(found.Artwork, "/600x600bb.$2"),
		})
	}
}
