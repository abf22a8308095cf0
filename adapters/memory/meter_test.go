package memory

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/limitrequests"
	"gatefold/test/conformance"
)

func openMeter(conformance.TB) []limitrequests.Meter {
	return []limitrequests.Meter{NewMeter(1000)}
}

func TestMeter(t *testing.T) {
	t.Parallel()
	conformance.RunMeter(t, openMeter)
}

// generous counts what it refuses.
type generous struct{ limitrequests.Meter }

func (m generous) Take(ctx context.Context, key string, limit int) (int, time.Duration, error) {
	left, wait, err := m.Meter.Take(ctx, key, limit)
	if wait > 0 {
		_, _, _ = m.Meter.Take(ctx, key, limit+1)
	}
	return left, wait, err
}

// forgetful has one limit for all keys.
type forgetful struct{ limitrequests.Meter }

func (m forgetful) Take(ctx context.Context, _ string, limit int) (int, time.Duration, error) {
	return m.Meter.Take(ctx, "key", limit)
}

// lenient counts one too many.
type lenient struct{ limitrequests.Meter }

func (m lenient) Take(ctx context.Context, key string, limit int) (int, time.Duration, error) {
	left, wait, err := m.Meter.Take(ctx, key, limit+1)
	return left - 1, wait, err
}

func TestBrokenMeters(t *testing.T) {
	t.Parallel()
	for name, twin := range map[string]func(limitrequests.Meter) limitrequests.Meter{
		"what is refused is not counted":                           func(m limitrequests.Meter) limitrequests.Meter { return generous{m} },
		"keys have limits of their own":                            func(m limitrequests.Meter) limitrequests.Meter { return forgetful{m} },
		"as many as the limit are counted, and the next one waits": func(m limitrequests.Meter) limitrequests.Meter { return lenient{m} },
		"no more than the limit, however many ask at once":         func(m limitrequests.Meter) limitrequests.Meter { return lenient{m} },
	} {
		conformance.Rejects(t, conformance.MeterCases(), name, func(t conformance.TB) []limitrequests.Meter {
			return []limitrequests.Meter{twin(openMeter(t)[0])}
		})
	}
}

// atWill returns a meter whose time is told, which has passed since it was made.
func atWill() (*Meter, *time.Duration) {
	meter, passed := NewMeter(1000), new(time.Duration)
	meter.now = func() time.Time { return meter.base.Add(*passed) }
	return meter, passed
}

// TestNoWindowHasMoreThanTheLimit whenever requests come; and whoever waits as long as
// told is let through, and nobody sooner.
func TestNoWindowHasMoreThanTheLimit(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		meter, now := atWill()
		limit := 1 + random.IntN(20)
		var counted []time.Duration
		for *now < 10*time.Minute {
			left, wait, err := meter.Take(t.Context(), "key", limit)
			require.NoError(t, err)
			if wait == 0 {
				counted = append(counted, *now)
			} else {
				require.LessOrEqual(t, wait, limitrequests.Window+limitrequests.Slot)
				*now += wait - 1
				_, again, _ := meter.Take(t.Context(), "key", limit)
				require.EqualValues(t, 1, again, "not a moment too soon")
				*now++
				_, again, _ = meter.Take(t.Context(), "key", limit)
				require.Zero(t, again, "as was told")
				counted = append(counted, *now)
			}
			require.GreaterOrEqual(t, left, 0)
			*now += time.Duration(random.Int64N(int64(10 * time.Second)))
		}
		for i := limit; i < len(counted); i++ {
			require.Greater(t, counted[i]-counted[i-limit], limitrequests.Window)
		}
	}
}

func TestAMeterIsBounded(t *testing.T) {
	t.Parallel()
	meter := NewMeter(100)
	for i := range 10_000 {
		_, _, err := meter.Take(t.Context(), fmt.Sprint(i), 5)
		require.NoError(t, err)
	}
	meter.windows.CleanUp()
	require.LessOrEqual(t, meter.windows.EstimatedSize(), 100)
}
