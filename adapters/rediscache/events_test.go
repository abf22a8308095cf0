package rediscache

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/test/testenv"
)

// observed is a cache whose counters a test looks at, and the operator's view of
// its Redis.
type observed struct {
	*Cache
	*managecache.Counters
	rdb  *redis.Client
	name string
}

// patient is so much that no operation fails for want of time.
const patient = 10 * time.Second

// observe opens a cache with the patience on the server.
func observe(t *testing.T, addr string, patience time.Duration, changes artwork.ChangeLog) observed {
	t.Helper()
	o := observed{Counters: managecache.NewCounters(), rdb: operatorOf(t, addr), name: key.String()}
	var err error
	o.Cache, err = Open(Options{URL: "redis://" + addr, Patience: patience}, testPolicy, changes, o.Counters, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = o.Close() })
	return o
}

// ready returns an observed cache on a server of its own that it trusts.
func ready(t *testing.T) observed {
	t.Helper()
	o := observe(t, testenv.RedisServer(t).Addr, patient, &changeLog{})
	require.NoError(t, o.Ready(t.Context()))
	return o
}

// fetch reads the key and requires the level.
func (o observed) fetch(t *testing.T, level artwork.Level, load artwork.Load) {
	t.Helper()
	answer, err := o.Fetch(t.Context(), key, load)
	require.NoError(t, err)
	require.Equal(t, level, answer.Level)
}

// during returns a load that does something while it runs.
func during(do func()) artwork.Load {
	return func(context.Context) (*artwork.Image, error) {
		do()
		return coverNumber(1), nil
	}
}

func (o observed) set(t *testing.T, value string) {
	t.Helper()
	require.NoError(t, o.rdb.Set(t.Context(), o.name, value, time.Minute).Err())
}

func (o observed) del(t *testing.T) {
	t.Helper()
	require.NoError(t, o.rdb.Del(t.Context(), o.name).Err())
}

func value(t *testing.T) string {
	t.Helper()
	value, err := encode(coverNumber(1))
	require.NoError(t, err)
	return value
}

func TestAMissIsCounted(t *testing.T) {
	t.Parallel()
	o := ready(t)
	o.fetch(t, artwork.Filled, loadCover(1))
	o.fetch(t, artwork.Shared, loadCover(1))
	require.Equal(t, managecache.Stats{Misses: 1, Recovery: managecache.Recovery{Replays: 1}}, o.Stats())
}

func TestWhyAFillIsRefused(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	for name, c := range map[string]struct {
		meanwhile func(t *testing.T, o observed)
		want      managecache.RefusedFills
	}{
		"a change has begun": {
			func(t *testing.T, o observed) { o.set(t, "Ftoken@9999999999999|") },
			managecache.RefusedFills{Fenced: 1},
		},
		"a change has begun and ended":         {func(t *testing.T, o observed) { o.del(t) }, managecache.RefusedFills{Gone: 1}},
		"another reader fills after a change":  {func(t *testing.T, o observed) { o.set(t, "Lanother") }, managecache.RefusedFills{TakenOver: 1}},
		"another reader filled after a change": {func(t *testing.T, o observed) { o.set(t, value(t)) }, managecache.RefusedFills{TakenOver: 1}},
	} {
		o := observe(t, server.Addr, patient, &changeLog{})
		require.NoError(t, o.Ready(t.Context()), name)
		o.del(t)
		o.fetch(t, artwork.Loaded, during(func() { c.meanwhile(t, o) }))
		require.Equal(t, c.want, o.Stats().RefusedFills, name)
		require.EqualValues(t, 1, o.Stats().Misses, name)
		require.Zero(t, o.Stats().Fallbacks, name)
	}
}

// TestAFillAfterItsLease is refused whether nothing is held or somebody else
// fills: what matters to an operator is that the load took so long.
func TestAFillAfterItsLease(t *testing.T) {
	t.Parallel()
	o := ready(t)
	for i, meanwhile := range []func(){func() { o.del(t) }, func() { o.set(t, "Lanother") }} {
		o.del(t)
		lease := "Lmine"
		o.set(t, lease)
		meanwhile()
		_, err := o.fill(t.Context(), o.name, lease, time.Now().Add(-time.Millisecond), loadCover(1))
		require.NoError(t, err)
		require.Equal(t, managecache.RefusedFills{Expired: int64(i + 1)}, o.Stats().RefusedFills)
	}
}

func TestAFillThatRedisDoesNotTake(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	o := observe(t, server.Addr, patient, &changeLog{})
	require.NoError(t, o.Ready(t.Context()))
	o.fetch(t, artwork.Loaded, during(server.Stop))
	require.Equal(t, managecache.RefusedFills{Unreachable: 1}, o.Stats().RefusedFills)
}

// TestAFillDoesNotEndWithItsCaller: others wait for it.
func TestAFillDoesNotEndWithItsCaller(t *testing.T) {
	t.Parallel()
	o := ready(t)
	ctx, hangUp := context.WithCancel(t.Context())
	_, err := o.Fetch(ctx, key, during(hangUp))
	require.NoError(t, err)
	require.Zero(t, o.Stats().RefusedFills)
	o.fetch(t, artwork.Shared, loadCover(1))
}

// TestHowAWaitForAFillEnds has a reader find a lease, and then something else in
// its place, or an end of its own.
func TestHowAWaitForAFillEnds(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		then      func(t *testing.T, o observed, hangUp func())
		patience  time.Duration
		want      managecache.LeaseWaits
		fallbacks managecache.Fallbacks
		fences    int64
	}{
		"filled": {
			then: func(t *testing.T, o observed, _ func()) { o.set(t, value(t)) },
			want: managecache.LeaseWaits{All: 1, Filled: 1},
		},
		"known to be empty": {
			then: func(t *testing.T, o observed, _ func()) { o.set(t, absentValue) },
			want: managecache.LeaseWaits{All: 1, Filled: 1},
		},
		"fenced": {
			then: func(t *testing.T, o observed, _ func()) { o.set(t, "Ftoken@9999999999999|") },
			want: managecache.LeaseWaits{All: 1, Fenced: 1}, fallbacks: managecache.Fallbacks{Fence: 1}, fences: 1,
		},
		"abandoned": {
			then: func(t *testing.T, o observed, _ func()) { o.del(t) },
			want: managecache.LeaseWaits{All: 1, Abandoned: 1},
		},
		"unreadable": {
			then: func(t *testing.T, o observed, _ func()) { o.set(t, "?") },
			want: managecache.LeaseWaits{All: 1, Failed: 1}, fallbacks: managecache.Fallbacks{Unreadable: 1},
		},
		"the caller leaves": {
			then: func(_ *testing.T, _ observed, hangUp func()) { hangUp() },
			want: managecache.LeaseWaits{All: 1, Left: 1},
		},
		"gives up": {
			then: func(*testing.T, observed, func()) {}, patience: time.Second,
			want: managecache.LeaseWaits{All: 1, GaveUp: 1}, fallbacks: managecache.Fallbacks{GaveUp: 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			patience := c.patience
			if patience == 0 {
				patience = patient
			}
			o := observe(t, testenv.RedisServer(t).Addr, patience, &changeLog{})
			require.NoError(t, o.Ready(t.Context()))
			o.set(t, "Lanother")
			ctx, hangUp := context.WithCancel(t.Context())
			defer hangUp()
			var reader sync.WaitGroup
			reader.Go(func() { _, _ = o.Fetch(ctx, key, loadCover(1)) })
			require.Eventually(t, func() bool { return o.Stats().LeaseWaits.All == 1 }, patient, time.Millisecond)
			c.then(t, o, hangUp)
			reader.Wait()
			require.Equal(t, c.want, o.Stats().LeaseWaits)
			require.Equal(t, c.fallbacks, o.Stats().Fallbacks)
			require.Equal(t, c.fences, o.Stats().FencesMet)
			require.Zero(t, o.Stats().Misses, "the reader that holds the lease has counted it")
		})
	}
}

func TestAWaitForAFillThatRedisEnds(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	o := observe(t, server.Addr, patient, &changeLog{})
	require.NoError(t, o.Ready(t.Context()))
	o.set(t, "Lanother")
	var reader sync.WaitGroup
	reader.Go(func() { _, _ = o.Fetch(t.Context(), key, loadCover(1)) })
	require.Eventually(t, func() bool { return o.Stats().LeaseWaits.All == 1 }, patient, time.Millisecond)
	server.Stop()
	reader.Wait()
	require.Equal(t, managecache.LeaseWaits{All: 1, Failed: 1}, o.Stats().LeaseWaits)
	require.Equal(t, managecache.Fallbacks{Error: 1}, o.Stats().Fallbacks)
}

func TestWhyTheDatabaseIsAsked(t *testing.T) {
	t.Parallel()
	t.Run("a fence", func(t *testing.T) {
		t.Parallel()
		o := ready(t)
		o.set(t, "Ftoken@9999999999999|")
		o.fetch(t, artwork.Loaded, loadCover(1))
		require.Equal(t, managecache.Fallbacks{Fence: 1}, o.Stats().Fallbacks)
		require.EqualValues(t, 1, o.Stats().FencesMet)
	})
	t.Run("unreadable", func(t *testing.T) {
		t.Parallel()
		o := ready(t)
		for i, stored := range []string{"", "?", "{", "Zq"} {
			o.set(t, stored)
			o.fetch(t, artwork.Loaded, loadCover(1))
			require.Equal(t, managecache.Fallbacks{Unreadable: int64(i + 1)}, o.Stats().Fallbacks, "%q", stored)
		}
	})
	t.Run("an error", func(t *testing.T) {
		t.Parallel()
		server := testenv.RedisServer(t)
		o := observe(t, server.Addr, patient, &changeLog{})
		require.NoError(t, o.Ready(t.Context()))
		server.Stop()
		o.fetch(t, artwork.Loaded, loadCover(1))
		require.Equal(t, managecache.Fallbacks{Error: 1}, o.Stats().Fallbacks)
	})
	t.Run("a key of another type", func(t *testing.T) {
		t.Parallel()
		o := ready(t)
		require.NoError(t, o.rdb.RPush(t.Context(), o.name, "x").Err())
		o.fetch(t, artwork.Loaded, loadCover(1))
		require.Equal(t, managecache.Fallbacks{Error: 1}, o.Stats().Fallbacks)
	})
	t.Run("a timeout", func(t *testing.T) {
		t.Parallel()
		server := testenv.RedisServer(t)
		o := observe(t, server.Addr, 50*time.Millisecond, &changeLog{})
		require.NoError(t, o.Ready(t.Context()))
		server.Pause()
		defer server.Resume()
		o.fetch(t, artwork.Loaded, loadCover(1))
		require.Equal(t, managecache.Fallbacks{Timeout: 1}, o.Stats().Fallbacks)
	})
	t.Run("a server that is not trusted yet", func(t *testing.T) {
		t.Parallel()
		log := &changeLog{hold: make(chan struct{})}
		o := observe(t, testenv.RedisServer(t).Addr, patient, log)
		o.fetch(t, artwork.Loaded, loadCover(1))
		require.Equal(t, managecache.Stats{Fallbacks: managecache.Fallbacks{Untrusted: 1}}, o.Stats())
		close(log.hold)
		require.NoError(t, o.Ready(t.Context()))
		o.fetch(t, artwork.Filled, loadCover(1))
	})
	t.Run("a replica", func(t *testing.T) {
		t.Parallel()
		master, replica := testenv.RedisServer(t), testenv.RedisServer(t)
		replica.ReplicaOf(t, master)
		o := observe(t, replica.Addr, patient, &changeLog{})
		o.fetch(t, artwork.Loaded, loadCover(1))
		require.Equal(t, managecache.Stats{Fallbacks: managecache.Fallbacks{Untrusted: 1}}, o.Stats())
	})
}

// TestACallerThatLeftIsNoFallback: nobody asked the database for it.
func TestACallerThatLeftIsNoFallback(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	o := observe(t, server.Addr, patient, &changeLog{})
	require.NoError(t, o.Ready(t.Context()))
	server.Pause()
	defer server.Resume()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	_, err := o.Fetch(ctx, key, loadCover(1))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Zero(t, o.Stats().Fallbacks)
}

// TestTheBreakersChangesAreCounted: each of them once, however many fail.
func TestTheBreakersChangesAreCounted(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	o := observe(t, server.Addr, patient, &changeLog{})
	require.NoError(t, o.Ready(t.Context()))
	now := time.Now()
	o.breaker.base, o.breaker.now = now, func() time.Time { return now }
	server.Stop()
	for range breakAfter - 1 {
		o.fetch(t, artwork.Loaded, loadCover(1))
	}
	require.Zero(t, o.Stats().Breaker)
	for range 10 {
		o.fetch(t, artwork.Loaded, loadCover(1))
	}
	require.Equal(t, managecache.Breaker{Opened: 1}, o.Stats().Breaker)
	require.Equal(t, managecache.Fallbacks{Error: breakAfter, BreakerOpen: 9}, o.Stats().Fallbacks)

	server.Start(t)
	require.NoError(t, o.Ready(t.Context()))
	now = now.Add(breakFor)
	o.fetch(t, artwork.Filled, loadCover(1))
	o.fetch(t, artwork.Shared, loadCover(1))
	require.Equal(t, managecache.Breaker{Opened: 1, Closed: 1}, o.Stats().Breaker)
	require.EqualValues(t, 2, o.Stats().Recovery.Replays, "the server was started anew")
}

func TestLostFencesAreCounted(t *testing.T) {
	t.Parallel()
	o := ready(t)
	require.NoError(t, o.Change(t.Context(), []artwork.Key{key}, func(ctx context.Context, fence artwork.Fence) error {
		o.del(t) // evicted
		if err := fence.StillHeld(ctx); err != nil {
			return err
		}
		o.del(t) // once more, while it commits
		return nil
	}))
	require.Equal(t, managecache.LostFences{BeforeCommit: 1, DuringCommit: 1, SetAgain: 1}, o.Stats().LostFences)
}

func TestAFenceThatCannotBeSetAgain(t *testing.T) {
	t.Parallel()
	o := ready(t)
	err := o.Change(t.Context(), []artwork.Key{key}, func(ctx context.Context, _ artwork.Fence) error {
		o.del(t)
		ch := &change{cache: o.Cache, names: []string{o.name}, token: "late", deadline: time.Now()}
		return ch.stillHeld(ctx)
	})
	require.Equal(t, artwork.CacheUnreachable, artwork.KindOf(err))
	require.Equal(t, managecache.LostFences{BeforeCommit: 1, DuringCommit: 1}, o.Stats().LostFences)
}

func TestWhatIsDoneAboutTheDeadIsCounted(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	plant(t, server.Addr, 1)
	o := observe(t, server.Addr, patient, &changeLog{
		places:  []artwork.Place{place},
		overdue: []artwork.PendingChange{{Token: "one", Keys: []artwork.Key{key}}, {Token: "other", Keys: []artwork.Key{key}}},
	})
	require.NoError(t, o.Ready(t.Context()))
	require.Equal(t, managecache.Recovery{Replays: 1, ReplayedKeys: 1}, o.Stats().Recovery)
	_, err := o.sweepOnce(t.Context())
	require.NoError(t, err)
	require.Equal(t, managecache.Recovery{Replays: 1, ReplayedKeys: 1, SweptChanges: 2}, o.Stats().Recovery)
}

// TestTheStepsOfAChangeAreTimed holds each to what is known to pass in it.
func TestTheStepsOfAChangeAreTimed(t *testing.T) {
	t.Parallel()
	o := ready(t)
	o.terms = artwork.CachePolicy{TTL: time.Minute, CopyTerm: 50 * time.Millisecond}
	broken := errors.New("broken")
	for _, ends := range []error{nil, broken} {
		require.ErrorIs(t, o.Change(t.Context(), []artwork.Key{key}, func(context.Context, artwork.Fence) error {
			time.Sleep(100 * time.Millisecond)
			return ends
		}), ends)
	}
	took := o.Stats().ChangeTime
	for name, step := range map[string]managecache.Timing{"fence": took.Fence, "copy wait": took.CopyWait, "commit": took.Commit, "unfence": took.Unfence} {
		require.EqualValues(t, 2, step.Count, name)
		require.Positive(t, step.SumMs, name)
		require.LessOrEqual(t, step.MaxMs, step.SumMs, name)
	}
	require.GreaterOrEqual(t, took.CopyWait.SumMs, 2*51.0)
	require.GreaterOrEqual(t, took.Commit.SumMs, 2*100.0)
}

// TestCallersWhoShareALookAreCounted: all but the first, who is held.
func TestCallersWhoShareALookAreCounted(t *testing.T) {
	t.Parallel()
	o := ready(t)
	begun, proceed := make(chan struct{}), make(chan struct{})
	var readers sync.WaitGroup
	readers.Go(func() {
		_, _ = o.Fetch(t.Context(), key, during(func() { close(begun); <-proceed }))
	})
	<-begun
	const others = 20
	for range others {
		readers.Go(func() { _, _ = o.Fetch(t.Context(), key, loadCover(1)) })
	}
	require.Eventually(t, func() bool { return o.Stats().SharedLooks == others }, patient, time.Millisecond)
	close(proceed)
	readers.Wait()
	require.EqualValues(t, 1, o.Stats().Misses)
	require.EqualValues(t, others, o.Stats().SharedLooks)
}

// TestReason holds errors of the client to what they mean.
func TestReason(t *testing.T) {
	for err, want := range map[error]managecache.Event{
		errUntrusted:             managecache.FallbackUntrusted,
		errReplica:               managecache.FallbackUntrusted,
		context.DeadlineExceeded: managecache.FallbackTimeout,
		redis.ErrPoolTimeout:     managecache.FallbackTimeout,
		&net.OpError{Op: "read", Err: context.DeadlineExceeded}: managecache.FallbackTimeout,
		&net.OpError{Op: "dial", Err: errors.New("refused")}:    managecache.FallbackError,
		redis.ErrClosed: managecache.FallbackError,
	} {
		require.Equal(t, want, reason(err), err)
	}
}
