package testenv

import (
	"bytes"
	"io"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/stretchr/testify/require"
)

func TestAnS3ServerStopsAndStartsWithItsData(t *testing.T) {
	server := S3Server(t)
	bucket, other := server.Bucket(t), server.Bucket(t)
	require.NotEqual(t, bucket.Name, other.Name)
	client, err := server.client()
	require.NoError(t, err)
	_, err = client.PutObject(t.Context(), bucket.Name, "a/b", bytes.NewReader([]byte("kept")), 4, minio.PutObjectOptions{})
	require.NoError(t, err)
	require.FileExists(t, bucket.Dir+"/a/b")

	server.Stop()
	_, err = client.StatObject(t.Context(), bucket.Name, "a/b", minio.StatObjectOptions{})
	require.Error(t, err)
	server.Start(t)
	object, err := client.GetObject(t.Context(), bucket.Name, "a/b", minio.GetObjectOptions{})
	require.NoError(t, err)
	content, err := io.ReadAll(object)
	require.NoError(t, err)
	require.Equal(t, "kept", string(content))
}

func TestS3ServersEndWithTheirTest(t *testing.T) {
	var running, paused *S3Process
	require.True(t, t.Run("while it runs", func(t *testing.T) {
		running, paused = S3Server(t), S3Server(t)
		paused.Pause()
		require.True(t, isRunning(running.cmd.Process.Pid))
	}))
	for _, p := range []*S3Process{running, paused} {
		require.False(t, isRunning(p.cmd.Process.Pid), "a server outlives its test")
		require.NoDirExists(t, p.dir)
	}
}

func TestS3GivesEachTestItsOwnBucket(t *testing.T) {
	require.NotEqual(t, S3(t).Name, S3(t).Name)
}

func TestAToolThatIsMissingIsNamed(t *testing.T) {
	_, err := installed("no-such-tool")
	require.ErrorContains(t, err, "no-such-tool is not installed: run scripts/install-test-tools.sh")
}
