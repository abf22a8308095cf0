package memory

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

// Images is the view of a Repository as image repository and archive.
type Images struct{ r *Repository }

var (
	_ artwork.ImageRepository = (*Images)(nil)
	_ artwork.ImageReviser    = (*Images)(nil)
	_ artwork.ImageArchive    = (*Images)(nil)
	_ artwork.SlotAccounts    = (*Images)(nil)
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

// Purge implements artwork.ImageReviser.
func (m *Images) Purge(ctx context.Context, fence artwork.Fence, purge artwork.Purge) (purged artwork.Purged, err error) {
	if err := purge.Check(); err != nil {
		return purged, err
	}
	err = m.r.change(ctx, fence, func() (func(), error) {
		draft := newDraft(m.r)
		if purged, err = draft.purge(purge); err != nil {
			return nil, err
		}
		return func() { draft.commit(fence) }, nil
	})
	if err != nil {
		return artwork.Purged{}, err
	}
	return purged, nil
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
		return func() { m.r.add(record) }, nil
	})
}

// AddUploaded implements artwork.ImageArchive.
func (m *Images) AddUploaded(ctx context.Context, by artwork.Actor, record artwork.Record) error {
	if err := cmp.Or(by.Check(), record.Check()); err != nil {
		return err
	}
	return m.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		if err := m.r.requireSubject(record.Place.Subject); err != nil {
			return nil, err
		}
		entry, err := activity.OfUpload(by, record, m.r.nameOf(record.Place.Subject)).Kept()
		return func() {
			if m.r.add(record) {
				m.r.note(entry)
			}
		}, err
	})
}

// Find implements artwork.ImageArchive.
func (m *Images) Find(ctx context.Context, id artwork.ID) (record artwork.Record, err error) {
	err = m.r.read(ctx, func() error {
		known, ok := m.r.records[id]
		if !ok || m.r.requireSubject(known.Place.Subject) != nil {
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
			if record.Place.Subject == subject && record.Source == source && record.FocalPoint == nil && !m.r.withdrawn[id] {
				inForce := m.r.slots[record.Place].InForce
				listed = append(listed, artwork.ListedRecord{Record: detached(record), InForce: inForce != nil && inForce.SamePicture(record)})
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
			entry.Record = detached(m.r.records[entry.ID])
			seen[entry.Place] = true
			entries = append(entries, entry)
		}
		return nil
	})
	return entries, err
}

// Account implements artwork.SlotAccounts.
func (m *Images) Account(ctx context.Context, place artwork.Place) (account artwork.Account, err error) {
	if err := place.Check(); err != nil {
		return account, err
	}
	err = m.r.read(ctx, func() error {
		if err := m.r.requireSubject(place.Subject); err != nil {
			return err
		}
		account.State = m.r.slots[place]
		for _, known := range m.r.known(place) {
			account.Known = append(account.Known, artwork.KnownRecord{Record: detached(known.Record), Withdrawn: known.Withdrawn})
		}
		for _, entry := range slices.Backward(m.r.history) {
			if entry.Place == place {
				entry.Record = detached(m.r.records[entry.ID])
				account.History = append(account.History, entry)
			}
		}
		return nil
	})
	return account, err
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

// Refers implements artwork.ImageArchive.
func (m *Images) Refers(ctx context.Context, hash artwork.Hash) (refers bool, err error) {
	err = m.r.read(ctx, func() error {
		for _, record := range m.r.records {
			refers = refers || record.Content.Hash == hash
		}
		return nil
	})
	return refers, err
}

// Trim implements artwork.ImageArchive.
func (m *Images) Trim(ctx context.Context, keep int) (forgotten int, err error) {
	err = m.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		draft := newDraft(m.r)
		for place, state := range m.r.slots {
			if m.r.requireSubject(place.Subject) != nil {
				continue // it is forgotten as a whole, or not at all
			}
			draft.forget(state.Expendable(m.r.known(place), m.r.took(place), keep))
		}
		forgotten = len(draft.gone)
		return func() { draft.commit(artwork.Unfenced()) }, nil
	})
	return forgotten, err
}

// known returns the records of the place.
func (r *Repository) known(place artwork.Place) []artwork.KnownRecord {
	var known []artwork.KnownRecord
	for id, record := range r.records {
		if record.Place == place {
			known = append(known, artwork.KnownRecord{Record: record, Withdrawn: r.withdrawn[id]})
		}
	}
	return known
}

// took returns the records that took force in the place, the latest first.
func (r *Repository) took(place artwork.Place) []artwork.ID {
	var took []artwork.ID
	for _, entry := range slices.Backward(r.history) {
		if entry.Place == place {
			took = append(took, entry.ID)
		}
	}
	return took
}

// offer takes back that the record's picture was withdrawn.
func (r *Repository) offer(record artwork.Record) (changed bool) {
	for id := range r.withdrawn {
		if r.records[id].SamePicture(record) {
			delete(r.withdrawn, id)
			changed = true
		}
	}
	return changed
}

// add keeps a record that is not known yet, and offers its picture. It reports
// whether that changes anything.
func (r *Repository) add(record artwork.Record) (changed bool) {
	if _, known := r.records[record.ID]; !known {
		r.records[record.ID] = keep(record, time.Now())
		changed = true
	}
	return r.offer(record) || changed
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
