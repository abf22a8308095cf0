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
	_ artwork.ImageArchive    = (*Images)(nil)
)

// Images returns the images of the repository.
func (r *Repository) Images() *Images { return &Images{r} }

// slotState is the pointer of a place and what guards it.
type slotState struct {
	record       artwork.ID // zero: empty
	chosen       bool
	locked       bool
	keptEmpty    bool
	origin       artwork.Origin
	lastModified time.Time
}

// InForce implements artwork.ImageRepository.
func (m *Images) InForce(ctx context.Context, place artwork.Place) (image *artwork.Image, err error) {
	if err := place.Check(); err != nil {
		return nil, err
	}
	err = m.r.read(ctx, func() error {
		if err := m.r.requireSubject(place.Subject); err != nil {
			return err
		}
		slot := m.r.slots[place]
		if record, ok := m.r.records[slot.record]; ok {
			image = imageOf(record, slot)
		}
		return nil
	})
	return image, err
}

// Apply implements artwork.ImageRepository.
func (m *Images) Apply(ctx context.Context, fence artwork.Fence, applications []artwork.Application) ([]artwork.Outcome, error) {
	for _, a := range applications {
		if err := checkText("appliedBy", a.By); err != nil {
			return nil, err
		}
		if err := checkRecord(a.Record); err != nil {
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

// draft is a change of slots that is not committed yet.
type draft struct {
	r       *Repository
	now     time.Time
	slots   map[artwork.Place]slotState
	records map[artwork.ID]artwork.Record
	changed map[artwork.Place]bool // places of which the pointer changes
}

func newDraft(r *Repository) *draft {
	return &draft{
		r: r, now: time.Now(),
		slots: map[artwork.Place]slotState{}, records: map[artwork.ID]artwork.Record{}, changed: map[artwork.Place]bool{},
	}
}

func (d *draft) slot(place artwork.Place) slotState {
	if slot, ok := d.slots[place]; ok {
		return slot
	}
	return d.r.slots[place]
}

func (d *draft) record(id artwork.ID) (artwork.Record, bool) {
	if record, ok := d.records[id]; ok {
		return record, true
	}
	record, ok := d.r.records[id]
	return record, ok
}

func (d *draft) commit(fence artwork.Fence) {
	maps.Copy(d.r.slots, d.slots)
	maps.Copy(d.r.records, d.records)
	d.r.noteChanged(fence, d.changed)
}

func (d *draft) apply(a artwork.Application) (artwork.Outcome, error) {
	place := a.Record.Place
	if err := d.r.requireSubject(place.Subject); err != nil {
		return artwork.Outcome{}, err
	}
	record, known := d.record(a.Record.ID)
	if !known {
		record = keep(a.Record, d.now)
		d.records[record.ID] = record
	}
	if record.Place != place {
		return artwork.Outcome{}, artwork.Errorf(artwork.Conflict, "image %s belongs to %s", record.ID, record.Place)
	}
	if image := d.image(place); a.IfTag != "" && (image == nil || image.Tag != a.IfTag) {
		return artwork.Outcome{}, artwork.Errorf(artwork.PreconditionFailed, "another image than %s is in force", a.IfTag)
	}
	outcome := artwork.Outcome{Result: artwork.Changed}
	slot := d.slot(place)
	switch allowed, blocker := d.allows(slot, record, a); {
	case slot.record == record.ID:
		outcome.Result = artwork.AlreadyInForce
		d.slots[place] = slot.affirmed(a)
	case !allowed:
		outcome.Result, outcome.Blocker = artwork.Declined, blocker
	default:
		d.slots[place] = slot.pointedTo(record.ID, a, d.now)
		d.changed[place] = true
	}
	outcome.Image = d.image(place)
	return outcome, nil
}

// allows reports whether the application may take force, and if another local
// image is the reason why not, where that one was found.
func (d *draft) allows(slot slotState, record artwork.Record, a artwork.Application) (allowed bool, blocker string) {
	if !a.Automatic {
		return true, ""
	}
	holding := artwork.Holding{Origin: slot.origin, Chosen: slot.chosen, Locked: slot.locked, KeptEmpty: slot.keptEmpty}
	if held, ok := d.record(slot.record); ok {
		holding.Source = held.Source
	}
	// Only the rule for local images is known: of others it is taken to allow
	// what displaces nothing.
	if holding.AllowsLocal(a.Origin, a.Vanished) && (record.Source == artwork.Local || holding.Source == 0) {
		return true, ""
	}
	if record.Source == artwork.Local && holding.Source == artwork.Local && !holding.Locked && !holding.Chosen && !holding.KeptEmpty {
		return false, holding.Origin.Path
	}
	return false, ""
}

// affirmed notes what is learned about the image that is in force already: that
// a person chose it, or that it was found in a better place.
func (s slotState) affirmed(a artwork.Application) slotState {
	switch {
	case !a.Automatic:
		s.chosen, s.keptEmpty = true, false
	case a.Origin.Less(s.origin), a.Vanished != "" && a.Vanished == s.origin.Path:
		s.origin = a.Origin
	}
	return s
}

// pointedTo is the slot after a change. A person's choice overrides everything.
func (s slotState) pointedTo(record artwork.ID, a artwork.Application, now time.Time) slotState {
	next := slotState{record: record, chosen: !a.Automatic, locked: s.locked, lastModified: now.UTC().Truncate(time.Second)}
	if a.Automatic {
		next.origin = a.Origin
	}
	// Several changes may happen in one second, and clients compare the time.
	if earliest := s.lastModified.Add(time.Second); next.lastModified.Before(earliest) {
		next.lastModified = earliest
	}
	return next
}

func (d *draft) image(place artwork.Place) *artwork.Image {
	slot := d.slot(place)
	if record, ok := d.record(slot.record); ok {
		return imageOf(record, slot)
	}
	return nil
}

// Add implements artwork.ImageArchive.
func (m *Images) Add(ctx context.Context, record artwork.Record) error {
	if err := checkRecord(record); err != nil {
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
				listed = append(listed, artwork.ListedRecord{Record: detached(record), InForce: m.r.slots[record.Place].record == id})
			}
		}
		return nil
	})
	slices.SortFunc(listed, func(a, b artwork.ListedRecord) int {
		return cmp.Or(b.AddedAt.Compare(a.AddedAt), bytes.Compare(a.ID[:], b.ID[:]))
	})
	return listed, err
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

// imageOf is what a slot that points to the record has in force.
func imageOf(record artwork.Record, slot slotState) *artwork.Image {
	record = detached(record)
	return &artwork.Image{
		Content:      record.Content,
		RecordID:     record.ID,
		Tag:          artwork.TagOf(record.Content.Hash, record.FocalPoint),
		Source:       record.Source,
		Provider:     record.Provider,
		FocalPoint:   record.FocalPoint,
		Locked:       slot.locked,
		LastModified: slot.lastModified,
	}
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

// checkRecord returns an InvalidInput error unless the record can be stored.
func checkRecord(r artwork.Record) error {
	if err := r.Place.Check(); err != nil {
		return err
	}
	switch {
	case r.ID.IsZero():
		return artwork.Errorf(artwork.InvalidInput, "the record has no ID")
	case r.Content.Hash.IsZero():
		return artwork.Errorf(artwork.InvalidInput, "the record has no hash")
	case r.Source.String() == "":
		return artwork.Errorf(artwork.InvalidInput, "the record has no source")
	}
	if r.FocalPoint != nil {
		if err := r.FocalPoint.Check(); err != nil {
			return err
		}
	}
	texts := []struct{ what, text string }{
		{"mimeType", r.Content.MIMEType}, {"provider", r.Provider}, {"sourceUrl", r.SourceURL}, {"licence", r.Licence},
		{"attribution", r.Attribution}, {"fileName", r.FileName}, {"addedBy", r.AddedBy},
	}
	for _, t := range texts {
		if err := checkText(t.what, t.text); err != nil {
			return err
		}
	}
	return nil
}
