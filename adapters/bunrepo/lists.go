package bunrepo

import (
	"context"
	"database/sql"
	"slices"

	"github.com/uptrace/bun"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// List implements catalog.Repository. The lists' index says who is on the page; the database
// is asked for these alone.
func (s *subjects[T, R]) List(ctx context.Context, query catalog.Query) (page catalog.Page[T], err error) {
	if err := query.Check(s.kind); err != nil {
		return page, err
	}
	found, err := s.db.lists.find(ctx, s.db, s.kind, query)
	if err != nil {
		return page, s.db.fail(ctx, "bunrepo.List", err)
	}
	page.Total = found.Total
	if found.More {
		page.Next = query.CursorAt(found.At[len(found.At)-1])
	}
	if len(found.At) == 0 {
		return page, nil
	}
	err = s.db.read.RunInTx(ctx, s.db.engine.oneView(), func(ctx context.Context, tx bun.Tx) error {
		if page.Items, err = s.inOrder(ctx, tx, found.At); err != nil {
			return err
		}
		page.Images, err = s.images(ctx, tx, found.At)
		return err
	})
	if err != nil {
		return catalog.Page[T]{}, s.db.fail(ctx, "bunrepo.List", err)
	}
	return page, nil
}

// inOrder reads the subjects at the positions.
func (s *subjects[T, R]) inOrder(ctx context.Context, tx bun.Tx, at []catalog.Position) ([]T, error) {
	var rows []R
	if err := s.selectRows(&rows).Conn(tx).Where("s.id IN (?)", bun.List(idsAt(at))).Scan(ctx); err != nil {
		return nil, err
	}
	known := make(map[artwork.ID]R, len(rows))
	for _, row := range rows {
		known[row.key()] = row
	}
	var subjects []T
	for _, position := range at {
		if row, ok := known[position.ID]; ok { // else it was removed just now
			subjects = append(subjects, row.value())
		}
	}
	return subjects, nil
}

func idsAt(at []catalog.Position) []uid {
	ids := make([]uid, len(at))
	for i, position := range at {
		ids[i] = uid(position.ID)
	}
	return ids
}

// listedImages is inForce for many subjects.
const listedImages = `
SELECT s.subject_id, s.slot, s.image_id, s.locked, s.last_modified,
	i.hash, i.size, i.mime_type, i.width, i.height, i.thumb_hash, i.dominant_color, i.source, i.provider, i.focal_x, i.focal_y
FROM slots AS s JOIN images AS i ON i.id = s.image_id
WHERE s.subject_kind = ? AND s.subject_id IN (?)`

// images reads the images in force of the subjects at the positions.
func (s *subjects[T, R]) images(ctx context.Context, tx bun.Tx, at []catalog.Position) (map[artwork.ID]map[artwork.Slot]*artwork.Image, error) {
	var images map[artwork.ID]map[artwork.Slot]*artwork.Image
	err := eachRow(ctx, tx, listedImages, []any{s.kind.String(), bun.List(idsAt(at))}, func(rows *sql.Rows) error {
		var subject uid
		var name string
		var row inForceRow
		if err := rows.Scan(slices.Concat([]any{&subject, &name}, row.columns())...); err != nil {
			return err
		}
		slot, err := artwork.ParseSlot(name)
		if err != nil {
			return err
		}
		image, err := row.image()
		if err != nil {
			return err
		}
		if images == nil {
			images = map[artwork.ID]map[artwork.Slot]*artwork.Image{}
		}
		if images[artwork.ID(subject)] == nil {
			images[artwork.ID(subject)] = map[artwork.Slot]*artwork.Image{}
		}
		images[artwork.ID(subject)][slot] = image
		return nil
	})
	return images, err
}

// eachRow runs a statement and has every row read.
func eachRow(ctx context.Context, conn bun.IConn, query string, args []any, read func(*sql.Rows) error) error {
	rows, err := conn.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := read(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
