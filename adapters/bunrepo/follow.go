package bunrepo

import (
	"context"
	"database/sql"
	"slices"
	"sync"

	"github.com/uptrace/bun"

	"gatefold/adapters/bunrepo/catalogindex"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// listIndex is the index of the lists, and how far it has followed the database. Whoever
// asks it for a page first has it catch up with what was committed before.
type listIndex struct {
	turn chan struct{} // held by who reads changes: one after the other, each from where the one before ended
	seen string        // how far that is (engine.changesSince); "": nothing was read. Guarded by turn

	mu    sync.RWMutex
	index *catalogindex.Index
}

func newListIndex() *listIndex { return &listIndex{turn: make(chan struct{}, 1)} }

// PrepareLists reads what the lists need to know of the catalogue, so that the first one who
// asks for a list need not wait for that. Unavailable: the database cannot be reached.
func (db *DB) PrepareLists(ctx context.Context) error {
	return db.fail(ctx, "bunrepo.PrepareLists", db.lists.catchUp(ctx, db))
}

// changes are the subjects of the catalogue that have changed, for the lists.
type changes struct {
	now      string            // how far these changes go
	lost     bool              // they are not all that there were
	subjects []artwork.Subject // perhaps some more than once
}

func (l *listIndex) find(ctx context.Context, db *DB, kind artwork.SubjectKind, query catalog.Query) (catalogindex.Found, error) {
	if err := l.catchUp(ctx, db); err != nil {
		return catalogindex.Found{}, err
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.index.Find(kind, query), nil
}

// catchUp returns when everything is in the index that was committed before it was called.
func (l *listIndex) catchUp(ctx context.Context, db *DB) error {
	select {
	case l.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		<-l.turn
		return err
	}
	since, err := l.sinceSeen(ctx, db)
	if err == nil && since.lost {
		return l.loadForAll(ctx, db)
	}
	defer func() { <-l.turn }()
	switch {
	case err != nil:
		return err
	case len(since.subjects) > 0:
		return l.follow(ctx, db)
	default:
		l.seen = since.now
		return nil
	}
}

// sinceSeen returns the changes since those that were seen, of which nothing may be left.
func (l *listIndex) sinceSeen(ctx context.Context, db *DB) (changes, error) {
	if l.seen == "" {
		return changes{lost: true}, nil
	}
	return db.engine.changesSince(ctx, db.read, l.seen)
}

// loadForAll loads the index although the caller may not wait so long: those who come
// after it need it too. It gives the turn back.
func (l *listIndex) loadForAll(ctx context.Context, db *DB) error {
	done := make(chan error, 1)
	go func() {
		defer func() { <-l.turn }()
		done <- l.load(context.WithoutCancel(ctx), db)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// load reads the whole catalogue.
func (l *listIndex) load(ctx context.Context, db *DB) error {
	index := catalogindex.New()
	var begin changes
	err := db.read.RunInTx(ctx, db.engine.oneView(), func(ctx context.Context, tx bun.Tx) (err error) {
		if begin, err = db.engine.changesSince(ctx, tx, ""); err != nil {
			return err
		}
		into := reading{tx, func(change func(*catalogindex.Index)) { change(index) }}
		for _, kind := range indexedKinds {
			if err := into.all(ctx, kind); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	index.Settle()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.index, l.seen = index, begin.now
	return nil
}

// follow brings the index up to date with what has changed since it was. Everything is
// read before anything is changed.
func (l *listIndex) follow(ctx context.Context, db *DB) error {
	var since changes
	var all []func(*catalogindex.Index)
	err := db.read.RunInTx(ctx, db.engine.oneView(), func(ctx context.Context, tx bun.Tx) (err error) {
		if since, err = db.engine.changesSince(ctx, tx, l.seen); err != nil {
			return err
		}
		into := reading{tx, func(change func(*catalogindex.Index)) { all = append(all, change) }}
		for _, kind := range indexedKinds {
			for some := range slices.Chunk(changedOf(kind, since.subjects), chunkSize) {
				if err := into.again(ctx, kind, some); err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, change := range all {
		change(l.index)
	}
	l.index.Settle()
	l.seen = since.now
	return nil
}

// indexedKinds has artists before their albums.
var indexedKinds = []artwork.SubjectKind{artwork.ArtistSubject, artwork.AlbumSubject, artwork.UserSubject}

// changedOf returns the subjects of the kind, each once.
func changedOf(kind artwork.SubjectKind, subjects []artwork.Subject) (ids []artwork.ID) {
	for _, subject := range subjects {
		if subject.Kind == kind {
			ids = append(ids, subject.ID)
		}
	}
	slices.SortFunc(ids, func(a, b artwork.ID) int { return slices.Compare(a[:], b[:]) })
	return slices.Compact(ids)
}

// readChanged runs a statement that selects the kinds and IDs of subjects.
func readChanged(ctx context.Context, conn bun.IConn, query string, args ...any) (subjects []artwork.Subject, err error) {
	err = eachRow(ctx, conn, query, args, func(rows *sql.Rows) error {
		var kind string
		var id uid
		if err := rows.Scan(&kind, &id); err != nil {
			return err
		}
		subject, err := changedSubject(kind, id)
		subjects = append(subjects, subject)
		return err
	})
	return subjects, err
}

func changedSubject(kind string, id uid) (artwork.Subject, error) {
	k, err := artwork.ParseSubjectKind(kind)
	return artwork.Subject{Kind: k, ID: artwork.ID(id)}, err
}

// reading turns what is in the database into changes of an index.
type reading struct {
	tx   bun.Tx
	tell func(change func(*catalogindex.Index))
}

// indexed select the subjects of each kind, with the names they are found by.
var indexed = [...]string{
	artwork.ArtistSubject: "SELECT s.id, NULL, 0, s.created_at, s.sort_key, s.folded_name, '' FROM artists AS s",
	artwork.AlbumSubject:  "SELECT s.id, s.artist_id, s.year, s.created_at, s.sort_key, s.folded_name, '' FROM albums AS s",
	artwork.UserSubject:   "SELECT s.id, NULL, 0, s.created_at, s.sort_key, s.folded_name, s.folded_display FROM users AS s",
}

const indexedSlots = `
SELECT s.subject_id, s.slot, s.locked, s.last_modified, i.source, coalesce(i.width, 0), coalesce(i.height, 0)
FROM slots AS s LEFT JOIN images AS i ON i.id = s.image_id WHERE s.subject_kind = ?`

// all reads every subject of the kind.
func (r reading) all(ctx context.Context, kind artwork.SubjectKind) error {
	if _, err := r.subjects(ctx, kind, indexed[kind]); err != nil {
		return err
	}
	return r.slots(ctx, kind, indexedSlots, kind.String())
}

// again reads subjects that have changed, or are gone.
func (r reading) again(ctx context.Context, kind artwork.SubjectKind, ids []artwork.ID) error {
	some := bun.List(uids(ids))
	there, err := r.subjects(ctx, kind, indexed[kind]+" WHERE s.id IN (?)", some)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if !there[id] {
			r.tell(func(index *catalogindex.Index) { index.Remove(artwork.Subject{Kind: kind, ID: id}) })
		}
	}
	return r.slots(ctx, kind, indexedSlots+" AND s.subject_id IN (?)", kind.String(), some)
}

// subjects tells of the subjects that the statement selects, and returns which these are.
func (r reading) subjects(ctx context.Context, kind artwork.SubjectKind, query string, args ...any) (map[artwork.ID]bool, error) {
	there := map[artwork.ID]bool{}
	err := eachRow(ctx, r.tx, query, args, func(rows *sql.Rows) error {
		var id, owner uid
		var added instant
		var year int
		var sortKey, name, display string
		if err := rows.Scan(&id, &owner, &year, &added, &sortKey, &name, &display); err != nil {
			return err
		}
		subject := catalogindex.Subject{ID: artwork.ID(id), Owner: artwork.ID(owner), Names: searchNames(sortKey, name, display), Year: year, Added: added.Time}
		there[subject.ID] = true
		r.tell(func(index *catalogindex.Index) { index.Put(kind, subject) })
		return nil
	})
	return there, err
}

// searchNames returns the names, of what is stored of them, each once. An instance of the release
// before stores sort keys without what SearchForm adds.
func searchNames(sortKey string, folded ...string) []string {
	names := []string{catalog.SortKeyOf(sortKey)}
	for _, name := range folded {
		if name = catalog.SearchFormOf(name); name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// slots tells of the slots that the statement selects.
func (r reading) slots(ctx context.Context, kind artwork.SubjectKind, query string, args ...any) error {
	return eachRow(ctx, r.tx, query, args, func(rows *sql.Rows) error {
		var id uid
		var name string
		var slot catalogindex.Slot
		var modified instant
		var source sql.NullString
		var image artwork.Image
		err := rows.Scan(&id, &name, &slot.Locked, &modified, &source, &image.Width, &image.Height)
		if err != nil {
			return err
		}
		if slot.Slot, err = artwork.ParseSlot(name); err != nil {
			return err
		}
		if source.Valid {
			if image.Source, err = artwork.ParseSource(source.String); err != nil {
				return err
			}
			slot.Image = &image
		}
		slot.Modified = modified.Time
		r.tell(func(index *catalogindex.Index) {
			index.SetSlot(artwork.Subject{Kind: kind, ID: artwork.ID(id)}, slot)
		})
		return nil
	})
}
