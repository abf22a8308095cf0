package chaos

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/test/badlink"
	"gatefold/test/crashpoint"
)

// topology is what a fleet's Redis is.
type topology string

const (
	standalone topology = "standalone"
	sentinel   topology = "Sentinel"
	cluster    topology = "Cluster"
)

var topologies = []topology{standalone, sentinel, cluster}

// step is one thing that is done to a fleet. All of it is decided when the schedule is
// made.
type step struct {
	nemesis string
	victim  int // the number of an instance; everybody: all
	link    string
	way     badlink.Way
	how     string
	lasts   time.Duration
}

const everybody = -1

// The servers that links lead to.
const (
	toRedis    = "Redis"
	toPostgres = "Postgres"
)

func (s step) String() string {
	words := []string{s.nemesis}
	if s.how != "" {
		words = append(words, fmt.Sprintf("(%s)", s.how))
	}
	switch {
	case s.link != "" && s.victim == everybody:
		words = append(words, "between all and "+s.link)
	case s.link != "":
		words = append(words, fmt.Sprintf("between instance %d and %s", s.victim+1, s.link))
	case s.victim != everybody:
		words = append(words, fmt.Sprintf("of instance %d", s.victim+1))
	}
	if s.way != "" {
		words = append(words, string(s.way))
	}
	if s.lasts > 0 {
		words = append(words, fmt.Sprintf("for %s", s.lasts.Round(10*time.Millisecond)))
	}
	return strings.Join(words, " ")
}

// phase is some steps, one after the other, and what goes on meanwhile.
type phase struct {
	meanwhile []step // of links
	steps     []step
}

func (p phase) String() string {
	var lines []string
	for _, s := range p.meanwhile {
		lines = append(lines, "  meanwhile "+s.String())
	}
	for _, s := range p.steps {
		lines = append(lines, "  "+s.String())
	}
	return strings.Join(lines, "\n")
}

// nemesis is a kind of harm.
type nemesis struct {
	name string
	on   []topology
	// draw returns what is to be done in one pass: all kinds of it that there are.
	draw func(d *rand.Rand, thorough bool) []step
	do   func(x *run, s step)
}

// nemeses are all kinds.
var nemeses = []nemesis{
	{"latency", topologies, drawLatency, (*run).badLink},
	{"resets", topologies, drawResets, (*run).badLink},
	{"a black hole", topologies, drawBlackHoles, (*run).badLink},
	{"stalls", topologies, drawStalls, (*run).stalls},
	{"stalls and evictions", []topology{standalone}, drawStalls, (*run).stallsAndEvictions},
	{"a pause of Redis", []topology{standalone}, drawPauses, (*run).pauseRedis},
	{"a pause of Postgres", []topology{standalone}, drawPauses, (*run).pausePostgres},
	{"a pause", topologies, drawPausesOfInstances, (*run).pauseInstance},
	{"a kill", topologies, drawKills, (*run).kill},
	{"Redis comes back empty", []topology{standalone}, drawOne, (*run).emptyRedis},
	{"Redis comes back with an older file", []topology{standalone}, drawOne, (*run).olderRedis},
	{"Redis is short of memory", []topology{standalone}, drawShortages, (*run).shortage},
	{"a full disk", []topology{standalone}, drawFullDisk, (*run).fullDisk},
	{"a wrong clock", topologies, drawClocks, (*run).wrongClock},
	{"moves to other cache modes", topologies, drawMoves, (*run).moves},
	{"a failover to a lagging replica", []topology{sentinel}, drawTwo, (*run).laggingFailover},
	{"slots move", []topology{cluster}, drawTwo, (*run).moveSlots},
	{"a master dies", []topology{cluster}, drawOne, (*run).killMaster},
}

func (n nemesis) is(on topology) bool { return slices.Contains(n.on, on) }

func between(d *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(d.Int64N(int64(most-least)+1))
}

// mortal returns an instance that may be killed.
func mortal(d *rand.Rand) int { return d.IntN(theConstant) }

// someLink returns the link of one instance, or seldom of all.
func someLink(d *rand.Rand, s step) step {
	s.victim = d.IntN(instances)
	if d.IntN(4) == 0 {
		s.victim = everybody
	}
	if s.link == "" {
		s.link = []string{toRedis, toPostgres}[d.IntN(2)]
	}
	return s
}

func drawLatency(d *rand.Rand, _ bool) (list []step) {
	for _, link := range []string{toRedis, toPostgres} {
		latency := between(d, 3*time.Millisecond, 80*time.Millisecond).Round(time.Millisecond)
		list = append(list, someLink(d, step{link: link, how: latency.String(), lasts: between(d, time.Second, 2*time.Second)}))
	}
	return list
}

func drawResets(d *rand.Rand, _ bool) (list []step) {
	for _, link := range []string{toRedis, toPostgres} {
		list = append(list, someLink(d, step{link: link, how: "RST", way: badlink.BothWays, lasts: between(d, 200*time.Millisecond, time.Second)}))
	}
	return list
}

// drawBlackHoles returns one in each direction. Those of half a minute are left to what
// goes on meanwhile, unless there is time.
func drawBlackHoles(d *rand.Rand, thorough bool) (list []step) {
	lengths := []time.Duration{time.Second, time.Second, 5 * time.Second}
	if thorough {
		lengths = []time.Duration{time.Second, 5 * time.Second, 30 * time.Second}
	}
	d.Shuffle(len(lengths), func(i, j int) { lengths[i], lengths[j] = lengths[j], lengths[i] })
	for i, way := range []badlink.Way{badlink.Questions, badlink.Answers, badlink.BothWays} {
		list = append(list, someLink(d, step{how: "nothing arrives", way: way, lasts: lengths[i]}))
	}
	return list
}

// drawStalls returns one, with a seed of its own for who is held up where.
func drawStalls(d *rand.Rand, _ bool) []step {
	return []step{{victim: everybody, how: fmt.Sprint("of seed ", d.Uint32()), lasts: between(d, 4*time.Second, 6*time.Second)}}
}

func drawPauses(d *rand.Rand, thorough bool) []step {
	most := 2 * time.Second
	if thorough {
		most = 12 * time.Second
	}
	return []step{{victim: everybody, how: "SIGSTOP", lasts: between(d, 500*time.Millisecond, most)}}
}

// drawPausesOfInstances returns, if there is time, also one that is so long that the
// others give the instance up.
func drawPausesOfInstances(d *rand.Rand, thorough bool) []step {
	list := []step{{victim: d.IntN(instances), how: "SIGSTOP", lasts: between(d, time.Second, 3*time.Second)}}
	if thorough && d.IntN(3) == 0 {
		list = append(list, step{victim: d.IntN(instances), how: "SIGSTOP", lasts: 40 * time.Second})
	}
	return list
}

// deaths are the steps of a change at which an instance is killed.
var deaths = []crashpoint.Point{
	crashpoint.Stored, crashpoint.Fenced, crashpoint.InTransaction, crashpoint.BeforeCommit,
	crashpoint.AfterCommit, crashpoint.FenceInPlace, crashpoint.NotForgotten, crashpoint.NotAnswered,
}

func drawKills(d *rand.Rand, _ bool) (list []step) {
	for _, p := range deaths {
		list = append(list, step{victim: mortal(d), how: p.Name})
	}
	return list
}

func drawFullDisk(d *rand.Rand, _ bool) []step {
	return []step{{victim: everybody, lasts: between(d, time.Second, 3*time.Second)}}
}

func drawOne(*rand.Rand, bool) []step { return []step{{victim: everybody}} }

func drawTwo(*rand.Rand, bool) []step { return []step{{victim: everybody}, {victim: everybody}} }

func drawShortages(d *rand.Rand, _ bool) (list []step) {
	for _, policy := range []string{"allkeys-lru", "noeviction"} {
		list = append(list, step{victim: everybody, how: policy, lasts: between(d, time.Second, 3*time.Second)})
	}
	return list
}

func drawClocks(d *rand.Rand, _ bool) []step {
	by := []string{"1h", "-1h"}[d.IntN(2)]
	return []step{{victim: mortal(d), how: by, lasts: between(d, 3*time.Second, 5*time.Second)}}
}

func drawMoves(*rand.Rand, bool) []step {
	return []step{{victim: everybody, how: "off, redis, off, twolevel"}}
}

// Of what a short pass does in each topology: the kills are shared out among them.
func shared(on topology, steps []step) []step {
	from := slices.Index(topologies, on) * len(steps) / len(topologies)
	to := (slices.Index(topologies, on) + 1) * len(steps) / len(topologies)
	return steps[from:to]
}

// scheduleOf returns the rounds of a schedule: each does everything once, in an order of
// its own, the last of it while one or two links are bad. It is all derived from the
// seed, the topology and the round.
func scheduleOf(seed uint64, on topology, round int, thorough bool) []phase {
	d := chance(seed, fmt.Sprintf("schedule of %s, round %d", on, round))
	var first, rest []step
	for _, n := range nemeses {
		if !n.is(on) {
			continue
		}
		steps := n.draw(d, thorough)
		for i := range steps {
			steps[i].nemesis = n.name
		}
		switch n.name {
		case "a kill":
			rest = append(rest, ifShort(!thorough, on, steps)...)
		case "moves to other cache modes":
			first = append(first, steps...) // moves wait for the dead
		default:
			rest = append(rest, steps...)
		}
	}
	d.Shuffle(len(rest), func(i, j int) { rest[i], rest[j] = rest[j], rest[i] })
	half := len(rest) / 2
	return []phase{
		{steps: append(first, rest[:half]...)},
		{meanwhile: meanwhile(d), steps: rest[half:]},
	}
}

func ifShort(short bool, on topology, steps []step) []step {
	if short {
		return shared(on, steps)
	}
	return steps
}

// meanwhile returns a black hole of half a minute between one instance and Redis, and
// some latency for another.
func meanwhile(d *rand.Rand) []step {
	first := d.IntN(instances)
	way := []badlink.Way{badlink.Questions, badlink.Answers, badlink.BothWays}[d.IntN(3)]
	return []step{
		{nemesis: "a black hole", victim: first, link: toRedis, how: "nothing arrives", way: way, lasts: 30 * time.Second},
		{
			nemesis: "latency", victim: (first + 1) % instances, link: toPostgres,
			how: between(d, 2*time.Millisecond, 20*time.Millisecond).Round(time.Millisecond).String(), lasts: 30 * time.Second,
		},
	}
}

// TestASeedMakesASchedule: the same one always, another one than others do, and with
// every nemesis in it.
func TestASeedMakesASchedule(t *testing.T) {
	t.Parallel()
	for _, thorough := range []bool{false, true} {
		killed := map[string]bool{}
		for _, on := range topologies {
			made := scheduleOf(1, on, 0, thorough)
			require.Equal(t, made, scheduleOf(1, on, 0, thorough))
			require.NotEqual(t, made, scheduleOf(2, on, 0, thorough))
			require.NotEqual(t, made, scheduleOf(1, on, 1, thorough))
			done := map[string]bool{}
			for _, p := range made {
				for _, s := range append(p.steps, p.meanwhile...) {
					done[s.nemesis] = true
					if s.nemesis == "a kill" {
						killed[s.how] = true
					}
				}
			}
			for _, n := range nemeses {
				require.Equal(t, n.is(on), done[n.name], "%s on %s", n.name, on)
			}
		}
		require.Len(t, killed, len(deaths), "every step of a change")
	}
}
