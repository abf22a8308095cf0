package testenv

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// endsWithItsTest runs start in a test of its own and requires that, when that
// has ended, neither the processes nor their folders are left.
func endsWithItsTest(t *testing.T, start func(t *testing.T) []*RedisProcess) {
	t.Helper()
	var processes []*RedisProcess
	require.True(t, t.Run("while it runs", func(t *testing.T) {
		processes = start(t)
		for _, p := range processes {
			require.True(t, isRunning(p.cmd.Process.Pid))
		}
	}))
	require.NotEmpty(t, processes)
	for _, p := range processes {
		require.False(t, isRunning(p.cmd.Process.Pid), "a server outlives its test")
		require.NoDirExists(t, p.dir)
	}
}

func set(t *testing.T, client redis.Cmdable, key, value string) {
	t.Helper()
	require.NoError(t, client.Set(t.Context(), key, value, 0).Err())
}

// requireValue requires that the key has the value; empty: that it is missing.
func requireValue(t *testing.T, client redis.Cmdable, key, value string) {
	t.Helper()
	got, err := client.Get(t.Context(), key).Result()
	if value == "" {
		require.ErrorIs(t, err, redis.Nil)
		return
	}
	require.NoError(t, err)
	require.Equal(t, value, got)
}

func TestRedisServersEndWithTheirTest(t *testing.T) {
	endsWithItsTest(t, func(t *testing.T) []*RedisProcess {
		running, paused := RedisServer(t), RedisServer(t)
		paused.Pause()
		return []*RedisProcess{running, paused}
	})
}

func TestRedisGivesEachTestItsOwnDatabase(t *testing.T) {
	for range 2 {
		options, err := redis.ParseURL(Redis(t))
		require.NoError(t, err)
		client := redis.NewClient(options)
		requireValue(t, client, "k", "")
		set(t, client, "k", "mine")
		require.NoError(t, client.Close())
	}
}

func TestARedisServerKeepsWhatIsOnDisk(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		save bool
		kept string
	}{
		"nothing by default": {kept: ""},
		"what was saved":     {save: true, kept: "v"},
		"an append-only log": {args: []string{"--appendonly yes", "--appendfsync always"}, kept: "v"},
		"with a password":    {args: []string{`--requirepass "p w\"d"`}, save: true, kept: "v"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := RedisServer(t, c.args...)
			client := server.Client(t)
			set(t, client, "k", "v")
			if c.save {
				server.Save(t)
			}
			addr := server.Addr
			server.Stop()
			require.Error(t, client.Ping(t.Context()).Err())
			server.Start(t)
			require.Equal(t, addr, server.Addr)
			requireValue(t, server.Client(t), "k", c.kept)
		})
	}
}

func TestARedisServerTakesArguments(t *testing.T) {
	server := RedisServer(t, "--maxmemory 3mb", "--maxmemory-policy allkeys-lru")
	config, err := server.Client(t).ConfigGet(t.Context(), "maxmemory*").Result()
	require.NoError(t, err)
	require.Equal(t, "3145728", config["maxmemory"])
	require.Equal(t, "allkeys-lru", config["maxmemory-policy"])
}

func TestARedisServerThatIsRefusedItsArgumentsSaysWhy(t *testing.T) {
	_, err := newRedis(dataServer, "--no-such-directive yes")
	require.ErrorContains(t, err, "no-such-directive")
}

func TestARedisServerStartsFromAnEarlierTime(t *testing.T) {
	for name, args := range map[string][]string{"a snapshot": nil, "an append-only log": {"--appendonly yes"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := RedisServer(t, args...)
			set(t, server.Client(t), "k", "old")
			earlier := server.Snapshot(t)
			set(t, server.Client(t), "k", "new")
			set(t, server.Client(t), "later", "v")
			server.Save(t)
			for range 2 { // the snapshot can be used again
				server.Stop()
				server.StartFrom(t, earlier)
				requireValue(t, server.Client(t), "k", "old")
				requireValue(t, server.Client(t), "later", "")
				set(t, server.Client(t), "k", "newer")
			}
		})
	}
}

func TestAPausedRedisServerAnswersLater(t *testing.T) {
	server := RedisServer(t)
	client := server.Client(t)
	set(t, client, "k", "v")
	for range 2 {
		server.Pause()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		require.ErrorIs(t, client.Ping(ctx).Err(), context.DeadlineExceeded)
		cancel()
		server.Pause() // to pause a paused one does nothing
		server.Resume()
		requireValue(t, client, "k", "v")
	}
	server.Stop()
	server.Pause() // nor one that has ended
	server.Resume()
}

func TestARedisServerBecomesAReplicaAndAMaster(t *testing.T) {
	for name, args := range map[string][]string{"open": nil, "with a password": {"requirepass secret"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			master, replica := RedisServer(t, args...), RedisServer(t, args...)
			set(t, master.Client(t), "k", "v")
			replica.ReplicaOf(t, master)
			requireValue(t, replica.Client(t), "k", "v")
			require.ErrorContains(t, replica.Client(t).Set(t.Context(), "k", "w", 0).Err(), "READONLY")
			replica.Stop()
			replica.Start(t)
			awaitCopied(t, master, replica)
			requireValue(t, replica.Client(t), "k", "v")

			replica.Promote(t)
			set(t, replica.Client(t), "k", "w")
			requireValue(t, master.Client(t), "k", "v")
			replica.Save(t)
			replica.Stop()
			replica.Start(t)
			set(t, replica.Client(t), "l", "it is a master still")
			requireValue(t, replica.Client(t), "k", "w")
		})
	}
}

func TestARedisServerLeavesNoFolderBehind(t *testing.T) {
	server := RedisServer(t)
	server.Snapshot(t)
	server.end()
	_, err := os.Stat(server.dir)
	require.ErrorIs(t, err, os.ErrNotExist)
}
