package bunrepo_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gatefold/domain/artwork"
	"gatefold/domain/catalog"
	"gatefold/test/testenv"
)

// BenchmarkLists measures what lists of a large catalogue take, on both databases, and
// prints how these carry the statements out. Goal: 99 of 100 in less than 50 ms, and no
// table is read from one end to the other.
func BenchmarkLists(b *testing.B) {
	const artists, albums = 100_000, 500_000
	for _, name := range []string{"sqlite", "postgres"} {
		b.Run(name, func(b *testing.B) {
			url := "sqlite:" + filepath.Join(b.TempDir(), "gatefold.db")
			if name == "postgres" {
				url = testenv.Postgres(b)
			}
			l := fillCatalogue(b, url, artists, albums)
			var table []string
			for b.Loop() {
				if table == nil {
					table = append([]string{"| list | asked | median ms | p99 ms | longest ms |", "| --- | --- | --- | --- | --- |"}, l.measure(b)...)
				}
			}
			b.ReportMetric(0, "ns/op") // of everything, which says nothing
			b.Log("\n" + strings.Join(table, "\n"))
			plans := l.plans(b)
			for template, plan := range plans {
				b.Logf("%s\n%s", template, plan)
			}
			requireNoScans(b, plans)
		})
	}
}

// measure asks for lists as people do who search, filter and scroll.
func (l *largeCatalogue) measure(b *testing.B) []string {
	const each = 100
	var rows []string
	var all []time.Duration
	took := func(what string, times int, ask func()) {
		ask() // what a connection does once is done
		var durations []time.Duration
		for range times {
			begin := time.Now()
			ask()
			durations = append(durations, time.Since(begin))
		}
		rows = append(rows, row(what, durations))
		all = append(all, durations...)
		b.Log(rows[len(rows)-1])
	}
	for _, what := range []struct {
		name string
		list func(catalog.Query) int
		kind artwork.SubjectKind
	}{{"artists", l.listArtists(b), artwork.ArtistSubject}, {"albums", l.listAlbums(b), artwork.AlbumSubject}} {
		typed := l.typed(what.kind)
		for length := 1; length <= 6; length++ {
			took(fmt.Sprintf("%s, %d letters typed", what.name, length), each, func() { what.list(first(typed(length))) })
		}
		took(what.name+", a whole name typed", each, func() { what.list(first(typed(100))) })
		took(what.name+", ends of two words typed", each, func() { what.list(first(l.middles())) })
		for _, q := range filters(what.kind) {
			took(fmt.Sprintf("%s, %s", what.name, describe(q)), each/10, func() { what.list(q) })
			took(fmt.Sprintf("%s, %s, from a cursor", what.name, describe(q)), each/10, func() { what.list(l.somewhere(q)) })
			took(fmt.Sprintf("%s, %s, 3 letters typed", what.name, describe(q)), each/10, func() {
				q.Text = typed(3)
				what.list(q)
			})
		}
	}
	rows = append(rows, row("**all**", all))
	ms := percentile(all, 99)
	b.ReportMetric(float64(ms.Microseconds())/1000, "p99-ms")
	l.asked.pause(func() {
		took("albums, the last page by number", 5, func() { l.listAlbums(b)(catalog.Query{Page: len(l.albums) / 50, PageSize: 50}) })
	})
	return rows
}

func row(what string, durations []time.Duration) string {
	ms := func(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
	return fmt.Sprintf("| %s | %d | %.1f | %.1f | %.1f |", what, len(durations),
		ms(percentile(durations, 50)), ms(percentile(durations, 99)), ms(percentile(durations, 100)))
}

func percentile(durations []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(durations))
	return sorted[(len(sorted)-1)*percent/100]
}
