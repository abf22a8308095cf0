package findimages

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"gatefold/domain/artwork"
)

// Found is a candidate among all that were found, and where else the same picture is
// offered.
type Found struct {
	Candidate
	// Fit says how well the shape and size suit the slot: 0 to 1, and 0.5 if the
	// provider does not tell the size.
	Fit    float64
	Others []Candidate // the same picture, the largest first
}

const (
	unknownFit = 0.5
	// fitStep is a difference in fit that people see: within it other things count.
	fitStep = 0.1
)

func fit(c Candidate) float64 { return Fit(c.Slot, c.Width, c.Height) }

// Fit says how well a shape and size in pixels suit the slot: 0 to 1, and 0.5 if they
// are not known. It is the part of the ideal shape (artwork.Slot.Ideal) that the picture
// covers, times the part of the ideal size that it reaches. More pixels than ideal fit no
// better.
func Fit(slot artwork.Slot, width, height int) float64 {
	idealWidth, idealHeight := slot.Ideal()
	if idealWidth == 0 || width <= 0 || height <= 0 {
		return unknownFit
	}
	w, h, bestW, bestH := float64(width), float64(height), float64(idealWidth), float64(idealHeight)
	ratio := w / h / (bestW / bestH)
	return min(ratio, 1/ratio) * min(1, w/bestW, h/bestH)
}

// Fingerprints are perceptual hashes of pictures by the URL of their thumbnail.
type Fingerprints map[string]uint64

// samePicture is in how many of the 64 bits the perceptual hashes of two copies of a
// picture differ at most; those of different pictures differ in some 32.
const samePicture = 6

// Rank puts the candidates in the order in which a person would look at them: slot by
// slot, the best fit first; among those that fit alike those found by an identifier,
// then those of the provider that is preferred (About.Preference, by ID), then those with
// the most votes of their provider, then the largest. A picture that several offer is
// there once, as the largest.
func Rank(candidates []Candidate, fingerprints Fingerprints, preferences map[string]int) []Found {
	var found []Found
	for _, group := range groups(candidates, fingerprints) {
		slices.SortStableFunc(group, func(a, b Candidate) int { return cmp.Compare(pixels(b), pixels(a)) })
		best := group[0]
		// The same picture under an identifier makes the other one sure.
		best.ByName = !slices.ContainsFunc(group, func(c Candidate) bool { return !c.ByName })
		found = append(found, Found{Candidate: best, Fit: fit(best), Others: group[1:]})
	}
	most := mostVotes(candidates)
	slices.SortStableFunc(found, func(a, b Found) int {
		return cmp.Or(
			cmp.Compare(a.Slot, b.Slot),
			cmp.Compare(step(b.Fit), step(a.Fit)),
			cmp.Compare(uncertainty(a), uncertainty(b)),
			cmp.Compare(preferences[a.Provider], preferences[b.Provider]),
			cmp.Compare(popularity(b, most), popularity(a, most)),
			cmp.Compare(pixels(b.Candidate), pixels(a.Candidate)),
			cmp.Compare(a.Provider, b.Provider),
		)
	})
	return found
}

// groups puts candidates together that are one picture of one slot.
func groups(candidates []Candidate, fingerprints Fingerprints) [][]Candidate {
	var groups [][]Candidate
	for _, c := range candidates {
		i := slices.IndexFunc(groups, func(group []Candidate) bool {
			return slices.ContainsFunc(group, func(other Candidate) bool { return isSame(c, other, fingerprints) })
		})
		if i < 0 {
			groups = append(groups, []Candidate{c})
		} else {
			groups[i] = append(groups[i], c)
		}
	}
	return groups
}

func isSame(a, b Candidate, fingerprints Fingerprints) bool {
	if a.Slot != b.Slot {
		return false
	}
	if a.URL == b.URL {
		return true
	}
	hash, known := fingerprints[a.thumbnail()]
	other, alsoKnown := fingerprints[b.thumbnail()]
	return known && alsoKnown && bits.OnesCount64(hash^other) <= samePicture
}

// thumbnail is what the picture is looked at by.
func (c Candidate) thumbnail() string { return cmp.Or(c.ThumbnailURL, c.URL) }

func pixels(c Candidate) int { return c.Width * c.Height }

func step(fit float64) int { return int(math.Round(fit / fitStep)) }

func uncertainty(f Found) int {
	if f.ByName {
		return 1
	}
	return 0
}

// mostVotes is the number of votes of each provider's most popular candidate of a slot.
func mostVotes(candidates []Candidate) map[string]int {
	most := map[string]int{}
	for _, c := range candidates {
		key := c.Provider + " " + c.Slot.String()
		most[key] = max(most[key], c.Votes)
	}
	return most
}

// popularity makes votes of different providers comparable: the part of those of the
// most popular one.
func popularity(f Found, most map[string]int) float64 {
	top := most[f.Provider+" "+f.Slot.String()]
	if top == 0 {
		return 0
	}
	return float64(f.Votes) / float64(top)
}
