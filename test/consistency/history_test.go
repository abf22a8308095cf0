package consistency

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// window is a stretch of time, counted from the beginning of a trial.
type window struct{ from, to time.Duration }

func (w window) overlaps(other window) bool { return w.from <= other.to && other.from <= w.to }

// reading is an answer that a reader was given.
type reading struct {
	window
	place int
	image artwork.ID // zero: the slot is empty
	by    string
	level artwork.Level
}

// change is an attempt to put an image in force.
type change struct {
	window
	place  int
	image  artwork.ID
	result result
	commit *window // from the last look at the fence until the database answered
}

// result is what a writer was told.
type result int

const (
	acknowledged result = iota
	unconfirmed         // it is in force, but not everywhere yet
	unknown             // it may be in force, now or later
	undone              // it never was and never will be in force
)

func (r result) String() string {
	return [...]string{acknowledged: "acknowledged", unconfirmed: "unconfirmed", unknown: "unknown", undone: "undone"}[r]
}

// history is what happened in a trial. Its methods may be called concurrently.
type history struct {
	mu       sync.Mutex
	readings []reading
	changes  []change
	losses   map[int][]window // of fences, by place
}

func (h *history) read(r reading) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.readings = append(h.readings, r)
}

func (h *history) changed(c change) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.changes = append(h.changes, c)
}

// lost notes that fences of the place may have been lost meanwhile.
func (h *history) lost(place int, when window) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.losses == nil {
		h.losses = map[int][]window{}
	}
	h.losses[place] = append(h.losses[place], when)
}

// committed asks the database which images were put in force in each place, in
// their order. A change locks its place before it writes the row, so that the
// rows are numbered in the order of the commits.
func committed(ctx context.Context, t *testing.T, db *pgx.Conn, places []artwork.Place) [][]artwork.ID {
	t.Helper()
	index := map[string]int{}
	for i, place := range places {
		index[place.String()] = i
	}
	rows, err := db.Query(ctx, "SELECT subject_kind || ' ' || subject_id || ' ' || slot, image_id::text FROM history ORDER BY id")
	require.NoError(t, err)
	order := make([][]artwork.ID, len(places))
	var place, image string
	_, err = pgx.ForEachRow(rows, []any{&place, &image}, func() error {
		i, known := index[place]
		if !known {
			return fmt.Errorf("a change of a strange place: %s", place)
		}
		order[i] = append(order[i], artwork.MustParseID(image))
		return nil
	})
	require.NoError(t, err)
	return order
}

// levels counts where the answers came from.
func (h *history) levels() map[artwork.Level]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	levels := map[artwork.Level]int{}
	for _, r := range h.readings {
		levels[r.level]++
	}
	return levels
}

// told counts what writers were told.
func (h *history) told() map[result]int {
	h.mu.Lock()
	defer h.mu.Unlock()
	told := map[result]int{}
	for _, c := range h.changes {
		told[c.result]++
	}
	return told
}

// register is what happened to one place, with versions in place of images: 0 is
// the empty slot, 1 the first image that was put in force. Only changes that
// happened are left: what became of those with an unknown outcome is known now.
type register struct {
	readings []versionRead
	changes  []versionWritten
	losses   []window
	// phantoms are readings of, and lost are answers about, what never happened.
	phantoms, lost int
}

type versionRead struct {
	window
	version int
	how     string
}

type versionWritten struct {
	window
	version int
	commit  window
}

// registers sorts a history by place. A change that was not acknowledged binds
// readers from settled on.
func (h *history) registers(order [][]artwork.ID, settled time.Duration) []register {
	h.mu.Lock()
	defer h.mu.Unlock()
	registers := make([]register, len(order))
	versions := make([]map[artwork.ID]int, len(order))
	for place, images := range order {
		versions[place] = map[artwork.ID]int{{}: 0}
		for i, image := range images {
			versions[place][image] = i + 1
		}
		registers[place].losses = h.losses[place]
	}
	for _, c := range h.changes {
		registers[c.place].add(c, versions[c.place], settled)
	}
	for _, r := range h.readings {
		version, known := versions[r.place][r.image]
		if !known {
			registers[r.place].phantoms++
			continue
		}
		registers[r.place].readings = append(registers[r.place].readings, versionRead{r.window, version, r.by + ", " + r.level.String()})
	}
	return registers
}

// add takes in a change if it happened, and notes an answer that was not true.
func (r *register) add(c change, versions map[artwork.ID]int, settled time.Duration) {
	version, happened := versions[c.image]
	switch {
	case happened && c.result == undone, !happened && (c.result == acknowledged || c.result == unconfirmed):
		r.lost++
	case happened:
		if c.result != acknowledged {
			c.to = max(c.to, settled)
		}
		r.changes = append(r.changes, versionWritten{c.window, version, *c.commit})
	}
}

// counts are the answers of a trial that break a promise.
type counts struct {
	stale    int // S: after a change had answered, older than it
	back     int // B: older than what somebody had seen before, though the change had not answered yet
	excused  int // as B, but the fence was lost during the commit: allowed
	phantoms int // of an image that never was in force
	lost     int // of writers that were told the opposite of what happened

	examples []string
}

func (c *counts) add(other counts) {
	c.stale += other.stale
	c.back += other.back
	c.excused += other.excused
	c.phantoms += other.phantoms
	c.lost += other.lost
	c.examples = append(c.examples, other.examples...)
}

// count compares each reading with what was certain when it began: the changes
// that had answered, and the readings that had ended. It takes the excused
// readings out of the register.
func (r *register) count() counts {
	c := counts{phantoms: r.phantoms, lost: r.lost}
	answered := slices.SortedFunc(slices.Values(r.changes), func(a, b versionWritten) int { return cmp.Compare(a.to, b.to) })
	seen := slices.SortedFunc(slices.Values(r.readings), func(a, b versionRead) int { return cmp.Compare(a.to, b.to) })
	slices.SortFunc(r.readings, func(a, b versionRead) int { return cmp.Compare(a.from, b.from) })
	var required, newest versionRead // the second is the latest that anybody saw
	kept := make([]versionRead, 0, len(r.readings))
	for _, reading := range r.readings {
		for len(answered) > 0 && answered[0].to < reading.from {
			required = later(required, versionRead{answered[0].window, answered[0].version, "answer"})
			answered = answered[1:]
		}
		for len(seen) > 0 && seen[0].to < reading.from {
			newest = later(newest, seen[0])
			seen = seen[1:]
		}
		switch {
		case reading.version < required.version:
			c.stale++
			c.note("S", reading, required)
		case reading.version >= newest.version:
		case r.excuses(reading.version):
			c.excused++
			continue
		default:
			c.back++
			c.note("B", reading, newest)
		}
		kept = append(kept, reading)
	}
	r.readings = kept
	return c
}

func later(a, b versionRead) versionRead {
	if b.version > a.version {
		return b
	}
	return a
}

// excuses reports whether the change that replaced the version lost its fence
// while it was committed.
func (r *register) excuses(version int) bool {
	for _, c := range r.changes {
		if c.version == version+1 {
			return slices.ContainsFunc(r.losses, c.commit.overlaps)
		}
	}
	return false
}

// maxExamples bounds how many broken promises are told in detail.
const maxExamples = 5

func (c *counts) note(what string, r, against versionRead) {
	if len(c.examples) < maxExamples {
		c.examples = append(c.examples, fmt.Sprintf("%s: version %d by %s at %s..%s, after version %d by %s at %s..%s", what,
			r.version, r.how, r.from, r.to, against.version, against.how, against.from, against.to))
	}
}
