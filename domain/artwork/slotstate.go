package artwork

import "time"

// SlotState is what a slot points to and what guards it: all that decides what
// becomes of an application. The zero value is a slot that was never filled.
// States are compared with ==: whatever Apply leaves as it is stays equal.
type SlotState struct {
	InForce      *Record // nil: the slot is empty; nobody changes it
	Chosen       bool    // a person put this image in force
	Locked       bool    // automatic replacement is refused
	KeptEmpty    bool    // a person wants the slot empty
	Origin       Origin  // where a local image that nobody chose was found
	LastModified time.Time
}

// Image returns the image in force, nil if the slot is empty.
func (s SlotState) Image() *Image {
	if s.InForce == nil {
		return nil
	}
	return &Image{
		Content:      s.InForce.Content,
		RecordID:     s.InForce.ID,
		Tag:          TagOf(s.InForce.Content.Hash, s.InForce.FocalPoint),
		Source:       s.InForce.Source,
		Provider:     s.InForce.Provider,
		FocalPoint:   s.InForce.FocalPoint,
		Locked:       s.Locked,
		LastModified: s.LastModified,
	}
}

// Apply decides what becomes of an application: it returns the state after it
// and the outcome. record is what is stored under the ID of the application's
// record, which may differ from it. The rules and errors are those of
// ImageRepository; after an error the state is as before.
func (s SlotState) Apply(a Application, record Record, now time.Time) (SlotState, Outcome, error) {
	switch {
	case record.Place != a.Record.Place:
		return s, Outcome{}, Errorf(Conflict, "image %s belongs to %s", record.ID, record.Place)
	case a.IfTag != "" && a.IfTag != s.tag():
		return s, Outcome{}, errOtherTag(a.IfTag)
	case s.InForce != nil && s.InForce.ID == record.ID:
		next := s.affirmed(a)
		if record.Provenance() != s.InForce.Provenance() {
			next.InForce = &record
		}
		return next, Outcome{Result: AlreadyInForce, Image: next.Image()}, nil
	}
	if a.Automatic {
		if allowed, blocker := s.allows(record.Source, a); !allowed {
			return s, Outcome{Result: Declined, Image: s.Image(), Blocker: blocker}, nil
		}
	}
	next := s.pointedTo(record, a, now)
	return next, Outcome{Result: Changed, Image: next.Image()}, nil
}

func errOtherTag(wanted Tag) error {
	return Errorf(PreconditionFailed, "another image than %s is in force", wanted)
}

func (s SlotState) tag() Tag {
	if s.InForce == nil {
		return ""
	}
	return TagOf(s.InForce.Content.Hash, s.InForce.FocalPoint)
}

// affirmed notes what is learned about the image that is in force already: that
// a person chose it, or that it was found in a better place.
func (s SlotState) affirmed(a Application) SlotState {
	switch {
	case !a.Automatic:
		s.Chosen, s.KeptEmpty = true, false
	case a.Origin.Less(s.Origin), isGone(s.Origin, a.Vanished):
		s.Origin = a.Origin
	}
	return s
}

// allows reports whether an application that nobody chose may take force, and if
// another local image is the reason why not, where that one was found.
func (s SlotState) allows(source Source, a Application) (allowed bool, blocker string) {
	held := s.holding()
	switch {
	case source != Local:
		return held.Source == 0 && held.AllowsLocal(Origin{}, ""), ""
	case held.AllowsLocal(a.Origin, a.Vanished):
		return true, ""
	case held.Source == Local && !held.Locked && !held.Chosen && !held.KeptEmpty:
		return false, held.Origin.Path
	default:
		return false, ""
	}
}

func (s SlotState) holding() Holding {
	held := Holding{Origin: s.Origin, Chosen: s.Chosen, Locked: s.Locked, KeptEmpty: s.KeptEmpty}
	if s.InForce != nil {
		held.Source = s.InForce.Source
	}
	return held
}

// pointedTo is the state after a change. A person's choice overrides everything;
// only the lock stays.
func (s SlotState) pointedTo(record Record, a Application, now time.Time) SlotState {
	next := SlotState{InForce: &record, Chosen: !a.Automatic, Locked: s.Locked, LastModified: nextModified(s.LastModified, now)}
	if a.Automatic {
		next.Origin = a.Origin
	}
	return next
}

// NextModified returns the time of a change of several slots at once: in whole seconds,
// and later than each of them was last modified.
func NextModified(now time.Time, previous ...time.Time) time.Time {
	next := now.UTC().Truncate(time.Second)
	for _, p := range previous {
		next = nextModified(p, next)
	}
	return next
}

// nextModified is the time of a change in whole seconds, but later than the one
// before it: clients compare it, and several changes may happen in one second.
func nextModified(previous, now time.Time) time.Time {
	next := now.UTC().Truncate(time.Second)
	if earliest := previous.Add(time.Second); next.Before(earliest) {
		return earliest
	}
	return next
}
