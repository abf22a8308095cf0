//go:build chance

package chaos

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/test/disturb"
	"gatefold/test/testenv"
)

var byChance = flag.Int("chaos.chance", 10, "with how many seeds each twin is run to see how often chance alone catches it")

// chanceTime is how long a fleet with a twin is under load.
const chanceTime = 20 * time.Second

// TestTwinsByChance counts how often the fleet under load and a short schedule of its own
// catches each twin. It is a measurement: only a fleet that keeps the rules fails it, if
// it is caught too.
func TestTwinsByChance(t *testing.T) {
	t.Parallel()
	seed := chosenSeed(t)
	path, err := program()
	require.NoError(t, err)
	for _, w := range append([]twin{{rule: "all rules are kept"}}, twins()...) {
		t.Run(w.rule, func(t *testing.T) {
			t.Parallel()
			var caught atomic.Int64
			t.Cleanup(func() { t.Logf("caught %d of %d: %s", caught.Load(), *byChance, w.rule) })
			for i := range *byChance {
				t.Run(fmt.Sprint("seed ", seed+uint64(i)), func(t *testing.T) {
					breaks := filepath.Join(t.TempDir(), "broken")
					require.NoError(t, os.WriteFile(breaks, []byte(w.rule), 0o600))
					f := newFleet(t, path, t.TempDir(), servers{database: testenv.Postgres(t), redis: testenv.RedisServer(t)},
						"L1_TTL="+copyTerm.String(), disturb.BrokenVariable+"="+breaks)
					x := &run{fleet: f, load: newWorkload(f, seed+uint64(i), *rate)}
					x.load.populate(1, 2)
					x.load.start()
					end := time.Now().Add(chanceTime)
					for round := 0; time.Now().Before(end); round++ {
						x.phase(harshly(seed+uint64(i), round), func() bool { return time.Now().Before(end) })
					}
					x.load.end()
					v := x.verdict()
					t.Log(x.summary(v))
					if len(v.found) > 0 {
						caught.Add(1)
						t.Log(strings.SplitAfter(v.found[0].String(), "\n")[0])
					}
				})
			}
			if w.edits == nil && w.play == nil {
				require.Zero(t, caught.Load())
			}
		})
	}
}

// harshly returns a round of what finds the most in a short time.
func harshly(seed uint64, round int) phase {
	var steps []step
	for _, p := range scheduleOf(seed, standalone, round, false) {
		for _, s := range p.steps {
			switch s.nemesis {
			case "stalls", "stalls and evictions", "Redis comes back with an older file", "a pause of Redis", "a kill":
				steps = append(steps, s)
			}
		}
	}
	return phase{steps: steps}
}
