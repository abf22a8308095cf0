package managecache

import (
	"slices"
	"sync/atomic"
	"time"
)

const (
	// decades are told apart, from 100 ns to 10 s, in steps of no more than a third.
	decades, leastBound = 8, 100 * time.Nanosecond
	// buckets is how many a distribution has: one for each bound, and one for what
	// took longer than all of them.
	buckets = decades*10 + 2
)

// bounds are what a bucket's times are at most.
var bounds = makeBounds()

func makeBounds() (all [buckets - 1]time.Duration) {
	steps := [10]time.Duration{100, 125, 160, 200, 250, 320, 400, 500, 630, 800} // hundredths
	decade := leastBound
	for i := range all {
		if i > 0 && i%len(steps) == 0 {
			decade *= 10
		}
		all[i] = decade * steps[i%len(steps)] / 100
	}
	return all
}

// Bounds returns the times that a Distribution tells apart, in ascending order: the
// same in every process of a release.
func Bounds() []time.Duration { return slices.Clone(bounds[:]) }

// Distribution says how often something took how long: [i] of them took at most
// Bounds()[i] and longer than the bound before. The last took longer than every
// bound.
type Distribution [buckets]int64

// Count returns how many were measured.
func (d Distribution) Count() (n int64) {
	for _, in := range d {
		n += in
	}
	return n
}

// Plus returns what was measured here and there.
func (d Distribution) Plus(other Distribution) Distribution {
	for i, n := range other {
		d[i] += n
	}
	return d
}

// Minus returns what was measured since the other was taken.
func (d Distribution) Minus(other Distribution) Distribution {
	for i, n := range other {
		d[i] -= n
	}
	return d
}

// filled returns the buckets that something is in.
func (d Distribution) filled() map[int]int64 {
	filled := map[int]int64{}
	for i, n := range d {
		if n != 0 {
			filled[i] = n
		}
	}
	return filled
}

func distributionOf(filled map[int]int64) (d Distribution) {
	for i, n := range filled {
		if i >= 0 && i < len(d) {
			d[i] = n
		}
	}
	return d
}

// Quantile returns the time that the share q of what was measured took at most; it
// is exact to the bucket, and in between as if times were spread evenly. What took
// longer than every bound counts as the last of them. ok is false if nothing was
// measured.
func (d Distribution) Quantile(q float64) (at time.Duration, ok bool) {
	all := d.Count()
	if all == 0 {
		return 0, false
	}
	rank := q * float64(all)
	var below, seen float64
	for i, n := range d[:len(bounds)] {
		if seen+float64(n) >= rank && n > 0 {
			share := (rank - seen) / float64(n)
			return time.Duration(below + share*(float64(bounds[i])-below)), true
		}
		seen, below = seen+float64(n), float64(bounds[i])
	}
	return bounds[len(bounds)-1], true
}

// stopwatch adds up times. The zero value is ready for use.
type stopwatch struct {
	measured     [buckets]atomic.Int64
	sum, longest atomic.Int64
}

func (w *stopwatch) took(d time.Duration) {
	i, _ := slices.BinarySearch(bounds[:], d)
	w.measured[i].Add(1)
	w.sum.Add(int64(d))
	for longest := w.longest.Load(); int64(d) > longest && !w.longest.CompareAndSwap(longest, int64(d)); {
		longest = w.longest.Load()
	}
}

func (w *stopwatch) timing() Timing {
	t := Timing{SumMs: milliseconds(w.sum.Load()), MaxMs: milliseconds(w.longest.Load())}
	for i := range t.Buckets {
		t.Buckets[i] = w.measured[i].Load()
	}
	t.Count = t.Buckets.Count()
	return t
}
