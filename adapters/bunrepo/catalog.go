package bunrepo

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Artists keeps the artists.
type Artists struct {
	subjects[catalog.Artist, artistRow]
}

// Albums keeps the albums.
type Albums struct {
	subjects[catalog.Album, albumRow]
}

// Users keeps the users.
type Users struct {
	subjects[catalog.User, userRow]
}

var (
	_ catalog.Artists = (*Artists)(nil)
	_ catalog.Albums  = (*Albums)(nil)
	_ catalog.Users   = (*Users)(nil)
)

// NewArtists returns the artists in the database.
func NewArtists(db *DB) *Artists {
	return &Artists{subjects[catalog.Artist, artistRow]{db: db, kind: artwork.ArtistSubject}}
}

// NewAlbums returns the albums in the database.
func NewAlbums(db *DB) *Albums {
	return &Albums{subjects[catalog.Album, albumRow]{db: db, kind: artwork.AlbumSubject}}
}

// NewUsers returns the users in the database.
func NewUsers(db *DB) *Users {
	return &Users{subjects[catalog.User, userRow]{db: db, kind: artwork.UserSubject}}
}

// Put implements catalog.Repository.
func (a *Artists) Put(ctx context.Context, by artwork.Actor, artist catalog.Artist) (created bool, err error) {
	if err := cmp.Or(by.Check(), artist.Check()); err != nil {
		return false, err
	}
	row := newArtistRow(artist, time.Now())
	created, err = a.put(ctx, by, artist.ID, &row, "name", "sort_name", "folded_name", "sort_key", "name_key", "mbid")
	if artwork.KindOf(err) == artwork.Conflict {
		return false, a.heldBy(ctx, err, "MBID", "mbid = ?", row.MBID)
	}
	return created, err
}

// SetBackgroundPosition implements catalog.Artists.
func (a *Artists) SetBackgroundPosition(ctx context.Context, by artwork.Actor, id artwork.ID, position string) error {
	if err := by.Check(); err != nil {
		return err
	}
	return a.db.change(ctx, "bunrepo.SetBackgroundPosition", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		var rows []artistRow
		if err := a.db.engine.forUpdate(tx.NewSelect().Model(&rows).Where("s.id = ?", uid(id))).Scan(ctx); err != nil {
			return err
		}
		if len(rows) == 0 {
			return notFound(artwork.Artist(id).String())
		}
		_, err := tx.NewUpdate().Model((*artistRow)(nil)).
			Set("background_position = ?, updated_at = ?", position, stored(time.Now())).Where("id = ?", uid(id)).Exec(ctx)
		if err != nil {
			return err
		}
		entry, changed := activity.OfBackgroundPosition(by, rows[0].value(), position)
		if !changed {
			return nil
		}
		return note(ctx, tx, entry)
	})
}

// Put implements catalog.Repository.
func (a *Albums) Put(ctx context.Context, by artwork.Actor, album catalog.Album) (created bool, err error) {
	if err := cmp.Or(by.Check(), album.Check()); err != nil {
		return false, err
	}
	row := newAlbumRow(album, time.Now())
	created, err = a.put(ctx, by, album.ID, &row,
		"artist_id", "name", "year", "folded_name", "sort_key", "name_key", "mbid", "release_group_mbid")
	switch artwork.KindOf(err) {
	case artwork.Conflict:
		return false, a.heldBy(ctx, err, "MBID", "mbid = ?", row.MBID)
	case artwork.NotFound:
		return false, notFound(artwork.Artist(album.ArtistID).String())
	default:
		return created, err
	}
}

// Put implements catalog.Repository.
func (u *Users) Put(ctx context.Context, by artwork.Actor, user catalog.User) (created bool, err error) {
	if err := cmp.Or(by.Check(), user.Check()); err != nil {
		return false, err
	}
	row := newUserRow(user, time.Now())
	created, err = u.put(ctx, by, user.ID, &row,
		"username", "display_name", "role", "folded_name", "folded_display", "sort_key", "name_key")
	if artwork.KindOf(err) == artwork.Conflict {
		return false, u.heldBy(ctx, err, "user name", "name_key = ?", row.NameKey)
	}
	return created, err
}

// subjects is what the repositories of the three kinds have in common.
type subjects[T any, R row[T]] struct {
	db   *DB
	kind artwork.SubjectKind
}

// row is a row of one of the tables.
type row[T any] interface {
	value() T
	key() artwork.ID
	// described returns what the activity log says of it.
	described() (name string, facts activity.Facts)
}

// Get implements catalog.Repository.
func (s *subjects[T, R]) Get(ctx context.Context, id artwork.ID) (T, error) {
	var none T
	var rows []R
	if err := s.selectRows(&rows).Where("s.id = ?", uid(id)).Scan(ctx); err != nil {
		return none, s.db.fail(ctx, "bunrepo.Get", err)
	}
	if len(rows) == 0 {
		return none, notFound(artwork.Subject{Kind: s.kind, ID: id}.String())
	}
	return rows[0].value(), nil
}

func (s *subjects[T, R]) selectRows(dest *[]R) *bun.SelectQuery {
	query := s.db.read.NewSelect().Model(dest).ColumnExpr("s.*")
	if s.kind == artwork.AlbumSubject {
		query.ColumnExpr("a.name AS artist_name").Join("JOIN artists AS a ON a.id = s.artist_id")
	}
	return query
}

// put inserts the row or, if its ID is known, updates the columns.
func (s *subjects[T, R]) put(ctx context.Context, by artwork.Actor, id artwork.ID, row *R, columns ...string) (created bool, err error) {
	if id.IsZero() {
		return false, artwork.Errorf(artwork.InvalidInput, "the %s has no ID", s.kind)
	}
	columns = append(columns, "updated_at")
	err = s.db.change(ctx, "bunrepo.Put", artwork.Unfenced(), func(ctx context.Context, tx bun.Tx) error {
		result, err := tx.NewInsert().Model(row).On("CONFLICT (id) DO NOTHING").Exec(ctx)
		if err != nil {
			return err
		}
		n, err := result.RowsAffected()
		if err != nil {
			return err
		}
		if created = n > 0; created {
			if err := requireKept(ctx, tx, artwork.Subject{Kind: s.kind, ID: id}); err != nil {
				return err
			}
			return s.tell(ctx, tx, by, id, nil, *row)
		}
		var before R
		if err := s.db.engine.forUpdate(tx.NewSelect().Model(&before).Where("s.id = ?", uid(id))).Scan(ctx); err != nil {
			return err
		}
		if _, err := tx.NewUpdate().Model(row).Column(columns...).WherePK().Exec(ctx); err != nil {
			return err
		}
		return s.tell(ctx, tx, by, id, &before, *row)
	})
	return created && err == nil, err
}

// tell has the activity log say what has changed, if anything has.
func (s *subjects[T, R]) tell(ctx context.Context, tx bun.Tx, by artwork.Actor, id artwork.ID, before *R, after R) error {
	var known activity.Facts
	if before != nil {
		_, known = (*before).described()
	}
	name, facts := after.described()
	entry, changed := activity.OfSubject(by, artwork.Subject{Kind: s.kind, ID: id}, name, known, facts)
	if !changed {
		return nil
	}
	return note(ctx, tx, entry)
}

// heldBy explains a conflict: it names who holds what can be held only once.
func (s *subjects[T, R]) heldBy(ctx context.Context, conflict error, what, condition string, value any) error {
	var holders []uid
	err := s.db.read.NewRaw("SELECT id FROM ? WHERE "+condition, tables[s.kind], value).Scan(ctx, &holders)
	if errors.Is(conflict, catalog.ErrDeleted) || err != nil || len(holders) == 0 {
		return conflict // it stays true, only with less to say
	}
	holder := artwork.Subject{Kind: s.kind, ID: artwork.ID(holders[0])}
	return &artwork.Error{Kind: artwork.Conflict, Msg: holder.String() + " has the same " + what, Err: conflict}
}
