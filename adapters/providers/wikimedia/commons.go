package wikimedia

import (
	"html"
	"regexp"
	"strings"

	"gatefold/adapters/providers/api"
	"gatefold/application/findimages"
)

// pages are files of Commons.
type pages struct {
	refusal
	Query struct {
		Pages []page `json:"pages"`
	} `json:"query"`
}

type page struct {
	Title string `json:"title"`
	Info  []info `json:"imageinfo"`
}

type info struct {
	URL      string     `json:"url"`
	Thumb    string     `json:"thumburl"`
	Page     string     `json:"descriptionurl"`
	Width    api.Number `json:"width"`
	Height   api.Number `json:"height"`
	MIME     string     `json:"mime"`
	Metadata struct {
		Artist     text `json:"Artist"`
		Licence    text `json:"LicenseShortName"`
		LicenceURL text `json:"LicenseUrl"`
	} `json:"extmetadata"`
}

// offer adds the files in the order in which they are wanted.
func (p pages) offer(offers *api.Offers, wanted []wanted, byName bool) {
	files := map[string]info{}
	for _, page := range p.Query.Pages {
		if len(page.Info) > 0 {
			files[page.Title] = page.Info[0]
		}
	}
	for _, w := range wanted {
		file, ok := files[w.title]
		if !ok {
			continue
		}
		c := findimages.Candidate{
			Slot: w.slot, Kind: w.kind, URL: file.URL, ThumbnailURL: file.Thumb, Width: int(file.Width), Height: int(file.Height),
			Licence: licence(file), Attribution: textOf(file.Metadata.Artist.Value), SourcePage: file.Page, ByName: byName,
		}
		switch file.MIME {
		case "image/jpeg", "image/png", "image/gif", "image/webp":
		case "image/svg+xml", "image/tiff":
			// Commons renders these, at the width that was asked for.
			c.URL, c.ThumbnailURL, c.Width, c.Height = file.Thumb, "", 0, 0
		default:
			continue
		}
		offers.Add(c)
	}
}

// licence returns the licence with where it can be read.
func licence(file info) string {
	name, url := textOf(file.Metadata.Licence.Value), strings.TrimSpace(file.Metadata.LicenceURL.Value)
	if url == "" || strings.ContainsAny(url, "<> ") {
		return name
	}
	return strings.TrimSpace(name + " " + url)
}

var (
	// hidden is what a page does not show: Commons puts machine-readable text there.
	hidden = regexp.MustCompile(`(?is)<(style|script)\b.*?</(style|script)>|<!--.*?-->|<(\w+)[^>]*display:\s*none[^>]*>[^<]*</\w+>`)
	tag    = regexp.MustCompile(`(?s)<[^>]*>?`)
	breaks = regexp.MustCompile(`(?i)<(br|/p|/div|/li|/td|/tr)\b[^>]*>`)
)

// textOf returns the text of a piece of HTML.
func textOf(markup string) string {
	markup = breaks.ReplaceAllString(hidden.ReplaceAllString(markup, ""), " ")
	return strings.Join(strings.Fields(html.UnescapeString(tag.ReplaceAllString(markup, ""))), " ")
}
