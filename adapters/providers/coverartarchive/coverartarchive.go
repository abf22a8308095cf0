// Package coverartarchive finds covers in the Cover Art Archive, by the identifiers of
// releases and release groups (musicbrainz.org/doc/Cover_Art_Archive/API).
package coverartarchive

import (
	"cmp"
	"context"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"gatefold/adapters/providers/api"
	"gatefold/application/findimages"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// DefaultURL is where the archive is.
const DefaultURL = "https://coverartarchive.org"

// Config says where the archive is asked.
type Config struct {
	Enabled bool
	BaseURL string
}

// Provider is the Cover Art Archive. It is safe for concurrent use.
type Provider struct{ endpoint *api.Endpoint }

var _ findimages.ArtworkProvider = (*Provider)(nil)

var about = findimages.About{ID: "coverartarchive", Name: "Cover Art Archive", Slots: artwork.AlbumSubject.Slots(), Rate: findimages.Rate{Requests: 4, Per: time.Second}}

// New returns the archive as cfg says. InvalidInput: the base URL is none.
func New(client *api.Client, cfg Config) (*Provider, error) {
	endpoint, err := client.Open(api.Service{
		Provider: about.ID, Name: about.Name, BaseURL: cfg.BaseURL,
		// None is published; it answers 503 to those whom it finds too fast.
		Rate:        about.Rate,
		OverLimitAs: http.StatusServiceUnavailable,
		AbsentAs404: true,
		Secure:      []string{"coverartarchive.org", "archive.org"},
	})
	if err != nil {
		return nil, err
	}
	return &Provider{endpoint}, nil
}

// About describes the archive.
func (p *Provider) About() findimages.About { return about }

// ArtistImages returns none: the archive has covers only.
func (p *Provider) ArtistImages(context.Context, catalog.Artist) ([]findimages.Candidate, error) {
	return nil, nil
}

type answer struct {
	Images []img `json:"images"`
}

type img struct {
	Image      string            `json:"image"`
	Types      []string          `json:"types"`
	Front      bool              `json:"front"`
	Approved   bool              `json:"approved"`
	Thumbnails map[string]string `json:"thumbnails"`
}

// AlbumCovers returns the front covers of the release, then those of its release
// group. Without an identifier it returns none: the archive cannot be searched.
func (p *Provider) AlbumCovers(ctx context.Context, album catalog.Album) ([]findimages.Candidate, error) {
	offers := p.endpoint.Offers()
	for _, asked := range []struct {
		path string
		mbid catalog.MBID
	}{{"release/", album.MBID}, {"release-group/", album.ReleaseGroupMBID}} {
		if asked.mbid.IsZero() {
			continue
		}
		found, _, err := api.Get[answer](ctx, p.endpoint, asked.path+asked.mbid.String(), nil)
		if err != nil {
			return nil, err
		}
		found.offer(offers)
	}
	return offers.List(), nil
}

// offer adds the front covers: first the one that is shown for the release, then
// those that others have looked at.
func (a answer) offer(offers *api.Offers) {
	slices.SortStableFunc(a.Images, func(x, y img) int {
		return cmp.Or(later(x.Front, y.Front), later(x.Approved, y.Approved))
	})
	for _, image := range a.Images {
		if !image.isFrontCover() {
			continue
		}
		offers.Add(findimages.Candidate{
			Slot: artwork.SlotCover, URL: image.Image, Kind: strings.Join(image.Types, ", "),
			ThumbnailURL: cmp.Or(image.Thumbnails["500"], image.Thumbnails["large"], image.Thumbnails["250"], image.Thumbnails["small"]),
		})
	}
}

func later(x, y bool) int {
	switch {
	case x == y:
		return 0
	case x:
		return -1
	}
	return 1
}

// isFrontCover reports whether an image shows the front. Booklets come as PDF.
func (i img) isFrontCover() bool {
	return (i.Front || slices.Contains(i.Types, "Front")) && !strings.EqualFold(path.Ext(i.Image), ".pdf")
}
