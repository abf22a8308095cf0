package artwork

import "time"

// Revision is a change of a slot that brings no image. A person wants it; it is
// carried out in a locked slot too.
type Revision struct {
	Place Place
	By    Actor
	IfTag Tag // if not empty, the tag that must be in force
	// What to do; exactly one of them.
	Lock     Locking
	Remove   Removal
	Focus    *FocalPoint // of the image in force
	Withdraw ID          // an uploaded image of the place
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
	case r.Focus != nil:
		return ActionFocus
	case !r.Withdraw.IsZero():
		return ActionWithdraw
	}
	return ""
}

// Check returns an InvalidInput error unless the revision says what to do.
func (r Revision) Check() error {
	if err := r.Place.Check(); err != nil {
		return err
	}
	wishes := 0
	for _, wished := range []bool{r.Lock != 0, r.Remove != 0, r.Focus != nil, !r.Withdraw.IsZero()} {
		if wished {
			wishes++
		}
	}
	if wishes != 1 || r.Lock > Unlock || r.Remove > KeepEmpty {
		return Errorf(InvalidInput, "a revision locks, unlocks, removes, withdraws or sets a focal point")
	}
	if r.Focus != nil {
		if err := r.Focus.Check(); err != nil {
			return err
		}
	}
	return r.By.Check()
}

// KnownRecord is a record of a place and whether it was withdrawn: it is not offered
// any more, and takes force only if it is restored.
type KnownRecord struct {
	Record
	Withdrawn bool
}

// Revise returns the state after a revision, and whether what readers are answered
// has changed. known are the records of the place, in no order. An image that takes
// force may be one that is not among them yet.
//
// PreconditionFailed: the IfTag does not hold. NotFound: there is no image in force
// to set a focal point on, or no such upload to withdraw. After an error the state
// is as before.
func (s SlotState) Revise(r Revision, known []KnownRecord, now time.Time) (next SlotState, changed bool, err error) {
	switch {
	case r.IfTag != "" && r.IfTag != s.tag():
		return s, false, errOtherTag(r.IfTag)
	case r.Lock != 0:
		next = s
		next.Locked = r.Lock == Lock
		return next, next.Locked != s.Locked, nil
	case r.Focus != nil:
		return s.focused(r, known, now)
	case !r.Withdraw.IsZero():
		return s.withdrawn(r.Withdraw, known, now)
	default:
		next, changed = s.removed(r.Remove, known, now)
		return next, changed, nil
	}
}

// focused is the state with another focal point. Whoever chose the part of the image
// to show has chosen the image.
func (s SlotState) focused(r Revision, known []KnownRecord, now time.Time) (next SlotState, changed bool, err error) {
	if s.InForce == nil {
		return s, false, Errorf(NotFound, "the %s of the %s has no image", r.Place.Slot, r.Place.Subject.Kind)
	}
	record := s.InForce.Focused(*r.Focus, r.By.Name, now)
	if record.ID == s.InForce.ID {
		next = s
		next.Chosen = true
		return next, false, nil
	}
	for _, k := range known {
		if k.ID == record.ID {
			record = k.Record
		}
	}
	return s.pointedTo(record, Application{}, now), true, nil
}

func (s SlotState) withdrawn(id ID, known []KnownRecord, now time.Time) (next SlotState, changed bool, err error) {
	for _, k := range known {
		if k.ID != id || k.Source != Custom || k.Withdrawn {
			continue
		}
		if s.InForce == nil || !s.InForce.SamePicture(k.Record) {
			return s, false, nil
		}
		next, changed = s.removed(GiveWay, known, now)
		return next, changed, nil
	}
	return s, false, Errorf(NotFound, "there is no uploaded image %s", id)
}

// unknownOrigin is that of a local image of which nobody knows any more where it
// was found: whatever the next scan finds is preferred.
var unknownOrigin = Origin{Rank: 1 << 30}

func (s SlotState) removed(removal Removal, known []KnownRecord, now time.Time) (next SlotState, changed bool) {
	next = SlotState{Locked: s.Locked, KeptEmpty: removal == KeepEmpty, LastModified: s.LastModified}
	if s.InForce == nil {
		return next, false
	}
	next.LastModified = nextModified(s.LastModified, now)
	if removal == GiveWay && !s.Locked {
		next.InForce = successor(*s.InForce, known)
		if next.InForce != nil && next.InForce.Source == Local {
			next.Origin = unknownOrigin
		}
	}
	return next, true
}

// successor returns the record that takes force when one is removed: the newest of
// the first other source in the slot's priority that has any, nil if none has.
func successor(removed Record, known []KnownRecord) *Record {
	for _, source := range removed.Place.Slot.Priority() {
		if source == removed.Source {
			continue
		}
		if record := newestOf(source, known); record != nil {
			return record
		}
	}
	return nil
}

// newestOf returns the record of the source that was brought last, nil if there is
// none that is offered.
func newestOf(source Source, known []KnownRecord) *Record {
	var newest *Record
	for _, k := range known {
		if k.Source == source && !k.Withdrawn && (newest == nil || newer(&k.Record, newest)) {
			newest = &k.Record
		}
	}
	return newest
}

// newer orders records by when they were brought, and those of one moment somehow,
// but the same way everywhere.
func newer(a, b *Record) bool {
	if !a.AddedAt.Equal(b.AddedAt) {
		return a.AddedAt.After(b.AddedAt)
	}
	return a.ID.String() > b.ID.String()
}
