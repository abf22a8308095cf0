package artwork

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// SlotAccounts tells how slots came to show what they show. It may be called
// concurrently, and fail with Unavailable and with ctx's error.
type SlotAccounts interface {
	// Account returns what is known of the place, all of it at one moment.
	// InvalidInput: there can be no such place. NotFound: there is no such subject.
	Account(ctx context.Context, place Place) (Account, error)
}

// Account is what is known of a place.
type Account struct {
	State   SlotState
	Known   []KnownRecord  // every image known for the place, in no order
	History []HistoryEntry // what took force, the latest first; InForce is not set
}

// Act is how an image took force; "" if that is not known.
type Act string

// The acts.
const (
	ActApplied  Act = "applied"  // a person chose it, by its URL or among what the place has had
	ActUploaded Act = "uploaded" // a person uploaded it, and chose it
	ActRestored Act = "restored" // a person put it in force again
	ActFocused  Act = "focused"  // a person set another focal point
	ActScanned  Act = "scanned"  // a scan of the library found it
	ActFilled   Act = "filled"   // a fill of what was missing chose it
	// ActSucceeded: the image before was removed, withdrawn or purged, and this one
	// was next.
	ActSucceeded Act = "succeeded"
)

// Act returns how the record takes force by the application.
func (a Application) Act() Act {
	switch {
	case a.Automatic && a.Record.Source == Local:
		return ActScanned
	case a.Automatic:
		return ActFilled
	case a.Action == ActionRestore:
		return ActRestored
	case a.Record.Source == Custom:
		return ActUploaded
	default:
		return ActApplied
	}
}

// Act returns how a record takes force by the revision.
func (r Revision) Act() Act {
	if r.Focus != nil {
		return ActFocused
	}
	return ActSucceeded
}

// Rule is why a slot shows what it shows.
type Rule string

// The rules.
const (
	RuleChosen    Rule = "chosen"     // a person chose the image
	RuleScanned   Rule = "scanned"    // a scan may fill an empty slot, and replace what a scan found
	RuleFilled    Rule = "filled"     // a fill may fill an empty slot
	RuleNext      Rule = "next"       // it was next in the order of sources when the image before went
	RuleKeptEmpty Rule = "kept_empty" // a person wants the slot empty
	RuleLocked    Rule = "locked"     // the slot is empty, and only a person's choice may fill it
	RuleRemoved   Rule = "removed"    // the slot is empty: what was in force went, and nothing was next
	RuleEmpty     Rule = "empty"      // nothing ever took force
)

// Rule returns why the slot shows what it shows.
func (a Account) Rule() Rule {
	s := a.State
	switch {
	case s.InForce != nil && s.Chosen:
		return RuleChosen
	case s.InForce != nil:
		return a.unchosen()
	case s.KeptEmpty:
		return RuleKeptEmpty
	case s.Locked:
		return RuleLocked
	case len(a.History) > 0:
		return RuleRemoved
	default:
		return RuleEmpty
	}
}

// unchosen is the rule by which an image is in force that nobody chose.
func (a Account) unchosen() Rule {
	took, known := a.took(*a.State.InForce)
	switch {
	case known && took.Act == ActSucceeded:
		return RuleNext
	case a.State.InForce.Source == Local:
		return RuleScanned
	default:
		return RuleFilled
	}
}

// took returns when the record took force last.
func (a Account) took(record Record) (HistoryEntry, bool) {
	i := slices.IndexFunc(a.History, func(e HistoryEntry) bool { return e.ID == record.ID })
	if i < 0 {
		return HistoryEntry{}, false
	}
	return a.History[i], true
}

// Acts returns when a picture took force, with whatever focal point, the latest first.
func (a Account) Acts(picture Record) []HistoryEntry {
	var acts []HistoryEntry
	for _, entry := range a.History {
		if entry.SamePicture(picture) {
			acts = append(acts, entry)
		}
	}
	return acts
}

// Reason is why a picture of a place is not in force.
type Reason string

// The reasons.
const (
	ReasonWithdrawn Reason = "withdrawn"   // the upload was taken back
	ReasonReplaced  Reason = "replaced"    // it was in force until another one took force
	ReasonRemoved   Reason = "removed"     // it was in force until it was removed
	ReasonNotChosen Reason = "not_chosen"  // it was uploaded, and never chosen
	ReasonKeptEmpty Reason = "kept_empty"  // a person wants the slot empty
	ReasonLocked    Reason = "locked"      // only a person's choice changes the slot
	ReasonChosen    Reason = "chosen"      // what is in force was chosen by a person, and nobody chose this one
	ReasonPriority  Reason = "priority"    // what is in force comes from a source that goes first, or came first
	ReasonNoTurn    Reason = "not_offered" // nothing is in force, and nothing has offered it since
)

// Other is a picture of a place that is not in force.
type Other struct {
	Record Record // with the focal point that it had in force last
	Reason Reason
	Until  time.Time // when it ceased to be in force; zero if it never was, or that is not known
	// Next: it takes force by itself if the image in force is removed.
	Next bool
}

// Others returns the pictures of the place that are not in force, each once: first the
// one that is next, then by the priority of their sources, and the newest first.
func (a Account) Others() []Other {
	next := a.next()
	var others []Other
	for _, k := range a.pictures() {
		others = append(others, Other{
			Record: k.Record, Reason: a.reason(k), Until: a.left(k.Record).at,
			Next: next != nil && next.SamePicture(k.Record),
		})
	}
	slices.SortFunc(others, func(x, y Other) int {
		return cmp.Or(
			-compareBool(x.Next, y.Next),
			cmp.Compare(rankOf(x.Record), rankOf(y.Record)),
			y.Record.AddedAt.Compare(x.Record.AddedAt),
			cmp.Compare(x.Record.ID.String(), y.Record.ID.String()),
		)
	})
	return others
}

// next returns the record that takes force if the image in force is removed, nil if
// none does.
func (a Account) next() *Record {
	if a.State.InForce == nil || a.State.Locked {
		return nil
	}
	return successor(*a.State.InForce, a.Known)
}

// pictures returns one record of each picture that is not in force: the one that was
// in force last or, if none was, the newest.
func (a Account) pictures() []KnownRecord {
	known := slices.Clone(a.Known)
	slices.SortFunc(known, func(x, y KnownRecord) int {
		return cmp.Or(
			cmp.Compare(a.since(x.Record), a.since(y.Record)),
			y.AddedAt.Compare(x.AddedAt),
			cmp.Compare(x.ID.String(), y.ID.String()),
		)
	})
	var pictures []KnownRecord
	for _, k := range known {
		again := slices.ContainsFunc(pictures, func(p KnownRecord) bool { return p.SamePicture(k.Record) })
		if !again && (a.State.InForce == nil || !a.State.InForce.SamePicture(k.Record)) {
			pictures = append(pictures, k)
		}
	}
	return pictures
}

// since counts what took force after the record did; as many as there are if it never
// did.
func (a Account) since(record Record) int {
	i := slices.IndexFunc(a.History, func(e HistoryEntry) bool { return e.ID == record.ID })
	if i < 0 {
		return len(a.History)
	}
	return i
}

// left is how a picture ceased to be in force.
type left struct {
	was      bool // it was in force at all
	replaced bool // by another one, in its place
	at       time.Time
}

// left returns how the picture ceased to be in force. The history has no removals: a
// fill, and a scan unless it replaces what a scan found, tell that the slot had become
// empty before, at some time.
func (a Account) left(picture Record) left {
	i := slices.IndexFunc(a.History, func(e HistoryEntry) bool { return e.SamePicture(picture) })
	switch {
	case i < 0:
		return left{}
	case i == 0 && a.State.InForce == nil:
		return left{was: true, at: a.State.LastModified}
	case i == 0:
		return left{was: true}
	}
	after := a.History[i-1]
	switch {
	case after.Act == ActSucceeded:
		return left{was: true, at: after.AppliedAt}
	case after.Act == ActFilled, after.Act == ActScanned && picture.Source != Local:
		return left{was: true}
	default:
		return left{was: true, replaced: true, at: after.AppliedAt}
	}
}

func (a Account) reason(k KnownRecord) Reason {
	s, left := a.State, a.left(k.Record)
	switch {
	case k.Withdrawn:
		return ReasonWithdrawn
	case left.replaced:
		return ReasonReplaced
	case left.was:
		return ReasonRemoved
	case k.Source == Custom:
		return ReasonNotChosen
	case s.KeptEmpty:
		return ReasonKeptEmpty
	case s.Locked:
		return ReasonLocked
	case s.InForce == nil:
		return ReasonNoTurn
	case s.Chosen:
		return ReasonChosen
	default:
		return ReasonPriority
	}
}

// rankOf is the place of the record's source in the slot's priority.
func rankOf(record Record) int { return slices.Index(record.Place.Slot.Priority(), record.Source) }

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	default:
		return -1
	}
}
