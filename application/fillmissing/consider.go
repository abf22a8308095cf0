package fillmissing

import (
	"context"

	"gatefold/application/findimages"
)

// note is what is noted of the images that were considered for a slot.
type note struct {
	considered []findimages.Considered
	failures   []findimages.Failure
}

// noteOf judges what was found by its score alone.
func noteOf(found findimages.Result, minScore float64) *note {
	n := &note{findimages.Consider(found.Found), findimages.ConsiderFailures(found.Failures)}
	for i := range n.considered {
		c := &n.considered[i]
		if c.Score = Score(c.Candidate); c.Verdict == findimages.Offered && c.Score < minScore {
			c.Verdict, c.Reason = findimages.Unfit, "its score is too low"
		}
	}
	return n
}

// say notes what became of a candidate. What a dry run has proposed is noted already.
func (n *note) say(c scored, verdict findimages.Verdict, reason string) {
	if n == nil {
		return
	}
	for i := range n.considered {
		if one := &n.considered[i]; one.URL == c.URL && one.Provider == c.Provider {
			one.Score, one.Verdict, one.Reason = c.score, verdict, reason
		}
	}
}

// doubt notes that what was found by a name is not sure enough.
func (n *note) doubt(reason string) {
	for i := range n.considered {
		if one := &n.considered[i]; one.ByName && one.Verdict == findimages.Offered {
			one.Verdict, one.Reason = findimages.Refused, reason
		}
	}
}

// keep has the note kept, if there was anything to consider.
func (r *run) keep(ctx context.Context, gap Gap, n *note) {
	if n == nil || len(n.considered) == 0 {
		return
	}
	r.considered.Run(ctx, findimages.Consideration{
		Place: r.job.Place(gap.SubjectID), Occasion: findimages.OnFill, By: r.job.By.Name, At: r.now().UTC(),
		Candidates: n.considered, Failures: n.failures,
	})
}
