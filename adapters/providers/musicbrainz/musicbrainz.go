// Package musicbrainz finds the identifiers of artists and release groups at
// MusicBrainz, by name (musicbrainz.org/doc/MusicBrainz_API/Search).
package musicbrainz

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"gatefold/adapters/providers/api"
	"gatefold/application/findimages"
	"gatefold/domain/catalog"
)

// DefaultURL is where the API is.
const DefaultURL = "https://musicbrainz.org"

// Config says where the API is asked.
type Config struct {
	Enabled bool
	BaseURL string
}

// Identifier is MusicBrainz. It is safe for concurrent use.
type Identifier struct{ endpoint *api.Endpoint }

var _ findimages.Identifier = (*Identifier)(nil)

const (
	id    = "musicbrainz"
	limit = "25" // matches; whom nobody finds among them has to be named better
)

// Rate is how often it may be asked.
var Rate = findimages.Rate{Requests: 1, Per: time.Second}

// New returns MusicBrainz as cfg says. InvalidInput: the base URL is none.
func New(client *api.Client, cfg Config) (*Identifier, error) {
	endpoint, err := client.Open(api.Service{
		Provider: id, Name: "MusicBrainz", BaseURL: cfg.BaseURL,
		Rate:        Rate,
		OverLimitAs: http.StatusServiceUnavailable,
	})
	if err != nil {
		return nil, err
	}
	return &Identifier{endpoint}, nil
}

type artists struct {
	Artists []artist `json:"artists"`
}

type artist struct {
	ID             string     `json:"id"`
	Score          api.Number `json:"score"`
	Name           string     `json:"name"`
	Type           string     `json:"type"`
	Country        string     `json:"country"`
	Disambiguation string     `json:"disambiguation"`
	Area           struct {
		Name string `json:"name"`
	} `json:"area"`
	Life struct {
		Begin string `json:"begin"`
	} `json:"life-span"`
}

type groups struct {
	Groups []group `json:"release-groups"`
}

type group struct {
	ID             string     `json:"id"`
	Score          api.Number `json:"score"`
	Title          string     `json:"title"`
	Primary        string     `json:"primary-type"`
	Secondary      []string   `json:"secondary-types"`
	First          string     `json:"first-release-date"`
	Disambiguation string     `json:"disambiguation"`
	Credit         []struct {
		Name string `json:"name"`
		Join string `json:"joinphrase"`
	} `json:"artist-credit"`
}

// Artists returns the artists that a text may mean, by name, alias or sort name.
func (i *Identifier) Artists(ctx context.Context, text string) ([]findimages.Match, error) {
	query := phrase(text)
	if terms := terms(text); terms != "" {
		query += " OR (" + terms + ")"
	}
	found, _, err := api.Get[artists](ctx, i.endpoint, "ws/2/artist", values(query))
	if err != nil {
		return nil, err
	}
	return found.matches(), nil
}

// ReleaseGroups returns the release groups that a title may mean.
func (i *Identifier) ReleaseGroups(ctx context.Context, artist, title string) ([]findimages.Match, error) {
	query := "releasegroup:" + phrase(title)
	if strings.TrimSpace(artist) != "" {
		query += " AND artist:" + phrase(artist)
	}
	found, _, err := api.Get[groups](ctx, i.endpoint, "ws/2/release-group", values(query))
	if err != nil {
		return nil, err
	}
	return found.matches(), nil
}

func values(query string) url.Values {
	return url.Values{"query": {query}, "fmt": {"json"}, "limit": {limit}}
}

func (a artists) matches() []findimages.Match {
	var matches []findimages.Match
	for _, found := range a.Artists {
		place := found.Area.Name
		if place == "" {
			place = found.Country
		}
		matches = add(matches, found.ID, findimages.Match{
			Name: found.Name, Disambiguation: found.Disambiguation, Score: int(found.Score),
			Details: details(found.Type, place, year(found.Life.Begin)),
		})
	}
	return best(matches)
}

func (g groups) matches() []findimages.Match {
	var matches []findimages.Match
	for _, found := range g.Groups {
		var credit strings.Builder
		for _, c := range found.Credit {
			credit.WriteString(c.Name + c.Join)
		}
		matches = add(matches, found.ID, findimages.Match{
			Name: found.Title, Artist: credit.String(), Disambiguation: found.Disambiguation, Score: int(found.Score),
			Details: details(append(append([]string{found.Primary}, found.Secondary...), year(found.First))...),
		})
	}
	return best(matches)
}

// add takes a match unless it has no identifier or no name.
func add(matches []findimages.Match, id string, m findimages.Match) []findimages.Match {
	var mbid catalog.MBID
	if mbid.UnmarshalText([]byte(id)) != nil || mbid.IsZero() || m.Name == "" {
		return matches
	}
	m.MBID, m.Score = mbid, min(m.Score, 100)
	return append(matches, m)
}

func best(matches []findimages.Match) []findimages.Match {
	slices.SortStableFunc(matches, func(a, b findimages.Match) int { return b.Score - a.Score })
	return matches
}

// details joins what there is: "Group, Iceland, 1994".
func details(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), ", ")
}

// year returns the year of a date that may have no month or day.
func year(date string) string {
	first, _, _ := strings.Cut(date, "-")
	return first
}

// The syntax of queries is that of Lucene's classic parser
// (lucene.apache.org/core, QueryParser).

var inPhrase = strings.NewReplacer(`\`, `\\`, `"`, `\"`)

// phrase returns a text as a phrase: its words in their order.
func phrase(text string) string { return `"` + inPhrase.Replace(text) + `"` }

// terms returns the words of a text, any of which may match.
func terms(text string) string {
	words := strings.Fields(text)
	for i, word := range words {
		var escaped strings.Builder
		for _, r := range word {
			if strings.ContainsRune(`+-&|!(){}[]^"~*?:\/`, r) {
				escaped.WriteByte('\\')
			}
			escaped.WriteRune(r)
		}
		words[i] = escaped.String()
		if word == "AND" || word == "OR" || word == "NOT" || word == "TO" {
			words[i] = strings.ToLower(word) // operators are in capitals
		}
	}
	return strings.Join(words, " ")
}
