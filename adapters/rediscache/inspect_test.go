package rediscache_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/rediscache"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
	"gatefold/test/testenv"
)

func inspected(t conformance.TB) conformance.Inspected {
	cache := connect(t, testenv.Redis(t), noChanges{})
	return conformance.Inspected{Cache: cache, Level: cache}
}

func TestInspect(t *testing.T) { conformance.RunKeeper(t, inspected) }

// TestInspectChangesNothing: whatever a key holds, it holds the same afterwards, until
// the same time.
func TestInspectChangesNothing(t *testing.T) {
	cache, operator := open(t)
	subject := artwork.Artist(artwork.NewID())
	keys := subject.Keys()
	for i, text := range []string{"A", "L0123", "Fabc@99999999999999|def@1|", "{}", "?", "{\"broken\":"} {
		require.NoError(t, operator.Set(t.Context(), keys[i].String(), text, time.Hour).Err())
	}
	require.NoError(t, operator.Persist(t.Context(), keys[4].String()).Err())
	before := map[string]time.Duration{}
	for _, key := range keys {
		before[key.String()] = operator.PExpireTime(t.Context(), key.String()).Val()
	}
	held, err := cache.Inspect(t.Context(), keys)
	require.NoError(t, err)
	var holdings []managecache.Holding
	for _, h := range held {
		holdings = append(holdings, h.Holding)
	}
	require.Equal(t, []managecache.Holding{
		managecache.HoldsEmpty, managecache.HoldsLease, managecache.HoldsFence, managecache.HoldsUnreadable,
		managecache.HoldsUnreadable, managecache.HoldsUnreadable, managecache.HoldsNothing,
	}, holdings)
	require.Equal(t, 1, held[2].Changes, "the other has expired")
	require.Zero(t, held[4].ExpiresIn, "it has no term")
	for _, key := range keys {
		require.Equal(t, before[key.String()], operator.PExpireTime(t.Context(), key.String()).Val(), key.String())
	}
}

// evicting is a broken level: what it has looked at is gone.
type evicting struct {
	managecache.Inspector
	cache artwork.ImageCache
}

func (e evicting) Inspect(ctx context.Context, keys []artwork.Key) ([]managecache.Held, error) {
	held, err := e.Inspector.Inspect(ctx, keys)
	if err == nil && len(keys) > 0 {
		err = e.cache.Change(ctx, keys, func(context.Context, artwork.Fence) error { return nil })
	}
	return held, err
}

func TestLookingMustNotChange(t *testing.T) {
	broken := func(t conformance.TB) conformance.Inspected {
		in := inspected(t)
		in.Level = evicting{in.Level, in.Cache}
		return in
	}
	conformance.Rejects(t, conformance.KeeperCases(), "a fill under way is a lease", broken)
	conformance.Rejects(t, conformance.InspectorCases(), "looking prolongs nothing", broken)
}

func TestState(t *testing.T) {
	server := testenv.RedisServer(t, "--maxmemory 64mb", "--maxmemory-policy allkeys-lru")
	cache := connect(t, "redis://"+server.Addr, noChanges{})
	_, err := cache.Fetch(t.Context(), artwork.Album(artwork.NewID()).Keys()[0], func(context.Context) (*artwork.Image, error) { return nil, nil })
	require.NoError(t, err)
	state := cache.State(t.Context())
	require.Empty(t, state.Problem)
	require.False(t, state.BreakerOpen)
	require.Positive(t, state.Open)
	require.Positive(t, state.MaxOpen)
	require.Len(t, state.Servers, 1)
	is := state.Servers[0]
	require.Equal(t, server.Addr, is.Address)
	require.NotEmpty(t, is.Version)
	require.EqualValues(t, 1, is.Keys)
	require.EqualValues(t, 64<<20, is.MaxMemory)
	require.Equal(t, "allkeys-lru", is.MemoryPolicy)
	require.Positive(t, is.MemoryBytes)
	require.Positive(t, is.AnsweredMs)
	require.Positive(t, is.Clients)

	server.Stop()
	state = cache.State(t.Context())
	require.Equal(t, "Redis does not answer", state.Problem)
	require.Empty(t, state.Servers)
	require.NotNil(t, state.Servers, "an empty list in JSON")
	_, err = cache.Inspect(t.Context(), artwork.Album(artwork.NewID()).Keys())
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err))
	_, err = cache.Board().Read(t.Context(), []artwork.ID{artwork.NewID()})
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err))
	require.Equal(t, artwork.Unavailable, artwork.KindOf(cache.Board().Post(t.Context(), artwork.NewID(), nil, time.Second)))
	for range 20 {
		_, err := cache.Fetch(t.Context(), artwork.Album(artwork.NewID()).Keys()[0], func(context.Context) (*artwork.Image, error) { return nil, nil })
		require.NoError(t, err)
	}
	require.True(t, cache.Connection().BreakerOpen)
}

// TestStateOfACluster tells of every master.
func TestStateOfACluster(t *testing.T) {
	d := testenv.RedisCluster(t)
	cache, err := rediscache.Open(rediscache.Options{ClusterAddrs: d.Addrs()}, policy, noChanges{}, managecache.NewCounters(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = cache.Close() })
	require.NoError(t, cache.Ready(t.Context()))
	state := cache.State(t.Context())
	require.Empty(t, state.Problem)
	require.Greater(t, len(state.Servers), 1)
	keys := artwork.Artist(artwork.NewID()).Keys()
	for _, key := range keys {
		_, err := cache.Fetch(t.Context(), key, func(context.Context) (*artwork.Image, error) { return nil, nil })
		require.NoError(t, err)
	}
	held, err := cache.Inspect(t.Context(), keys)
	require.NoError(t, err)
	for _, h := range held {
		require.Equal(t, managecache.HoldsEmpty, h.Holding)
	}
}

func TestBoard(t *testing.T) {
	conformance.RunBoard(t, func(t conformance.TB) []managecache.Board {
		url := testenv.Redis(t)
		return []managecache.Board{connect(t, url, noChanges{}).Board(), connect(t, url, noChanges{}).Board()}
	})
}

// everlasting is a broken board: what it shows has no term.
type everlasting struct{ managecache.Board }

func (e everlasting) Post(ctx context.Context, instance artwork.ID, report []byte, _ time.Duration) error {
	return e.Board.Post(ctx, instance, report, time.Hour)
}

func TestReportsMustExpire(t *testing.T) {
	conformance.Rejects(t, conformance.BoardCases(), "a report is shown for its term", func(t conformance.TB) []managecache.Board {
		return []managecache.Board{everlasting{connect(t, testenv.Redis(t), noChanges{}).Board()}}
	})
}
