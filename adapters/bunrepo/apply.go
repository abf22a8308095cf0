package bunrepo

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

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
	var outcomes []artwork.Outcome
	err := m.db.change(ctx, "bunrepo.Apply", fence, func(ctx context.Context, tx bun.Tx) error {
		board, err := m.open(ctx, tx, applications)
		if err != nil {
			return err
		}
		if outcomes, err = board.play(applications); err != nil {
			return err
		}
		return board.save(ctx, tx, m.db, fence)
	})
	if err != nil {
		return nil, err
	}
	return outcomes, nil
}

// board holds the places of one call, locked against all others, with the
// records that matter to them.
type board struct {
	now     time.Time
	slots   map[artwork.Place]*slotRow
	records map[artwork.ID]artwork.Record
	changed map[artwork.Place]bool // slots to be written back
	moved   bool                   // what readers are answered has changed
	done    map[artwork.ID]bool    // idempotency keys of what took force
	history []historyRow
	learned map[artwork.ID]bool // records of which more is known now
	gone    []artwork.Record    // to be forgotten
	names   map[artwork.Subject]string
	entries []activity.Entry
}

// open locks the places and then reads, in statements that see what the last
// holders of the locks wrote. All callers lock in the same order, so that none
// waits for one that waits for it.
func (m *Images) open(ctx context.Context, tx bun.Tx, applications []artwork.Application) (*board, error) {
	b := newBoard()
	if err := m.take(ctx, tx, b, sortedPlaces(applications)); err != nil {
		return nil, err
	}
	var all, news, wanted []artwork.Record
	for _, a := range applications {
		all = append(all, a.Record)
		if !a.Known {
			news = append(news, a.Record)
		}
		if !a.Automatic {
			wanted = append(wanted, a.Record)
		}
	}
	if _, err := insertRecords(ctx, tx, news); err != nil {
		return nil, err
	}
	if _, err := offer(ctx, tx, wanted); err != nil {
		return nil, err
	}
	if err := b.readRecords(ctx, tx, all); err != nil {
		return nil, err
	}
	return b, b.readDone(ctx, tx, applications)
}

func newBoard() *board {
	return &board{
		slots:   map[artwork.Place]*slotRow{},
		records: map[artwork.ID]artwork.Record{},
		changed: map[artwork.Place]bool{},
		done:    map[artwork.ID]bool{},
		learned: map[artwork.ID]bool{},
	}
}

// take locks the places, which are sorted, and notes the time.
func (m *Images) take(ctx context.Context, tx bun.Tx, b *board, places []artwork.Place) error {
	subjects := make([]artwork.Subject, len(places))
	for i, p := range places {
		subjects[i] = p.Subject
	}
	var err error
	if b.names, err = m.db.hold(ctx, tx, subjects); err != nil {
		return err
	}
	for some := range slices.Chunk(places, chunkSize) {
		if err := m.lock(ctx, tx, b, some); err != nil {
			return err
		}
	}
	b.now = time.Now() // not before the wait for the locks, which orders the changes
	return nil
}

func sortedPlaces(applications []artwork.Application) []artwork.Place {
	places := make([]artwork.Place, len(applications))
	for i, a := range applications {
		places[i] = a.Record.Place
	}
	slices.SortFunc(places, func(a, b artwork.Place) int {
		return cmp.Or(
			strings.Compare(a.Subject.Kind.String(), b.Subject.Kind.String()),
			strings.Compare(a.Subject.ID.String(), b.Subject.ID.String()),
			strings.Compare(a.Slot.String(), b.Slot.String()),
		)
	})
	return slices.Compact(places)
}

// lock makes sure that each place has a row, and locks them.
func (m *Images) lock(ctx context.Context, tx bun.Tx, b *board, places []artwork.Place) error {
	missing := make([]slotRow, len(places))
	for i, p := range places {
		missing[i] = slotRow{SubjectKind: p.Subject.Kind.String(), SubjectID: uid(p.Subject.ID), Slot: p.Slot.String(), OriginPath: []byte{}, ChangedAt: neverChanged}
	}
	_, err := tx.NewInsert().Model(&missing).On("CONFLICT DO NOTHING").Exec(ctx)
	if err != nil {
		return err
	}
	var locked []slotRow
	query := tx.NewSelect().Model(&locked).OrderExpr("s.subject_kind, s.subject_id, s.slot")
	for i := range missing {
		query.WhereOr("s.subject_kind = ? AND s.subject_id = ? AND s.slot = ?", missing[i].SubjectKind, missing[i].SubjectID, missing[i].Slot)
	}
	if err := m.db.engine.forUpdate(query).Scan(ctx); err != nil {
		return err
	}
	for i := range locked {
		place, err := parsePlace(locked[i].SubjectKind, locked[i].SubjectID, locked[i].Slot)
		if err != nil {
			return err
		}
		b.slots[place] = &locked[i]
	}
	return nil
}

// readRecords reads the records as they are stored: one that was known before
// may differ from what the application says.
func (b *board) readRecords(ctx context.Context, tx bun.Tx, applied []artwork.Record) error {
	var ids []artwork.ID
	for _, r := range applied {
		ids = append(ids, r.ID)
	}
	for _, slot := range b.slots {
		if id := artwork.ID(slot.ImageID); !id.IsZero() {
			ids = append(ids, id)
		}
	}
	known, err := readRecords(ctx, tx, ids)
	b.records = known
	return err
}

// readDone looks for the idempotency keys of the applications in the history.
// Whoever wants the same at the same time holds the lock of the same place.
func (b *board) readDone(ctx context.Context, tx bun.Tx, applications []artwork.Application) error {
	var keys []artwork.ID
	for _, a := range applications {
		if !a.IdempotencyKey.IsZero() {
			keys = append(keys, a.IdempotencyKey)
		}
	}
	for some := range slices.Chunk(keys, chunkSize) {
		var known []uid
		if err := tx.NewRaw("SELECT idempotency_key FROM history WHERE idempotency_key IN (?)", bun.List(uids(some))).Scan(ctx, &known); err != nil {
			return err
		}
		for _, key := range known {
			b.done[artwork.ID(key)] = true
		}
	}
	return nil
}

// play carries out the applications in their order.
func (b *board) play(applications []artwork.Application) ([]artwork.Outcome, error) {
	outcomes := make([]artwork.Outcome, len(applications))
	for i, a := range applications {
		slot := b.slots[a.Record.Place]
		before := b.state(slot)
		if b.done[a.IdempotencyKey] {
			outcomes[i] = artwork.Outcome{Result: artwork.AlreadyDone, Image: before.Image()}
			continue
		}
		record, err := b.record(a)
		if err != nil {
			return nil, err
		}
		after, outcome, err := before.Apply(a, record, b.now)
		if err != nil {
			return nil, err
		}
		if after != before {
			slot.set(after)
			b.changed[a.Record.Place] = true
		}
		if outcome.Result == artwork.Changed {
			b.note(slot, a.By.Name, a.Act(), a.IdempotencyKey)
		}
		b.tell(activity.OfApplication(a, b.names[a.Record.Place.Subject], before, after))
		outcomes[i] = outcome
	}
	return outcomes, nil
}

// record returns what is stored under the ID of the application's record, with what the
// application states of it.
func (b *board) record(a artwork.Application) (artwork.Record, error) {
	record, ok := b.records[a.Record.ID]
	if !ok {
		return record, notFound("image " + a.Record.ID.String())
	}
	if a.Known || record.Place != a.Record.Place {
		return record, nil
	}
	record, learned := record.Learned(a.Record)
	if learned {
		b.records[record.ID], b.learned[record.ID] = record, true
	}
	return record, nil
}

func (b *board) state(slot *slotRow) artwork.SlotState {
	state := artwork.SlotState{
		Chosen: slot.Chosen, Locked: slot.Locked, KeptEmpty: slot.KeptEmpty,
		Origin:       artwork.Origin{Rank: slot.OriginRank, Path: string(slot.OriginPath)},
		LastModified: slot.LastModified.Time,
	}
	if record, ok := b.records[artwork.ID(slot.ImageID)]; ok {
		state.InForce = &record
	}
	return state
}

// set writes the state into the row.
func (r *slotRow) set(state artwork.SlotState) {
	r.ImageID = uid{}
	if state.InForce != nil {
		r.ImageID = uid(state.InForce.ID)
	}
	r.Chosen, r.Locked, r.KeptEmpty = state.Chosen, state.Locked, state.KeptEmpty
	r.OriginRank, r.OriginPath = state.Origin.Rank, []byte(state.Origin.Path)
	r.LastModified = instant{state.LastModified}
}

// note remembers that the slot's image took force by the act, under the idempotency key
// if there is one.
func (b *board) note(slot *slotRow, by string, act artwork.Act, key artwork.ID) {
	b.move(slot)
	if !key.IsZero() {
		b.done[key] = true
	}
	b.history = append(b.history, historyRow{
		SubjectKind: slot.SubjectKind,
		SubjectID:   slot.SubjectID,
		Slot:        slot.Slot,
		ImageID:     slot.ImageID,
		AppliedBy:   by,
		AppliedAt:   stored(b.now),
		Act:         string(act),

		IdempotencyKey: uid(key),
	})
}

// move remembers that the pointer has changed.
func (b *board) move(slot *slotRow) {
	slot.ChangedAt.now = true
	b.moved = true
}

// save writes back what has changed, and notes that the cache has to hear of it
// if a pointer has.
func (b *board) save(ctx context.Context, tx bun.Tx, db *DB, fence artwork.Fence) error {
	if err := b.saveSlots(ctx, tx); err != nil {
		return err
	}
	for some := range slices.Chunk(b.history, chunkSize) {
		if _, err := tx.NewInsert().Model(&some).ExcludeColumn("id").Exec(ctx); err != nil {
			return err
		}
	}
	if err := b.saveLearned(ctx, tx); err != nil {
		return err
	}
	if err := forget(ctx, tx, b.gone); err != nil {
		return err
	}
	if err := note(ctx, tx, b.entries...); err != nil {
		return err
	}
	if fence.Token == "" || !b.moved {
		return nil
	}
	return db.notePending(ctx, tx, fence)
}

// saveLearned writes what is known of the rights in images that were known already.
func (b *board) saveLearned(ctx context.Context, tx bun.Tx) error {
	for id := range b.learned {
		row := newImageRow(b.records[id])
		if _, err := tx.NewUpdate().Model(&row).Column("licence", "attribution", "source_page", "stated_by").WherePK().Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (b *board) saveSlots(ctx context.Context, tx bun.Tx) error {
	rows := make([]slotRow, 0, len(b.changed))
	for place := range b.changed {
		rows = append(rows, *b.slots[place])
	}
	for some := range slices.Chunk(rows, chunkSize) {
		_, err := tx.NewInsert().Model(&some).
			On("CONFLICT (subject_kind, subject_id, slot) DO UPDATE").
			Set("image_id = EXCLUDED.image_id, chosen = EXCLUDED.chosen, locked = EXCLUDED.locked, kept_empty = EXCLUDED.kept_empty").
			Set("origin_rank = EXCLUDED.origin_rank, origin_path = EXCLUDED.origin_path").
			Set("last_modified = EXCLUDED.last_modified, changed_at = EXCLUDED.changed_at").
			Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}
