package testenv

import (
	"slices"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// failoverClient is a client as a program would have it, which asks the
// sentinels for the master.
func failoverClient(t *testing.T, d *SentinelDeployment, options SentinelOptions) *redis.Client {
	t.Helper()
	client := redis.NewFailoverClient(&redis.FailoverOptions{
		MasterName:       d.MasterName(),
		SentinelAddrs:    d.Addrs(),
		Password:         options.Password,
		SentinelPassword: options.SentinelPassword,
	})
	t.Cleanup(func() { _ = client.Close() })
	return client
}

func TestSentinelDeploymentsEndWithTheirTest(t *testing.T) {
	t.Parallel()
	endsWithItsTest(t, func(t *testing.T) []*RedisProcess {
		begin := time.Now()
		d := Sentinel(t)
		t.Logf("started in %s", time.Since(begin))
		require.Len(t, d.Addrs(), 3)
		require.Len(t, d.Replicas(t), 2)
		require.NotContains(t, d.Replicas(t), d.Master(t))
		d.Lag(t)
		return slices.Concat(d.servers, d.sentinels)
	})
}

func TestSentinelFailsOver(t *testing.T) {
	for name, failover := range map[string]func(*SentinelDeployment, TB) *RedisProcess{
		"from a healthy master": (*SentinelDeployment).Failover,
		"from a killed master":  (*SentinelDeployment).KillMaster,
	} {
		t.Run(name+", keeping what was written", func(t *testing.T) {
			t.Parallel()
			d := Sentinel(t)
			master := d.Master(t)
			set(t, failoverClient(t, d, SentinelOptions{}), "k", "v")
			require.Same(t, master, failover(d, t))
			require.NotSame(t, master, d.Master(t))
			requireValue(t, failoverClient(t, d, SentinelOptions{}), "k", "v")
			set(t, d.Master(t).Client(t), "k", "w")

			if !master.running() {
				require.Len(t, d.Replicas(t), 1)
				master.Start(t)
			}
			d.Settle(t)
			require.Contains(t, d.Replicas(t), master)
			requireValue(t, master.Client(t), "k", "w")
		})
		t.Run(name+", losing what the replicas lag behind", func(t *testing.T) {
			t.Parallel()
			d := Sentinel(t)
			client := failoverClient(t, d, SentinelOptions{})
			set(t, client, "k", "old")
			d.Lag(t)
			set(t, client, "k", "new")
			set(t, client, "later", "v")
			master := failover(d, t)
			requireValue(t, d.Master(t).Client(t), "k", "old")
			requireValue(t, d.Master(t).Client(t), "later", "")

			if !master.running() {
				master.Start(t)
			}
			d.Settle(t)
			requireValue(t, master.Client(t), "later", "")
			failover(d, t)
			requireValue(t, d.Master(t).Client(t), "k", "old")
		})
	}
}

func TestSentinelReplicasCatchUp(t *testing.T) {
	t.Parallel()
	d := Sentinel(t)
	for range 2 {
		d.Lag(t)
		set(t, d.Master(t).Client(t), "k", "v")
		d.Unlag(t)
		d.KillMaster(t).Start(t)
		requireValue(t, d.Master(t).Client(t), "k", "v")
	}
}

func TestSentinelReplacesAPausedMaster(t *testing.T) {
	t.Parallel()
	d := Sentinel(t)
	old := d.Master(t)
	stale := old.Client(t)
	set(t, stale, "k", "v")
	d.Settle(t)
	old.Pause()
	require.NotSame(t, old, d.AwaitNewMaster(t, old))
	old.Resume()
	d.Settle(t)
	requireValue(t, stale, "k", "v")
	require.Contains(t, d.Replicas(t), old)
}

func TestSentinelWithPasswords(t *testing.T) {
	t.Parallel()
	options := SentinelOptions{Password: `p@ss w"rd`, SentinelPassword: "s'entinel", Args: []string{"--appendonly yes"}}
	d := SentinelWith(t, options)
	set(t, failoverClient(t, d, options), "k", "v")
	for _, wrong := range []SentinelOptions{{Password: options.Password}, {SentinelPassword: options.SentinelPassword}} {
		require.Error(t, failoverClient(t, d, wrong).Ping(t.Context()).Err())
	}
	d.KillMaster(t).Start(t)
	d.Settle(t)
	d.Failover(t)
	requireValue(t, failoverClient(t, d, options), "k", "v")
}
