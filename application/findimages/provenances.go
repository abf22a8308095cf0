package findimages

import (
	"context"
	"slices"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Provenances tells what providers said of images when their subjects were searched.
type Provenances struct {
	considerations Considerations
	search         *Search
	artists        catalog.Artists
	albums         catalog.Albums
}

// NewProvenances returns the use case. What the search keeps is looked through too: who
// applies a candidate as soon as it arrives does so before the search is noted.
func NewProvenances(considerations Considerations, search *Search, artists catalog.Artists, albums catalog.Albums) *Provenances {
	return &Provenances{considerations, search, artists, albums}
}

// Of returns what is known of the rights in the image at exactly this URL: what the
// provider said of it or, if that one never offered it, another one, in the last search
// or fill of the subject; the zero value if nobody did. Errors are those of
// Considerations and of catalog.Repository.
func (u *Provenances) Of(ctx context.Context, subject artwork.Subject, provider, url string) (artwork.Provenance, error) {
	const op = "findimages.Provenances"
	noted, err := u.considerations.Of(ctx, subject)
	if err != nil {
		return artwork.Provenance{}, artwork.Wrap(artwork.Internal, op, err)
	}
	slices.SortStableFunc(noted, func(a, b Consideration) int { return b.At.Compare(a.At) })
	var candidates []Candidate
	for _, c := range noted {
		for _, one := range c.Candidates {
			candidates = append(candidates, one.Candidate)
		}
	}
	if candidate, ok := offered(candidates, provider, url); ok {
		return candidate.Provenance(), nil
	}
	q, err := u.question(ctx, subject)
	if err != nil || q.key == "" {
		return artwork.Provenance{}, artwork.Wrap(artwork.Internal, op, err)
	}
	candidate, _ := offered(u.search.kept(ctx, q), provider, url)
	return candidate.Provenance(), nil
}

// question returns what a search of the subject asks; nothing of a user.
func (u *Provenances) question(ctx context.Context, subject artwork.Subject) (question, error) {
	switch subject.Kind {
	case artwork.ArtistSubject:
		artist, err := u.artists.Get(ctx, subject.ID)
		return artistQuestion(artist), err
	case artwork.AlbumSubject:
		album, err := u.albums.Get(ctx, subject.ID)
		return albumQuestion(album), err
	default:
		return question{}, nil
	}
}

// offered returns the candidate with the URL: the provider's, or else the first.
func offered(candidates []Candidate, provider, url string) (Candidate, bool) {
	var first Candidate
	for _, c := range candidates {
		switch {
		case c.URL != url:
		case c.Provider == provider:
			return c, true
		case first.URL == "":
			first = c
		}
	}
	return first, first.URL != ""
}
