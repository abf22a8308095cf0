package artwork

import "time"

// Revision is a change of a slot that brings no image. A person wants it; it is
// carried out in a locked slot too.
type Revision struct {
	Place Place
	By    Actor
	IfTag Tag // if not empty, the tag that must be in force
	// What to do; exactly one of them.
	Lock   Locking
	Remove Removal
}

// Locking says what becomes of a slot's lock. The zero value leaves it.
type Locking uint8

// What can become of a lock.
const (
	// Lock refuses automatic replacement.
	Lock Locking = iota + 1
	// Unlock allows it again.
	Unlock
)

// Removal says what becomes of the image in force. The zero value leaves it.
type Removal uint8

// What can become of an image in force.
const (
	// GiveWay lets the next source take force; a slot that was kept empty may be
	// filled again.
	GiveWay Removal = iota + 1
	// KeepEmpty leaves the slot empty against fills and scans.
	KeepEmpty
)

// Action returns what the activity log calls the revision; "" if it does nothing.
func (r Revision) Action() Action {
	switch {
	case r.Remove != 0:
		return ActionRemove
	case r.Lock == Lock:
		return ActionLock
	case r.Lock == Unlock:
		return ActionUnlock
	}
	return ""
}

// Check returns an InvalidInput error unless the revision says what to do.
func (r Revision) Check() error {
	if err := r.Place.Check(); err != nil {
		return err
	}
	if (r.Lock == 0) == (r.Remove == 0) || r.Lock > Unlock || r.Remove > KeepEmpty {
		return Errorf(InvalidInput, "a revision locks, unlocks or removes")
	}
	return r.By.Check()
}

// unknownOrigin is that of a local image of which nobody knows any more where it
// was found: whatever the next scan finds is preferred.
var unknownOrigin = Origin{Rank: 1 << 30}

// Revise returns the state after a revision, and whether the pointer changed. known
// are the records of the place, in no order. PreconditionFailed: the IfTag does not
// hold; the state is as before.
func (s SlotState) Revise(r Revision, known []Record, now time.Time) (next SlotState, changed bool, err error) {
	if r.IfTag != "" && r.IfTag != s.tag() {
		return s, false, Errorf(PreconditionFailed, "another image than %s is in force", r.IfTag)
	}
	if r.Lock != 0 {
		next = s
		next.Locked = r.Lock == Lock
		return next, next.Locked != s.Locked, nil
	}
	next = SlotState{Locked: s.Locked, KeptEmpty: r.Remove == KeepEmpty, LastModified: s.LastModified}
	if s.InForce == nil {
		return next, false, nil
	}
	next.LastModified = nextModified(s.LastModified, now)
	if r.Remove == GiveWay && !s.Locked {
		next.InForce = successor(*s.InForce, known)
		if next.InForce != nil && next.InForce.Source == Local {
			next.Origin = unknownOrigin
		}
	}
	return next, true, nil
}

// successor returns the record that takes force when one is removed: the newest of
// the first other source in the slot's priority that has any, nil if none has.
func successor(removed Record, known []Record) *Record {
	for _, source := range removed.Place.Slot.Priority() {
		if source == removed.Source {
			continue
		}
		var newest *Record
		for i := range known {
			if r := &known[i]; r.Source == source && (newest == nil || newer(r, newest)) {
				newest = r
			}
		}
		if newest != nil {
			record := *newest
			return &record
		}
	}
	return nil
}

// newer orders records by when they were brought, and those of one moment somehow,
// but the same way everywhere.
func newer(a, b *Record) bool {
	if !a.AddedAt.Equal(b.AddedAt) {
		return a.AddedAt.After(b.AddedAt)
	}
	return a.ID.String() > b.ID.String()
}
