// Command claims measures what the guide claims of a shared cache, beside the design that it
// begins with: a map in each process, with a timer for each entry, on Node. It writes what it
// finds into docs/benchmarks.md.
package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"time"

	"gatefold/test/bench/figures"
	"gatefold/test/bench/rig"
)

const document = "docs/benchmarks.md"

func main() { rig.Main(run) }

func run(b *rig.Bench) {
	parts := []struct {
		name    string
		measure func(b *rig.Bench) string
	}{
		{"Hit rate", hitRates}, {"Memory", memory}, {"Response time of a hit", responseTimes},
		{"What a restart leaves", restarts}, {"Staleness after an apply", staleness},
	}
	text := figures.Machine(time.Now(), "node --version", "redis-server --version", "wrk -v") + "\n"
	for _, part := range parts {
		b.Log("%s", part.name)
		b.Scope(func() { text += "\n### " + part.name + "\n\n" + strings.Trim(part.measure(b), "\n") + "\n" })
	}
	b.Publish(document, "claims", text)
}

// startMap starts an instance of the guide's first design.
func startMap(b *rig.Bench, ttl time.Duration, environ ...string) *rig.Server {
	return b.Node("map with timers", "test/bench/claims/mapcache.js", append(environ, fmt.Sprintf("TTL_MS=%d", ttl.Milliseconds()))...)
}

// instances is how many the guide speaks of.
const instances = 4

func hitRates(b *rig.Bench) string {
	measured := realHitRates(b)
	keys := rig.Or(b, 100_000, 2_000)
	byVolume := figures.Table{Header: []string{"requests for a key while an entry lives, in the mean", "maps, 2 instances", "maps, 4", "maps, 8", "shared", "shared against 4 maps"}}
	best, at := 0.0, 0.0
	for _, perTTL := range []float64{0.03, 0.1, 0.3, 1, 3, 10, 30} {
		gain := addRates(&byVolume, perTTL, traffic{keys, 1, perTTL})
		if gain > best {
			best, at = gain, perTTL
		}
	}
	bySkew := figures.Table{Header: []string{"skew, at 1 request", "maps, 2 instances", "maps, 4", "maps, 8", "shared", "shared against 4 maps"}}
	for _, skew := range []float64{0, 0.6, 0.8, 1, 1.2} {
		addRates(&bySkew, skew, traffic{keys, skew, 1})
	}
	return measured + fmt.Sprintf("\nWhat decides the difference, by playing traffic through the rules of both (%s keys, Zipf with skew 1, at any time to live: what counts is how many requests meet an entry while it lives):\n\n%s\n%s\n",
		figures.Number(float64(keys)), byVolume.String(), bySkew.String()) + verdictOnHitRate(best, at)
}

// addRates adds a row and returns the gain of the shared cache over four maps, in points.
func addRates(t *figures.Table, label float64, of traffic) float64 {
	random := rand.New(rand.NewPCG(1, uint64(label*100)))
	cells := []any{fmt.Sprint(label)}
	var rates [3]float64
	for i, caches := range []int{2, instances, 8} {
		rates[i] = of.hitRate(caches, random)
		cells = append(cells, figures.Percent(rates[i]))
	}
	shared := of.hitRate(1, random)
	gain := 100 * (shared - rates[1])
	t.Add(append(cells, figures.Percent(shared), points(gain))...)
	return gain
}

func points(x float64) string { return fmt.Sprintf("%+.1f points", x) }

// verdictOnHitRate holds the claim against what was found.
func verdictOnHitRate(best, at float64) string {
	// With x requests while an entry lives, x/(1+x) are hits, and (x/n)/(1+x/n) with n maps:
	// the difference is largest where x is the root of n.
	n := float64(instances)
	bound := 100 * (math.Sqrt(n)/(1+math.Sqrt(n)) - 1/(1+math.Sqrt(n)))
	return fmt.Sprintf("**Claimed: +30 to 40 points.** With %d instances, and requests that come independently, no traffic can gain more than %.1f points, and that only if every key is asked for exactly %.0f times while an entry lives. "+
		"Of skewed traffic it is %.1f points at most (at %v requests for a key). Where there are few requests nothing is a hit anywhere, and where there are many everything is. It grows with the number of instances: the more, the more often each of them has to learn what another one knows.",
		instances, bound, math.Sqrt(n), best, at)
}
