package integration

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/test/musicfixture"
	"gatefold/test/testenv"
)

// TestInstancesWithoutASharedDisk: what one has stored another one serves, with
// nothing in common but Postgres, Redis and a bucket.
func TestInstancesWithoutASharedDisk(t *testing.T) {
	t.Parallel()
	bucket := testenv.S3(t)
	d := sharedDeployment(t, append(bucket.Environ(), "S3_PREFIX=art")...)
	fleet := []*instance{d.start(t, "DATA_DIR="+t.TempDir()), d.start(t, "DATA_DIR="+t.TempDir(), "BYTES_CACHE_MB=0")}
	fleet[0].putArtist(artistID, "Far")
	fleet[0].putAlbum(albumID, artistID, "Apart")
	var picture []byte
	for n := range 4 {
		from, to := fleet[n%2], fleet[1-n%2]
		picture = musicfixture.Picture(300, 300, int64(n))
		tag := applyCover(t, from, picture)
		for _, in := range []*instance{to, from} {
			a := in.get(coverPath)
			require.Equal(t, http.StatusOK, a.StatusCode, string(a.body))
			require.Equal(t, picture, a.body)
			require.Equal(t, `"`+tag+`"`, a.Header.Get("ETag"))
			require.Equal(t, http.StatusNotModified, in.get(coverPath, "If-None-Match", `"`+tag+`"`).StatusCode)
		}
	}
	a := fleet[1].get(coverPath, "Range", "bytes=100-199")
	require.Equal(t, http.StatusPartialContent, a.StatusCode)
	require.Equal(t, picture[100:200], a.body)
	require.DirExists(t, bucket.Dir+"/art/images")
}

// TestTheBucketIsGone: nothing hangs, health tells, and what memory holds is still
// served.
func TestTheBucketIsGone(t *testing.T) {
	t.Parallel()
	server := testenv.S3Server(t)
	in := sharedDeployment(t, server.Bucket(t).Environ()...).start(t)
	in.putArtist(artistID, "Gone")
	in.putAlbum(albumID, artistID, "And Back")
	picture := musicfixture.Picture(300, 300, 1)
	applyCover(t, in, picture)
	require.Equal(t, picture, in.get(coverPath).body)
	upload := "/api/admin/metadata/album/custom-covers/" + albumID + "/upload"

	server.Stop()
	require.Equal(t, picture, in.get(coverPath).body, "memory has it")
	requireProblem(t, in.upload(upload, musicfixture.Picture(20, 20, 2)), http.StatusServiceUnavailable, "unavailable")
	require.Eventually(t, func() bool {
		a := in.get("/health")
		return a.StatusCode == http.StatusServiceUnavailable && a.json(t)["storage"] == "error"
	}, 30*time.Second, 20*time.Millisecond)

	server.Start(t)
	require.Eventually(t, func() bool { return in.get("/health").StatusCode == http.StatusOK }, 30*time.Second, 20*time.Millisecond)
	require.Equal(t, http.StatusOK, in.upload(upload, musicfixture.Picture(20, 20, 2)).StatusCode)
}

// TestASilentBucketIsNamed: it accepts connections and says nothing.
func TestASilentBucketIsNamed(t *testing.T) {
	t.Parallel()
	server := testenv.S3Server(t)
	bucket := server.Bucket(t)
	server.Pause()
	code, stdout, _ := gatefold(t, deployment{environ: append(bucket.Environ(), "DATA_DIR="+t.TempDir())}, "doctor")
	require.Equal(t, 1, code, stdout)
	require.Contains(t, stdout, "S3_ENDPOINT: "+bucket.Endpoint+" does not answer")
}

// TestAWrongBucketIsNamed, by the doctor and by a start that fails.
func TestAWrongBucketIsNamed(t *testing.T) {
	t.Parallel()
	bucket := testenv.S3(t)
	d := deployment{environ: append(bucket.Environ(), "DATA_DIR="+t.TempDir())}
	code, stdout, _ := gatefold(t, d, "doctor")
	require.Zero(t, code, stdout)
	require.Contains(t, stdout, "bucket "+bucket.Name+" at "+bucket.Endpoint+" can be read, written, listed and deleted in")
	for wrong, variable := range map[string]string{
		"S3_BUCKET=nothing-here": "S3_BUCKET", "S3_SECRET_KEY=hunter2": "S3_SECRET_KEY",
		"S3_ENDPOINT=http://127.0.0.1:" + itoa(testenv.FreePort(t)): "S3_ENDPOINT",
	} {
		spoiled := deployment{environ: append(append([]string{}, d.environ...), wrong)}
		code, stdout, stderr := gatefold(t, spoiled, "doctor")
		require.Equal(t, 1, code, stdout)
		require.Regexp(t, "FAILED  storage .*"+variable+": ", stdout)
		require.NotContains(t, stdout+stderr, "hunter2")
		code, _, stderr = gatefold(t, spoiled, "serve")
		require.Equal(t, 1, code)
		require.Contains(t, stderr, variable+": ")
		require.NotContains(t, stderr, "hunter2")
		require.NotContains(t, stderr, bucket.SecretKey)
	}
}
