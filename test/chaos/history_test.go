package chaos

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// window is a stretch of time, counted from the beginning of a run.
type window struct{ from, to time.Duration }

func (w window) overlaps(other window) bool { return w.from <= other.to && other.from <= w.to }

func (w window) String() string {
	return fmt.Sprintf("%.4f..%.4f s", w.from.Seconds(), w.to.Seconds())
}

// reading is an answer that a reader was given.
type reading struct {
	window
	by, how string
}

// sight is all readings of one image in one place. Whether any of them was too old shows
// in the one that began last, and whether any came before its time or bound others, in
// the one that ended first.
type sight struct {
	count       int64
	first, last reading // that ended first, that began last
}

func (s *sight) add(r reading) {
	if s.count == 0 || r.to < s.first.to {
		s.first = r
	}
	if s.count == 0 || r.from > s.last.from {
		s.last = r
	}
	s.count++
}

// told is what a writer was told of a change.
type told int

const (
	acknowledged told = iota
	unconfirmed       // it is in force, but not everywhere yet
	unknown           // it may be in force, now or later
	undone            // it never was and never will be in force
)

func (w told) String() string {
	return [...]string{acknowledged: "acknowledged", unconfirmed: "not confirmed", unknown: "outcome unknown", undone: "refused"}[w]
}

// change is an attempt to put an image in force.
type change struct {
	window
	image string // the ID of its record
	tag   string // by which readers know it
	by    string
	told  told
	why   string // what was answered
}

// record is what happened to one place. Its methods may be called concurrently.
type record struct {
	mu      sync.Mutex
	sights  map[string]*sight // by the tag that was read; "": nothing
	changes []change
}

func (r *record) read(tag string, reading reading) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.sights == nil {
		r.sights = map[string]*sight{}
	}
	s := r.sights[tag]
	if s == nil {
		s = &sight{}
		r.sights[tag] = s
	}
	s.add(reading)
}

func (r *record) changed(c change) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes = append(r.changes, c)
}

// committed asks the database which images were put in force in each place, in their
// order. A change locks its place before it writes the row, so that the rows are numbered
// in the order of the commits.
func committed(ctx context.Context, db *pgx.Conn) (map[string][]string, error) {
	rows, err := db.Query(ctx, "SELECT subject_kind || ' ' || subject_id || ' ' || slot, image_id::text FROM history ORDER BY id")
	if err != nil {
		return nil, err
	}
	order := map[string][]string{}
	var place, image string
	_, err = pgx.ForEachRow(rows, []any{&place, &image}, func() error {
		order[place] = append(order[place], image)
		return nil
	})
	return order, err
}

// version is what the database put in force in a place at one time. Version 0 is the
// empty place.
type version struct {
	number   int
	change   change
	sight    *sight // nil: nobody saw it
	flapping bool   // its fence may have been lost: until it is acknowledged, readers may get older ones
}

// register is what happened to one place, with versions in place of images. What became
// of changes of unknown outcome is known now.
type register struct {
	place    string
	versions []version
	readings int64
	broken   []contradiction // that need no comparison of readings
}

// newRegister sorts what happened to a place. A change that was not acknowledged binds
// readers from settled on, and all changes that overlap one of the losses are those whose
// fences may have been lost.
func newRegister(place string, order []string, r *record, settled time.Duration, losses []window) *register {
	r.mu.Lock()
	defer r.mu.Unlock()
	g := &register{place: place, versions: make([]version, len(order)+1)}
	numbers := map[string]int{}
	for i, image := range order {
		numbers[image] = i + 1
	}
	tags := map[string]int{"": 0}
	for _, c := range r.changes {
		number, happened := numbers[c.image]
		switch {
		case happened && c.told == undone:
			g.breaks("lost", "%s was told %q, but it is in force: version %d, by %s at %s", c.by, c.why, number, c.by, c.window)
		case !happened && (c.told == acknowledged || c.told == unconfirmed):
			g.breaks("lost", "%s was told that %s is in force, at %s, but it is not", c.by, c.tag, c.window)
		}
		if happened {
			tags[c.tag] = number
			g.versions[number] = newVersion(number, c, settled, losses)
		}
	}
	for number := 1; number < len(g.versions); number++ {
		if g.versions[number].number == 0 {
			g.breaks("lost", "version %d (%s) is nobody's", number, order[number-1])
		}
	}
	for tag, s := range r.sights {
		g.readings += s.count
		number, known := tags[tag]
		if !known {
			g.breaks("phantom", "%s was given %s at %s, which never was in force", s.first.by, tag, s.first.window)
			continue
		}
		g.versions[number].sight = s
	}
	return g
}

func newVersion(number int, c change, settled time.Duration, losses []window) version {
	if c.told != acknowledged {
		c.to = max(c.to, settled)
	}
	return version{number: number, change: c, flapping: slices.ContainsFunc(losses, c.overlaps)}
}

func (g *register) breaks(kind, format string, args ...any) {
	g.broken = append(g.broken, contradiction{kind: kind, place: g.place, text: fmt.Sprintf(format, args...)})
}
