// Package deezer finds portraits and covers at Deezer, by name
// (developers.deezer.com/api).
package deezer

import (
	"cmp"
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"gatefold/adapters/providers/api"
	"gatefold/application/findimages"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// DefaultURL is where the API is.
const DefaultURL = "https://api.deezer.com"

// Config says where the API is asked.
type Config struct {
	Enabled bool
	BaseURL string
}

// Provider is Deezer. It is safe for concurrent use.
type Provider struct{ endpoint *api.Endpoint }

var _ findimages.ArtworkProvider = (*Provider)(nil)

var about = findimages.About{ID: "deezer", Name: "Deezer", Slots: []artwork.Slot{artwork.SlotProfile, artwork.SlotCover}, Rate: findimages.Rate{Requests: 50, Per: 5 * time.Second}}

const edge = 1000 // pixels of the largest pictures, which are square

// New returns Deezer as cfg says. InvalidInput: the base URL is none.
func New(client *api.Client, cfg Config) (*Provider, error) {
	endpoint, err := client.Open(api.Service{
		Provider: about.ID, Name: about.Name, BaseURL: cfg.BaseURL,
		Rate:   about.Rate,
		Secure: []string{"dzcdn.net", "deezer.com"},
	})
	if err != nil {
		return nil, err
	}
	return &Provider{endpoint}, nil
}

// About describes Deezer.
func (p *Provider) About() findimages.About { return about }

// answer is to a search. Deezer answers 200 also when it refuses.
type answer[T any] struct {
	Error refusal `json:"error"`
	Data  []T     `json:"data"`
}

type refusal struct {
	Code int `json:"code"`
}

// Codes of developers.deezer.com/api/errors.
const (
	quota       = 4
	serviceBusy = 700
	noData      = 800
)

// Verdict tells what Deezer says in the body.
func (a answer[T]) Verdict() api.Reason {
	switch a.Error.Code {
	case 0:
		return 0
	case quota:
		return api.OverLimit
	case serviceBusy:
		return api.Failing
	case noData:
		return api.Absent
	}
	return api.Refused
}

type artist struct {
	Name  string     `json:"name"`
	Small string     `json:"picture_medium"`
	Large string     `json:"picture_xl"`
	Fans  api.Number `json:"nb_fan"`
}

type album struct {
	Title  string `json:"title"`
	Small  string `json:"cover_medium"`
	Large  string `json:"cover_xl"`
	Artist struct {
		Name string `json:"name"`
	} `json:"artist"`
}

// ArtistImages returns portraits of the artists of that name: those whose name is
// the same first, then those with more fans.
func (p *Provider) ArtistImages(ctx context.Context, wanted catalog.Artist) ([]findimages.Candidate, error) {
	found, _, err := api.Get[answer[artist]](ctx, p.endpoint, "search/artist", url.Values{"q": {wanted.Name}})
	if err != nil {
		return nil, err
	}
	offers := p.endpoint.Offers()
	offerArtists(offers, wanted, found.Data)
	return offers.List(), nil
}

func offerArtists(offers *api.Offers, wanted catalog.Artist, found []artist) {
	slices.SortStableFunc(found, func(a, b artist) int { return cmp.Compare(b.Fans, a.Fans) })
	found = api.Alike(found, func(a artist) api.Likeness { return api.Compare(wanted.Name, a.Name) })
	for _, a := range found {
		if isPlaceholder(a.Large) {
			continue
		}
		offers.Add(findimages.Candidate{
			Slot: artwork.SlotProfile, URL: a.Large, ThumbnailURL: a.Small, Width: edge, Height: edge,
			Votes: int(a.Fans), Kind: "artist picture", ByName: true,
		})
	}
}

// AlbumCovers returns the covers of the albums of that title and artist.
func (p *Provider) AlbumCovers(ctx context.Context, wanted catalog.Album) ([]findimages.Candidate, error) {
	query := `album:"` + unquoted(wanted.Name) + `"`
	if artist := unquoted(api.SearchedArtist(wanted)); artist != "" {
		query = `artist:"` + artist + `" ` + query
	}
	found, _, err := api.Get[answer[album]](ctx, p.endpoint, "search/album", url.Values{"q": {query}})
	if err != nil {
		return nil, err
	}
	offers := p.endpoint.Offers()
	offerAlbums(offers, wanted, found.Data)
	return offers.List(), nil
}

func offerAlbums(offers *api.Offers, wanted catalog.Album, found []album) {
	found = api.Alike(found, func(a album) api.Likeness { return api.CompareAlbums(wanted, a.Artist.Name, a.Title) })
	for _, a := range found {
		if isPlaceholder(a.Large) {
			continue
		}
		offers.Add(findimages.Candidate{
			Slot: artwork.SlotCover, URL: a.Large, ThumbnailURL: a.Small, Width: edge, Height: edge, Kind: "album cover", ByName: true,
		})
	}
}

// unquoted leaves out what ends a value: the search has no way to escape it.
func unquoted(s string) string {
	return strings.Join(strings.Fields(strings.ReplaceAll(s, `"`, " ")), " ")
}

// isPlaceholder reports whether a picture stands for none. The part of the path that
// names a picture is empty then, or the hash of nothing.
func isPlaceholder(raw string) bool {
	return strings.Contains(raw, "/artist//") || strings.Contains(raw, "/cover//") || strings.Contains(raw, "/album//") ||
		strings.Contains(raw, "/d41d8cd98f00b204e9800998ecf8427e/")
}
