package conformance

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/findimages"
)

// RunGate runs the suite of findimages.Gate. open returns gates of several instances
// at which nobody has taken a turn.
func RunGate(t *testing.T, open func(TB) []findimages.Gate) {
	t.Helper()
	run(t, GateCases(), open)
}

// GateCases are the clauses of findimages.Gate.
func GateCases() []Case[[]findimages.Gate] {
	return []Case[[]findimages.Gate]{
		{"as many turns at once as the burst, and then a wait", burstThenWait},
		{"after the wait there is a turn", turnAfterWait},
		{"names do not wait for each other", gateNames},
		{"all instances together stay within the pace", gateTogether},
	}
}

func take(t TB, gate findimages.Gate, name string, pace findimages.Pace) time.Duration {
	t.Helper()
	wait, err := gate.Take(t.Context(), name, pace)
	require.NoError(t, err)
	return wait
}

// slow is a pace at which no turn comes by itself while a test runs.
var slow = findimages.Pace{Burst: 3, Every: time.Hour}

func burstThenWait(t TB, open func(TB) []findimages.Gate) {
	gates := open(t)
	for i := range slow.Burst {
		require.Zero(t, take(t, gates[i%len(gates)], "provider", slow), i)
	}
	for range 3 { // asking in vain uses nothing up
		wait := take(t, gates[0], "provider", slow)
		require.Greater(t, wait, slow.Every-time.Minute)
		require.LessOrEqual(t, wait, slow.Every)
	}
}

func turnAfterWait(t TB, open func(TB) []findimages.Gate) {
	gate := open(t)[0]
	pace := findimages.Pace{Burst: 1, Every: 200 * time.Millisecond}
	require.Zero(t, take(t, gate, "provider", pace))
	wait := take(t, gate, "provider", pace)
	require.LessOrEqual(t, wait, pace.Every)
	time.Sleep(wait + time.Millisecond) // the thing that is tested is that time passes
	require.Zero(t, take(t, gate, "provider", pace))
}

func gateNames(t TB, open func(TB) []findimages.Gate) {
	gate := open(t)[0]
	for _, name := range []string{"a", "b", "a b", "ñ:{x}"} {
		for range slow.Burst {
			require.Zero(t, take(t, gate, name, slow))
		}
		require.NotZero(t, take(t, gate, name, slow))
	}
}

func gateTogether(t TB, open func(TB) []findimages.Gate) {
	gates := open(t)
	pace := findimages.Pace{Burst: 2, Every: 50 * time.Millisecond}
	var turns atomic.Int64
	begin := time.Now()
	race(2*len(gates), func(i int) {
		for time.Since(begin) < time.Second {
			wait, err := gates[i%len(gates)].Take(t.Context(), "provider", pace)
			if err == nil && wait == 0 {
				turns.Add(1)
			}
		}
	})
	most := pace.Burst + int(time.Since(begin)/pace.Every) + 1
	require.LessOrEqual(t, int(turns.Load()), most)
	require.Positive(t, turns.Load())
}

// RunAnswerCache runs the suite of findimages.AnswerCache. open returns the caches of
// several instances, which share what they keep if they can.
func RunAnswerCache(t *testing.T, open func(TB) []findimages.AnswerCache) {
	t.Helper()
	run(t, AnswerCacheCases(), open)
}

// AnswerCacheCases are the clauses of findimages.AnswerCache.
func AnswerCacheCases() []Case[[]findimages.AnswerCache] {
	return []Case[[]findimages.AnswerCache]{
		{"what was put is there for all, byte for byte", answersAreKept},
		{"what was not put is not there", answersUnknown},
		{"what was put again replaces", answersReplaced},
		{"what is past its term is not there", answersExpire},
		{"many callers at once", answersRacing},
	}
}

func answersAreKept(t TB, open func(TB) []findimages.AnswerCache) {
	caches := open(t)
	for i, value := range [][]byte{{0, 1, 0xff, '\n'}, []byte("ñ"), make([]byte, 100_000), {}} {
		key := fmt.Sprintf("a key: {%d} ñ", i)
		caches[0].Put(t.Context(), key, value, time.Hour)
		for _, cache := range caches {
			got, ok := cache.Get(t.Context(), key)
			require.True(t, ok)
			require.Equal(t, string(value), string(got))
		}
	}
}

func answersUnknown(t TB, open func(TB) []findimages.AnswerCache) {
	_, ok := open(t)[0].Get(t.Context(), "unknown")
	require.False(t, ok)
}

func answersReplaced(t TB, open func(TB) []findimages.AnswerCache) {
	cache := open(t)[0]
	cache.Put(t.Context(), "key", []byte("one"), time.Hour)
	cache.Put(t.Context(), "key", []byte("two"), time.Hour)
	got, _ := cache.Get(t.Context(), "key")
	require.Equal(t, "two", string(got))
}

func answersExpire(t TB, open func(TB) []findimages.AnswerCache) {
	cache := open(t)[0]
	cache.Put(t.Context(), "key", []byte("value"), 100*time.Millisecond)
	require.Eventually(t, func() bool {
		_, ok := cache.Get(t.Context(), "key")
		return !ok
	}, 10*time.Second, 10*time.Millisecond)
}

func answersRacing(t TB, open func(TB) []findimages.AnswerCache) {
	caches := open(t)
	race(20, func(i int) {
		cache := caches[i%len(caches)]
		for n := range 20 {
			key := fmt.Sprint("key ", n)
			cache.Put(t.Context(), key, []byte(key), time.Hour)
			if got, ok := cache.Get(t.Context(), key); ok && string(got) != key {
				panic("another key's value")
			}
		}
	})
}
