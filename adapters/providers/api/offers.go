package api

import (
	"slices"
	"strings"
	"unicode"

	"gatefold/application/findimages"
)

const (
	maxOffers = 200 // of one answer
	maxText   = 500 // characters of a licence or an attribution
	maxSide   = 1 << 20
)

// Offers collects the candidates of an answer, as far as they can be offered.
type Offers struct {
	endpoint *Endpoint
	list     []findimages.Candidate
}

// Offers returns an empty collection.
func (e *Endpoint) Offers() *Offers { return &Offers{endpoint: e} }

// Add takes a candidate with its URLs as the answer has them. One without a usable
// URL is left out, as is one that is there already.
func (o *Offers) Add(c findimages.Candidate) {
	c.URL = o.endpoint.ImageURL(c.URL)
	if c.URL == "" || len(o.list) == maxOffers {
		return
	}
	if slices.ContainsFunc(o.list, func(other findimages.Candidate) bool { return other.URL == c.URL && other.Slot == c.Slot }) {
		return
	}
	c.Provider = o.endpoint.service.Provider
	if c.ThumbnailURL = o.endpoint.ImageURL(c.ThumbnailURL); c.ThumbnailURL == c.URL {
		c.ThumbnailURL = ""
	}
	if c.Width < 1 || c.Height < 1 || c.Width > maxSide || c.Height > maxSide {
		c.Width, c.Height = 0, 0
	}
	c.SourcePage = o.endpoint.ImageURL(c.SourcePage)
	c.Votes = max(c.Votes, 0)
	c.Kind, c.Licence, c.Attribution = plain(c.Kind), plain(c.Licence), plain(c.Attribution)
	o.list = append(o.list, c)
}

// Offerable reports whether a URL can be offered.
func (o *Offers) Offerable(url string) bool { return o.endpoint.ImageURL(url) != "" }

// List returns the candidates by slot, in the order of the slots of a subject; within
// a slot in the order they were added.
func (o *Offers) List() []findimages.Candidate {
	slices.SortStableFunc(o.list, func(a, b findimages.Candidate) int { return int(a.Slot) - int(b.Slot) })
	return o.list
}

// plain returns text as a line, without control characters and not endlessly long.
func plain(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r)
	}), " ")
	if runes := []rune(s); len(runes) > maxText {
		return string(runes[:maxText-1]) + "…"
	}
	return s
}
