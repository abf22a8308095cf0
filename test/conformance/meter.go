package conformance

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/limitrequests"
)

// RunMeter runs the suite of limitrequests.Meter. open returns the meters of several
// instances that have counted nothing, and share what they count if they can.
func RunMeter(t *testing.T, open func(TB) []limitrequests.Meter) {
	t.Helper()
	run(t, MeterCases(), open)
}

// MeterCases are the clauses of limitrequests.Meter that need no time to pass.
func MeterCases() []Case[[]limitrequests.Meter] {
	return []Case[[]limitrequests.Meter]{
		{"as many as the limit are counted, and the next one waits", limitThenWait},
		{"what is refused is not counted", refusalsUncounted},
		{"keys have limits of their own", meterKeys},
		{"the limit may be another one the next time", meterLimitChanges},
		{"no more than the limit, however many ask at once", meterTogether},
	}
}

func takeOne(t TB, meter limitrequests.Meter, key string, limit int) (left int, wait time.Duration) {
	t.Helper()
	left, wait, err := meter.Take(t.Context(), key, limit)
	require.NoError(t, err)
	require.LessOrEqual(t, wait, time.Duration(limitrequests.Slots)*limitrequests.Slot)
	require.GreaterOrEqual(t, wait, time.Duration(0))
	return left, wait
}

func requireCounted(t TB, meters []limitrequests.Meter, key string, limit, times int) {
	t.Helper()
	for i := range times {
		_, wait := takeOne(t, meters[i%len(meters)], key, limit)
		require.Zero(t, wait, i)
	}
}

func limitThenWait(t TB, open func(TB) []limitrequests.Meter) {
	meters := open(t)
	const limit = 7
	for i := range limit {
		left, wait := takeOne(t, meters[i%len(meters)], "key", limit)
		require.Zero(t, wait)
		require.Equal(t, limit-1-i, left)
	}
	for _, meter := range meters {
		left, wait := takeOne(t, meter, "key", limit)
		require.Zero(t, left)
		require.Greater(t, wait, limitrequests.Window-limitrequests.Slot-time.Minute/2)
	}
}

func refusalsUncounted(t TB, open func(TB) []limitrequests.Meter) {
	meters := open(t)
	requireCounted(t, meters, "key", 3, 3)
	for range 5 {
		_, wait := takeOne(t, meters[0], "key", 3)
		require.Positive(t, wait)
	}
	left, wait := takeOne(t, meters[0], "key", 4)
	require.Zero(t, wait, "three are counted, not eight")
	require.Zero(t, left)
}

func meterKeys(t TB, open func(TB) []limitrequests.Meter) {
	meters := open(t)
	for _, key := range []string{"a", "b", "a b", "requests:client:2001:db8::", "ñ:{x}"} {
		requireCounted(t, meters, key, 2, 2)
		_, wait := takeOne(t, meters[0], key, 2)
		require.Positive(t, wait)
	}
}

func meterLimitChanges(t TB, open func(TB) []limitrequests.Meter) {
	meters := open(t)
	requireCounted(t, meters, "key", 10, 5)
	for _, limit := range []int{1, 2, 5} {
		_, wait := takeOne(t, meters[0], "key", limit)
		require.Positive(t, wait, limit)
	}
	left, wait := takeOne(t, meters[0], "key", 1000)
	require.Zero(t, wait)
	require.Equal(t, 994, left)
}

func meterTogether(t TB, open func(TB) []limitrequests.Meter) {
	meters := open(t)
	const limit = 50
	var counted atomic.Int64
	race(4*len(meters), func(i int) {
		for range 40 {
			if _, wait, err := meters[i%len(meters)].Take(t.Context(), "key", limit); err == nil && wait == 0 {
				counted.Add(1)
			}
		}
	})
	require.EqualValues(t, limit, counted.Load())
}
