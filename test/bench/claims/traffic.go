package main

import (
	"math"
	"math/rand/v2"
	"sort"
)

// traffic is requests for keys some of which are asked for more than others: the share of
// the n-th most popular is proportional to 1/n^skew (Zipf; 0: all alike). They come
// independently of each other, and each reaches any instance.
type traffic struct {
	keys int
	skew float64
	// perTTL is how many requests there are for a key, in the mean, while an entry lives.
	perTTL float64
}

// chooser returns what picks keys by their popularity.
func (t traffic) chooser(random *rand.Rand) func() int {
	cumulated := make([]float64, t.keys)
	total := 0.0
	for n := range cumulated {
		total += math.Pow(float64(n+1), -t.skew)
		cumulated[n] = total
	}
	return func() int {
		return min(sort.SearchFloat64s(cumulated, random.Float64()*total), t.keys-1)
	}
}

// hitRate plays the traffic through so many caches, of which each request meets one by
// chance, and returns how many of the requests they answer. Entries live for one unit of
// time from their fill; the first unit is not counted. A cache that all instances share is
// one cache.
func (t traffic) hitRate(caches int, random *rand.Rand) float64 {
	const units = 4
	filled := make([][]float64, caches)
	for i := range filled {
		filled[i] = make([]float64, t.keys)
		for n := range filled[i] {
			filled[i][n] = math.Inf(-1)
		}
	}
	choose := t.chooser(random)
	rate := t.perTTL * float64(t.keys)
	hits, all := 0, 0
	for now := random.ExpFloat64() / rate; now < units; now += random.ExpFloat64() / rate {
		entry := &filled[random.IntN(caches)][choose()]
		hit := now-*entry < 1
		if !hit {
			*entry = now
		}
		if now >= 1 {
			all++
			if hit {
				hits++
			}
		}
	}
	return float64(hits) / float64(max(all, 1))
}
