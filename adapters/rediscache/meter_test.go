package rediscache_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/limitrequests"
	"gatefold/test/conformance"
	"gatefold/test/testenv"
)

func openMeters(t conformance.TB) []limitrequests.Meter {
	url := testenv.Redis(t)
	return []limitrequests.Meter{connect(t, url, noChanges{}).Meter(), connect(t, url, noChanges{}).Meter(), connect(t, url, noChanges{}).Meter()}
}

func TestMeter(t *testing.T) {
	t.Parallel()
	conformance.RunMeter(t, openMeters)
}

// apart are meters that do not know of each other.
func apart(t conformance.TB) []limitrequests.Meter {
	return append(openMeters(t)[:1], openMeters(t)[0])
}

// uncounted asks without counting, and counts later.
type uncounted struct{ limitrequests.Meter }

func (m uncounted) Take(ctx context.Context, key string, limit int) (int, time.Duration, error) {
	left, wait, err := m.Meter.Take(ctx, key, limit+3)
	return max(left-3, 0), wait, err
}

func TestBrokenMeters(t *testing.T) {
	t.Parallel()
	conformance.Rejects(t, conformance.MeterCases(), "as many as the limit are counted, and the next one waits", apart)
	conformance.Rejects(t, conformance.MeterCases(), "no more than the limit, however many ask at once", apart)
	conformance.Rejects(t, conformance.MeterCases(), "what is refused is not counted", func(t conformance.TB) []limitrequests.Meter {
		return []limitrequests.Meter{uncounted{openMeters(t)[0]}}
	})
}

// TestWhatAMeterKeeps: a key that nobody asks with is gone when what it counted is; and
// what was counted in a slot that is over counts until its time has come.
func TestWhatAMeterKeeps(t *testing.T) {
	t.Parallel()
	cache, operator := open(t)
	meter := cache.Meter()
	const key = "gatefold:limit:requests:client:192.0.2.1"
	take := func(limit int) (int, time.Duration) {
		left, wait, err := meter.Take(t.Context(), "requests:client:192.0.2.1", limit)
		require.NoError(t, err)
		return left, wait
	}
	_, wait := take(10)
	require.Zero(t, wait)
	require.InDelta(t, (time.Duration(limitrequests.Slots) * limitrequests.Slot).Seconds(), operator.TTL(t.Context(), key).Val().Seconds(), 5)

	now, err := operator.Time(t.Context()).Result()
	require.NoError(t, err)
	slot := now.UnixMilli() / limitrequests.Slot.Milliseconds()
	oldest := slot - int64(limitrequests.Slots) + 2 // it counts for the time of a slot at least
	require.NoError(t, operator.Set(t.Context(), key, fmt.Sprintf("%d:100,%d:3,%d:4", oldest-2, oldest, slot-1), 0).Err())
	left, wait := take(10)
	require.Zero(t, wait)
	require.Equal(t, 2, left, "3 and 4 and this one count, and 100 no more")
	_, wait = take(8)
	require.Positive(t, wait)
	require.LessOrEqual(t, wait, 2*limitrequests.Slot, "the oldest slot is enough")
	_, wait = take(5)
	require.Greater(t, wait, limitrequests.Window-3*limitrequests.Slot, "and now it is not")
}

// TestAMeterWithoutRedis fails within the patience, and at once when that has happened
// some times.
func TestAMeterWithoutRedis(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	meter := connect(t, "redis://"+server.Addr, noChanges{}).Meter()
	_, _, err := meter.Take(t.Context(), "key", 5)
	require.NoError(t, err)
	server.Pause()
	defer server.Resume()
	begin := time.Now()
	for range 2000 {
		_, _, err := meter.Take(t.Context(), "key", 5)
		require.Error(t, err)
	}
	require.Less(t, time.Since(begin), 10*time.Second, "each of them alone waits 50 ms")

	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err = meter.Take(cancelled, "key", 5)
	require.Error(t, err)
}
