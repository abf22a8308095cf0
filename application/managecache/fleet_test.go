package managecache_test

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/domain/deployment"
)

// modeOf is a deployment that stays in its mode.
type modeOf artwork.CacheMode

func (m modeOf) Mode() artwork.CacheMode { return artwork.CacheMode(m) }

// members is a deployment with these live members, unless the database is away.
type members struct {
	of   []deployment.Member
	away error
}

func (m *members) Look(context.Context) (deployment.State, error) {
	return deployment.State{Members: m.of}, m.away
}

// cutOff is a board that nobody reaches.
type cutOff struct{}

var errAway = artwork.Errorf(artwork.Unavailable, "Redis does not answer")

func (cutOff) Post(context.Context, artwork.ID, []byte, time.Duration) error { return errAway }
func (cutOff) Read(context.Context, []artwork.ID) (map[artwork.ID][]byte, error) {
	return nil, errAway
}

// watched is an instance that is watched.
type watched struct {
	*managecache.Monitor
	*managecache.Counters
	id artwork.ID
}

func watch(all *members, board managecache.Board, name string) watched {
	w := watched{Counters: managecache.NewCounters(), id: artwork.NewID()}
	all.of = append(all.of, deployment.Member{ID: w.id, Name: name, Live: true})
	self := managecache.Instance{ID: w.id, Name: name, Version: "1", StartedAt: time.Now().UTC()}
	local := memory.NewCache(artwork.CachePolicy{TTL: time.Minute}, 100, w.Counters)
	w.Monitor = managecache.NewMonitor(self, modeOf(artwork.CacheMemory), w.Counters, managecache.Levels{Memory: local}, board, all, slog.New(slog.DiscardHandler))
	return w
}

// run has the monitors run for a time.
func run(t *testing.T, d time.Duration, all ...watched) {
	ctx, stop := context.WithCancel(t.Context())
	for _, w := range all {
		go w.Run(ctx)
	}
	time.Sleep(d)
	synctest.Wait()
	stop()
	synctest.Wait()
}

// TestAllInstancesAreShown by whichever is asked, with what they count.
func TestAllInstancesAreShown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		board, all := memory.NewBoard(), &members{}
		a, b, silent := watch(all, board, "a"), watch(all, board, "b"), watch(all, board, "c")
		all.of = append(all.of, deployment.Member{ID: artwork.NewID(), Name: "dead"})
		a.Count(managecache.ProcessHit, 3)
		b.Count(managecache.SharedHit, 5)
		b.Took(managecache.ReadFromShared, time.Millisecond)
		run(t, 6*time.Second, a, b)
		for _, w := range []watched{a, b} {
			fleet := w.Fleet(t.Context())
			require.Empty(t, fleet.Problem)
			require.Nil(t, fleet.Shared, "the mode has none")
			require.Len(t, fleet.Instances, 3)
			require.Equal(t, w.id, fleet.Instances[0].ID)
			require.True(t, fleet.Instances[0].Self)
			for _, seen := range fleet.Instances {
				switch seen.ID {
				case silent.id:
					require.Nil(t, seen.Report)
				case a.id:
					require.EqualValues(t, 3, seen.Report.Stats.ProcessHits)
				case b.id:
					require.Equal(t, b.Stats(), seen.Report.Stats, "to the last bucket")
					require.Equal(t, "1", seen.Report.Instance.Version)
				}
			}
		}
		time.Sleep(time.Minute)
		fleet := a.Fleet(t.Context())
		require.Nil(t, fleet.Instances[1].Report, "what it told is too old")
		require.NotNil(t, fleet.Instances[0].Report)
	})
}

// TestWhatCannotBeAskedIsSaid, and this instance is shown.
func TestWhatCannotBeAskedIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		all := &members{}
		a := watch(all, cutOff{}, "a")
		require.Empty(t, a.Fleet(t.Context()).Problem, "there is nobody else")
		watch(all, cutOff{}, "b")
		run(t, 21*time.Second, a)
		fleet := a.Fleet(t.Context())
		require.Contains(t, fleet.Problem, "Redis does not answer")
		require.Len(t, fleet.Instances, 2)
		require.NotNil(t, fleet.Instances[0].Report)
		past, err := a.History(t.Context(), artwork.ID{})
		require.NoError(t, err)
		require.Contains(t, past.Problem, "Redis does not answer")
		require.Equal(t, 1, past.Instances)
		require.Len(t, past.Points, 2)

		all.away = artwork.Errorf(artwork.Unavailable, "the database is away")
		fleet = a.Fleet(t.Context())
		require.Contains(t, fleet.Problem, "the database is away")
		require.Len(t, fleet.Instances, 1)
	})
}

// TestHistory: what instances count at the same time is added up, as far as all of
// them have told; what was counted before is in no point, and an hour is kept.
func TestHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		board, all := memory.NewBoard(), &members{}
		a, b := watch(all, board, "a"), watch(all, board, "b")
		ctx, stop := context.WithCancel(t.Context())
		go a.Run(ctx)
		go b.Run(ctx)
		for range 3 {
			time.Sleep(9 * time.Second)
			a.Count(managecache.ProcessHit, 2)
			a.Took(managecache.ReadFromProcess, time.Microsecond)
			b.Count(managecache.Fill, 3)
			b.Count(managecache.RefusedFenced, 1)
			time.Sleep(time.Second)
			synctest.Wait()
		}
		past, err := a.History(t.Context(), artwork.ID{})
		require.NoError(t, err)
		require.Equal(t, 2, past.Instances)
		require.Len(t, past.Points, 3)
		for _, p := range past.Points {
			require.Zero(t, p.At.Sub(p.At.Truncate(managecache.Resolution)))
			require.Equal(t, 2, p.Instances)
			require.EqualValues(t, 2, p.ProcessHits)
			require.EqualValues(t, 3, p.Fills)
			require.EqualValues(t, 1, p.RefusedFills.Fenced)
			require.EqualValues(t, 1, p.ReadTime.Count())
			require.InDelta(t, 10, p.Seconds, 0.1)
		}
		sum := managecache.Sum(past.Points)
		require.EqualValues(t, 9, sum.Fills)
		require.EqualValues(t, 3, sum.ReadTime.Count())
		require.InDelta(t, 30, sum.Seconds, 0.1)
		require.Equal(t, 2, sum.Instances)
		require.Equal(t, past.Points[1:], managecache.Lately(past.Points, 20*time.Second))
		require.Empty(t, managecache.Lately(nil, time.Minute))
		past, err = a.History(t.Context(), b.id)
		require.NoError(t, err)
		require.Zero(t, past.Points[0].ProcessHits)
		require.EqualValues(t, 3, past.Points[0].Fills)
		_, err = a.History(t.Context(), artwork.NewID())
		require.Equal(t, artwork.NotFound, artwork.KindOf(err))

		stop()
		synctest.Wait()
	})
}

// TestAnInstanceThatLagsIsWaitedFor: where it has not told yet, there is no point that
// lacks it.
func TestAnInstanceThatLagsIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		board, all := memory.NewBoard(), &members{}
		a, b := watch(all, board, "a"), watch(all, board, "b")
		run(t, 21*time.Second, a, b)
		run(t, 10*time.Second, a)
		past, err := a.History(t.Context(), artwork.ID{})
		require.NoError(t, err)
		require.Len(t, past.Points, 2)
		require.Equal(t, 2, past.Points[1].Instances)
		past, err = a.History(t.Context(), a.id)
		require.NoError(t, err)
		require.Len(t, past.Points, 3)
	})
}

// TestAReportOfAnotherReleaseIsNone rather than a wrong one.
func TestAReportOfAnotherReleaseIsNone(t *testing.T) {
	board, all := memory.NewBoard(), &members{}
	a, b := watch(all, board, "a"), watch(all, board, "b")
	for _, report := range []string{"", "no gzip", "\x1f\x8b"} {
		require.NoError(t, board.Post(t.Context(), b.id, []byte(report), time.Minute))
		require.Nil(t, a.Fleet(t.Context()).Instances[1].Report)
	}
}
