package bunrepo

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
)

// Write gives tests the connections for changes.
func (db *DB) Write() *bun.DB { return db.write }

// Read gives tests the connections for reading.
func (db *DB) Read() *bun.DB { return db.read }

// Down takes every migration back.
func (db *DB) Down(ctx context.Context) error {
	provider, err := db.provider()
	if err != nil {
		return err
	}
	_, err = provider.DownTo(ctx, 0)
	return err
}

// WithoutServerDeadline returns the database as it would be if only the client
// watched the deadline of a fence, before it sends COMMIT.
func (db *DB) WithoutServerDeadline() *DB {
	return &DB{engine: clientDeadline{db.engine}, read: db.read, write: db.write, lists: db.lists}
}

type clientDeadline struct{ engine }

func (clientDeadline) endBy(context.Context, bun.Tx, time.Time) error { return nil }

// BeforeLock returns the database with a hook that is called before rows are
// locked; and, unless lock is true, as it would be if it did not lock them.
func (db *DB) BeforeLock(lock bool, hook func()) *DB {
	return &DB{engine: hookedLock{db.engine, lock, hook}, read: db.read, write: db.write, lists: db.lists}
}

type hookedLock struct {
	engine
	lock bool
	hook func()
}

func (h hookedLock) forUpdate(query *bun.SelectQuery) *bun.SelectQuery {
	h.hook()
	if h.lock {
		return h.engine.forUpdate(query)
	}
	return query
}

// Watched returns the database with a hook that is told of what is read.
func (db *DB) Watched(hook bun.QueryHook) *DB {
	return &DB{engine: db.engine, read: db.read.WithQueryHook(hook), write: db.write, lists: db.lists}
}

// Insert adds artists, albums, and images that are in force, without anything that
// belongs to a change. One of 256 slots is locked.
func (db *DB) Insert(ctx context.Context, artists []catalog.Artist, albums []catalog.Album, images []artwork.Record) error {
	now := time.Now()
	return db.write.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
		return cmp.Or(
			insertAll(ctx, tx, artists, func(a catalog.Artist) artistRow { return newArtistRow(a, now) }),
			insertAll(ctx, tx, albums, func(a catalog.Album) albumRow { return newAlbumRow(a, now) }),
			insertAll(ctx, tx, images, newImageRow),
			insertAll(ctx, tx, images, func(r artwork.Record) slotRow {
				image := newImageRow(r)
				return slotRow{
					SubjectKind: image.SubjectKind, SubjectID: image.SubjectID, Slot: image.Slot, ImageID: image.ID, Locked: r.ID[0] == 0,
					OriginPath: []byte{}, LastModified: stored(now), ChangedAt: neverChanged,
				}
			}),
		)
	})
}

func insertAll[T, R any](ctx context.Context, tx bun.Tx, all []T, rowOf func(T) R) error {
	for some := range slices.Chunk(all, 500) {
		rows := make([]R, len(some))
		for i, one := range some {
			rows[i] = rowOf(one)
		}
		if _, err := tx.NewInsert().Model(&rows).Exec(ctx); err != nil {
			return err
		}
	}
	return nil
}
