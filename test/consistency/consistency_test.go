// Package consistency races readers and writers of the image cache against each
// other on real servers, while goroutines are stalled and servers and networks
// fail, and counts every answer that breaks the cache's promise.
package consistency

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/stretchr/testify/require"

	"gatefold/test/testenv"
)

var (
	runs       = flag.Int("consistency.runs", 1, "how often each scenario is run")
	operations = flag.Int("consistency.ops", 2000, "how many operations each instance does in a run, at least")
	seed       = flag.Uint64("consistency.seed", 0, "what all chance is derived from; 0: something new")
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// TestGuarantee: after a change has answered nobody gets an older image; and
// between its commit and its answer nobody who saw the new image gets the older
// one, unless a fence was lost during that commit.
func TestGuarantee(t *testing.T) {
	seed := chosenSeed(t)
	results := &table{}
	t.Cleanup(func() { t.Log("\n" + results.String()) })
	for i := range *runs {
		t.Run(fmt.Sprint("run ", i+1), func(t *testing.T) {
			for _, s := range scenarios() {
				t.Run(s.name, func(t *testing.T) {
					t.Parallel()
					sum := run(t, s.completed(), seed+uint64(i), *operations)
					results.add(s.name, sum)
					t.Log(sum)
					requireKept(t, sum)
				})
			}
		})
	}
}

// requireKept requires that no promise was broken.
func requireKept(t *testing.T, sum total) {
	t.Helper()
	for _, example := range sum.examples {
		t.Log(example)
	}
	require.Zero(t, sum.stale, "S: readings that began after a change had answered and were older")
	require.Zero(t, sum.back, "B: steps back before a change had answered, though its fence held")
	require.Zero(t, sum.phantoms, "readings of what never was in force")
	require.Zero(t, sum.lost, "changes of which the opposite was said")
	require.Equal(t, porcupine.Ok, sum.verdict)
}

func chosenSeed(t *testing.T) uint64 {
	t.Helper()
	chosen := *seed
	if chosen == 0 {
		chosen = uint64(rand.Uint32())
	}
	t.Logf("-consistency.seed=%d", chosen)
	return chosen
}

// table sums up the runs of each scenario.
type table struct {
	mu   sync.Mutex
	rows map[string]*row
}

type row struct {
	total
	runs     int
	verdicts map[porcupine.CheckResult]int
}

// String is the whole of one trial, for logs.
func (sum total) String() string {
	return fmt.Sprintf("%d operations, %d fetches %v, %d changes %v: S %d, B %d (excused %d), %s, in %s", sum.operations, sum.fetches, sum.levels,
		sum.changes, sum.told, sum.stale, sum.back, sum.excused, sum.verdict, sum.took.Round(100*time.Millisecond))
}

func (b *table) add(scenario string, sum total) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rows == nil {
		b.rows = map[string]*row{}
	}
	r := b.rows[scenario]
	if r == nil {
		r = &row{verdicts: map[porcupine.CheckResult]int{}}
		b.rows[scenario] = r
	}
	r.runs++
	r.operations += sum.operations
	r.fetches += sum.fetches
	r.changes += sum.changes
	r.add(sum.counts)
	r.took += sum.took
	r.verdicts[sum.verdict]++
}

func (b *table) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "scenario\truns\toperations\tfetches\tchanges\tS\tB\tlinearizable\tseconds")
	for _, s := range scenarios() {
		r := b.rows[s.name]
		if r == nil {
			continue
		}
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%s\t%d of %d\t%.1f\n", s.name, r.runs, r.operations, r.fetches, r.changes,
			r.stale, r.backs(), r.verdicts[porcupine.Ok], r.runs, r.took.Seconds())
	}
	_ = w.Flush()
	return text.String()
}

// backs tells the steps back, and how many more of them a lost fence excuses.
func (r *row) backs() string {
	if r.excused == 0 {
		return fmt.Sprint(r.back)
	}
	return fmt.Sprintf("%d (+%d excused)", r.back, r.excused)
}
