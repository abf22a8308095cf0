// Package lastfm finds covers at Last.fm (last.fm/api/show/album.getInfo). Its images
// of artists are all the same star, and are not asked for.
package lastfm

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
const DefaultURL = "https://ws.audioscrobbler.com"

// Config says where the API is asked, and with which key.
type Config struct {
	Enabled bool
	BaseURL string
	Key     string
}

// Provider is Last.fm. It is safe for concurrent use.
type Provider struct {
	endpoint *api.Endpoint
	key      string
}

var _ findimages.ArtworkProvider = (*Provider)(nil)

var about = findimages.About{ID: "lastfm", Name: "Last.fm", Slots: artwork.AlbumSubject.Slots(), Rate: findimages.Rate{Requests: 5, Per: time.Second}}

// New returns Last.fm as cfg says. InvalidInput: the base URL is none.
func New(client *api.Client, cfg Config) (*Provider, error) {
	endpoint, err := client.Open(api.Service{
		Provider: about.ID, Name: about.Name, BaseURL: cfg.BaseURL,
		Rate:  about.Rate,
		Keyed: true,
		// Before 2020 it answered with the hosts of another network.
		Secure: []string{"lastfm.freetls.fastly.net", "akamaized.net", "last.fm"},
	})
	if err != nil {
		return nil, err
	}
	return &Provider{endpoint, cfg.Key}, nil
}

// About describes Last.fm.
func (p *Provider) About() findimages.About { return about }

// ArtistImages returns none.
func (p *Provider) ArtistImages(context.Context, catalog.Artist) ([]findimages.Candidate, error) {
	return nil, nil
}

type answer struct {
	Code  int   `json:"error"`
	Album album `json:"album"`
}

type album struct {
	Name   string `json:"name"`
	Artist string `json:"artist"`
	Images []img  `json:"image"`
}

type img struct {
	URL  string `json:"#text"`
	Size string `json:"size"`
}

// Verdict tells what Last.fm says in the body (last.fm/api/errorcodes).
func (a answer) Verdict() api.Reason {
	switch a.Code {
	case 0:
		return 0
	case 6: // invalid parameters: which an unknown album is
		return api.Absent
	case 4, 10, 14, 26: // authentication failed, invalid, unauthorised, suspended key
		return api.KeyRefused
	case 29:
		return api.OverLimit
	case 8, 11, 16: // operation failed, offline, temporarily unavailable
		return api.Failing
	}
	return api.Refused
}

// AlbumCovers returns the cover of the album: by the identifier of the release or, if
// that is not known there, by its title and artist.
func (p *Provider) AlbumCovers(ctx context.Context, wanted catalog.Album) ([]findimages.Candidate, error) {
	offers := p.endpoint.Offers()
	if !wanted.MBID.IsZero() {
		found, ok, err := p.album(ctx, url.Values{"mbid": {wanted.MBID.String()}})
		if err != nil {
			return nil, err
		}
		if ok {
			found.offer(offers, false)
			return offers.List(), nil
		}
	}
	if wanted.ArtistName == "" {
		return nil, nil // it takes no title without an artist
	}
	found, ok, err := p.album(ctx, url.Values{"artist": {wanted.ArtistName}, "album": {wanted.Name}, "autocorrect": {"1"}})
	if err != nil || !ok || api.CompareAlbums(wanted, found.Artist, found.Name) == api.Different {
		return nil, err
	}
	found.offer(offers, true)
	return offers.List(), nil
}

func (p *Provider) album(ctx context.Context, query url.Values) (album, bool, error) {
	query.Set("method", "album.getInfo")
	query.Set("api_key", p.key)
	query.Set("format", "json")
	found, ok, err := api.Get[answer](ctx, p.endpoint, "2.0/", query)
	return found.Album, ok, err
}

// sizes are the names of sizes, the largest first.
var sizes = []string{"", "mega", "extralarge", "large", "medium", "small"}

// offer adds the cover, which comes in several sizes.
func (a album) offer(offers *api.Offers, byName bool) {
	slices.SortStableFunc(a.Images, func(x, y img) int { return cmp.Compare(rank(x), rank(y)) })
	for _, image := range a.Images {
		if isPlaceholder(image.URL) || !offers.Offerable(image.URL) {
			continue
		}
		offers.Add(findimages.Candidate{
			Slot: artwork.SlotCover, URL: original(image.URL), ThumbnailURL: image.URL, Kind: "album cover", ByName: byName,
		})
		return
	}
}

func rank(i img) int {
	if at := slices.Index(sizes, i.Size); at >= 0 {
		return at
	}
	return len(sizes)
}

// original returns the URL of the picture as it was uploaded: without the part that
// says a size. The largest that the answer names has 300 pixels.
func original(raw string) string {
	before, after, ok := strings.Cut(raw, "/i/u/")
	size, name, scaled := strings.Cut(after, "/")
	if !ok || !scaled || size == "" || strings.Contains(name, "/") {
		return raw
	}
	return before + "/i/u/" + name
}

// placeholders are the names of pictures that stand for none: of artists, albums and
// tracks.
var placeholders = []string{"2a96cbd8b46e442fc41c2b86b821562f", "c6f59c1e5e7240a4c0d427abd71f3dbb", "4128a6eb29f94943c9d206c08e625904"}

func isPlaceholder(raw string) bool {
	return slices.ContainsFunc(placeholders, func(hash string) bool { return strings.Contains(raw, hash) })
}
