package fillmissing

import (
	"math"
	"slices"

	"gatefold/application/findimages"
	"gatefold/domain/artwork"
)

const (
	// byNameCertainty is how sure it is that an image which was found by a name is of
	// the right subject.
	byNameCertainty = 0.75
	// unknownFit is what an image is taken to fit whose provider does not tell its
	// size. Before it is put in force, it is measured.
	unknownFit = 0.8
	// scoreStep is a difference in score that decides; within it the order of the
	// search does, which knows of votes.
	scoreStep = 0.05
)

// Score says how good an image is for a slot: 0 to 1, in hundredths. It is how well
// its shape and size fit (findimages.Fit), times how sure it is that the image is of
// the subject: 1 if it was found by an identifier, 0.75 if by a name.
func Score(c findimages.Candidate) float64 {
	if c.Width <= 0 || c.Height <= 0 {
		return hundredths(unknownFit * certainty(c))
	}
	return hundredths(findimages.Fit(c.Slot, c.Width, c.Height) * certainty(c))
}

func certainty(c findimages.Candidate) float64 {
	if c.ByName {
		return byNameCertainty
	}
	return 1
}

func hundredths(f float64) float64 { return math.Round(f*100) / 100 }

// measured returns the candidate with the size that the image really has.
func measured(c findimages.Candidate, content artwork.Content) findimages.Candidate {
	c.Width, c.Height = content.Width, content.Height
	return c
}

// scored is a candidate and its score.
type scored struct {
	findimages.Candidate
	score float64
}

// ranked returns what was found for the slot, the best first.
func ranked(found []findimages.Found, slot artwork.Slot) []scored {
	var all []scored
	for _, f := range found {
		if f.Slot == slot {
			all = append(all, scored{f.Candidate, Score(f.Candidate)})
		}
	}
	step := func(s scored) int { return int(math.Round(s.score / scoreStep)) }
	slices.SortStableFunc(all, func(a, b scored) int { return step(b) - step(a) })
	return all
}
