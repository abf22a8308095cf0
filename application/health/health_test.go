package health

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// part is a dependency that works or not.
type part struct{ broken atomic.Bool }

func (p *part) check(context.Context) error {
	if p.broken.Load() {
		return errors.New("no answer")
	}
	return nil
}

func TestReport(t *testing.T) {
	var database, redis part
	var log bytes.Buffer
	monitor := NewMonitor([]Probe{
		{Name: "database", Needed: true, Check: database.check},
		{Name: "redis", Check: redis.check},
		{Name: "mail"},
	}, slog.New(slog.NewTextHandler(&log, nil)))
	require.Equal(t, Error, monitor.Report().Status, "nothing is known before the first check")

	for _, c := range []struct {
		database, redis bool
		want            Status
	}{{true, true, OK}, {true, false, Degraded}, {false, true, Error}, {false, false, Error}, {true, true, OK}} {
		database.broken.Store(!c.database)
		redis.broken.Store(!c.redis)
		monitor.Check(t.Context())
		monitor.Check(t.Context())
		report := monitor.Report()
		require.Equal(t, c.want, report.Status)
		require.Equal(t, c.database, report.Parts["database"] == Connected)
		require.Equal(t, Disabled, report.Parts["mail"])
	}
	require.Equal(t, 3, strings.Count(log.String(), "Dependency fails"), "each change is logged once: %s", &log)
	require.Equal(t, 3, strings.Count(log.String(), "Dependency works again"))
}

// TestDetails: a state lasts since the check that first found it, and a check is timed.
func TestDetails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var database part
		monitor := NewMonitor([]Probe{
			{Name: "database", Needed: true, Check: func(ctx context.Context) error {
				time.Sleep(3 * time.Millisecond)
				return database.check(ctx)
			}},
			{Name: "mail"},
		}, slog.New(slog.DiscardHandler))
		require.Equal(t, map[string]Detail{"database": {State: Unknown, Needed: true}, "mail": {State: Unknown}}, monitor.Report().Details)

		began := time.Now()
		monitor.Check(t.Context())
		time.Sleep(time.Minute)
		monitor.Check(t.Context())
		require.Equal(t, map[string]Detail{
			"database": {State: Connected, Since: began, Took: 3 * time.Millisecond, Needed: true},
			"mail":     {State: Disabled, Since: began},
		}, monitor.Report().Details)

		database.broken.Store(true)
		failed := time.Now()
		monitor.Check(t.Context())
		time.Sleep(time.Minute)
		monitor.Check(t.Context())
		require.Equal(t, Detail{State: Failing, Since: failed, Took: 3 * time.Millisecond, Needed: true}, monitor.Report().Details["database"])
	})
}

// TestAChangeShowsWithinFiveSeconds, also if the part hangs.
func TestAChangeShowsWithinFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var hangs atomic.Bool
		monitor := NewMonitor([]Probe{{Name: "database", Needed: true, Check: func(ctx context.Context) error {
			if hangs.Load() {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}}}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go monitor.Watch(ctx)
		synctest.Wait()
		require.Equal(t, OK, monitor.Report().Status)
		hangs.Store(true)
		time.Sleep(5 * time.Second)
		require.Equal(t, Error, monitor.Report().Status)
		hangs.Store(false)
		time.Sleep(5 * time.Second)
		require.Equal(t, OK, monitor.Report().Status)
	})
}
