package bunrepo

import (
	"bytes"
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Bin keeps what was deleted. A subject in the bin has no row in the table of its kind,
// so that nothing that begins there finds it. Its slots, images and history stay.
type Bin struct {
	db     *DB
	images *Images
}

var _ catalog.Bin = (*Bin)(nil)

// NewBin returns what was deleted in the database.
func NewBin(db *DB) *Bin { return &Bin{db, NewImages(db)} }

// deletedRow is a subject that can be restored.
type deletedRow struct {
	bun.BaseModel `bun:"table:deleted_subjects,alias:x"`

	Kind       string     `bun:"kind,pk"`
	ID         uid        `bun:"id,pk"`
	Name       string     `bun:"name"`
	NameKey    []byte     `bun:"name_key"`
	MBID       uid        `bun:"mbid"`
	ArtistID   uid        `bun:"artist_id"`
	ArtistName string     `bun:"artist_name"`
	WentWith   uid        `bun:"went_with"`
	DeletedBy  string     `bun:"deleted_by"`
	DeletedAt  changeTime `bun:"deleted_at"`
	Saved      string     `bun:"saved"`

	Albums int `bun:"albums,scanonly"`
}

// deletedIdentityRow is what an identity provider calls a user in the bin.
type deletedIdentityRow struct {
	bun.BaseModel `bun:"table:deleted_identities,alias:e"`

	Issuer  string `bun:"issuer,pk"`
	Subject string `bun:"subject,pk"`
	UserID  uid    `bun:"user_id"`
}

func (r *deletedRow) deleted() (catalog.Deleted, error) {
	kind, err := artwork.ParseSubjectKind(r.Kind)
	return catalog.Deleted{
		Subject: artwork.Subject{Kind: kind, ID: artwork.ID(r.ID)}, Name: r.Name,
		ArtistID: artwork.ID(r.ArtistID), ArtistName: r.ArtistName, At: r.DeletedAt.Time, By: r.DeletedBy,
		With: artwork.ID(r.WentWith), Albums: r.Albums,
	}, err
}

// inOrder returns the subjects, each once, artists first: whoever locks several locks
// them in this order.
func inOrder(subjects []artwork.Subject) []artwork.Subject {
	return slices.Compact(slices.SortedFunc(slices.Values(subjects), func(x, y artwork.Subject) int {
		return cmp.Or(cmp.Compare(x.Kind, y.Kind), bytes.Compare(x.ID[:], y.ID[:]))
	}))
}

// idsOfKind returns the IDs of the subjects of a kind.
func idsOfKind(subjects []artwork.Subject, kind artwork.SubjectKind) []artwork.ID {
	var ids []artwork.ID
	for _, s := range subjects {
		if s.Kind == kind {
			ids = append(ids, s.ID)
		}
	}
	return ids
}

// ofSubjects narrows a query to the rows of the subjects, of which the columns name
// kind and ID.
func ofSubjects[Q interface {
	WhereOr(condition string, args ...any) Q
}](query Q, kind, id string, subjects []artwork.Subject) Q {
	for _, k := range []artwork.SubjectKind{artwork.ArtistSubject, artwork.AlbumSubject, artwork.UserSubject} {
		if ids := idsOfKind(subjects, k); len(ids) > 0 {
			query = query.WhereOr("? = ? AND ? IN (?)", bun.Ident(kind), k.String(), bun.Ident(id), bun.List(uids(ids)))
		}
	}
	return query
}

// Delete implements catalog.Bin.
func (b *Bin) Delete(ctx context.Context, fence artwork.Fence, deletion catalog.Deletion) (gone []artwork.Subject, err error) {
	if err := deletion.Check(); err != nil {
		return nil, err
	}
	err = b.db.change(ctx, "bunrepo.Delete", fence, func(ctx context.Context, tx bun.Tx) error {
		going, err := b.lockLive(ctx, tx, inOrder(deletion.Subjects))
		if err != nil {
			return err
		}
		if err := cmp.Or(b.noAlbumsStay(ctx, tx, going), b.anAdminStays(ctx, tx, going)); err != nil {
			return err
		}
		if gone, err = b.discard(ctx, tx, going, deletion); err != nil {
			return err
		}
		return b.touch(ctx, tx, fence, gone, going.entries(deletion.By))
	})
	if err != nil {
		return nil, err
	}
	return gone, nil
}

// live are subjects that are in the catalogue, locked against everybody else.
type live struct {
	artists []artistRow
	albums  []albumRow
	users   []userRow
}

// lockLive returns those of the subjects that are there. The others have to be in the
// bin.
func (b *Bin) lockLive(ctx context.Context, tx bun.Tx, subjects []artwork.Subject) (going live, err error) {
	if going.artists, err = lockRows[artistRow](ctx, tx, b.db, idsOfKind(subjects, artwork.ArtistSubject)); err != nil {
		return going, err
	}
	if going.albums, err = lockRows[albumRow](ctx, tx, b.db, idsOfKind(subjects, artwork.AlbumSubject)); err != nil {
		return going, err
	}
	if going.users, err = lockRows[userRow](ctx, tx, b.db, idsOfKind(subjects, artwork.UserSubject)); err != nil {
		return going, err
	}
	there := going.subjects()
	absent := slices.DeleteFunc(slices.Clone(subjects), func(s artwork.Subject) bool { return slices.Contains(there, s) })
	if len(absent) == 0 {
		return going, nil
	}
	binned, err := b.lockBinned(ctx, tx, absent)
	for _, s := range absent {
		if err == nil && !slices.ContainsFunc(binned, func(r deletedRow) bool { return r.subject() == s }) {
			err = notFound(s.String())
		}
	}
	return going, err
}

func lockRows[R any](ctx context.Context, tx bun.Tx, db *DB, ids []artwork.ID) (rows []R, err error) {
	if len(ids) == 0 {
		return nil, nil
	}
	query := tx.NewSelect().Model(&rows).ColumnExpr("s.*").Where("s.id IN (?)", bun.List(uids(ids))).OrderExpr("s.id")
	return rows, db.engine.forUpdate(query).Scan(ctx)
}

func (l *live) subjects() (subjects []artwork.Subject) {
	for _, r := range l.artists {
		subjects = append(subjects, artwork.Artist(r.key()))
	}
	for _, r := range l.albums {
		subjects = append(subjects, artwork.Album(r.key()))
	}
	for _, r := range l.users {
		subjects = append(subjects, artwork.User(r.key()))
	}
	return subjects
}

func (l *live) entries(by artwork.Actor) (entries []activity.Entry) {
	add := func(subject artwork.Subject, name string, facts activity.Facts) {
		entries = append(entries, activity.OfDeletion(by, subject, name, facts))
	}
	for _, r := range l.artists {
		name, facts := r.described()
		add(artwork.Artist(r.key()), name, facts)
	}
	for _, r := range l.albums {
		name, facts := r.described()
		add(artwork.Album(r.key()), name, facts)
	}
	for _, r := range l.users {
		name, facts := r.described()
		add(artwork.User(r.key()), name, facts)
	}
	return entries
}

// noAlbumsStay returns a Conflict if one of the artists has an album that stays. None
// comes meanwhile: an album refers to its artist, which is locked.
func (b *Bin) noAlbumsStay(ctx context.Context, tx bun.Tx, going live) error {
	if len(going.artists) == 0 {
		return nil
	}
	subjects := going.subjects()
	query := tx.NewSelect().TableExpr("albums AS s").Column("artist_id").
		Where("s.artist_id IN (?)", bun.List(uids(idsOfKind(subjects, artwork.ArtistSubject)))).Limit(1)
	if albums := idsOfKind(subjects, artwork.AlbumSubject); len(albums) > 0 {
		query.Where("s.id NOT IN (?)", bun.List(uids(albums)))
	}
	var left []uid
	if err := query.Scan(ctx, &left); err != nil || len(left) == 0 {
		return err
	}
	return catalog.HasAlbumsError(artwork.ID(left[0]))
}

// anAdminStays returns a Conflict if the last administrators who can sign in are among
// the users. Nobody becomes the first one meanwhile, nor goes.
func (b *Bin) anAdminStays(ctx context.Context, tx bun.Tx, going live) error {
	if !slices.ContainsFunc(going.users, func(r userRow) bool { return r.Role == string(catalog.RoleAdmin) }) {
		return nil
	}
	var one int
	if err := b.db.engine.forUpdate(tx.NewSelect().TableExpr("first_run").Column("one")).Scan(ctx, &one); err != nil {
		return err
	}
	var admins []uid
	err := tx.NewSelect().TableExpr("users AS s").Column("s.id").Join("JOIN accounts AS c ON c.user_id = s.id").
		Where("s.role = ? AND NOT c.disabled", string(catalog.RoleAdmin)).
		Where("c.password_hash <> '' OR EXISTS (SELECT 1 FROM account_identities AS d WHERE d.user_id = s.id)").Scan(ctx, &admins)
	if err != nil {
		return err
	}
	isGoing := func(id uid) bool { return slices.ContainsFunc(going.users, func(r userRow) bool { return r.ID == id }) }
	if len(admins) > 0 && !slices.ContainsFunc(admins, func(id uid) bool { return !isGoing(id) }) {
		return catalog.LastAdminError()
	}
	return nil
}

// discard moves the subjects into the bin, albums before their artists, and returns
// which those were.
func (b *Bin) discard(ctx context.Context, tx bun.Tx, going live, deletion catalog.Deletion) ([]artwork.Subject, error) {
	rows, err := b.saved(ctx, tx, going)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	for i := range rows {
		rows[i].DeletedBy, rows[i].DeletedAt = deletion.By.Name, changeTime{now: true}
		if rows[i].Kind == artwork.AlbumSubject.String() {
			rows[i].WentWith = uid(deletion.With)
		}
	}
	if _, err := tx.NewInsert().Model(&rows).Exec(ctx); err != nil {
		return nil, err
	}
	subjects := going.subjects()
	steps := []struct {
		statement string
		kind      artwork.SubjectKind
	}{
		{"INSERT INTO deleted_identities (issuer, subject, user_id) SELECT issuer, subject, user_id FROM account_identities WHERE user_id IN (?)", artwork.UserSubject},
		{"DELETE FROM users WHERE id IN (?)", artwork.UserSubject}, // and with them their accounts and sessions
		{"DELETE FROM library_folder_albums WHERE album_id IN (?)", artwork.AlbumSubject},
		{"DELETE FROM albums WHERE id IN (?)", artwork.AlbumSubject},
		{"DELETE FROM artists WHERE id IN (?)", artwork.ArtistSubject},
	}
	for _, step := range steps {
		if ids := idsOfKind(subjects, step.kind); len(ids) > 0 {
			if _, err := tx.ExecContext(ctx, step.statement, bun.List(uids(ids))); err != nil {
				return nil, err
			}
		}
	}
	return subjects, nil
}

// touch notes that every place of the subjects was modified, and what the activity log
// is to have.
func (b *Bin) touch(ctx context.Context, tx bun.Tx, fence artwork.Fence, subjects []artwork.Subject, entries []activity.Entry) error {
	if len(subjects) == 0 {
		return nil
	}
	board := newBoard()
	board.entries = entries
	var places []artwork.Place
	for _, subject := range subjects {
		for _, slot := range subject.Kind.Slots() {
			places = append(places, artwork.Place{Subject: subject, Slot: slot})
		}
	}
	for some := range slices.Chunk(places, chunkSize) {
		if err := b.images.lock(ctx, tx, board, some); err != nil {
			return err
		}
	}
	now := time.Now()
	for _, subject := range subjects {
		var before []time.Time
		for _, slot := range subject.Kind.Slots() {
			before = append(before, board.slots[artwork.Place{Subject: subject, Slot: slot}].LastModified.Time)
		}
		at := artwork.NextModified(now, before...)
		for _, slot := range subject.Kind.Slots() {
			place := artwork.Place{Subject: subject, Slot: slot}
			board.slots[place].LastModified = instant{at}
			board.changed[place] = true
			board.move(board.slots[place])
		}
	}
	return board.save(ctx, tx, b.db, fence)
}

// lockBinned returns those of the subjects that are in the bin, artists first.
func (b *Bin) lockBinned(ctx context.Context, tx bun.Tx, subjects []artwork.Subject) (rows []deletedRow, err error) {
	if len(subjects) == 0 {
		return nil, nil
	}
	query := ofSubjects(tx.NewSelect().Model(&rows).ColumnExpr("x.*"), "kind", "id", subjects).OrderExpr("x.kind, x.id")
	if err := b.db.engine.forUpdate(query).Scan(ctx); err != nil {
		return nil, err
	}
	slices.SortStableFunc(rows, func(x, y deletedRow) int { return cmp.Compare(x.subject().Kind, y.subject().Kind) })
	return rows, nil
}

// subject returns which one it is; of another release, the zero value.
func (r *deletedRow) subject() artwork.Subject {
	kind, _ := artwork.ParseSubjectKind(r.Kind)
	return artwork.Subject{Kind: kind, ID: artwork.ID(r.ID)}
}

// Find implements catalog.Bin.
func (b *Bin) Find(ctx context.Context, subject artwork.Subject) (catalog.Deleted, error) {
	var rows []deletedRow
	err := selectDeleted(b.db.read, &rows).Where("x.kind = ? AND x.id = ?", subject.Kind.String(), uid(subject.ID)).Scan(ctx)
	if err != nil {
		return catalog.Deleted{}, b.db.fail(ctx, "bunrepo.FindDeleted", err)
	}
	if len(rows) == 0 {
		return catalog.Deleted{}, notFound(subject.String() + " that can be restored")
	}
	return rows[0].deleted()
}

func selectDeleted(db bun.IDB, dest *[]deletedRow) *bun.SelectQuery {
	return db.NewSelect().Model(dest).ColumnExpr("x.*").
		ColumnExpr("CASE WHEN x.kind = ? THEN (SELECT count(*) FROM deleted_subjects AS w WHERE w.went_with = x.id) ELSE 0 END AS albums", artwork.ArtistSubject.String())
}

// List implements catalog.Bin.
func (b *Bin) List(ctx context.Context, query catalog.DeletedQuery) (page catalog.DeletedPage, err error) {
	if err := query.Check(); err != nil {
		return page, err
	}
	var rows []deletedRow
	wanted := selectDeleted(b.db.read, &rows).OrderExpr("x.deleted_at DESC, x.id DESC").Limit(int64(query.Limit) + 1)
	if query.Kind != 0 {
		wanted.Where("x.kind = ?", query.Kind.String())
	}
	if !query.With.IsZero() {
		wanted.Where("x.went_with = ?", uid(query.With))
	}
	if after := query.After; !after.IsZero() {
		wanted.Where("(x.deleted_at, x.id) < (?, ?)", stored(after.At), uid(after.ID))
	}
	if err := wanted.Scan(ctx); err != nil {
		return page, b.db.fail(ctx, "bunrepo.ListDeleted", err)
	}
	for i := range rows[:min(len(rows), query.Limit)] {
		one, err := rows[i].deleted()
		if err != nil {
			return page, b.db.fail(ctx, "bunrepo.ListDeleted", err)
		}
		page.Items = append(page.Items, one)
	}
	if len(rows) > query.Limit {
		page.Next = page.Items[query.Limit-1].Cursor()
	}
	return page, nil
}

// Forget implements catalog.Bin.
func (b *Bin) Forget(ctx context.Context, keep time.Duration, limit int) (subjects, records int, err error) {
	if limit <= 0 {
		return 0, 0, ctx.Err()
	}
	err = b.db.change(ctx, "bunrepo.ForgetDeleted", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		var rows []deletedRow
		old := tx.NewSelect().Model(&rows).Column("kind", "id").Where("x.deleted_at <= ?", b.db.engine.fromNow(-keep)).
			OrderExpr("x.deleted_at, x.id").Limit(int64(limit))
		if err := b.db.engine.skipLocked(old).Scan(ctx); err != nil || len(rows) == 0 {
			subjects, records = 0, 0
			return err
		}
		gone := make([]artwork.Subject, len(rows))
		for i := range rows {
			gone[i] = rows[i].subject()
		}
		subjects = len(gone)
		records, err = forgetSubjects(ctx, tx, gone)
		return err
	})
	if err != nil {
		return 0, 0, err
	}
	return subjects, records, nil
}

// forgetSubjects removes all that there is of subjects in the bin, and returns how many
// records of images that was.
func forgetSubjects(ctx context.Context, tx bun.Tx, gone []artwork.Subject) (records int, err error) {
	ofTheirs := func(query *bun.DeleteQuery) *bun.DeleteQuery {
		return ofSubjects(query, "subject_kind", "subject_id", gone)
	}
	for _, model := range []any{(*historyRow)(nil), (*slotRow)(nil), (*fillLearnedRow)(nil)} {
		if _, err := ofTheirs(tx.NewDelete().Model(model)).Exec(ctx); err != nil {
			return 0, err
		}
	}
	result, err := ofTheirs(tx.NewDelete().Model((*imageRow)(nil))).Exec(ctx)
	if err != nil {
		return 0, err
	}
	n, err := result.RowsAffected()
	if err != nil {
		return 0, err
	}
	if users := idsOfKind(gone, artwork.UserSubject); len(users) > 0 {
		if _, err := tx.NewDelete().Model((*deletedIdentityRow)(nil)).Where("user_id IN (?)", bun.List(uids(users))).Exec(ctx); err != nil {
			return 0, err
		}
	}
	_, err = ofSubjects(tx.NewDelete().Model((*deletedRow)(nil)), "kind", "id", gone).Exec(ctx)
	return int(n), err
}

// requireKept returns the Conflict of a subject that is in the bin, for who has just
// created one with its ID: what another transaction has deleted meanwhile is seen then.
func requireKept(ctx context.Context, tx bun.Tx, subjects ...artwork.Subject) error {
	for some := range slices.Chunk(subjects, chunkSize) {
		var rows []deletedRow
		if err := ofSubjects(tx.NewSelect().Model(&rows).Column("kind", "id"), "kind", "id", some).Limit(1).Scan(ctx); err != nil {
			return err
		}
		if len(rows) > 0 {
			return catalog.DeletedError(rows[0].subject())
		}
	}
	return nil
}
