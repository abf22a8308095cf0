package rediscache

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
	"gatefold/test/testenv"
)

// openWith opens a cache by options and waits until it can be used.
func openWith(t conformance.TB, o Options, changes artwork.ChangeLog) *Cache {
	t.Helper()
	cache, err := Open(o, testPolicy, changes, managecache.NewCounters(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = cache.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	require.NoError(t, cache.Ready(ctx))
	return cache
}

func fleetWith(t conformance.TB, o Options) conformance.Fleet {
	return conformance.Fleet{openWith(t, o, &changeLog{}), openWith(t, o, &changeLog{}), openWith(t, o, &changeLog{})}
}

// TestOnSentinel and TestOnCluster run the whole suite: the cases use keys of
// their own, so that they may share a deployment.
func TestOnSentinel(t *testing.T) {
	d := testenv.Sentinel(t)
	o := Options{SentinelMaster: d.MasterName(), SentinelAddrs: d.Addrs()}
	conformance.RunImageCache(t, func(t conformance.TB) conformance.Fleet { return fleetWith(t, o) })
	runEventLog(t, o)
	require.NoError(t, openWith(t, o, &changeLog{}).Check(t.Context()))
	require.NoError(t, Probe(t.Context(), o))
}

func TestOnCluster(t *testing.T) {
	d := testenv.RedisCluster(t)
	o := Options{ClusterAddrs: d.Addrs()}
	conformance.RunImageCache(t, func(t conformance.TB) conformance.Fleet { return fleetWith(t, o) })
	runEventLog(t, o)
	cache := openWith(t, o, &changeLog{})
	require.NoError(t, cache.Check(t.Context()))
	require.NoError(t, Probe(t.Context(), o))
	d.Flush(t)
	for range 100 { // on every master
		_, err := cache.Fetch(t.Context(), artwork.Album(artwork.NewID()).Keys()[0], loadCover(1))
		require.NoError(t, err)
	}
	removed, err := cache.Flush(t.Context())
	require.NoError(t, err)
	require.Equal(t, 100, removed)
}

// TestFailoverToALaggingReplica: the change was acknowledged by a master that
// dies before any replica has heard of it, and the value from before it lives on
// where nobody deleted it.
func TestFailoverToALaggingReplica(t *testing.T) {
	d := testenv.Sentinel(t)
	o := Options{SentinelMaster: d.MasterName(), SentinelAddrs: d.Addrs()}
	log := &changeLog{}
	writer, reader := openWith(t, o, log), openWith(t, o, log)
	_, err := reader.Fetch(t.Context(), key, loadCover(1))
	require.NoError(t, err)
	require.NoError(t, d.Master(t).Client(t).Wait(t.Context(), 2, 5*time.Second).Err())

	d.Lag(t)
	require.NoError(t, writer.Change(t.Context(), []artwork.Key{key}, func(ctx context.Context, fence artwork.Fence) error {
		log.set(func(l *changeLog) { l.places = []artwork.Place{place} })
		return fence.StillHeld(ctx)
	}))
	stale := watchForOlder(t, 2, writer, reader)
	d.KillMaster(t)
	for _, cache := range []*Cache{writer, reader} {
		require.EqualValues(t, 2, sees(t, cache, 2))
	}
	require.Zero(t, stale(), "stale after the answer")
}

// watchForOlder reads all the time on every cache; the function that it returns
// ends that and tells how many answers were older than the truth.
func watchForOlder(t *testing.T, truth int, caches ...*Cache) (older func() int64) {
	t.Helper()
	var count atomic.Int64
	stop := make(chan struct{})
	var readers sync.WaitGroup
	for _, cache := range caches {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
				}
				answer, err := cache.Fetch(t.Context(), key, loadCover(truth))
				if err != nil || answer.Image.Size < int64(truth) {
					count.Add(1)
				}
			}
		})
	}
	return func() int64 {
		close(stop)
		readers.Wait()
		return count.Load()
	}
}

// TestAMovedSlot: a key that moves to another server of the cluster, fence and
// all, is as safe there.
func TestAMovedSlot(t *testing.T) {
	d := testenv.RedisCluster(t)
	o := Options{ClusterAddrs: d.Addrs()}
	log := &changeLog{places: []artwork.Place{place}}
	writer, reader := openWith(t, o, log), openWith(t, o, log)
	require.EqualValues(t, 1, sees(t, reader, 1))
	require.NoError(t, writer.Change(t.Context(), []artwork.Key{key}, func(ctx context.Context, fence artwork.Fence) error {
		d.MoveSlot(t, key.String())
		answer, err := reader.Fetch(ctx, key, loadCover(1))
		require.NoError(t, err)
		require.Equal(t, artwork.Loaded, answer.Level, "the fence has moved too")
		return fence.StillHeld(ctx)
	}))
	require.EqualValues(t, 2, sees(t, reader, 2))

	d.KillMasterOf(t, key.String())
	for _, cache := range []*Cache{writer, reader} {
		require.EqualValues(t, 2, sees(t, cache, 2))
	}
}
