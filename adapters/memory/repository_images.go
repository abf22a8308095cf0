package memory

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"gatefold/domain/artwork"
)

// Images is the view of a Repository as image repository and archive.
type Images struct{ r *Repository }

var (
	_ artwork.ImageRepository = (*Images)(nil)
	_ artwork.ImageReviser    = (*Images)(nil)
	_ artwork.ImageArchive    = (*Images)(nil)
)

// Images returns the images of the repository.
func (r *Repository) Images() *Images { return &Images{r} }

// InForce implements artwork.ImageRepository.
func (m *Images) InForce(ctx context.Context, place artwork.Place) (image *artwork.Image, err error) {
	if err := place.Check(); err != nil {
		return nil, err
	}
	err = m.r.read(ctx, func() error {
		if err := m.r.requireSubject(place.Subject); err != nil {
			return err
		}
		image = m.r.slots[place].Image()
		return nil
	})
	return image, err
}

// Apply implements artwork.ImageRepository.
func (m *Images) Apply(ctx context.Context, fence artwork.Fence, applications []artwork.Application) ([]artwork.Outcome, error) {
	for _, a := range applications {
		if err := a.Check(); err != nil {
			return nil, err
		}
	}
	if len(applications) == 0 {
		return nil, nil
	}
	outcomes := make([]artwork.Outcome, len(applications))
	err := m.r.change(ctx, fence, func() (func(), error) {
		draft := newDraft(m.r)
		for i, a := range applications {
			var err error
			if outcomes[i], err = draft.apply(a); err != nil {
				return nil, err
			}
		}
		return func() { draft.commit(fence) }, nil
	})
	if err != nil {
		return nil, err
	}
	return outcomes, nil
}

// Revise implements artwork.ImageReviser.
func (m *Images) Revise(ctx context.Context, fence artwork.Fence, revision artwork.Revision) (revised artwork.Revised, err error) {
	if err := revision.Check(); err != nil {
		return revised, err
	}
	err = m.r.change(ctx, fence, func() (func(), error) {
		draft := newDraft(m.r)
		if revised, err = draft.revise(revision); err != nil {
			return nil, err
		}
		return func() { draft.commit(fence) }, nil
	})
	if err != nil {
		return artwork.Revised{}, err
	}
	return revised, nil
}

// draft is a change of slots that is not committed yet.
type draft struct {
	r       *Repository
	now     time.Time
	slots   map[artwork.Place]artwork.SlotState
	records map[artwork.ID]artwork.Record
	changed map[artwork.Place]bool // places of which the pointer changes
	history []artwork.HistoryEntry
	done    map[artwork.ID]bool // idempotency keys of what takes force
}

func newDraft(r *Repository) *draft {
	return &draft{
		r: r, now: time.Now(),
		slots: map[artwork.Place]artwork.SlotState{}, records: map[artwork.ID]artwork.Record{}, changed: map[artwork.Place]bool{},
		done: map[artwork.ID]bool{},
	}
}

func (d *draft) commit(fence artwork.Fence) {
	maps.Copy(d.r.slots, d.slots)
	maps.Copy(d.r.records, d.records)
	maps.Copy(d.r.done, d.done)
	d.r.history = append(d.r.history, d.history...)
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
	if key := a.IdempotencyKey; d.r.done[key] || d.done[key] {
		return artwork.Outcome{Result: artwork.AlreadyDone, Image: before.Image()}, nil
	}
	after, outcome, err := before.Apply(a, d.record(a.Record), d.now)
	if err != nil {
		return artwork.Outcome{}, err
	}
	d.slots[place] = after
	if outcome.Result == artwork.Changed {
		d.changed[place] = true
		if !a.IdempotencyKey.IsZero() {
			d.done[a.IdempotencyKey] = true
		}
		d.history = append(d.history, artwork.HistoryEntry{Record: *after.InForce, AppliedBy: a.By.Name, AppliedAt: stored(d.now)})
	}
	return outcome, nil
}

func (d *draft) revise(r artwork.Revision) (artwork.Revised, error) {
	if err := d.r.requireSubject(r.Place.Subject); err != nil {
		return artwork.Revised{}, err
	}
	var known []artwork.Record
	for _, record := range d.r.records {
		if record.Place == r.Place {
			known = append(known, record)
		}
	}
	after, changed, err := d.r.slots[r.Place].Revise(r, known, d.now)
	if err != nil {
		return artwork.Revised{}, err
	}
	d.slots[r.Place] = after
	if changed {
		d.changed[r.Place] = true
	}
	if changed && r.Remove != 0 && after.InForce != nil {
		d.history = append(d.history, artwork.HistoryEntry{Record: *after.InForce, AppliedBy: r.By.Name, AppliedAt: stored(d.now)})
	}
	return artwork.Revised{Image: after.Image(), Changed: changed}, nil
}

// record returns what is kept under the record's ID: the record itself, if
// nothing is yet.
func (d *draft) record(wanted artwork.Record) artwork.Record {
	if record, ok := d.records[wanted.ID]; ok {
		return record
	}
	if record, ok := d.r.records[wanted.ID]; ok {
		return record
	}
	d.records[wanted.ID] = keep(wanted, d.now)
	return d.records[wanted.ID]
}

// Add implements artwork.ImageArchive.
func (m *Images) Add(ctx context.Context, record artwork.Record) error {
	if err := record.Check(); err != nil {
		return err
	}
	return m.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		if err := m.r.requireSubject(record.Place.Subject); err != nil {
			return nil, err
		}
		return func() {
			if _, known := m.r.records[record.ID]; !known {
				m.r.records[record.ID] = keep(record, time.Now())
			}
		}, nil
	})
}

// Find implements artwork.ImageArchive.
func (m *Images) Find(ctx context.Context, id artwork.ID) (record artwork.Record, err error) {
	err = m.r.read(ctx, func() error {
		known, ok := m.r.records[id]
		if !ok {
			return notFound("image " + id.String())
		}
		record = detached(known)
		return nil
	})
	return record, err
}

// List implements artwork.ImageArchive.
func (m *Images) List(ctx context.Context, subject artwork.Subject, source artwork.Source) (listed []artwork.ListedRecord, err error) {
	err = m.r.read(ctx, func() error {
		if err := m.r.requireSubject(subject); err != nil {
			return err
		}
		for id, record := range m.r.records {
			if record.Place.Subject == subject && record.Source == source {
				listed = append(listed, artwork.ListedRecord{Record: detached(record), InForce: m.r.slots[record.Place].InForce != nil && m.r.slots[record.Place].InForce.ID == id})
			}
		}
		return nil
	})
	slices.SortFunc(listed, func(a, b artwork.ListedRecord) int {
		return cmp.Or(b.AddedAt.Compare(a.AddedAt), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return listed, err
}

// History implements artwork.ImageArchive.
func (m *Images) History(ctx context.Context, subject artwork.Subject) (entries []artwork.HistoryEntry, err error) {
	err = m.r.read(ctx, func() error {
		if err := m.r.requireSubject(subject); err != nil {
			return err
		}
		seen := map[artwork.Place]bool{}
		for _, entry := range slices.Backward(m.r.history) {
			if entry.Place.Subject != subject {
				continue
			}
			inForce := m.r.slots[entry.Place].InForce
			entry.InForce = !seen[entry.Place] && inForce != nil && inForce.ID == entry.ID
			entry.Record = detached(entry.Record)
			seen[entry.Place] = true
			entries = append(entries, entry)
		}
		return nil
	})
	return entries, err
}

// References implements artwork.ImageArchive.
func (m *Images) References(ctx context.Context, visit func(artwork.Content) error) error {
	var contents []artwork.Content
	err := m.r.read(ctx, func() error {
		for _, record := range m.r.records {
			contents = append(contents, detached(record).Content)
		}
		return nil
	})
	for _, content := range contents {
		if err := visit(content); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return err
}

// keep returns the record as it is stored.
func keep(record artwork.Record, now time.Time) artwork.Record {
	if record.AddedAt.IsZero() {
		record.AddedAt = now
	}
	record.AddedAt = stored(record.AddedAt)
	return detached(record)
}

// detached returns a copy that shares nothing with the record.
func detached(record artwork.Record) artwork.Record {
	record.Content.ThumbHash = bytes.Clone(record.Content.ThumbHash)
	if len(record.Content.ThumbHash) == 0 {
		record.Content.ThumbHash = nil
	}
	if record.FocalPoint != nil {
		focal := *record.FocalPoint
		record.FocalPoint = &focal
	}
	return record
}
