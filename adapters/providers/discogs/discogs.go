// Package discogs finds portraits and covers at Discogs, by name
// (discogs.com/developers).
package discogs

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatefold/adapters/providers/api"
	"gatefold/application/findimages"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// DefaultURL is where the API is.
const DefaultURL = "https://api.discogs.com"

// Config says where the API is asked, and with which personal token.
type Config struct {
	Enabled bool
	BaseURL string
	Key     string
}

// Provider is Discogs. It is safe for concurrent use.
type Provider struct{ endpoint *api.Endpoint }

var _ findimages.ArtworkProvider = (*Provider)(nil)

var about = findimages.About{ID: "discogs", Name: "Discogs", Slots: []artwork.Slot{artwork.SlotProfile, artwork.SlotCover}, Rate: findimages.Rate{Requests: 60, Per: time.Minute}}

// New returns Discogs as cfg says. InvalidInput: the base URL is none.
func New(client *api.Client, cfg Config) (*Provider, error) {
	endpoint, err := client.Open(api.Service{
		Provider: about.ID, Name: about.Name, BaseURL: cfg.BaseURL,
		Rate:   about.Rate,
		Header: http.Header{"Authorization": {"Discogs token=" + cfg.Key}}, Keyed: true, AbsentAs404: true,
		Secure: []string{"discogs.com"},
	})
	if err != nil {
		return nil, err
	}
	return &Provider{endpoint}, nil
}

// About describes Discogs.
func (p *Provider) About() findimages.About { return about }

type results struct {
	Results []result `json:"results"`
}

// result is a hit of a search. Its title is the artist's name, or that and the title:
// "Artist - Title".
type result struct {
	ID    int64  `json:"id"`
	Title string `json:"title"`
}

type details struct {
	Images []img `json:"images"`
}

type img struct {
	Kind   string     `json:"type"` // primary or secondary
	URI    string     `json:"uri"`
	URI150 string     `json:"uri150"`
	Width  api.Number `json:"width"`
	Height api.Number `json:"height"`
}

// number tells artists of one name apart: "Nirvana (2)".
var number = regexp.MustCompile(` \(\d+\)$`)

// ArtistImages returns the images of the artist whose name is most like it.
func (p *Provider) ArtistImages(ctx context.Context, wanted catalog.Artist) ([]findimages.Candidate, error) {
	like := func(r result) api.Likeness { return api.Compare(wanted.Name, number.ReplaceAllString(r.Title, "")) }
	hit, err := p.search(ctx, url.Values{"type": {"artist"}, "q": {wanted.Name}}, like)
	if err != nil || hit.ID == 0 {
		return nil, err
	}
	return p.images(ctx, artwork.SlotProfile, "artists/", hit)
}

// AlbumCovers returns the images of the album of that title and artist: of its master
// or, of an album that came out once, of the release.
func (p *Provider) AlbumCovers(ctx context.Context, wanted catalog.Album) ([]findimages.Candidate, error) {
	like := func(r result) api.Likeness { return likeAlbum(wanted, r.Title) }
	for _, kind := range []string{"master", "release"} {
		query := url.Values{"type": {kind}, "release_title": {wanted.Name}}
		if artist := api.SearchedArtist(wanted); artist != "" {
			query.Set("artist", artist)
		}
		hit, err := p.search(ctx, query, like)
		if err != nil {
			return nil, err
		}
		if hit.ID > 0 {
			return p.images(ctx, artwork.SlotCover, kind+"s/", hit)
		}
	}
	return nil, nil
}

// likeAlbum compares an album with a title that also names the artist. Where one ends
// and the other begins is not certain: both may have the dash that separates them.
func likeAlbum(wanted catalog.Album, title string) api.Likeness {
	best, from := api.Different, 0
	for {
		at := strings.Index(title[from:], " - ")
		if at < 0 {
			return best
		}
		from += at
		best = max(best, api.CompareAlbums(wanted, number.ReplaceAllString(title[:from], ""), title[from+3:]))
		from += 3
	}
}

// search returns the hit that is most like what is wanted, and the zero result if
// none is.
func (p *Provider) search(ctx context.Context, query url.Values, like func(result) api.Likeness) (result, error) {
	query.Set("per_page", "25")
	found, _, err := api.Get[results](ctx, p.endpoint, "database/search", query)
	if err != nil {
		return result{}, err
	}
	hits := api.Alike(slices.DeleteFunc(found.Results, func(r result) bool { return r.ID < 1 }), like)
	if len(hits) == 0 {
		return result{}, nil
	}
	return hits[0], nil
}

func (p *Provider) images(ctx context.Context, slot artwork.Slot, path string, hit result) ([]findimages.Candidate, error) {
	found, _, err := api.Get[details](ctx, p.endpoint, path+strconv.FormatInt(hit.ID, 10), nil)
	if err != nil {
		return nil, err
	}
	offers := p.endpoint.Offers()
	found.offer(offers, slot)
	return offers.List(), nil
}

// offer adds the images. The primary one is the front of an album; the others may
// show anything that came with it, and are offered after it.
func (d details) offer(offers *api.Offers, slot artwork.Slot) {
	slices.SortStableFunc(d.Images, func(a, b img) int { return cmp.Compare(a.rank(), b.rank()) })
	for _, image := range d.Images {
		if strings.Contains(image.URI, "spacer.gif") {
			continue
		}
		offers.Add(findimages.Candidate{
			Slot: slot, URL: image.URI, ThumbnailURL: image.URI150, Width: int(image.Width), Height: int(image.Height), Kind: image.Kind, ByName: true,
		})
	}
}

func (i img) rank() int {
	if i.Kind == "primary" {
		return 0
	}
	return 1
}
