package announce

import (
	"encoding/json"
	"regexp"
	"time"

	"gatefold/domain/artwork"
)

// Event is what clients are told.
type Event struct {
	Name string
	Data json.RawMessage // one JSON value
}

// Reload is the name of the event by which clients are told to read again all that
// they show: they may have missed events.
const Reload = "reload"

// MaxData is how many bytes the data of an event may have.
const MaxData = 16 << 10

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9:._-]{0,63}$`)

// NewEvent returns an event whose data is the value as JSON. InvalidInput: there can
// be no such event (Check).
func NewEvent(name string, data any) (Event, error) {
	text, err := json.Marshal(data)
	if err != nil {
		return Event{}, &artwork.Error{Kind: artwork.InvalidInput, Op: "announce.NewEvent", Msg: "the data of the event " + name + " is not JSON", Err: err}
	}
	e := Event{name, text}
	if err := e.Check(); err != nil {
		return Event{}, err
	}
	return e, nil
}

// Check returns an InvalidInput error unless the name is one, of at most 64 lower-case
// letters, digits and : . _ -, and the data is JSON of at most MaxData bytes.
func (e Event) Check() error {
	switch {
	case !namePattern.MatchString(e.Name):
		return artwork.Errorf(artwork.InvalidInput, "%q is not the name of an event", e.Name)
	case len(e.Data) > MaxData:
		return artwork.Errorf(artwork.InvalidInput, "the data of the event %s has more than %d bytes", e.Name, MaxData)
	case !json.Valid(e.Data):
		return artwork.Errorf(artwork.InvalidInput, "the data of the event %s is not JSON", e.Name)
	}
	return nil
}

// reload returns the event that says why clients have to reload.
func reload(reason string) Event {
	return Event{Reload, json.RawMessage(`{"reason":"` + reason + `"}`)}
}

// Why clients have to reload.
const (
	// reasonUnknown: the last event that the client knows is not known here.
	reasonUnknown = "unknown-event"
	// reasonBehind: the client has fallen behind further than is kept.
	reasonBehind = "behind"
	// reasonMany: more has changed than is worth an event each.
	reasonMany = "many-changes"
	// reasonUnpublished: events could not be told to all instances.
	reasonUnpublished = "unpublished"
)

// Entry is an event in a log.
type Entry struct {
	// ID names the entry, and no other of any log: printable ASCII without spaces. It
	// is empty for an event that other instances do not know.
	ID string
	At time.Time // when it was appended
	Event
}
