package managecache_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/managecache"
)

// TestABucketHoldsWhatItsBoundSays: what took exactly as long as a bound is at most it.
func TestABucketHoldsWhatItsBoundSays(t *testing.T) {
	bounds := managecache.Bounds()
	require.True(t, slices.IsSorted(bounds))
	require.Equal(t, 100*time.Nanosecond, bounds[0])
	require.Equal(t, 10*time.Second, bounds[len(bounds)-1])
	for i := range bounds[1:] {
		require.LessOrEqual(t, float64(bounds[i+1]), 1.34*float64(bounds[i]), "no figure is wrong by more than a third")
	}
	for i, bound := range bounds {
		for took, bucket := range map[time.Duration]int{bound: i, bound + 1: i + 1} {
			counters := managecache.NewCounters()
			counters.Took(managecache.StepLoad, took)
			timing := counters.Stats().LoadTime.Read
			want := managecache.Distribution{}
			want[bucket] = 1
			require.Equal(t, want, timing.Buckets, took)
			require.EqualValues(t, 1, timing.Count)
		}
	}
	bounds[0] = time.Hour
	require.NotEqual(t, bounds, managecache.Bounds(), "they cannot be changed")
}

func TestQuantile(t *testing.T) {
	var d managecache.Distribution
	_, ok := d.Quantile(0.5)
	require.False(t, ok)
	counters := managecache.NewCounters()
	for i := range 100 {
		counters.Took(managecache.StepAll, time.Duration(i)*time.Millisecond)
	}
	d = counters.Stats().ChangeTime.All.Buckets
	half, ok := d.Quantile(0.5)
	require.True(t, ok)
	require.InDelta(t, 50*time.Millisecond, half, float64(2*time.Millisecond))
	most, _ := d.Quantile(0.99)
	require.InDelta(t, 99*time.Millisecond, most, float64(2*time.Millisecond))
	least, _ := d.Quantile(0)
	require.LessOrEqual(t, least, time.Millisecond)

	d = managecache.Distribution{}
	d[len(d)-1] = 3
	most, _ = d.Quantile(0.5)
	require.Equal(t, 10*time.Second, most, "nothing is known beyond the last bound")
	require.EqualValues(t, 6, d.Plus(d).Count())
	require.Zero(t, d.Minus(d))
}
