package memory

import (
	"maps"
	"slices"
	"time"

	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

// draft is a change of slots that is not committed yet.
type draft struct {
	r       *Repository
	now     time.Time
	slots   map[artwork.Place]artwork.SlotState
	records map[artwork.ID]artwork.Record
	changed map[artwork.Place]bool // places of which the pointer changes
	history []artwork.HistoryEntry
	done    map[artwork.ID]artwork.ID // as of the Repository
	// gone and withdrawn are records that are to be forgotten, or not to be offered
	// any more; those of which the pictures are offered are offered.
	gone, withdrawn map[artwork.ID]bool
	offered         []artwork.Record
	purged          []artwork.Place // of which nothing that was considered is kept
	entries         []activity.Entry
}

func newDraft(r *Repository) *draft {
	return &draft{
		r: r, now: time.Now(),
		slots: map[artwork.Place]artwork.SlotState{}, records: map[artwork.ID]artwork.Record{}, changed: map[artwork.Place]bool{},
		done: map[artwork.ID]artwork.ID{},
		gone: map[artwork.ID]bool{}, withdrawn: map[artwork.ID]bool{},
	}
}

func (d *draft) commit(fence artwork.Fence) {
	maps.Copy(d.r.slots, d.slots)
	maps.Copy(d.r.records, d.records)
	d.r.history = append(d.r.history, d.history...)
	maps.Copy(d.r.done, d.done)
	maps.Copy(d.r.withdrawn, d.withdrawn)
	for _, record := range d.offered {
		d.r.offer(record)
	}
	d.r.history = slices.DeleteFunc(d.r.history, func(e artwork.HistoryEntry) bool { return d.gone[e.ID] })
	maps.DeleteFunc(d.r.done, func(_, record artwork.ID) bool { return d.gone[record] })
	for id := range d.gone {
		delete(d.r.records, id)
		delete(d.r.withdrawn, id)
	}
	for _, place := range d.purged {
		d.r.forgetConsidered(place)
	}
	d.r.note(d.entries...)
	d.r.noteChanged(fence, d.changed)
}

func (d *draft) apply(a artwork.Application) (artwork.Outcome, error) {
	place := a.Record.Place
	if err := d.r.requireSubject(place.Subject); err != nil {
		return artwork.Outcome{}, err
	}
	before, ok := d.slots[place]
	if !ok {
		before = d.r.slots[place]
	}
	if d.isDone(a.IdempotencyKey) {
		return artwork.Outcome{Result: artwork.AlreadyDone, Image: before.Image()}, nil
	}
	record, ok := d.record(a.Record, a.Known)
	if !ok {
		return artwork.Outcome{}, notFound("image " + a.Record.ID.String())
	}
	if !a.Known && record.Place == place {
		record = d.learn(record, a.Record)
	}
	after, outcome, err := before.Apply(a, record, d.now)
	if err != nil {
		return artwork.Outcome{}, err
	}
	d.slots[place] = after
	if !a.Automatic {
		d.offered = append(d.offered, record)
	}
	if outcome.Result == artwork.Changed {
		d.changed[place] = true
		if !a.IdempotencyKey.IsZero() {
			d.done[a.IdempotencyKey] = record.ID
		}
		d.history = append(d.history, artwork.HistoryEntry{Record: *after.InForce, AppliedBy: a.By.Name, AppliedAt: stored(d.now), Act: a.Act()})
	}
	return outcome, d.tell(activity.OfApplication(a, d.r.nameOf(place.Subject), before, after))
}

func (d *draft) isDone(key artwork.ID) bool {
	_, before := d.r.done[key]
	_, now := d.done[key]
	return before || now
}

func (d *draft) revise(r artwork.Revision) (artwork.Revised, error) {
	if err := d.r.requireSubject(r.Place.Subject); err != nil {
		return artwork.Revised{}, err
	}
	known := d.r.known(r.Place)
	before := d.r.slots[r.Place]
	after, changed, err := before.Revise(r, known, d.now)
	if err != nil {
		return artwork.Revised{}, err
	}
	if r.Focus != nil {
		record, _ := d.record(*after.InForce, false)
		after.InForce = &record
	}
	d.point(r.Place, after, changed, r.By, r.Act())
	if !r.Withdraw.IsZero() {
		d.withdraw(r.Withdraw, known)
	}
	revised := artwork.Revised{Image: after.Image(), Changed: changed}
	return revised, d.tell(activity.OfRevision(r, d.r.nameOf(r.Place.Subject), before, after))
}

// tell remembers what the activity log is to be told, if anything is.
func (d *draft) tell(entry activity.Entry, changed bool) error {
	if !changed {
		return nil
	}
	kept, err := entry.Kept()
	d.entries = append(d.entries, kept)
	return err
}

// point has the place point where the state says, and notes what took force.
func (d *draft) point(place artwork.Place, after artwork.SlotState, changed bool, by artwork.Actor, act artwork.Act) {
	before := d.r.slots[place]
	d.slots[place] = after
	if !changed {
		return
	}
	d.changed[place] = true
	if after.InForce != nil && (before.InForce == nil || before.InForce.ID != after.InForce.ID) {
		d.history = append(d.history, artwork.HistoryEntry{Record: *after.InForce, AppliedBy: by.Name, AppliedAt: stored(d.now), Act: act})
	}
}

// withdraw withdraws the picture of the record, or forgets it if it never was in
// force.
func (d *draft) withdraw(id artwork.ID, known []artwork.KnownRecord) {
	picture, wasInForce := d.r.records[id], false
	var same []artwork.Record
	for _, k := range known {
		if k.SamePicture(picture) {
			same = append(same, k.Record)
			wasInForce = wasInForce || slices.Contains(d.r.took(picture.Place), k.ID)
		}
	}
	if !wasInForce {
		d.forget(same)
		return
	}
	for _, record := range same {
		d.withdrawn[record.ID] = true
	}
}

func (d *draft) forget(records []artwork.Record) {
	for _, record := range records {
		d.gone[record.ID] = true
	}
}

func (d *draft) purge(p artwork.Purge) (artwork.Purged, error) {
	if err := d.r.requireSubject(p.Place.Subject); err != nil {
		return artwork.Purged{}, err
	}
	before := d.r.slots[p.Place]
	after, gone, err := before.Purge(p, d.r.known(p.Place), d.now)
	if err != nil {
		return artwork.Purged{}, err
	}
	changed := after != before
	d.point(p.Place, after, changed, p.By, artwork.ActSucceeded)
	d.forget(gone)
	d.purged = append(d.purged, p.Place)
	purged := artwork.Purged{Revised: artwork.Revised{Image: after.Image(), Changed: changed}, Contents: artwork.Contents(gone)}
	return purged, d.tell(activity.OfPurge(p, purged.Contents, d.r.nameOf(p.Place.Subject), before, after))
}

// learn returns the record with what another one of the same image states of it.
func (d *draft) learn(record, from artwork.Record) artwork.Record {
	record, learned := record.Learned(from)
	if learned {
		d.records[record.ID] = detached(record)
	}
	return record
}

// record returns what is kept under the record's ID: the record itself, if nothing
// is yet and it need not be known.
func (d *draft) record(wanted artwork.Record, known bool) (artwork.Record, bool) {
	if record, ok := d.records[wanted.ID]; ok {
		return record, true
	}
	if record, ok := d.r.records[wanted.ID]; ok || known {
		return record, ok
	}
	d.records[wanted.ID] = keep(wanted, d.now)
	return d.records[wanted.ID], true
}
