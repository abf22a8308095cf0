package chaos

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/anishathalye/porcupine"
)

// searchLimit bounds the search for a linearization of one place. The order of the
// changes is known, so that it is short.
const searchLimit = time.Minute

// contradiction is a broken promise, told by the few operations that contradict each
// other.
type contradiction struct {
	kind  string // stale, back, early, order, lost, phantom, porcupine
	place string
	older int // the version that was read
	newer int // the version that must have been, or 0
	text  string
	at    time.Duration
}

func (c contradiction) String() string { return fmt.Sprintf("%s, %s:\n%s", c.kind, c.place, c.text) }

// check compares what readers were given with what was certain when they asked. It finds
// every place and version that was read when it must not have been: of all readings of a
// version the last to begin is the oldest compared with what it should have been, and
// the first to end binds most.
func (g *register) check() (found []contradiction, excused int) {
	found = append(found, g.broken...)
	found = append(found, g.order()...)
	var answered, seen *version // of those that are newer: acknowledged first, seen first
	for i := len(g.versions) - 1; i >= 0; i-- {
		v := &g.versions[i]
		if s := v.sight; s != nil {
			switch {
			case answered != nil && s.last.from > answered.change.to:
				found = append(found, g.contradicts("stale", v, answered, answered.change.to))
			case seen != nil && s.last.from > seen.sight.first.to:
				if g.flapped(v.number, seen.number) {
					excused++
				} else {
					found = append(found, g.contradicts("back", v, seen, seen.sight.first.to))
				}
			}
			if v.number > 0 && s.first.to < v.change.from {
				found = append(found, g.contradicts("early", v, nil, s.first.to))
			}
			if seen == nil || s.first.to < seen.sight.first.to {
				seen = v
			}
		}
		if v.number > 0 && (answered == nil || v.change.to < answered.change.to) {
			answered = v
		}
	}
	return found, excused
}

// order finds changes that the database put in force in another order than that in which
// they were answered and asked for.
func (g *register) order() (found []contradiction) {
	var first *version // to be answered, of those that are newer
	for i := len(g.versions) - 1; i > 0; i-- {
		v := &g.versions[i]
		if first != nil && first.change.to < v.change.from {
			found = append(found, g.contradicts("order", v, first, first.change.to))
		}
		if first == nil || v.change.to < first.change.to {
			first = v
		}
	}
	return found
}

// flapped reports whether one of the changes that lead from the older version to the
// newer one may have lost its fence.
func (g *register) flapped(older, newer int) bool {
	for _, v := range g.versions[older+1 : newer+1] {
		if v.flapping {
			return true
		}
	}
	return false
}

// contradicts tells what is wrong by the operations that show it.
func (g *register) contradicts(kind string, older, newer *version, at time.Duration) contradiction {
	c := contradiction{kind: kind, place: g.place, older: older.number, at: at}
	lines := []string{older.made()}
	if newer != nil {
		c.newer = newer.number
		lines = append(lines, newer.made())
		if newer.sight != nil {
			lines = append(lines, newer.seen("first seen", newer.sight.first))
		}
	}
	if older.sight != nil {
		lines = append(lines, older.seen("still read", older.sight.last))
		if kind == "early" {
			lines = append(lines, older.seen("first seen", older.sight.first))
		}
	}
	c.text = strings.Join(lines, "\n")
	return c
}

func (v *version) made() string {
	if v.number == 0 {
		return "  version 0: the empty place"
	}
	return fmt.Sprintf("  version %d (%s): put in force through %s at %s: %s", v.number, v.change.tag, v.change.by, v.change.window, v.change.told)
}

func (v *version) seen(how string, r reading) string {
	return fmt.Sprintf("  version %d %s: %s, %s at %s; %d readings in all", v.number, how, r.by, r.how, r.window, v.sight.count)
}

// access is one operation on a register.
type access struct {
	kind    accessKind
	version int
	strict  bool // of a commit: nobody gets an older version after somebody got this one
	text    string
}

type accessKind int

const (
	reads accessKind = iota
	commits
	answers
)

// state is what is in force, and what a reader may get at least.
type state struct{ newest, required int }

// model is a register whose changes happen in the order in which the database committed
// them, after a version. A change whose fence may have been lost binds readers when it
// has answered, and every other one when it is committed.
func model(base int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return state{base, base} },
		Step: func(before, input, _ any) (bool, any) {
			s, a := before.(state), input.(access)
			switch a.kind {
			case commits:
				if a.version != s.newest+1 {
					return false, s
				}
				s.newest = a.version
				if a.strict {
					s.required = a.version
				}
				return true, s
			case answers:
				if a.version > s.newest {
					return false, s
				}
				s.required = max(s.required, a.version)
				return true, s
			default:
				return s.required <= a.version && a.version <= s.newest, s
			}
		},
		DescribeOperation: func(input, _ any) string { return input.(access).text },
		DescribeState: func(now any) string {
			s := now.(state)
			return fmt.Sprintf("version %d in force, %d at least", s.newest, s.required)
		},
	}
}

// operations are those that decide whether the versions from..to were read in their time.
func (g *register) operations(from, to int) (all []porcupine.Operation) {
	for i := from; i <= to; i++ {
		v := &g.versions[i]
		if i > from {
			c := v.change
			all = append(all, porcupine.Operation{
				ClientId: i, Call: int64(c.from), Return: int64(c.to),
				Input: access{commits, i, !v.flapping, fmt.Sprintf("version %d through %s: %s", i, c.by, c.told)},
			})
			if v.flapping {
				all = append(all, porcupine.Operation{ClientId: i, Call: int64(c.to), Return: int64(c.to), Input: access{kind: answers, version: i, text: "answered"}})
			}
		}
		if v.sight != nil {
			for _, r := range v.sight.ends() {
				all = append(all, porcupine.Operation{
					ClientId: i, Call: int64(r.from), Return: int64(r.to),
					Input: access{reads, i, false, fmt.Sprintf("version %d read: %s, %s", i, r.by, r.how)},
				})
			}
		}
	}
	for i := range all { // one client does one thing at a time
		all[i].ClientId = i
	}
	return all
}

// ends are the readings that decide: see sight.
func (s *sight) ends() []reading {
	if s.first == s.last {
		return []reading{s.first}
	}
	return []reading{s.first, s.last}
}

// linearizable asks porcupine whether every answer can be explained by a moment, between
// question and answer, at which the model gives it.
func (g *register) linearizable() porcupine.CheckResult {
	return porcupine.CheckOperationsTimeout(model(0), g.operations(0, len(g.versions)-1), searchLimit)
}

// picture writes the operations of a contradiction as a page for browsers and returns its
// name.
func (g *register) picture(dir string, number int, c contradiction) (string, error) {
	from, to := c.older, max(c.older, c.newer)
	if c.kind == "porcupine" {
		from, to = 0, len(g.versions)-1
	}
	m := model(from)
	_, info := porcupine.CheckOperationsVerbose(m, g.operations(from, to), searchLimit)
	path := filepath.Join(dir, fmt.Sprintf("%d-%s.html", number, c.kind))
	file, err := os.Create(path)
	if err != nil {
		return "", err
	}
	err = porcupine.Visualize(m, info, file)
	return path, firstOf(err, file.Close())
}

// verdict is what a run came to.
type verdict struct {
	places, versions int
	readings         int64
	excused          int
	found            []contradiction
	registers        map[string]*register
}

// judge checks all places, by counters and by porcupine, which must agree.
func judge(registers []*register) verdict {
	v := verdict{registers: map[string]*register{}}
	for _, g := range registers {
		v.places++
		v.versions += len(g.versions) - 1
		v.readings += g.readings
		v.registers[g.place] = g
		found, excused := g.check()
		v.excused += excused
		v.found = append(v.found, found...)
		if len(found) > 0 {
			continue // porcupine shows it in the picture
		}
		if result := g.linearizable(); result != porcupine.Ok {
			v.found = append(v.found, contradiction{kind: "porcupine", place: g.place, text: fmt.Sprintf("  porcupine says %s where the counters find nothing", result)})
		}
	}
	return v
}

// maxPictures bounds how many contradictions are drawn.
const maxPictures = 5

// report tells what was found, and draws the first of it in the folder.
func (v verdict) report(dir string, meanwhile func(time.Duration) string) string {
	var text strings.Builder
	for i, c := range v.found {
		if i == maxPictures {
			fmt.Fprintf(&text, "and %d more\n", len(v.found)-i)
			break
		}
		fmt.Fprintln(&text, c)
		if doing := meanwhile(c.at); doing != "" {
			fmt.Fprintf(&text, "  meanwhile: %s\n", doing)
		}
		path, err := v.registers[c.place].picture(dir, i+1, c)
		if err != nil {
			path = err.Error()
		}
		fmt.Fprintf(&text, "  as a picture: %s\n", path)
	}
	return text.String()
}
