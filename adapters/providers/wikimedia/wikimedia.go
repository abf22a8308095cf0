// Package wikimedia finds portraits and logos at Wikimedia Commons: those that
// Wikidata knows an artist by (mediawiki.org/wiki/API, wikidata.org/wiki/Property:P434).
package wikimedia

import (
	"context"
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

// Where the APIs are.
const (
	DefaultWikidataURL = "https://www.wikidata.org"
	DefaultCommonsURL  = "https://commons.wikimedia.org"
)

// Config says where the APIs are asked.
type Config struct {
	Enabled     bool
	WikidataURL string
	CommonsURL  string
}

// Provider is Wikimedia. It is safe for concurrent use.
type Provider struct{ wikidata, commons *api.Endpoint }

var _ findimages.ArtworkProvider = (*Provider)(nil)

var about = findimages.About{ID: "wikimedia", Name: "Wikimedia Commons", Slots: []artwork.Slot{artwork.SlotProfile, artwork.SlotLogo}, Rate: findimages.Rate{Requests: 5, Per: time.Second}} // none is published

// New returns Wikimedia as cfg says. InvalidInput: a base URL is none.
func New(client *api.Client, cfg Config) (*Provider, error) {
	service := api.Service{
		Provider: about.ID, Name: "Wikidata", BaseURL: cfg.WikidataURL,
		Rate:   about.Rate,
		Secure: []string{"wikimedia.org"},
	}
	wikidata, err := client.Open(service)
	if err != nil {
		return nil, err
	}
	service.Name, service.BaseURL = about.Name, cfg.CommonsURL
	commons, err := client.Open(service)
	if err != nil {
		return nil, err
	}
	return &Provider{wikidata, commons}, nil
}

// About describes Wikimedia.
func (p *Provider) About() findimages.About { return about }

// AlbumCovers returns none: covers are rarely free.
func (p *Provider) AlbumCovers(context.Context, catalog.Album) ([]findimages.Candidate, error) {
	return nil, nil
}

const action = "w/api.php"

// ArtistImages returns the images that Wikidata has for the artist: by the identifier
// of MusicBrainz or, if that is not known there, by name among those that have one.
func (p *Provider) ArtistImages(ctx context.Context, artist catalog.Artist) ([]findimages.Candidate, error) {
	if !artist.MBID.IsZero() {
		items, err := p.items(ctx, "haswbstatement:P434="+artist.MBID.String())
		if err != nil {
			return nil, err
		}
		if len(items) > 0 {
			return p.files(ctx, items, false)
		}
	}
	items, err := p.items(ctx, `haswbstatement:P434 "`+unquoted(artist.Name)+`"`)
	if err != nil {
		return nil, err
	}
	items = api.Alike(items, func(i item) api.Likeness { return i.likeness(artist.Name) })
	return p.files(ctx, items, true)
}

const (
	maxItems = 3 // of a search; those of artists that many know have half a megabyte each
	maxFiles = 20
)

// unquoted leaves out what ends a phrase.
func unquoted(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '"' || r == ' ' }), " ")
}

// refusal is how the APIs of Wikimedia refuse, with whatever status
// (mediawiki.org/wiki/API:Errors_and_warnings).
type refusal struct {
	Error struct {
		Code string `json:"code"`
	} `json:"error"`
}

// Verdict tells what is said in the body.
func (r refusal) Verdict() api.Reason {
	switch r.Error.Code {
	case "":
		return 0
	case "ratelimited":
		return api.OverLimit
	case "maxlag", "readonly", "internal_api_error", "cirrussearch-backend-error":
		return api.Failing
	}
	return api.Refused
}

type hits struct {
	refusal
	Query struct {
		Search []struct {
			Title string `json:"title"`
		} `json:"search"`
	} `json:"query"`
}

type entities struct {
	refusal
	Entities map[string]item `json:"entities"`
}

// item is what Wikidata knows of one thing, as far as it is asked for.
type item struct {
	Labels  map[string]text   `json:"labels"`
	Aliases map[string][]text `json:"aliases"`
	Claims  claims            `json:"claims"`
}

type text struct {
	Value string `json:"value"`
}

type claims struct {
	Images []claim `json:"P18"`
	Logos  []claim `json:"P154"`
}

type claim struct {
	Rank string `json:"rank"`
	Snak struct {
		Type string `json:"snaktype"`
		Data struct {
			Value string `json:"value"`
		} `json:"datavalue"`
	} `json:"mainsnak"`
}

var itemID = regexp.MustCompile(`^Q[1-9]\d{0,11}$`)

// items returns what a search finds, in its order.
func (p *Provider) items(ctx context.Context, search string) ([]item, error) {
	found, _, err := api.Get[hits](ctx, p.wikidata, action, url.Values{
		"action": {"query"}, "list": {"search"}, "srsearch": {search}, "srlimit": {strconv.Itoa(maxItems)}, "srnamespace": {"0"}, "format": {"json"}, "formatversion": {"2"},
	})
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, hit := range found.Query.Search {
		if itemID.MatchString(hit.Title) && len(ids) < maxItems {
			ids = append(ids, hit.Title)
		}
	}
	if len(ids) == 0 {
		return nil, nil
	}
	known, _, err := api.Get[entities](ctx, p.wikidata, action, url.Values{
		"action": {"wbgetentities"}, "ids": {strings.Join(ids, "|")}, "props": {"claims|labels|aliases"}, "format": {"json"}, "formatversion": {"2"},
		"languages": {"mul|en|es|de|fr|it|pt|nl|sv|pl|ru|uk|ja|ko|zh"},
	})
	if err != nil {
		return nil, err
	}
	items := make([]item, 0, len(ids))
	for _, id := range ids {
		items = append(items, known.Entities[id])
	}
	return items, nil
}

// likeness returns how much the name is like one of the item's.
func (i item) likeness(name string) api.Likeness {
	best := api.Different
	for _, label := range i.Labels {
		best = max(best, api.Compare(name, label.Value))
	}
	for _, aliases := range i.Aliases {
		for _, alias := range aliases {
			// An alias is not what people would call it first.
			best = max(best, min(api.Compare(name, alias.Value), api.Similar))
		}
	}
	return best
}

// names returns the files of claims: the preferred ones first, the deprecated not.
func names(claims []claim) []string {
	var preferred, others []string
	for _, c := range claims {
		switch {
		case c.Snak.Type != "value" || c.Snak.Data.Value == "" || strings.Contains(c.Snak.Data.Value, "|") || c.Rank == "deprecated":
		case c.Rank == "preferred":
			preferred = append(preferred, c.Snak.Data.Value)
		default:
			others = append(others, c.Snak.Data.Value)
		}
	}
	return append(preferred, others...)
}

// wanted is a file that is to be offered.
type wanted struct {
	title string // in Commons
	slot  artwork.Slot
	kind  string
}

func wantedOf(items []item) []wanted {
	var files []wanted
	add := func(claims []claim, slot artwork.Slot, kind string) {
		for _, name := range names(claims) {
			// Titles have spaces where file names may have underscores.
			title := "File:" + strings.ReplaceAll(name, "_", " ")
			if !slices.ContainsFunc(files, func(w wanted) bool { return w.title == title }) && len(files) < maxFiles {
				files = append(files, wanted{title, slot, kind})
			}
		}
	}
	for _, i := range items {
		add(i.Claims.Images, artwork.SlotProfile, "P18")
		add(i.Claims.Logos, artwork.SlotLogo, "P154")
	}
	return files
}

// files offers the files of items.
func (p *Provider) files(ctx context.Context, items []item, byName bool) ([]findimages.Candidate, error) {
	wanted := wantedOf(items)
	if len(wanted) == 0 {
		return nil, nil
	}
	titles := make([]string, len(wanted))
	for i, w := range wanted {
		titles[i] = w.title
	}
	found, _, err := api.Get[pages](ctx, p.commons, action, url.Values{
		"action": {"query"}, "titles": {strings.Join(titles, "|")}, "prop": {"imageinfo"}, "iiprop": {"url|size|mime|extmetadata"},
		"iiurlwidth": {"1000"}, "iiextmetadatafilter": {"Artist|LicenseShortName|LicenseUrl"}, "format": {"json"}, "formatversion": {"2"},
	})
	if err != nil {
		return nil, err
	}
	offers := p.commons.Offers()
	found.offer(offers, wanted, byName)
	return offers.List(), nil
}
