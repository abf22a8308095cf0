package findimages

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"time"

	"gatefold/domain/artwork"
)

// Considerations keeps what was considered for slots: of each the last search and the
// last fill. All methods may be called concurrently, also from several processes. They
// may fail with Unavailable and with ctx's error. A purge in the same database forgets
// what is kept of its place.
type Considerations interface {
	// Keep keeps considerations of different occasions, all of them or, on an error,
	// none, each instead of an earlier one of its place and occasion; a later one that
	// is kept already stays. InvalidInput: one cannot be kept (Consideration.Check).
	// NotFound: there is no such subject.
	Keep(ctx context.Context, considerations []Consideration) error
	// Of returns what is kept of the subject, slot by slot, in the order of their
	// names, and of each the fill before the search. Of an unknown subject that is
	// nothing.
	Of(ctx context.Context, subject artwork.Subject) ([]Consideration, error)
}

// Consideration is what was found for a slot at one time, and what became of it.
type Consideration struct {
	Place    artwork.Place
	Occasion Occasion
	By       string // who searched, or whose fill it was
	At       time.Time
	// Incomplete: it was broken off before all providers had answered.
	Incomplete bool
	Candidates []Considered // the best first; at most MaxConsidered
	Omitted    int          // how many more there were
	Failures   []Failure    // the providers that failed
}

// Occasion is why candidates were looked for.
type Occasion string

// The occasions.
const (
	OnFill   Occasion = "fill"   // what was missing was filled
	OnSearch Occasion = "search" // somebody searched
)

// Verdict is what became of a candidate.
type Verdict string

// The verdicts.
const (
	Offered Verdict = "offered" // it could be chosen
	Copy    Verdict = "copy"    // it is the same picture as the one above it
	Chosen  Verdict = "chosen"  // it was chosen to be put in force
	Refused Verdict = "refused" // it could not be: Reason says why
	Unfit   Verdict = "unfit"   // it was below the least score
)

// Considered is a candidate and what became of it.
type Considered struct {
	Candidate
	Rank    int     `json:"rank"`  // from 1; a copy has that of its original
	Score   float64 `json:"score"` // by which it was judged, 0 to 1; of a search, how well it fits the slot
	Verdict Verdict `json:"verdict"`
	Reason  string  `json:"reason,omitempty"` // for people
}

// Failure says why a provider offered nothing.
type Failure struct {
	Provider string `json:"provider"` // its ID
	Message  string `json:"message"`  // for people
}

// MaxConsidered bounds the candidates that are kept of a consideration.
const MaxConsidered = 60

// The most that is kept of texts, in characters. Providers say less; an address that
// is longer is not kept, because it would not be one.
const (
	maxNote = 300
	maxURL  = 2000
)

// Check returns an InvalidInput error unless the consideration can be kept: it is one
// of a slot for which providers have images, it has a time, and it is not longer than
// Bounded leaves it.
func (c Consideration) Check() error {
	if err := c.Place.Check(); err != nil {
		return err
	}
	switch {
	case c.Place.Subject.Kind == artwork.UserSubject:
		return artwork.Errorf(artwork.InvalidInput, "no provider has images of users")
	case c.Occasion != OnFill && c.Occasion != OnSearch:
		return artwork.Errorf(artwork.InvalidInput, "%.64q is not an occasion", string(c.Occasion))
	case c.At.IsZero():
		return artwork.Errorf(artwork.InvalidInput, "the consideration has no time")
	case len(c.Candidates) > MaxConsidered:
		return artwork.Errorf(artwork.InvalidInput, "a consideration has at most %d candidates", MaxConsidered)
	}
	return artwork.CheckText("by", c.By)
}

// Bounded returns the consideration as it is kept: without what is too much, and with
// texts that are lines.
func (c Consideration) Bounded() Consideration {
	c.By = artwork.Line(c.By, maxNote)
	kept := make([]Considered, 0, min(len(c.Candidates), MaxConsidered))
	for _, one := range c.Candidates {
		if len(kept) < MaxConsidered && len(one.URL) <= maxURL && len(one.ThumbnailURL) <= maxURL {
			kept = append(kept, one.bounded())
		}
	}
	c.Omitted += len(c.Candidates) - len(kept)
	c.Candidates = kept
	c.Failures = slices.Clone(c.Failures)
	for i, f := range c.Failures {
		c.Failures[i] = Failure{artwork.Line(f.Provider, maxNote), artwork.Line(f.Message, maxNote)}
	}
	return c
}

func (c Considered) bounded() Considered {
	c.Provider, c.Kind, c.Reason = artwork.Line(c.Provider, maxNote), artwork.Line(c.Kind, maxNote), artwork.Line(c.Reason, maxNote)
	p := c.Provenance()
	c.Licence, c.Attribution, c.SourcePage = p.Licence, p.Attribution, p.SourcePage
	return c
}

// Provenance returns what the provider says of the rights in the image; the zero value
// if it says nothing.
func (c Candidate) Provenance() artwork.Provenance {
	p := artwork.Provenance{
		Licence:     artwork.Line(c.Licence, artwork.MaxLicence),
		Attribution: artwork.Line(c.Attribution, artwork.MaxAttribution),
		SourcePage:  c.SourcePage,
		StatedBy:    artwork.StatedByProvider,
	}
	if p.Check() != nil {
		p.SourcePage = ""
	}
	if p.IsZero() {
		return artwork.Provenance{}
	}
	return p
}

// Consider returns what was found as it is judged before anything has become of it:
// the best first, each with the copies of it.
func Consider(found []Found) []Considered {
	var all []Considered
	for i, f := range found {
		all = append(all, Considered{Candidate: f.Candidate, Rank: i + 1, Score: f.Fit, Verdict: Offered})
		for _, same := range f.Others {
			all = append(all, Considered{Candidate: same, Rank: i + 1, Score: fit(same), Verdict: Copy})
		}
	}
	return all
}

// ConsiderFailures returns what is kept of the providers that failed.
func ConsiderFailures(reports []Report) []Failure {
	var failures []Failure
	for _, r := range reports {
		failures = append(failures, Failure{r.Provider.ID, cmp.Or(artwork.MessageOf(r.Err), "something went wrong")})
	}
	return failures
}

// Recorder notes what was considered for slots.
type Recorder struct {
	considerations Considerations
	log            *slog.Logger
}

// NewRecorder returns the use case.
func NewRecorder(considerations Considerations, log *slog.Logger) *Recorder {
	return &Recorder{considerations, log}
}

// recordBudget is how long a note may keep whoever waits for what was found.
const recordBudget = 2 * time.Second

// Run keeps the considerations, as Bounded leaves them, whether ctx has ended or not.
// What was found counts more than the note of it: if it cannot be kept in time, the log
// has that.
func (r *Recorder) Run(ctx context.Context, considerations ...Consideration) {
	bounded := make([]Consideration, len(considerations))
	for i, c := range considerations {
		bounded[i] = c.Bounded()
	}
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordBudget)
	defer cancel()
	if err := r.considerations.Keep(limited, bounded); err != nil {
		r.log.WarnContext(ctx, "What was considered is not kept", "error", err.Error())
	}
}

// search notes what a person's search found: for the slot that was searched, or for each
// of the subject.
func (r *Recorder) search(ctx context.Context, subject artwork.Subject, in In, result Result, incomplete bool) {
	if in.By == "" || incomplete && len(result.Found) == 0 {
		return
	}
	slots := subject.Kind.Slots()
	if in.Slot != 0 {
		slots = []artwork.Slot{in.Slot}
	}
	failures := ConsiderFailures(result.Failures)
	var considerations []Consideration
	for _, slot := range slots {
		var found []Found
		for _, f := range result.Found {
			if f.Slot == slot {
				found = append(found, f)
			}
		}
		considerations = append(considerations, Consideration{
			Place: artwork.Place{Subject: subject, Slot: slot}, Occasion: OnSearch, By: in.By, At: time.Now(),
			Incomplete: incomplete, Candidates: Consider(found), Failures: failures,
		})
	}
	r.Run(ctx, considerations...)
}
