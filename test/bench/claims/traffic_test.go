package main

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
)

// Where all keys are alike, an entry answers all requests of its life but the first: of x
// requests in the life of an entry, x/(1+x) are hits.
func TestHitRateIsWhatTheoryHasForUniformKeys(t *testing.T) {
	t.Parallel()
	for _, perTTL := range []float64{0.5, 2, 8} {
		for _, caches := range []int{1, 4} {
			x := perTTL / float64(caches)
			rate := traffic{keys: 10_000, perTTL: perTTL}.hitRate(caches, rand.New(rand.NewPCG(1, 2)))
			require.InDelta(t, x/(1+x), rate, 0.02, "%v requests, %d caches", perTTL, caches)
		}
	}
}

func TestSkewedTrafficAsksMostForTheFirst(t *testing.T) {
	t.Parallel()
	counts := make([]int, 3)
	choose := traffic{keys: 3, skew: 1}.chooser(rand.New(rand.NewPCG(1, 2)))
	for range 11_000 {
		counts[choose()]++
	}
	for n, want := range []float64{6000, 3000, 2000} {
		require.InDelta(t, want, counts[n], 200)
	}
}
