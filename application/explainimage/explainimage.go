// Package explainimage tells why a slot shows what it shows, and what else it could show.
package explainimage

import (
	"context"
	"net/url"
	"path"
	"slices"
	"strings"

	"gatefold/application/findimages"
	"gatefold/domain/artwork"
)

// The most that is told.
const (
	maxActs   = 20
	maxOthers = 100
)

// Explanation is why a slot shows what it shows.
type Explanation struct {
	Place  artwork.Place
	State  artwork.SlotState
	Rule   artwork.Rule
	Acts   []artwork.HistoryEntry // when the picture in force took force, the latest first
	Others []artwork.Other        // what else is known of the place, what is next first
	// Omitted is how many others there are that are not told.
	Omitted int
	// Considered is what providers offered for the slot, the latest first.
	Considered []findimages.Consideration
	images     map[string]artwork.Record // known images by where they were downloaded from
}

// Explain tells why a slot shows what it shows.
type Explain struct {
	accounts       artwork.SlotAccounts
	considerations findimages.Considerations
}

// NewExplain returns the use case on the ports.
func NewExplain(accounts artwork.SlotAccounts, considerations findimages.Considerations) *Explain {
	return &Explain{accounts, considerations}
}

// Run explains the slot. InvalidInput: there can be no such place. NotFound: there is no
// such subject.
func (u *Explain) Run(ctx context.Context, place artwork.Place) (Explanation, error) {
	const op = "explainimage.Explain"
	account, err := u.accounts.Account(ctx, place)
	if err != nil {
		return Explanation{}, artwork.Wrap(artwork.Internal, op, err)
	}
	considered, err := u.considerations.Of(ctx, place.Subject)
	if err != nil {
		return Explanation{}, artwork.Wrap(artwork.Internal, op, err)
	}
	considered = slices.DeleteFunc(considered, func(c findimages.Consideration) bool { return c.Place != place })
	slices.SortStableFunc(considered, func(a, b findimages.Consideration) int { return b.At.Compare(a.At) })
	e := Explanation{Place: place, State: account.State, Rule: account.Rule(), Considered: considered, images: imagesByURL(account)}
	if e.State.InForce != nil {
		e.Acts = firstOf(account.Acts(*e.State.InForce), maxActs)
	}
	others := account.Others()
	e.Others = firstOf(others, maxOthers)
	e.Omitted = len(others) - len(e.Others)
	return e, nil
}

func firstOf[T any](all []T, most int) []T { return all[:min(len(all), most)] }

// imagesByURL returns the known images of the place by where they were downloaded from;
// of several from one address, the one in force.
func imagesByURL(account artwork.Account) map[string]artwork.Record {
	images := map[string]artwork.Record{}
	for _, k := range account.Known {
		if k.SourceURL != "" {
			images[k.SourceURL] = k.Record
		}
	}
	if r := account.State.InForce; r != nil && r.SourceURL != "" {
		images[r.SourceURL] = *r
	}
	return images
}

// Image returns the image of the place that was downloaded from where the candidate is,
// and whether it is in force; false if there is none.
func (e Explanation) Image(c findimages.Considered) (id artwork.ID, inForce, known bool) {
	record, known := e.images[c.URL]
	return record.ID, known && e.State.InForce != nil && record.ID == e.State.InForce.ID, known
}

// URL returns where an image was downloaded from, as it may be told: as a whole if a
// provider offered it to whoever searches, else without a password, and without the
// query, in which signatures and keys are sent. "" if it was not downloaded.
func (e Explanation) URL(record artwork.Record) string {
	for _, c := range e.Considered {
		if slices.ContainsFunc(c.Candidates, func(one findimages.Considered) bool { return one.URL == record.SourceURL }) {
			return record.SourceURL
		}
	}
	u, err := url.Parse(record.SourceURL)
	if err != nil {
		return ""
	}
	u.User, u.RawQuery, u.ForceQuery, u.Fragment, u.RawFragment = nil, "", false, "", ""
	return u.String()
}

// FoundAt returns where beside the music the image in force was found, by its folder and
// name alone: where the library is on this machine is nobody's business. "" if it was
// not, or nobody knows any more.
func (e Explanation) FoundAt() string {
	r := e.State.InForce
	if r == nil || r.Source != artwork.Local || e.State.Origin.Path == "" {
		return ""
	}
	file := strings.ToValidUTF8(e.State.Origin.Path, "\uFFFD")
	return path.Join(path.Base(path.Dir(file)), path.Base(file))
}
