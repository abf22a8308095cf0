package health

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// dependency is one that works or not.
type dependency struct{ broken atomic.Bool }

func (p *dependency) check(context.Context) error {
	if p.broken.Load() {
		return errors.New("no answer")
	}
	return nil
}

func TestReport(t *testing.T) {
	var database, redis dependency
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
		var database dependency
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

// TestAFlappingPartDoesNotFlapTheInstance: readiness follows what has lasted, in both
// directions, while the report follows every check.
func TestAFlappingPartDoesNotFlapTheInstance(t *testing.T) {
	t.Parallel()
	var database, redis dependency
	monitor := NewMonitor([]Probe{{Name: "database", Needed: true, Check: database.check}, {Name: "redis", Check: redis.check}}, slog.New(slog.DiscardHandler))
	require.Equal(t, Starting, monitor.Readiness())
	found := func(works bool) Status {
		database.broken.Store(!works)
		monitor.Check(t.Context())
		require.Equal(t, works, monitor.Report().Status != Error)
		return monitor.Readiness()
	}
	require.Equal(t, OK, found(true), "the first check counts at once")
	for range 20 { // fails two times of three
		require.Equal(t, OK, found(false))
		require.Equal(t, OK, found(false))
		require.Equal(t, OK, found(true))
	}
	found(false)
	found(false)
	require.Equal(t, Error, found(false))
	for range 20 { // works every other time
		require.Equal(t, Error, found(true))
		require.Equal(t, Error, found(false))
	}
	found(true)
	require.Equal(t, OK, found(true))
	redis.broken.Store(true)
	require.Equal(t, Degraded, found(true), "it is ready all the same, and says what is wrong at once")
}

// TestAStartWithoutAPartIsNotReady: there is nothing yet that could have lasted.
func TestAStartWithoutAPartIsNotReady(t *testing.T) {
	t.Parallel()
	var database dependency
	database.broken.Store(true)
	monitor := NewMonitor([]Probe{{Name: "database", Needed: true, Check: database.check}}, slog.New(slog.DiscardHandler))
	monitor.Check(t.Context())
	require.Equal(t, Error, monitor.Readiness())
}

// TestDraining is for good, whatever the checks find.
func TestDraining(t *testing.T) {
	t.Parallel()
	monitor := NewMonitor(nil, slog.New(slog.DiscardHandler))
	monitor.Check(t.Context())
	require.Equal(t, OK, monitor.Readiness())
	monitor.Drain()
	monitor.Check(t.Context())
	require.Equal(t, Draining, monitor.Readiness())
	require.Equal(t, OK, monitor.Report().Status, "images are served until the end")
}

// TestAPartThatNeverAnswers holds nobody up, is noticed, and is not asked by more and
// more at once.
func TestAPartThatNeverAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var asked atomic.Int32
		released := make(chan struct{})
		release := sync.OnceFunc(func() { close(released) })
		defer release()
		monitor := NewMonitor([]Probe{{Name: "storage", Needed: true, Check: func(context.Context) error {
			if asked.Add(1) > 1 {
				<-released // as a file system does whose server is gone: deadlines mean nothing to it
			}
			return nil
		}}}, slog.New(slog.DiscardHandler))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go monitor.Watch(ctx)
		synctest.Wait()
		require.Equal(t, OK, monitor.Readiness())
		time.Sleep(5 * time.Second)
		require.Equal(t, Error, monitor.Report().Status)
		time.Sleep(10 * time.Second)
		require.Equal(t, Error, monitor.Readiness())
		require.EqualValues(t, 2, asked.Load())
		release()
		time.Sleep(10 * time.Second)
		require.Equal(t, OK, monitor.Readiness(), "it is asked again once it has answered")
	})
}
