package rediscache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/pprof"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
	"github.com/stretchr/testify/require"

	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/test/testenv"
)

// gate is a Redis that notes what it is sent, and answers once it is opened.
type gate struct {
	open chan struct{}

	mu      sync.Mutex
	singles int
	batches []int
	fail    error
}

func (g *gate) DialHook(next redis.DialHook) redis.DialHook { return next }

func (g *gate) ProcessHook(redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		g.mu.Lock()
		g.singles++
		g.mu.Unlock()
		g.answer(ctx, cmd)
		return cmd.Err()
	}
}

func (g *gate) ProcessPipelineHook(redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		g.mu.Lock()
		g.batches = append(g.batches, len(cmds))
		g.mu.Unlock()
		for _, cmd := range cmds {
			g.answer(ctx, cmd)
		}
		return nil
	}
}

func (g *gate) answer(ctx context.Context, cmd redis.Cmder) {
	select {
	case <-g.open:
	case <-ctx.Done():
		cmd.SetErr(ctx.Err())
		return
	}
	name := cmd.Args()[1].(string)
	switch {
	case g.fail != nil:
		cmd.SetErr(g.fail)
	case name == "missing":
		cmd.SetErr(redis.Nil)
	default:
		cmd.(*redis.StringCmd).SetVal("value of " + name)
	}
}

// crowd is many callers of one reader.
type crowd struct {
	*gate
	reader
	rdb     *redis.Client
	callers sync.WaitGroup

	mu   sync.Mutex
	errs map[string]error
}

func newCrowd(t *testing.T) *crowd {
	opts := &redis.Options{MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}}
	c := &crowd{gate: &gate{open: make(chan struct{})}, reader: reader{patience: readBudget}, rdb: redis.NewClient(opts), errs: map[string]error{}}
	c.rdb.AddHook(c.gate)
	t.Cleanup(func() { _ = c.rdb.Close() })
	return c
}

// ask has a caller get the name, and returns when it waits.
func (c *crowd) ask(t *testing.T, ctx context.Context, name string) { //nolint:revive // t comes first in tests
	c.callers.Go(func() {
		value, err := c.get(ctx, c.rdb, name)
		if err == nil && value != "value of "+name {
			t.Errorf("%s was answered by %q", name, value)
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		c.errs[name] = err
	})
	synctest.Wait()
}

func (c *crowd) askMany(t *testing.T, prefix string, n int) {
	for i := range n {
		c.ask(t, t.Context(), fmt.Sprint(prefix, i))
	}
}

// requireIdle requires that nothing is left behind.
func (c *crowd) requireIdle(t *testing.T) {
	t.Helper()
	require.Zero(t, c.direct)
	require.Zero(t, c.senders)
	require.Empty(t, c.waiting)
}

func TestFewReadsAreCommandsOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		c.askMany(t, "name ", maxDirect)
		require.Equal(t, maxDirect, c.singles)
		require.Empty(t, c.batches)
		close(c.open)
		c.callers.Wait()
		c.requireIdle(t)
	})
}

// TestManyReadsAreSentTogether has so many callers that batches queue: what came
// while two were under way is sent as soon as one of them is answered.
func TestManyReadsAreSentTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		c.askMany(t, "name ", maxDirect+maxSenders+maxBatch+100)
		c.ask(t, t.Context(), "missing")
		require.Equal(t, []int{1, 1}, c.batches, "batches under way")
		close(c.open)
		c.callers.Wait()
		require.Equal(t, maxDirect, c.singles)
		require.ElementsMatch(t, []int{1, 1, maxBatch, 101}, c.batches)
		for name, err := range c.errs {
			require.Equal(t, name == "missing", errors.Is(err, redis.Nil), "%s: %v", name, err)
		}
		synctest.Wait()
		c.requireIdle(t)

		c.ask(t, t.Context(), "afterwards")
		require.Equal(t, maxDirect+1, c.singles)
	})
}

// TestTheBudgetHoldsForEveryReader: also those whose batch was never sent.
func TestTheBudgetHoldsForEveryReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		begin := time.Now()
		c.askMany(t, "name ", maxDirect+maxSenders+maxBatch+100)
		c.callers.Wait()
		require.Equal(t, readBudget, time.Since(begin))
		for name, err := range c.errs {
			require.ErrorIs(t, err, context.DeadlineExceeded, name)
		}
		synctest.Wait()
		c.requireIdle(t)
	})
}

func TestACallerLeavesItsBatchToTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		c.askMany(t, "name ", maxDirect+maxSenders)
		ctx, cancel := context.WithCancel(t.Context())
		c.ask(t, ctx, "impatient")
		c.ask(t, t.Context(), "patient")
		begin := time.Now()
		cancel()
		synctest.Wait()
		require.ErrorIs(t, c.errs["impatient"], context.Canceled)
		require.Zero(t, time.Since(begin))
		close(c.open)
		c.callers.Wait()
		require.NoError(t, c.errs["patient"])
	})
}

func TestAFailedBatchIsEverybodysError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCrowd(t)
		c.fail = errors.New("connection reset by peer")
		c.askMany(t, "name ", maxDirect+maxSenders+10)
		close(c.open)
		c.callers.Wait()
		for name, err := range c.errs {
			require.ErrorIs(t, err, c.fail, name)
		}
	})
}

// quiet is the log of a database in which nothing has changed.
type quiet struct{}

func (quiet) ChangedWithin(context.Context, time.Duration, func(artwork.Place) error) error {
	return nil
}
func (quiet) Overdue(context.Context, int) ([]artwork.PendingChange, error) { return nil, nil }
func (quiet) Finish(context.Context, string) error                          { return nil }

// TestManyCallersOnARealRedis fills and reads many keys at once, pauses Redis
// under them, and closes: everybody is answered, and nothing is left running.
func TestManyCallersOnARealRedis(t *testing.T) {
	server := testenv.RedisServer(t)
	cache, err := Open(Options{URL: "redis://" + server.Addr}, artwork.CachePolicy{TTL: time.Minute}, quiet{}, managecache.NewCounters(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NoError(t, cache.Ready(t.Context()))
	const callers = 300
	fetchAll := fetcher(t, cache, callers)
	// On a busy machine some are slower than the budget, which is no error.
	fetchAll()
	require.Eventually(t, func() bool { return fetchAll()[artwork.Shared] == callers }, 10*time.Second, 10*time.Millisecond)

	server.Pause()
	begin := time.Now()
	require.Equal(t, map[artwork.Level]int{artwork.Loaded: callers}, fetchAll())
	require.Less(t, time.Since(begin), 2*time.Second)
	server.Resume()
	require.Eventually(t, func() bool { return fetchAll()[artwork.Shared] == callers }, 10*time.Second, 10*time.Millisecond)

	require.NoError(t, cache.Close())
	require.Equal(t, map[artwork.Level]int{artwork.Loaded: callers}, fetchAll())
	require.Eventually(t, func() bool { return !strings.Contains(goroutines(), "rediscache.(*reader)") }, 10*time.Second, 10*time.Millisecond)
}

// TestManyCallersOnACluster: a batch has keys of every server.
func TestManyCallersOnACluster(t *testing.T) {
	d := testenv.RedisCluster(t)
	cache, err := Open(Options{ClusterAddrs: d.Addrs()}, artwork.CachePolicy{TTL: time.Minute}, quiet{}, managecache.NewCounters(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = cache.Close() })
	require.NoError(t, cache.Ready(t.Context()))
	fetchAll := fetcher(t, cache, 300)
	require.Eventually(t, func() bool { return fetchAll()[artwork.Shared] == 300 }, 30*time.Second, 10*time.Millisecond)
}

// fetcher returns what fetches n keys, all at once, and tells how often each
// level answered.
func fetcher(t *testing.T, cache *Cache, n int) func() map[artwork.Level]int {
	t.Helper()
	keys := make([]artwork.Key, n)
	for i := range keys {
		keys[i] = artwork.Album(artwork.NewID()).Keys()[0]
	}
	return func() map[artwork.Level]int {
		levels := map[artwork.Level]int{}
		var mu sync.Mutex
		var all sync.WaitGroup
		for i, key := range keys {
			all.Go(func() {
				answer, err := cache.Fetch(t.Context(), key, func(context.Context) (*artwork.Image, error) { return numbered(i), nil })
				mu.Lock()
				defer mu.Unlock()
				if err != nil || answer.Image.Size != int64(i) {
					t.Errorf("%s: %+v, %v", key, answer.Image, err)
				}
				levels[answer.Level]++
			})
		}
		all.Wait()
		return levels
	}
}

func numbered(n int) *artwork.Image {
	hash := artwork.HashOf(fmt.Append(nil, n))
	return &artwork.Image{
		Content:  artwork.Content{Hash: hash, Size: int64(n), MIMEType: "image/png", Width: 1, Height: 1},
		RecordID: artwork.NewID(), Tag: artwork.TagOf(hash, nil), Source: artwork.Local, LastModified: time.Unix(1700000000, 0).UTC(),
	}
}

func goroutines() string {
	var stacks strings.Builder
	_ = pprof.Lookup("goroutine").WriteTo(&stacks, 1)
	return stacks.String()
}
