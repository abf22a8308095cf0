package testenv

import (
	"syscall"
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

var deployedFiles = DeployedRedis{Folder: "../../deploy/redis", Password: `of g@tefold "quoted" \ too`, AdminPassword: `of "operators" \`}

// as returns a client that is a user of users.acl.
func as(t *testing.T, p *RedisProcess, user, password string) *redis.Client {
	t.Helper()
	options := p.options()
	options.Username, options.Password = user, password
	client := redis.NewClient(options)
	t.Cleanup(func() { _ = client.Close() })
	return client
}

// TestTheDeployedServer: Gatefold may do what it needs, and nothing else; what Redis holds
// and who may do what outlive a restart.
func TestTheDeployedServer(t *testing.T) {
	t.Parallel()
	server := deployedFiles.Server(t)
	gatefold := as(t, server, "gatefold", deployedFiles.Password)
	require.NoError(t, gatefold.Set(t.Context(), "image:album:1:cover", "v", 0).Err())
	require.ErrorContains(t, gatefold.Set(t.Context(), "session:1", "v", 0).Err(), "NOPERM")
	require.ErrorContains(t, gatefold.FlushAll(t.Context()).Err(), "NOPERM")
	require.ErrorContains(t, gatefold.ConfigGet(t.Context(), "*").Err(), "NOPERM")
	require.ErrorContains(t, as(t, server, "default", deployedFiles.Password).Ping(t.Context()).Err(), "WRONGPASS")
	require.ErrorContains(t, as(t, server, "gatefold", deployedFiles.AdminPassword).Ping(t.Context()).Err(), "WRONGPASS")
	require.ErrorContains(t, as(t, server, "", "").Ping(t.Context()).Err(), "NOAUTH")
	watch := as(t, server, "watch", deployedFiles.Password)
	require.NoError(t, watch.Info(t.Context()).Err())
	require.ErrorContains(t, watch.Get(t.Context(), "image:album:1:cover").Err(), "NOPERM")

	policy, err := server.operator.ConfigGet(t.Context(), "maxmemory*").Result()
	require.NoError(t, err)
	require.Equal(t, "allkeys-lru", policy["maxmemory-policy"])
	require.Equal(t, "268435456", policy["maxmemory"])

	stop(server.cmd, syscall.SIGTERM)
	server.Start(t)
	requireValue(t, gatefold, "image:album:1:cover", "v")
}

// TestTheDeployedSentinels replace a master, and each server knows its part after a
// restart, though Docker starts them all with the words of their first start.
func TestTheDeployedSentinels(t *testing.T) {
	t.Parallel()
	d := deployedFiles.Sentinel(t)
	gatefold := as(t, d.Master(t), "gatefold", deployedFiles.Password)
	require.NoError(t, gatefold.Set(t.Context(), "image:k", "v", 0).Err())
	old := d.KillMaster(t)
	master := d.Master(t)
	require.NotSame(t, old, master)
	old.Start(t)
	d.Settle(t)
	require.Contains(t, d.Replicas(t), old)
	requireValue(t, master.Client(t), "image:k", "v")

	stop(master.cmd, syscall.SIGTERM)
	master.Start(t) // before anybody has noticed
	d.Settle(t)
	info, err := master.info()
	require.NoError(t, err)
	require.Equal(t, "master", info["role"], "it was started as a replica")
	stop(old.cmd, syscall.SIGTERM)
	old.Start(t)
	info, err = old.info()
	require.NoError(t, err)
	require.Equal(t, "slave", info["role"], "it was started as a master")

	stop(old.cmd, syscall.SIGTERM)
	old.deployed.role = []string{"server"} // the profile "ha" has been given up
	old.Start(t)
	info, err = old.info()
	require.NoError(t, err)
	require.Equal(t, "master", info["role"], "there is nobody to follow")
}

// TestAMasterWithoutReplicasTakesNoWrites: what it acknowledged could be lost with it.
func TestAMasterWithoutReplicasTakesNoWrites(t *testing.T) {
	t.Parallel()
	master := deployedFiles.start(t, dataServer, "master")
	require.ErrorContains(t, as(t, master, "gatefold", deployedFiles.Password).Set(t.Context(), "image:k", "v", 0).Err(), "NOREPLICAS")
}

// TestTheDeployedCluster survives the loss of a master.
func TestTheDeployedCluster(t *testing.T) {
	t.Parallel()
	d := deployedFiles.Cluster(t)
	const key = "image:k"
	client := redis.NewClusterClient(&redis.ClusterOptions{Addrs: d.Addrs(), Username: "gatefold", Password: deployedFiles.Password})
	t.Cleanup(func() { _ = client.Close() })
	require.NoError(t, client.Set(t.Context(), key, "v", 0).Err())
	d.KillMasterOf(t, key).Start(t)
	d.Settle(t)
	value, err := client.Get(t.Context(), key).Result()
	require.NoError(t, err)
	require.Equal(t, "v", value)
}
