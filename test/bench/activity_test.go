package bench

import (
	"fmt"
	"path/filepath"
	"testing"

	"gatefold/adapters/bunrepo"
	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/testenv"
)

// BenchmarkActivity measures what the entry in the activity log adds to the
// transaction that puts an image in force: what a scan finds leaves none, what a
// person chose does, and everything else is the same.
func BenchmarkActivity(b *testing.B) {
	databases := map[string]string{
		"postgres": testenv.Postgres(b),
		"sqlite":   "sqlite:" + filepath.Join(b.TempDir(), "gatefold.db"),
	}
	once(b, "| database | callers | µs without an entry | µs with one | times as fast, median | goal |", func() []string {
		var rows []string
		for _, name := range []string{"postgres", "sqlite"} {
			db := openDatabase(b, databases[name])
			for _, callers := range []int{1, 8} {
				s := compete([]contender{applies(b, db, callers, true), applies(b, db, callers, false)})
				rows = append(rows, fmt.Sprintf("| %s | %d | %.0f | %.0f | %.2f | ≥ 0.75 |", name, callers,
					float64(s[0].perOp.Nanoseconds())/1000, float64(s[1].perOp.Nanoseconds())/1000, s[1].relative))
				b.ReportMetric(s[1].relative, fmt.Sprintf("x-%s-%d", name, callers))
			}
		}
		return rows
	})
}

func openDatabase(b *testing.B, url string) *bunrepo.DB {
	b.Helper()
	db, err := bunrepo.Open(b.Context(), url)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = db.Close() })
	if err := db.Migrate(b.Context()); err != nil {
		b.Fatal(err)
	}
	return db
}

// applies puts two images in force by turns, in a slot of its own for each caller.
func applies(b *testing.B, db *bunrepo.DB, callers int, automatic bool) contender {
	b.Helper()
	images := bunrepo.NewImages(db)
	by := artwork.Actor{Name: "bench", ID: artwork.NewID(), Address: "203.0.113.7", RequestID: "0123456789abcdef"}
	turns := make([][2]artwork.Application, callers)
	for caller := range turns {
		artist := catalog.Artist{ID: artwork.NewID(), Name: "Someone"}
		if _, err := bunrepo.NewArtists(db).Put(b.Context(), by, artist); err != nil {
			b.Fatal(err)
		}
		place := artwork.Place{Subject: artwork.Artist(artist.ID), Slot: artwork.SlotProfile}
		for n := range turns[caller] {
			content := picture(2*caller + n).Content
			turns[caller][n] = artwork.Application{
				Record:    artwork.Record{ID: artwork.NewID(), Place: place, Content: content, Source: artwork.Local, Provider: "library", AddedBy: "bench"},
				By:        by,
				Automatic: automatic,
				Origin:    artwork.Origin{Path: "/music/a.jpg"},
			}
		}
	}
	return contender{callers, 1, func(caller, i int) {
		outcomes, err := images.Apply(b.Context(), artwork.Unfenced(), turns[caller][i%2:i%2+1])
		if err != nil || i > 0 && outcomes[0].Result != artwork.Changed {
			b.Errorf("apply %d: %v %v", i, outcomes, err)
		}
	}}
}
