// Package bulkapply puts up to a thousand images in force in one job, which goes
// on by itself when the instance that works at it stops or dies.
package bulkapply

import (
	"strconv"
	"time"

	"gatefold/application/applyimage"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

// ActionCancel is the end of a job by somebody's order, in the activity log.
const ActionCancel artwork.Action = "bulk.cancel"

const (
	// MaxListed bounds how many jobs are read at once.
	MaxListed = 200
	// MaxItems is how many items a job may have.
	MaxItems = 1000
	// KeptFor is how long it is known what became of a job, from its end.
	KeptFor = 7 * 24 * time.Hour
)

// Item is the wish to put one image in force in a place: that of a URL, or one
// that the archive knows for the place.
type Item struct {
	Place    artwork.Place
	URL      string     // either this …
	ImageID  artwork.ID // … or this
	Provider string     // whose image the URL names; of a known image it is known
	// Stated is what the caller says of the rights in the image of the URL.
	Stated artwork.Provenance
}

// Check returns an InvalidInput error unless the item says what is wanted.
func (i Item) Check() error {
	if i.Place.Subject.Kind.String() == "" {
		return artwork.Errorf(artwork.InvalidInput, "subject must be artist, album or user")
	}
	if err := i.Place.Check(); err != nil {
		return err
	}
	if (i.URL == "") == i.ImageID.IsZero() {
		return artwork.Errorf(artwork.InvalidInput, "either url or imageId must be given")
	}
	if i.URL == "" && !i.Stated.IsZero() {
		return artwork.Errorf(artwork.InvalidInput, "licence, attribution and sourcePage are of an image that is named by its url")
	}
	if err := i.Stated.Check(); err != nil {
		return err
	}
	if i.URL == "" && i.Provider == "" {
		return nil
	}
	if err := applyimage.CheckProvider(i.Provider); err != nil {
		return err
	}
	return artwork.CheckText("url", i.URL)
}

// Job is what was asked for in one go.
type Job struct {
	ID    artwork.ID
	By    artwork.Actor
	Items []Item // of different places
}

// Check returns an InvalidInput error unless the job can be carried out. It names
// the item that is wrong by its index.
func (j Job) Check() error {
	if j.ID.IsZero() {
		return artwork.Errorf(artwork.InvalidInput, "the job has no ID")
	}
	if n := len(j.Items); n < 1 || n > MaxItems {
		return artwork.Errorf(artwork.InvalidInput, "a job has 1 to %d items, not %d", MaxItems, n)
	}
	if err := j.By.Check(); err != nil {
		return err
	}
	first := make(map[artwork.Place]int, len(j.Items))
	for n, item := range j.Items {
		if err := item.Check(); err != nil {
			return InItem(n, err)
		}
		if earlier, again := first[item.Place]; again {
			return artwork.Errorf(artwork.InvalidInput, "items[%d] is of the same place as items[%d]: a job may name each once", n, earlier)
		}
		first[item.Place] = n
	}
	return nil
}

// InItem says of an error which item it is about.
func InItem(n int, err error) error {
	return &artwork.Error{
		Kind: artwork.KindOf(err), Op: "bulkapply.Check", Err: err,
		Msg: "items[" + strconv.Itoa(n) + "]: " + artwork.MessageOf(err),
	}
}

// idempotencyKey names the wish that an item is: whoever goes on with the job
// uses the same.
func idempotencyKey(job artwork.ID, n int) artwork.ID {
	return artwork.DeriveID("bulk", job.String(), strconv.Itoa(n))
}

// Result is what became of an item.
type Result struct {
	N       int // the item's index
	Tag     artwork.Tag
	Problem *Problem // nil: the image took force, or was in force
}

// Problem says why an item failed, as the error of a single apply does.
type Problem struct {
	Kind   artwork.ErrorKind
	Detail string // for the person who asked; "" of an Internal error, which is logged
}

// State is how far a job is.
type State string

// The states. A job whose instance has died is still running: another one goes on
// with it. The last two are ends.
const (
	Queued    State = "queued"
	Running   State = "running"
	Done      State = "done"
	Cancelled State = "cancelled"
)

// Status is how a job goes on.
type Status struct {
	ID     artwork.ID
	State  State
	Total  int
	Done   int // items that have a result
	Failed int // of those
}

// Overview is a job as a list of jobs tells it.
type Overview struct {
	Status
	By         artwork.Actor
	CreatedAt  time.Time
	FinishedAt time.Time // zero: not yet
}

// Cancellation returns what the activity log says of somebody who has cancelled a job.
func (o Overview) Cancellation(by artwork.Actor) activity.Entry {
	return activity.Entry{Actor: by, Action: ActionCancel, After: activity.FactsOf(struct {
		JobID artwork.ID `json:"jobId"`
		Done  int        `json:"done"`
		Total int        `json:"total"`
	}{o.ID, o.Done, o.Total})}
}
