// Package fillmissing fills empty slots with the best image that providers have, in
// jobs that walk over the whole catalogue and go on by themselves when the instance
// that works at them stops or dies.
package fillmissing

import (
	"strings"
	"time"

	"gatefold/application/findimages"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

const (
	// KeptFor is how long it is known what became of a job, from its end.
	KeptFor = 7 * 24 * time.Hour
	// AskAgainAfter is for how long nobody is asked again for what was not found.
	AskAgainAfter = 7 * 24 * time.Hour
	// DefaultMinScore is what an image needs to be put in force if nobody says
	// otherwise (Score).
	DefaultMinScore = 0.7
	// MaxSelection bounds how many subjects a Selection names.
	MaxSelection = 10_000
	// MaxListed bounds how many jobs, or items of a job, are read at once.
	MaxListed = 200
)

// What operators do to jobs, in the activity log.
const (
	ActionStart  artwork.Action = "fill.start"
	ActionPause  artwork.Action = "fill.pause"
	ActionResume artwork.Action = "fill.resume"
	ActionCancel artwork.Action = "fill.cancel"
)

// Wish says what is to be filled, and with what.
type Wish struct {
	Slot     artwork.Slot // of an artist, or the cover of an album
	DryRun   bool         // say what would be done, and change nothing
	MinScore float64      // 0 to 1: what an image needs (Score)
	Again    bool         // ask also for what was not found lately
}

// Check returns an InvalidInput error unless the wish can be carried out.
func (w Wish) Check() error {
	if w.Kind() == 0 {
		return artwork.Errorf(artwork.InvalidInput, "type must be profile, background, banner, logo or cover: providers have images for no other slot")
	}
	if !(w.MinScore >= 0 && w.MinScore <= 1) { // written so that NaN fails it too
		return artwork.Errorf(artwork.InvalidInput, "minScore must be in 0..1")
	}
	return nil
}

// Kind returns what has the slot: artists or albums; 0 for a slot that is not filled.
func (w Wish) Kind() artwork.SubjectKind {
	for _, kind := range []artwork.SubjectKind{artwork.ArtistSubject, artwork.AlbumSubject} {
		if kind.Has(w.Slot) {
			return kind
		}
	}
	return 0
}

// Place returns the slot of a subject.
func (w Wish) Place(id artwork.ID) artwork.Place {
	return artwork.Place{Subject: artwork.Subject{Kind: w.Kind(), ID: id}, Slot: w.Slot}
}

// Job is what was asked for in one go.
type Job struct {
	ID artwork.ID
	By artwork.Actor
	Wish
	// Of is the dry run whose proposals are carried out; zero: the job walks over the
	// catalogue, or over subjects that are named.
	Of artwork.ID
	// Named: the job is about subjects that somebody has named, who are asked for
	// whatever was learned of them.
	Named bool
}

// Check returns an InvalidInput error unless the job can be carried out.
func (j Job) Check() error {
	if j.ID.IsZero() {
		return artwork.Errorf(artwork.InvalidInput, "the job has no ID")
	}
	if err := j.By.Check(); err != nil {
		return err
	}
	return j.Wish.Check()
}

// Activity returns what the activity log says of somebody who did something to a job.
func (s Status) Activity(by artwork.Actor, action artwork.Action) activity.Entry {
	return activity.Entry{Actor: by, Action: action, Slot: s.Slot, After: activity.FactsOf(struct {
		JobID    artwork.ID `json:"jobId"`
		DryRun   bool       `json:"dryRun"`
		MinScore float64    `json:"minScore"`
		Again    bool       `json:"again"`
		Named    bool       `json:"named,omitempty"`
		Of       artwork.ID `json:"of,omitzero"`
		Total    int        `json:"total"`
	}{s.ID, s.DryRun, s.MinScore, s.Again, s.Named, s.Of, s.Counts.Total})}
}

// Actor is who puts images in force for a job: the job on behalf of who wants it.
func (j Job) Actor() artwork.Actor {
	by := j.By
	by.Name = "fill (" + j.By.Name + ")"
	return by
}

// State is how far a job is.
type State string

// The states. A job whose instance has died is still running: another one goes on
// with it. The last three are ends; a failed job can be resumed.
const (
	Queued    State = "queued"
	Running   State = "running"
	Paused    State = "paused"
	Cancelled State = "cancelled"
	Done      State = "done"
	Failed    State = "failed"
)

// Ended reports whether nobody works at such a job any more.
func (s State) Ended() bool { return s == Cancelled || s == Done || s == Failed }

// Order is what somebody wants to become of a job.
type Order artwork.Action

// The orders.
const (
	Pause  = Order(ActionPause)
	Resume = Order(ActionResume)
	Cancel = Order(ActionCancel)
)

// Verb names the order to people: "pause".
func (o Order) Verb() string {
	_, verb, _ := strings.Cut(string(o), ".")
	return verb
}

// Obey returns the state of a job after the order; held says whether an instance
// works at it. Conflict: the job has ended in a way that the order cannot change. A
// job that is so already stays as it is.
func (s State) Obey(order Order, held bool) (State, error) {
	switch {
	case order == Pause && !s.Ended():
		return Paused, nil
	case order == Cancel && s != Done:
		return Cancelled, nil
	case order == Resume && (s == Queued || s == Running):
		return s, nil
	case order == Resume && (s == Paused || s == Failed):
		if held {
			return Running, nil
		}
		return Queued, nil
	}
	return s, artwork.Errorf(artwork.Conflict, "the job is %s, and cannot be told to %s", s, order.Verb())
}

// Outcome is what became of a subject.
type Outcome string

// The outcomes.
const (
	Applied   Outcome = "applied"   // the image is in force
	Proposed  Outcome = "proposed"  // it would be, were this no dry run
	Absent    Outcome = "absent"    // no provider has an image
	Below     Outcome = "below"     // none that any has is good enough
	Ambiguous Outcome = "ambiguous" // the only ones that are were found by a name that several have
	Skipped   Outcome = "skipped"   // the slot is locked, kept empty or filled, or nothing may fill it
	Errored   Outcome = "failed"    // providers, or the download of the image, failed
	Accepted  Outcome = "accepted"  // somebody wants the proposal to be applied; not done yet
	Waiting   Outcome = "waiting"   // somebody has named the subject; nobody was asked yet
)

// ParseOutcome reads an outcome as it is written.
func ParseOutcome(s string) (Outcome, error) {
	switch o := Outcome(s); o {
	case Applied, Proposed, Absent, Below, Ambiguous, Skipped, Errored, Accepted, Waiting:
		return o, nil
	}
	return "", artwork.Errorf(artwork.InvalidInput, "%.64q is not an outcome: use applied, proposed, absent, below, ambiguous, skipped, failed, accepted or waiting", s)
}

// Item is what a job has to say of a subject.
type Item struct {
	SubjectID artwork.ID
	Name      string
	Artist    string // of an album
	Outcome   Outcome
	// Candidate is the image that was applied or proposed, or the best one of those
	// that were not good or sure enough; nil if there was none.
	Candidate *findimages.Candidate
	Score     float64     // of the candidate
	Tag       artwork.Tag // of the applied image
	Reason    string      // why there is no image; "" if there is
	// Open: it is to be tried again, in a later round.
	Open bool
}

// Counts say how a job goes on.
type Counts struct {
	Total     int `json:"total"`  // empty slots when the job began, or accepted proposals
	Walked    int `json:"walked"` // subjects that were dealt with; that some fill up meanwhile is why it may end below Total
	Applied   int `json:"applied"`
	Proposed  int `json:"proposed"`
	Absent    int `json:"absent"`
	Below     int `json:"below"`
	Ambiguous int `json:"ambiguous"`
	Skipped   int `json:"skipped"`
	Recent    int `json:"recent"` // nobody was asked, because it was not found lately
	Failed    int `json:"failed"`
}

// of returns the counter of an outcome.
func (c *Counts) of(o Outcome) *int {
	switch o {
	case Applied:
		return &c.Applied
	case Proposed:
		return &c.Proposed
	case Absent:
		return &c.Absent
	case Below:
		return &c.Below
	case Ambiguous:
		return &c.Ambiguous
	case Skipped:
		return &c.Skipped
	default:
		return &c.Failed
	}
}

// Add returns the counts after a step.
func (c Counts) Add(step Step) Counts {
	c.Recent += step.Recent
	if step.Round == 0 {
		c.Walked += step.Recent + len(step.Results)
	} else {
		c.Failed -= len(step.Results) // what it was before
	}
	for _, result := range step.Results {
		*c.of(result.Outcome)++
	}
	return c
}

// Status is how a job goes on.
type Status struct {
	Job
	State      State
	Reason     string // why it failed, or stands still at the moment
	Counts     Counts
	CreatedAt  time.Time
	StartedAt  time.Time // zero: not yet
	FinishedAt time.Time // zero: not yet
}

// Named is the selection of named subjects, of a job that fills their slots alone.
func Named(ids []artwork.ID) Selection { return Selection{Only: ids} }

// Selection says which proposals of a dry run are accepted: all of them, all but
// some, or only some. Those that are ambiguous are accepted only if they are named.
type Selection struct {
	All    bool
	Except []artwork.ID
	Only   []artwork.ID
}

// Check returns an InvalidInput error unless the selection says one thing.
func (s Selection) Check() error {
	ways := 0
	for _, given := range []bool{s.All, len(s.Except) > 0, len(s.Only) > 0} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		return artwork.Errorf(artwork.InvalidInput, "one of all, except and only must be given")
	}
	if n := len(s.Except) + len(s.Only); n > MaxSelection {
		return artwork.Errorf(artwork.InvalidInput, "at most %d subjects can be named, not %d", MaxSelection, n)
	}
	return nil
}

// Takes reports whether an item of a dry run is accepted.
func (s Selection) Takes(item Item) bool {
	in := func(ids []artwork.ID) bool {
		for _, id := range ids {
			if id == item.SubjectID {
				return true
			}
		}
		return false
	}
	if item.Candidate == nil {
		return false
	}
	if len(s.Only) > 0 {
		return (item.Outcome == Proposed || item.Outcome == Ambiguous) && in(s.Only)
	}
	return item.Outcome == Proposed && !in(s.Except)
}
