// Package fanarttv finds images of artists and covers at fanart.tv, by the identifiers
// of MusicBrainz (fanart.tv/api-docs, version 3).
package fanarttv

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"gatefold/adapters/providers/api"
	"gatefold/application/findimages"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// DefaultURL is where the API is.
const DefaultURL = "https://webservice.fanart.tv"

// Config says where the API is asked, and with which keys.
type Config struct {
	Enabled   bool
	BaseURL   string
	Key       string // of the project
	ClientKey string // of a person, who sees new images earlier; "": none
}

// Provider is fanart.tv. It is safe for concurrent use.
type Provider struct{ endpoint *api.Endpoint }

var _ findimages.ArtworkProvider = (*Provider)(nil)

var about = findimages.About{ID: "fanarttv", Name: "fanart.tv", Slots: []artwork.Slot{
	artwork.SlotProfile, artwork.SlotBackground, artwork.SlotBanner, artwork.SlotLogo, artwork.SlotCover,
}, Rate: findimages.Rate{Requests: 1, Per: time.Second}} // none is published

// New returns fanart.tv as cfg says. InvalidInput: the base URL is none.
func New(client *api.Client, cfg Config) (*Provider, error) {
	header := http.Header{}
	header.Set("Api-Key", cfg.Key)
	if cfg.ClientKey != "" {
		header.Set("Client-Key", cfg.ClientKey)
	}
	endpoint, err := client.Open(api.Service{
		Provider: about.ID, Name: about.Name, BaseURL: cfg.BaseURL,
		Rate:   about.Rate,
		Header: header, Keyed: true, AbsentAs404: true,
		Secure: []string{"fanart.tv"},
	})
	if err != nil {
		return nil, err
	}
	return &Provider{endpoint}, nil
}

// About describes fanart.tv.
func (p *Provider) About() findimages.About { return about }

// answer is to both questions. The kinds of image have sizes that the site enforces.
type answer struct {
	Thumbs      []img  `json:"artistthumb"`
	Backgrounds []img  `json:"artistbackground"`
	Banners     []img  `json:"musicbanner"`
	Logos       []img  `json:"hdmusiclogo"`
	OldLogos    []img  `json:"musiclogo"`
	Albums      albums `json:"albums"`
}

type img struct {
	URL   string     `json:"url"`
	Likes api.Number `json:"likes"`
}

// albums is an object by release group, or an array of objects that name theirs.
type albums map[string][]img

// UnmarshalJSON reads both forms.
func (a *albums) UnmarshalJSON(data []byte) error {
	type covers struct {
		ReleaseGroup string `json:"release_group_id"`
		Covers       []img  `json:"albumcover"`
	}
	*a = albums{}
	if bytes.HasPrefix(data, []byte("[")) {
		var listed []covers
		if err := json.Unmarshal(data, &listed); err != nil {
			return err
		}
		for _, c := range listed {
			(*a)[strings.ToLower(c.ReleaseGroup)] = c.Covers
		}
		return nil
	}
	var keyed map[string]covers
	if err := json.Unmarshal(data, &keyed); err != nil {
		return err
	}
	for id, c := range keyed {
		(*a)[strings.ToLower(id)] = c.Covers
	}
	return nil
}

// ArtistImages returns what there is of the artist. Without an identifier it returns
// none: the API cannot be searched.
func (p *Provider) ArtistImages(ctx context.Context, artist catalog.Artist) ([]findimages.Candidate, error) {
	if artist.MBID.IsZero() {
		return nil, ctx.Err()
	}
	found, _, err := api.Get[answer](ctx, p.endpoint, "v3/music/"+artist.MBID.String(), nil)
	if err != nil {
		return nil, err
	}
	offers := p.endpoint.Offers()
	found.offerArtist(offers)
	return offers.List(), nil
}

func (a answer) offerArtist(offers *api.Offers) {
	offer(offers, a.Thumbs, findimages.Candidate{Slot: artwork.SlotProfile, Kind: "artistthumb", Width: 1000, Height: 1000})
	offer(offers, a.Backgrounds, findimages.Candidate{Slot: artwork.SlotBackground, Kind: "artistbackground", Width: 1920, Height: 1080})
	offer(offers, a.Banners, findimages.Candidate{Slot: artwork.SlotBanner, Kind: "musicbanner", Width: 1000, Height: 185})
	offer(offers, a.Logos, findimages.Candidate{Slot: artwork.SlotLogo, Kind: "hdmusiclogo", Width: 800, Height: 310})
	if len(a.Logos) == 0 {
		// The same logos at half the size; many artists have only these.
		offer(offers, a.OldLogos, findimages.Candidate{Slot: artwork.SlotLogo, Kind: "musiclogo", Width: 400, Height: 155})
	}
}

// AlbumCovers returns the covers of the release group. Without its identifier it
// returns none.
func (p *Provider) AlbumCovers(ctx context.Context, album catalog.Album) ([]findimages.Candidate, error) {
	if album.ReleaseGroupMBID.IsZero() {
		return nil, ctx.Err()
	}
	id := album.ReleaseGroupMBID.String()
	found, _, err := api.Get[answer](ctx, p.endpoint, "v3/music/albums/"+id, nil)
	if err != nil {
		return nil, err
	}
	offers := p.endpoint.Offers()
	offer(offers, found.Albums[id], findimages.Candidate{Slot: artwork.SlotCover, Kind: "albumcover", Width: 1000, Height: 1000})
	return offers.List(), nil
}

// offer adds the images of a kind, the most liked first.
func offer(offers *api.Offers, images []img, kind findimages.Candidate) {
	slices.SortStableFunc(images, func(a, b img) int { return cmp.Compare(b.Likes, a.Likes) })
	for _, image := range images {
		c := kind
		c.URL, c.Votes = image.URL, int(image.Likes)
		c.ThumbnailURL = strings.Replace(image.URL, "/fanart/", "/preview/", 1)
		offers.Add(c)
	}
}
