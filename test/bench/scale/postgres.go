package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo"
	"gatefold/domain/artwork"
	"gatefold/test/bench/figures"
	"gatefold/test/bench/rig"
)

// large is a large library in a database.
type large struct {
	b      *rig.Bench
	url    string
	filled rig.Library
	conn   *pgx.Conn // for questions about the server
	db     *bunrepo.DB
	rows   map[string]float64 // of the tables
}

func (l *large) connect() {
	var err error
	l.conn, err = pgx.Connect(l.b.Context(), l.url)
	require.NoError(l.b, err)
	l.b.Cleanup(func() { _ = l.conn.Close(context.Background()) })
	l.db = l.open(l.url)
}

func (l *large) open(url string) *bunrepo.DB {
	db, err := bunrepo.Open(l.b.Context(), url)
	require.NoError(l.b, err)
	l.b.Cleanup(func() { _ = db.Close() })
	return db
}

// sizes returns a table of the tables that are not small.
func (l *large) sizes() string {
	l.rows = map[string]float64{}
	t := figures.Table{Header: []string{"table", "rows", "MB", "indexes, MB", "bytes a row, with indexes"}}
	rows, err := l.conn.Query(l.b.Context(), `SELECT relname, reltuples::float8, pg_table_size(oid)::float8, pg_indexes_size(oid)::float8
		FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY pg_total_relation_size(oid) DESC`)
	require.NoError(l.b, err)
	var name string
	var n, heap, indexes, all float64
	_, err = pgx.ForEachRow(rows, []any{&name, &n, &heap, &indexes}, func() error {
		l.rows[name] = n
		all += heap + indexes
		if n >= wholeTable {
			t.Add(name, n, heap/1e6, indexes/1e6, (heap+indexes)/n)
		}
		return nil
	})
	require.NoError(l.b, err)
	t.Add("**all**", "", "", "", "")
	t.Rows[len(t.Rows)-1][2] = figures.Number(all / 1e6)
	return fmt.Sprintf("%s artists, %s albums, %s images, %s of them in force:\n\n%s", figures.Number(float64(l.filled.Artists)), figures.Number(float64(l.filled.Albums)),
		figures.Number(float64(l.filled.Images())), figures.Number(l.rows["slots"]), t.String())
}

// lookups returns a table of what every miss of the cache and every apply asks for.
func (l *large) lookups() string {
	t := figures.Table{Header: []string{"of the database alone", "callers", "measured", "p50 ms", "p99 ms", "longest ms"}}
	images := bunrepo.NewImages(l.db)
	inForce := func(ctx context.Context, _ int) error {
		image, err := images.InForce(ctx, l.place())
		if err == nil && image == nil {
			return fmt.Errorf("there is an image that is not found")
		}
		return err
	}
	apply := func(ctx context.Context, _ int) error {
		_, err := images.Apply(ctx, artwork.Unfenced(), []artwork.Application{{Record: invented(l.place()), By: somebody}})
		return err
	}
	measure := func(what string, n, callers int, op func(context.Context, int) error) {
		l.b.Log("%s, %d callers", what, callers)
		l.b.Spread(min(n/10, 100), callers, op) // connections are there
		took := l.b.Spread(n, callers, op)
		t.Add(what, callers, n, figures.Quantile(took, 0.5), figures.Quantile(took, 0.99), figures.Quantile(took, 1))
	}
	for _, callers := range []int{1, 16} {
		measure("which image is in force, of any subject", rig.Or(l.b, 20_000, 500)*min(callers, 4), callers, inForce)
	}
	for _, callers := range []int{1, 8} {
		measure("an apply of a new image, durable on the disk", rig.Or(l.b, 1_000, 50)*min(callers, 4), callers, apply)
	}
	return t.String()
}

var somebody = artwork.Actor{Name: "bench"}

// place returns some place that has an image in force.
func (l *large) place() artwork.Place {
	switch n := rand.IntN(l.filled.Artists); rand.IntN(3) {
	case 0:
		return artwork.Place{Subject: artwork.Artist(rig.ArtistID(n)), Slot: artwork.SlotProfile}
	case 1:
		return artwork.Place{Subject: artwork.Artist(rig.ArtistID(n)), Slot: artwork.SlotBackground}
	default:
		return artwork.Place{Subject: artwork.Album(rig.AlbumID(n)), Slot: artwork.SlotCover}
	}
}

// invented returns the record of an image that nobody has seen before.
func invented(place artwork.Place) artwork.Record {
	id := artwork.NewID()
	return artwork.Record{
		ID: id, Place: place, Source: artwork.Custom, AddedBy: somebody.Name, AddedAt: time.Now(),
		Content: artwork.Content{Hash: artwork.HashOf(id[:]), Size: 180_000, MIMEType: "image/jpeg", Width: 1200, Height: 1200, DominantColor: "#808080"},
	}
}
