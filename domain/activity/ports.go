package activity

import (
	"context"
	"strings"
	"time"

	"gatefold/domain/artwork"
)

// Log keeps entries. All methods may be called concurrently, also from several
// processes. Every method may fail with Unavailable when the database cannot be
// reached, and with ctx's error when ctx ends.
//
// What is changed through the other ports of the same database is recorded by them,
// in the same transaction: an entry is there if and only if the change is.
type Log interface {
	// Record adds an entry and gives it its ID and its time. Its texts are cut
	// (Entry.Kept). InvalidInput: it is none.
	Record(ctx context.Context, entry Entry) error
	// List returns entries, the latest first, by ID. Who goes on from a page with
	// its Next meets every entry that was there when the first page was read, and
	// none twice, whatever is recorded meanwhile. InvalidInput: the query cannot be
	// asked (Query.Check).
	List(ctx context.Context, query Query) (Page, error)
	// Trim removes entries that are older than keep, the oldest first and at most
	// limit of them, and returns how many that were. Their IDs are not given again.
	Trim(ctx context.Context, keep time.Duration, limit int) (removed int, err error)
}

// Query selects entries: those for which all is true that is named.
type Query struct {
	Actor string // the name of who did it
	// Action is an action, or the family of several: "image" for all that begin with
	// "image.".
	Action string
	Kind   Kind       // of the subject
	ID     artwork.ID // of the subject
	Since  time.Time  // not before it
	Until  time.Time  // before it
	Before int64      // only entries with smaller IDs: the Next of a page; 0: all
	Limit  int        // at most so many, 1 to MaxLimit
}

// MaxLimit bounds a page.
const MaxLimit = 200

// Check returns an InvalidInput error unless the query can be asked.
func (q Query) Check() error {
	if q.Limit < 1 || q.Limit > MaxLimit {
		return artwork.Errorf(artwork.InvalidInput, "a page has 1 to %d entries", MaxLimit)
	}
	if q.Before < 0 {
		return artwork.Errorf(artwork.InvalidInput, "before is not the ID of an entry")
	}
	if q.Kind != "" {
		if _, err := ParseKind(string(q.Kind)); err != nil {
			return err
		}
	}
	if q.Action != "" {
		if _, _, err := q.Actions(); err != nil {
			return err
		}
	}
	return artwork.CheckText("actor", q.Actor)
}

// Actions returns the action that is asked for, and whether it is the beginning of a
// family's. InvalidInput: Action is neither an action nor a family.
func (q Query) Actions() (action string, family bool, err error) {
	if strings.Contains(q.Action, ".") {
		return q.Action, false, artwork.Action(q.Action).Check()
	}
	if artwork.Action(q.Action+".x").Check() != nil {
		return "", false, artwork.Errorf(artwork.InvalidInput, "%.64q is not an action such as image.apply, nor a family of them such as image", q.Action)
	}
	return q.Action + ".", true, nil
}

// Page is a part of the log.
type Page struct {
	Items []Entry
	Next  int64 // where the next page begins (Query.Before); 0 if this is the last
}
