// Package chaos runs fleets of the real program on real servers, has servers, networks,
// clocks and processes fail while clients read and change images, and checks every
// answer against the promise of the cache.
package chaos

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/test/testenv"
)

var (
	soak    = flag.Duration("chaos.soak", 0, "how long each topology is under load; 0: a short pass, which does everything once")
	seed    = flag.Uint64("chaos.seed", 0, "what all chance is derived from; 0: something new")
	only    = flag.String("chaos.only", "", "nemeses, separated by commas, to which the schedule is cut down; empty: all")
	rate    = flag.Int("chaos.rate", 6000, "readings a second of each fleet; 0: as many as there can be")
	reports = flag.String("chaos.reports", "", "the folder for pictures of broken promises; empty: a new one")
)

func TestMain(m *testing.M) {
	flag.Parse()
	var err error
	if builds, err = os.MkdirTemp("", "gatefold-chaos-"); err != nil {
		panic(err)
	}
	code := testenv.Main(m)
	_ = os.RemoveAll(builds) // what is left is in the folder for temporary files
	os.Exit(code)
}

const (
	// copyTerm is short, so that changes do not take long. What is proved does not depend
	// on its length.
	copyTerm = 100 * time.Millisecond
	// shortest is how long a fleet is under load at least: less tells nothing of leaks.
	shortest = 2 * time.Minute
	// enough is how many readings a pass is to check.
	enough = 1_000_000
)

// checked counts the readings of all fleets.
var checked atomic.Int64

// TestPass runs a fleet on each topology, with everything done to it that can happen to
// it. Nobody may get an image that is older than one whose change had answered before they
// asked; and nobody may step back from a newer image to an older one before that, unless
// the fence of the change may have been lost.
func TestPass(t *testing.T) {
	t.Parallel()
	seed := chosenSeed(t)
	_, err := program()
	require.NoError(t, err)
	t.Cleanup(func() {
		t.Logf("%d readings were checked, of %d that a pass is to check", checked.Load(), enough)
	})
	for _, on := range topologies {
		t.Run(string(on), func(t *testing.T) {
			t.Parallel()
			testTopology(t, on, seed)
		})
	}
}

func testTopology(t *testing.T, on topology, seed uint64) {
	path, err := program()
	require.NoError(t, err)
	size := 64
	if *soak > 0 {
		size = 1024
	}
	f := newFleet(t, path, disk(t, size), serversOf(t, on), "L1_TTL="+copyTerm.String())
	x := &run{fleet: f, load: newWorkload(f, seed, *rate), thorough: *soak > 0}
	x.load.populate(artists, albums)
	constant := f.instances[theConstant]
	before := quiet(t, constant)
	watched := startWatch(constant)
	begin := time.Now()
	x.load.start()
	x.perform(seed, on, begin.Add(underLoad()))
	x.load.end()
	under := watched.end()
	x.requireKept(seed)
	if *only == "" {
		requireFlat(t, before, under, quiet(t, constant))
	}
}

// underLoad is how long a fleet is under load at least.
func underLoad() time.Duration {
	if *only != "" {
		return *soak
	}
	return max(*soak, shortest)
}

// perform does the schedule: the first round to its end, and then as much as there is time
// for.
func (x *run) perform(seed uint64, on topology, end time.Time) {
	for round := 0; round == 0 || time.Now().Before(end); round++ {
		for i, p := range cutDown(scheduleOf(seed, on, round, x.thorough)) {
			x.fleet.t.Logf("round %d, part %d:\n%s", round+1, i+1, p)
			x.phase(p, func() bool { return round == 0 || time.Now().Before(end) })
		}
	}
}

// cutDown leaves out what is not wanted.
func cutDown(phases []phase) []phase {
	if *only == "" {
		return phases
	}
	wanted := strings.Split(*only, ",")
	unwanted := func(s step) bool { return !slices.Contains(wanted, s.nemesis) }
	for i := range phases {
		phases[i].steps = slices.DeleteFunc(phases[i].steps, unwanted)
		phases[i].meanwhile = slices.DeleteFunc(phases[i].meanwhile, unwanted)
	}
	return phases
}

// serversOf starts what a fleet on the topology needs.
func serversOf(t *testing.T, on topology) servers {
	t.Helper()
	switch on {
	case sentinel:
		return servers{database: testenv.Postgres(t), sentinel: testenv.Sentinel(t)}
	case cluster:
		// A busy machine must not have failovers that nobody asked for.
		return servers{database: testenv.Postgres(t), cluster: testenv.RedisCluster(t, "--cluster-node-timeout 3000")}
	default:
		postgres := testenv.PostgresServer(t)
		return servers{postgres: postgres, database: postgres.URL(), redis: testenv.RedisServer(t)}
	}
}

func chosenSeed(t *testing.T) uint64 {
	t.Helper()
	chosen := *seed
	if chosen == 0 {
		chosen = uint64(rand.Uint32())
	}
	t.Logf("-chaos.seed=%d", chosen)
	return chosen
}

// quiet waits until an instance has nothing to do and returns what it uses then.
func quiet(t *testing.T, in *instance) usage {
	t.Helper()
	var u usage
	for range 5 {
		time.Sleep(200 * time.Millisecond)
		var err error
		u, err = in.usage(t.Context())
		require.NoError(t, err)
	}
	return u
}

// requireKept lets the fleet finish what is left to be done, reads everything once more,
// and requires that no promise was broken.
func (x *run) requireKept(seed uint64) {
	t := x.fleet.t
	t.Helper()
	v := x.verdict()
	checked.Add(v.readings)
	t.Log(x.summary(v))
	for _, s := range x.load.surprises {
		t.Errorf("what nothing explains: %s", s)
	}
	if len(v.found) > 0 {
		dir := reportFolder(t)
		t.Errorf("%d broken promises, with -chaos.seed=%d; pictures are in %s\n%s", len(v.found), seed, dir, v.report(dir, x.meanwhile))
	}
}

func reportFolder(t *testing.T) string {
	t.Helper()
	dir := *reports
	if dir == "" {
		var err error
		dir, err = os.MkdirTemp("", "gatefold-chaos-report-")
		require.NoError(t, err)
		return dir
	}
	require.NoError(t, os.MkdirAll(dir, 0o755))
	return dir
}

// verdict ends the run and judges it.
func (x *run) verdict() verdict {
	t := x.fleet.t
	t.Helper()
	x.fleet.heal()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	pending := -1
	for pending != 0 && ctx.Err() == nil {
		require.NoError(t, x.fleet.truth.QueryRow(ctx, "SELECT count(*) FROM cache_pending").Scan(&pending))
		time.Sleep(50 * time.Millisecond)
	}
	if pending != 0 {
		t.Errorf("%d changes of dead writers were not finished", pending)
	}
	time.Sleep(2 * copyTerm)
	x.load.settle()
	time.Sleep(time.Millisecond)
	if err := x.load.readEverything(ctx); err != nil {
		t.Error(err)
	}
	order, err := committed(context.Background(), x.fleet.truth)
	require.NoError(t, err)
	registers := make([]*register, len(x.load.places))
	for i, p := range x.load.places {
		registers[i] = newRegister(p.name, order[p.name], &p.record, x.load.settled, x.losses)
	}
	return judge(registers)
}

// summary tells what a run came to.
func (x *run) summary(v verdict) string {
	var told []string
	x.load.outcomes.Range(func(outcome, n any) bool {
		told = append(told, fmt.Sprintf("%v: %d", outcome, n.(*atomic.Int64).Load()))
		return true
	})
	slices.Sort(told)
	return fmt.Sprintf("%d readings of %d places checked (%d with bytes, %d questions without an answer), %d versions; changes: %s; broken promises: %d; steps back that a lost fence excuses: %d; in %.0f s",
		v.readings, v.places, x.load.bodies.Load(), x.load.failures.Load(), v.versions, strings.Join(told, ", "), len(v.found), v.excused, x.load.now().Seconds())
}
