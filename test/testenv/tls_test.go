package testenv

import (
	"testing"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"
)

// TestServersThatSpeakTLSOnly: to their operators, to each other and to nobody
// else.
func TestServersThatSpeakTLSOnly(t *testing.T) {
	certificates := NewCertificates(t)
	master, replica := RedisServer(t, certificates.Args()...), RedisServer(t, certificates.Args()...)
	replica.ReplicaOf(t, master)
	set(t, master.Client(t), "k", "v")
	awaitCopied(t, master, replica)
	requireValue(t, replica.Client(t), "k", "v")

	plain := redis.NewClient(&redis.Options{Addr: master.Addr, MaxRetries: -1})
	t.Cleanup(func() { _ = plain.Close() })
	require.Error(t, plain.Ping(t.Context()).Err())

	stranger := master.options()
	var err error
	stranger.TLSConfig, err = trusting(NewCertificates(t).CA())
	require.NoError(t, err)
	distrustful := redis.NewClient(stranger)
	t.Cleanup(func() { _ = distrustful.Close() })
	require.ErrorContains(t, distrustful.Ping(t.Context()).Err(), "certificate")

	master.Stop()
	master.Start(t)
	require.NoError(t, master.Client(t).Ping(t.Context()).Err())
}
