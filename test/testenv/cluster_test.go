package testenv

import (
	"fmt"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

func clusterClient(t *testing.T, d *ClusterDeployment) *redis.ClusterClient {
	t.Helper()
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: d.Addrs()})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestRedisClustersEndWithTheirTest(t *testing.T) {
	t.Parallel()
	endsWithItsTest(t, func(t *testing.T) []*RedisProcess {
		begin := time.Now()
		d := RedisCluster(t)
		t.Logf("started in %s", time.Since(begin))
		require.Len(t, d.Addrs(), 6)
		require.Len(t, d.owners(t), 3)
		return d.nodes
	})
}

func TestARedisClusterKeepsAndForgetsItsData(t *testing.T) {
	t.Parallel()
	d := RedisCluster(t)
	client := clusterClient(t, d)
	for i := range 50 {
		set(t, client, fmt.Sprint("k", i), "v")
	}
	for i := range 50 {
		requireValue(t, client, fmt.Sprint("k", i), "v")
	}
	d.Flush(t)
	for i := range 50 {
		requireValue(t, client, fmt.Sprint("k", i), "")
	}
}

func TestAReplicaOfARedisClusterTakesOver(t *testing.T) {
	t.Parallel()
	d := RedisCluster(t)
	client := clusterClient(t, d)
	set(t, client, "k", "v")
	master := d.MasterOf(t, "k")
	for range 2 { // the second time it is the turn of the former master again
		killed := d.KillMasterOf(t, "k")
		require.False(t, killed.running())
		require.NotSame(t, killed, d.MasterOf(t, "k"))
		requireValue(t, clusterClient(t, d), "k", "v")
		killed.Start(t)
		d.Settle(t)
		requireValue(t, clusterClient(t, d), "k", "v")
	}
	require.Same(t, master, d.MasterOf(t, "k"))
}

func TestARedisClusterMovesASlot(t *testing.T) {
	t.Parallel()
	d := RedisCluster(t)
	client := clusterClient(t, d)
	set(t, client, "{k}", "v")
	require.NoError(t, client.Set(t.Context(), "{k}expires", "v", time.Hour).Err())
	for i := range 250 {
		set(t, client, fmt.Sprintf("{k}%d", i), "v")
	}
	from := d.MasterOf(t, "k")
	seen := map[*RedisProcess]bool{from: true}
	for range clusterMasters - 1 {
		to := d.MoveSlot(t, "k")
		require.Same(t, to, d.MasterOf(t, "k"))
		seen[to] = true
		require.ErrorContains(t, from.Client(t).Get(t.Context(), "{k}").Err(), "MOVED")
		requireValue(t, client, "{k}", "v")
		requireValue(t, client, "{k}249", "v")
		ttl, err := client.TTL(t.Context(), "{k}expires").Result()
		require.NoError(t, err)
		require.Positive(t, ttl)
	}
	require.Len(t, seen, clusterMasters)
	d.KillMasterOf(t, "k")
	requireValue(t, clusterClient(t, d), "{k}249", "v")
}
