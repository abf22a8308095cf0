package bunrepo_test

import (
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo"
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
					l.load(b)
					table = append([]string{"| list | asked | median ms | p95 ms | p99 ms | longest ms | CPU, median ms | CPU, p99 ms |", "| --- | --- | --- | --- | --- | --- | --- | --- |"}, l.measure(b)...)
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

// load asks for the first list, for which the index is made, and prints what that takes.
func (l *largeCatalogue) load(b *testing.B) {
	before := heap()
	var once sample
	once.take(func() { l.asked.pause(func() { l.listArtists(b)(first("")) }) })
	b.Logf("%s: the index took %v, of which the processor worked %v here, and takes %d MB",
		l.db.Kind(), once.took[0].Round(time.Millisecond), once.worked[0].Round(time.Millisecond), (heap()-before)>>20)
	b.ReportMetric(once.took[0].Seconds(), "load-s")
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// measured are the durations of what was asked, and the rows of a table of them.
type measured struct {
	rows []string
	all  sample
}

// sample is how long each of something took; and how long the processor worked for it in
// this process, for all its threads: which on SQLite is everything, and does not depend on
// what else the machine does.
type sample struct{ took, worked []time.Duration }

func (s *sample) take(do func()) {
	worked, begin := processorTime(), time.Now()
	do()
	s.took = append(s.took, time.Since(begin))
	s.worked = append(s.worked, processorTime()-worked)
}

func (s *sample) add(other sample) {
	s.took = append(s.took, other.took...)
	s.worked = append(s.worked, other.worked...)
}

func processorTime() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage)
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// took asks so many times, but for once before: then what a connection does once is done.
func (m *measured) took(b *testing.B, what string, times int, ask func()) {
	b.Helper()
	ask()
	var all sample
	for range times {
		all.take(ask)
	}
	m.rows = append(m.rows, row(what, all))
	m.all.add(all)
	b.Log(m.rows[len(m.rows)-1])
}

// measure asks for lists as people do who search, filter, sort and scroll.
func (l *largeCatalogue) measure(b *testing.B) []string {
	var m measured
	for _, what := range []struct {
		name string
		list func(catalog.Query) int
		kind artwork.SubjectKind
	}{{"artists", l.listArtists(b), artwork.ArtistSubject}, {"albums", l.listAlbums(b), artwork.AlbumSubject}} {
		l.measureTexts(b, &m, what.name, what.kind, what.list)
		l.measureFilters(b, &m, what.name, what.kind, what.list)
		for _, order := range orders(what.kind) {
			m.took(b, fmt.Sprintf("%s, sorted %s", what.name, order), 10, func() { what.list(sorted(b, first(""), order)) })
			m.took(b, fmt.Sprintf("%s, sorted %s, 3 letters typed", what.name, order), 10, func() { what.list(sorted(b, first(l.typed(what.kind)(3)), order)) })
		}
		m.took(b, what.name+", a page in the midst, by number", 10, func() { what.list(catalog.Query{Page: 900, PageSize: 50}) })
	}
	l.measureChanges(b, &m)
	m.rows = append(m.rows, row("**all**", m.all))
	b.ReportMetric(milliseconds(percentile(m.all.took, 99)), "p99-ms")
	b.ReportMetric(milliseconds(percentile(m.all.worked, 99)), "p99-CPU-ms")
	return m.rows
}

func (l *largeCatalogue) measureTexts(b *testing.B, m *measured, name string, kind artwork.SubjectKind, list func(catalog.Query) int) {
	const each = 100
	typed := l.typed(kind)
	for length := 1; length <= 6; length++ {
		m.took(b, fmt.Sprintf("%s, %d letters typed", name, length), each, func() { list(first(typed(length))) })
	}
	m.took(b, name+", a whole name typed", each, func() { list(first(typed(100))) })
	m.took(b, name+", ends of two words typed", each, func() { list(first(l.middles())) })
	for _, common := range []string{"the of", "love a", "live black blue", "the of in a", "a e i o u"} {
		m.took(b, fmt.Sprintf("%s, %q typed", name, common), each/5, func() { list(first(common)) })
	}
}

func (l *largeCatalogue) measureFilters(b *testing.B, m *measured, name string, kind artwork.SubjectKind, list func(catalog.Query) int) {
	const each = 10
	for _, q := range filters(kind) {
		m.took(b, fmt.Sprintf("%s, %s", name, describe(q)), each, func() { list(q) })
		m.took(b, fmt.Sprintf("%s, %s, from a cursor", name, describe(q)), each, func() { list(l.somewhere(q)) })
		for _, text := range []string{"the", "the a"} {
			q.Text = text
			m.took(b, fmt.Sprintf("%s, %s, %q typed", name, describe(q), text), each, func() { list(q) })
		}
		m.took(b, fmt.Sprintf("%s, %s, 3 letters typed", name, describe(q)), each, func() {
			q.Text = l.typed(kind)(3)
			list(q)
		})
	}
}

// measureChanges asks for what has just changed.
func (l *largeCatalogue) measureChanges(b *testing.B, m *measured) {
	artists, albums := bunrepo.NewArtists(l.db), l.listAlbums(b)
	var all sample
	for i := range 50 {
		artist := l.artists[i*7]
		artist.Name = fmt.Sprintf("Renamed %d", i)
		_, err := artists.Put(b.Context(), artwork.Actor{Name: "test"}, artist)
		require.NoError(b, err)
		all.take(func() { albums(first("renamed")) })
	}
	m.rows = append(m.rows, row("albums, of an artist who was just renamed", all))
	m.all.add(all)
}

func orders(kind artwork.SubjectKind) []string {
	if kind == artwork.AlbumSubject {
		return []string{"name", "-name", "-added", "-updated", "year", "-year"}
	}
	return []string{"name", "-name", "-added", "-updated"}
}

func sorted(b *testing.B, q catalog.Query, order string) catalog.Query {
	b.Helper()
	var err error
	q.Order, err = catalog.ParseOrder(order)
	require.NoError(b, err)
	return q
}

func row(what string, s sample) string {
	line := fmt.Sprintf("| %s | %d |", what, len(s.took))
	for _, percent := range []int{50, 95, 99, 100} {
		line += fmt.Sprintf(" %.1f |", milliseconds(percentile(s.took, percent)))
	}
	return line + fmt.Sprintf(" %.1f | %.1f |", milliseconds(percentile(s.worked, 50)), milliseconds(percentile(s.worked, 99)))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// percentile returns the least duration that so many of a hundred do not exceed.
func percentile(durations []time.Duration, percent int) time.Duration {
	sorted := slices.Sorted(slices.Values(durations))
	return sorted[max((len(sorted)*percent+99)/100-1, 0)]
}
