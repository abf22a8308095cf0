package bunrepo

import (
	"cmp"
	"context"
	"database/sql"
	"maps"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

// Images keeps which image is in force in every place, and the records of all
// that are known.
type Images struct{ db *DB }

var (
	_ artwork.ImageRepository = (*Images)(nil)
	_ artwork.ImageArchive    = (*Images)(nil)
)

// NewImages returns the images in the database.
func NewImages(db *DB) *Images { return &Images{db} }

// tables are the tables of the kinds of subject.
var tables = [...]bun.Ident{
	artwork.ArtistSubject: "artists",
	artwork.AlbumSubject:  "albums",
	artwork.UserSubject:   "users",
}

// inForce tells three things apart in one statement: no row, no subject; no
// image, an empty slot; the image. It is the statement that every miss of the
// cache runs, so it is one that is prepared once instead of bun's.
var inForce = [...]string{
	artwork.ArtistSubject: inForceIn("artists"),
	artwork.AlbumSubject:  inForceIn("albums"),
	artwork.UserSubject:   inForceIn("users"),
}

func inForceIn(table string) string {
	return `
SELECT s.image_id, s.locked, s.last_modified,
	i.hash, i.size, i.mime_type, i.width, i.height, i.thumb_hash, i.dominant_color, i.source, i.provider, i.focal_x, i.focal_y
FROM ` + table + ` AS t
LEFT JOIN slots AS s ON s.subject_kind = $1 AND s.subject_id = t.id AND s.slot = $2
LEFT JOIN images AS i ON i.id = s.image_id
WHERE t.id = $3`
}

// InForce implements artwork.ImageRepository.
func (m *Images) InForce(ctx context.Context, place artwork.Place) (*artwork.Image, error) {
	if err := place.Check(); err != nil {
		return nil, err
	}
	subject := place.Subject
	args := m.db.engine.prepared(subject.Kind.String(), place.Slot.String(), subject.ID.String())
	var row inForceRow
	begun := time.Now()
	err := m.db.read.DB.QueryRowContext(ctx, inForce[subject.Kind], args...).Scan(row.columns()...)
	m.db.tell(ctx, inForce[subject.Kind], begun, err)
	if isNoRow(err) {
		return nil, notFound(subject.String())
	}
	if err != nil {
		return nil, m.db.fail(ctx, "bunrepo.InForce", err)
	}
	image, err := row.image()
	return image, m.db.fail(ctx, "bunrepo.InForce", err)
}

// Add implements artwork.ImageArchive.
func (m *Images) Add(ctx context.Context, record artwork.Record) error {
	if err := record.Check(); err != nil {
		return err
	}
	return m.db.change(ctx, "bunrepo.Add", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		if _, err := m.db.hold(ctx, tx, []artwork.Subject{record.Place.Subject}); err != nil {
			return err
		}
		if _, err := insertRecords(ctx, tx, []artwork.Record{record}); err != nil {
			return err
		}
		_, err := offer(ctx, tx, []artwork.Record{record})
		return err
	})
}

// AddUploaded implements artwork.ImageArchive.
func (m *Images) AddUploaded(ctx context.Context, by artwork.Actor, record artwork.Record) error {
	if err := cmp.Or(by.Check(), record.Check()); err != nil {
		return err
	}
	return m.db.change(ctx, "bunrepo.AddUploaded", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		names, err := m.db.hold(ctx, tx, []artwork.Subject{record.Place.Subject})
		if err != nil {
			return err
		}
		added, err := insertRecords(ctx, tx, []artwork.Record{record})
		if err != nil {
			return err
		}
		offered, err := offer(ctx, tx, []artwork.Record{record})
		if err != nil || added+offered == 0 {
			return err
		}
		return note(ctx, tx, activity.OfUpload(by, record, names[record.Place.Subject]))
	})
}

// Find implements artwork.ImageArchive.
func (m *Images) Find(ctx context.Context, id artwork.ID) (artwork.Record, error) {
	var rows []imageRow
	if err := m.db.read.NewSelect().Model(&rows).Where("i.id = ?", uid(id)).Scan(ctx); err != nil {
		return artwork.Record{}, m.db.fail(ctx, "bunrepo.Find", err)
	}
	if len(rows) == 0 {
		return artwork.Record{}, notFound("image " + id.String())
	}
	record, err := rows[0].record()
	if err == nil {
		err = requireSubjects(ctx, m.db.read, []artwork.Subject{record.Place.Subject})
	}
	if artwork.KindOf(err) == artwork.NotFound {
		return artwork.Record{}, notFound("image " + id.String())
	}
	return record, m.db.fail(ctx, "bunrepo.Find", err)
}

// List implements artwork.ImageArchive.
func (m *Images) List(ctx context.Context, subject artwork.Subject, source artwork.Source) ([]artwork.ListedRecord, error) {
	if err := requireSubjects(ctx, m.db.read, []artwork.Subject{subject}); err != nil {
		return nil, m.db.fail(ctx, "bunrepo.List", err)
	}
	var rows []imageRow
	err := m.db.read.NewSelect().Model(&rows).
		ColumnExpr("i.*").
		ColumnExpr("EXISTS (?) AS in_force", m.db.read.NewSelect().TableExpr("slots AS s").ColumnExpr("1").
			Join("JOIN images AS f ON f.id = s.image_id").
			Where("s.subject_kind = i.subject_kind AND s.subject_id = i.subject_id AND s.slot = i.slot AND f.hash = i.hash AND f.source = i.source")).
		Where("i.focal_x IS NULL AND NOT i.withdrawn").
		Where("i.subject_kind = ? AND i.subject_id = ? AND i.source = ?", subject.Kind.String(), uid(subject.ID), source.String()).
		OrderExpr("i.added_at DESC, i.id").
		Scan(ctx)
	if err != nil {
		return nil, m.db.fail(ctx, "bunrepo.List", err)
	}
	listed := make([]artwork.ListedRecord, len(rows))
	for i := range rows {
		if listed[i].Record, err = rows[i].record(); err != nil {
			return nil, m.db.fail(ctx, "bunrepo.List", err)
		}
		listed[i].InForce = rows[i].InForce
	}
	return listed, nil
}

// History implements artwork.ImageArchive.
func (m *Images) History(ctx context.Context, subject artwork.Subject) ([]artwork.HistoryEntry, error) {
	const op = "bunrepo.History"
	if err := requireSubjects(ctx, m.db.read, []artwork.Subject{subject}); err != nil {
		return nil, m.db.fail(ctx, op, err)
	}
	var rows []historyRow
	err := m.db.read.NewSelect().Model(&rows).
		ColumnExpr("h.*").
		ColumnExpr("h.image_id = s.image_id AND NOT EXISTS (?) AS in_force", m.db.read.NewSelect().TableExpr("history AS later").ColumnExpr("1").
			Where("later.subject_kind = h.subject_kind AND later.subject_id = h.subject_id AND later.slot = h.slot AND later.id > h.id")).
		Join("JOIN slots AS s ON s.subject_kind = h.subject_kind AND s.subject_id = h.subject_id AND s.slot = h.slot").
		Where("h.subject_kind = ? AND h.subject_id = ?", subject.Kind.String(), uid(subject.ID)).
		OrderExpr("h.id DESC").
		Scan(ctx)
	if err != nil {
		return nil, m.db.fail(ctx, op, err)
	}
	ids := make([]artwork.ID, len(rows))
	for i := range rows {
		ids[i] = artwork.ID(rows[i].ImageID)
	}
	records, err := readRecords(ctx, m.db.read, ids)
	if err != nil {
		return nil, m.db.fail(ctx, op, err)
	}
	entries := make([]artwork.HistoryEntry, len(rows))
	for i, row := range rows {
		entries[i] = artwork.HistoryEntry{Record: records[ids[i]], AppliedBy: row.AppliedBy, AppliedAt: row.AppliedAt.Time, Act: artwork.Act(row.Act), InForce: row.InForce.Bool}
	}
	return entries, nil
}

// readRecords returns the records with the IDs.
func readRecords(ctx context.Context, db bun.IDB, ids []artwork.ID) (map[artwork.ID]artwork.Record, error) {
	records := map[artwork.ID]artwork.Record{}
	for some := range slices.Chunk(ids, chunkSize) {
		var rows []imageRow
		if err := db.NewSelect().Model(&rows).Where("i.id IN (?)", bun.List(uids(some))).Scan(ctx); err != nil {
			return nil, err
		}
		for i := range rows {
			record, err := rows[i].record()
			if err != nil {
				return nil, err
			}
			records[record.ID] = record
		}
	}
	return records, nil
}

// inForceRow is what the statement inForce selects: NULL in an empty slot.
type inForceRow struct {
	id                     uid
	locked                 sql.NullBool
	lastModified           instant
	hash, thumbHash        []byte
	size, width, height    sql.NullInt64
	mime, source, provider sql.NullString
	color                  sql.NullString
	focalX, focalY         sql.NullFloat64
}

func (r *inForceRow) columns() []any {
	return []any{
		&r.id, &r.locked, &r.lastModified,
		&r.hash, &r.size, &r.mime, &r.width, &r.height, &r.thumbHash, &r.color, &r.source, &r.provider, &r.focalX, &r.focalY,
	}
}

func (r *inForceRow) image() (*artwork.Image, error) {
	if artwork.ID(r.id).IsZero() {
		return nil, nil
	}
	row := imageRow{
		ID: r.id,
		contentRow: contentRow{
			Hash: r.hash, Size: r.size.Int64, MIMEType: r.mime.String,
			Width: int(r.width.Int64), Height: int(r.height.Int64), ThumbHash: r.thumbHash, Color: r.color.String,
		},
		FocalX: r.focalX, FocalY: r.focalY,
	}
	content, err := row.content()
	if err != nil {
		return nil, err
	}
	source, err := artwork.ParseSource(r.source.String)
	if err != nil {
		return nil, err
	}
	record := artwork.Record{ID: artwork.ID(r.id), Content: content, Source: source, Provider: r.provider.String, FocalPoint: row.focalPoint()}
	return artwork.SlotState{InForce: &record, Locked: r.locked.Bool, LastModified: r.lastModified.Time}.Image(), nil
}

// requireSubjects returns a NotFound error if one of the subjects does not
// exist.
func requireSubjects(ctx context.Context, db bun.IDB, subjects []artwork.Subject) error {
	_, err := namesOf(ctx, db, subjects, func(query *bun.SelectQuery) *bun.SelectQuery { return query })
	return err
}

// hold is requireSubjects for who writes, and returns what the subjects are called: none
// of them is deleted until the transaction ends.
func (db *DB) hold(ctx context.Context, tx bun.Tx, subjects []artwork.Subject) (map[artwork.Subject]string, error) {
	return namesOf(ctx, tx, subjects, db.engine.forReference)
}

// nameColumns say what the kinds of subject are called.
var nameColumns = [...]bun.Ident{
	artwork.ArtistSubject: "name",
	artwork.AlbumSubject:  "name",
	artwork.UserSubject:   "username",
}

// namesOf returns what the subjects are called, as rows that are locked as wanted, in
// the same order by everybody.
func namesOf(
	ctx context.Context, db bun.IDB, subjects []artwork.Subject, lock func(*bun.SelectQuery) *bun.SelectQuery,
) (map[artwork.Subject]string, error) {
	wanted := map[artwork.SubjectKind][]artwork.ID{}
	for _, s := range subjects {
		wanted[s.Kind] = append(wanted[s.Kind], s.ID)
	}
	names := map[artwork.Subject]string{}
	for _, kind := range slices.Sorted(maps.Keys(wanted)) {
		if int(kind) >= len(tables) || tables[kind] == "" {
			continue // nothing of such a kind is known
		}
		for some := range slices.Chunk(wanted[kind], chunkSize) {
			var found []struct {
				ID   uid
				Name string
			}
			query := db.NewSelect().TableExpr("? AS s", tables[kind]).ColumnExpr("s.id, s.? AS name", nameColumns[kind]).
				Where("s.id IN (?)", bun.List(uids(some))).OrderExpr("s.id")
			if err := lock(query).Scan(ctx, &found); err != nil {
				return nil, err
			}
			for _, subject := range found {
				names[artwork.Subject{Kind: kind, ID: artwork.ID(subject.ID)}] = subject.Name
			}
		}
	}
	for _, s := range subjects {
		if _, known := names[s]; !known {
			return nil, notFound(s.String())
		}
	}
	return names, nil
}

// chunkSize bounds how many things one statement names.
const chunkSize = 200

// insertRecords stores the records that are not known yet, and returns how many
// those are.
func insertRecords(ctx context.Context, tx bun.Tx, records []artwork.Record) (added int64, err error) {
	now := time.Now()
	for some := range slices.Chunk(records, chunkSize) {
		rows := make([]imageRow, len(some))
		for i, record := range some {
			if record.AddedAt.IsZero() {
				record.AddedAt = now
			}
			rows[i] = newImageRow(record)
		}
		result, err := tx.NewInsert().Model(&rows).On("CONFLICT (id) DO NOTHING").Exec(ctx)
		if err != nil {
			return added, err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return added, err
		}
		added += n
	}
	return added, nil
}
