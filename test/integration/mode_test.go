package integration

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/test/musicfixture"
	"gatefold/test/testenv"
	"gatefold/test/testenv/migrated"
)

const coverPath = "/api/images/albums/" + albumID + "/cover"

// setMode moves the deployment by the API and waits until it has moved.
func (in *instance) setMode(body map[string]any) map[string]any {
	in.t.Helper()
	a := in.send(http.MethodPut, "/api/admin/cache/mode", body)
	require.Contains(in.t, []int{http.StatusOK, http.StatusAccepted}, a.StatusCode, string(a.body))
	var state map[string]any
	require.Eventually(in.t, func() bool {
		state = in.send(http.MethodGet, "/api/admin/cache/mode", nil).json(in.t)
		return state["step"] == "settled"
	}, 60*time.Second, 20*time.Millisecond)
	return state
}

// observation is what a reader was answered, and the latest change that had been
// answered when it asked.
type observation struct {
	floor int64
	tag   string
}

// history is what one writer has put in force, one after the other, and what
// readers have seen meanwhile.
type history struct {
	answered atomic.Int64 // the number of the latest change that was answered
	mu       sync.Mutex
	numbers  map[string]int64 // by tag
	seen     []observation
}

// write puts one picture after the other in force, by one instance after the
// other, until done is closed.
func (h *history) write(t *testing.T, fleet []*instance, done <-chan struct{}) {
	prefix := "/api/admin/metadata/album/custom-covers/" + albumID
	for n := int64(1); ; n++ {
		in := fleet[int(n)%len(fleet)]
		uploaded := in.upload(prefix+"/upload", musicfixture.Picture(20, 20, n))
		id, _ := uploaded.json(t)["customCoverId"].(string)
		applied := in.send(http.MethodPost, prefix+"/apply/"+id, nil)
		if applied.StatusCode != http.StatusCreated {
			t.Errorf("change %d: %d %s", n, applied.StatusCode, applied.body)
			return
		}
		h.mu.Lock()
		h.numbers[applied.json(t)["tag"].(string)] = n
		h.mu.Unlock()
		h.answered.Store(n)
		select {
		case <-done:
			return
		default:
		}
	}
}

func (h *history) read(fleet []*instance, done <-chan struct{}) {
	for {
		select {
		case <-done:
			return
		default:
		}
		floor := h.answered.Load()
		a := fleet[rand.IntN(len(fleet))].get(coverPath)
		if a.StatusCode == http.StatusOK {
			h.mu.Lock()
			h.seen = append(h.seen, observation{floor, strings.Trim(a.Header.Get("ETag"), `"`)})
			h.mu.Unlock()
		}
	}
}

// TestModesOverlap moves a fleet through the modes while it is read and written:
// some instances follow the new mode already, others the former one, and nobody
// gets an older image than the latest that was answered.
func TestModesOverlap(t *testing.T) {
	t.Parallel()
	d := sharedDeployment(t, "L1_TTL=100ms")
	fleet := []*instance{d.start(t), d.start(t), d.start(t)}
	fleet[0].putArtist(artistID, "Moving")
	fleet[0].putAlbum(albumID, artistID, "House")
	h := &history{numbers: map[string]int64{}}
	writing, reading := make(chan struct{}), make(chan struct{})
	var writer, readers sync.WaitGroup
	writer.Go(func() { h.write(t, fleet, writing) })
	for range 4 {
		readers.Go(func() { h.read(fleet, reading) })
	}
	for i, mode := range []string{"off", "redis", "twolevel", "off", "twolevel", "redis"} {
		state := fleet[i%len(fleet)].setMode(map[string]any{"mode": mode})
		require.Equal(t, mode, state["mode"])
		before := h.answered.Load()
		require.Eventually(t, func() bool { return h.answered.Load() > before+2 }, 30*time.Second, 5*time.Millisecond)
	}
	close(writing)
	writer.Wait()
	close(reading)
	readers.Wait()
	require.NotEmpty(t, h.seen)
	for _, o := range h.seen {
		require.GreaterOrEqual(t, h.numbers[o.tag], o.floor, "an image older than the latest that was answered")
	}
	t.Logf("%d answers, %d changes", len(h.seen), h.answered.Load())
}

// TestRedisIsLostForGood: without it nothing can be applied, until the deployment
// is told to do without.
func TestRedisIsLostForGood(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	d := deployment{environ: []string{"DATA_DIR=" + t.TempDir(), "DATABASE_URL=" + migrated.Postgres(t), "REDIS_URL=redis://" + server.Addr, "L1_TTL=50ms"}}
	first, second := d.start(t), d.start(t)
	first.putArtist(artistID, "Lost")
	first.putAlbum(albumID, artistID, "Found")
	applyCover(t, first, musicfixture.Picture(20, 20, 1))
	before := second.get(coverPath).Header.Get("ETag")

	server.Stop()
	prefix := "/api/admin/metadata/album/custom-covers/" + albumID
	uploaded := first.upload(prefix+"/upload", musicfixture.Picture(20, 20, 2)).json(t)["customCoverId"].(string)
	requireProblem(t, first.send(http.MethodPost, prefix+"/apply/"+uploaded, nil), http.StatusServiceUnavailable, "cache_unreachable")
	require.Equal(t, before, second.get(coverPath).Header.Get("ETag"), "nothing has changed")

	require.Equal(t, "off", first.setMode(map[string]any{"mode": "off"})["mode"])
	tag := applyCover(t, first, musicfixture.Picture(20, 20, 3))
	require.Equal(t, `"`+tag+`"`, second.get(coverPath).Header.Get("ETag"))

	// It comes back with what it held before.
	server.Start(t)
	require.Equal(t, "twolevel", second.setMode(map[string]any{"mode": "twolevel"})["mode"])
	for range 50 {
		require.Equal(t, `"`+tag+`"`, first.get(coverPath).Header.Get("ETag"))
	}
	tag = applyCover(t, second, musicfixture.Picture(20, 20, 4))
	require.Equal(t, `"`+tag+`"`, first.get(coverPath).Header.Get("ETag"))
}

// TestWhatWasCachedBeforeOffIsNotBelieved: while the cache is off nobody fences it,
// and what Redis held before may be older than what is in force.
func TestWhatWasCachedBeforeOffIsNotBelieved(t *testing.T) {
	d := sharedDeployment(t, "IMAGE_CACHE=redis")
	in := d.start(t)
	key := "image:album:" + albumID + ":cover"
	in.putArtist(artistID, "Off")
	in.putAlbum(albumID, artistID, "And On")
	applyCover(t, in, musicfixture.Picture(20, 20, 1))
	in.get(coverPath)
	older := d.redis.Get(t.Context(), key).Val()
	require.NotEmpty(t, older)

	in.setMode(map[string]any{"mode": "off"})
	tag := applyCover(t, in, musicfixture.Picture(20, 20, 2))
	// A change that began before the mode was off has fenced it.
	require.NoError(t, d.redis.Set(t.Context(), key, older, time.Minute).Err())
	in.setMode(map[string]any{"mode": "redis"})
	require.Eventually(t, func() bool { return d.redis.Get(t.Context(), key).Val() != older }, 10*time.Second, 5*time.Millisecond)
	for range 20 {
		require.Equal(t, `"`+tag+`"`, in.get(coverPath).Header.Get("ETag"))
	}
}

// TestOneDeploymentOneSetting tries what an operator may do to a fleet of
// processes.
func TestOneDeploymentOneSetting(t *testing.T) {
	t.Parallel()
	d := sharedDeployment(t)
	with := func(settings ...string) deployment {
		return deployment{environ: append(append([]string{}, d.environ...), append(settings, "DATA_DIR="+t.TempDir())...)}
	}
	first := serve(t, with("IMAGE_CACHE=redis"))
	for _, settings := range [][]string{{"IMAGE_CACHE=twolevel"}, {"IMAGE_CACHE=off"}, {"CACHE_TTL=60s"}, {"IMAGE_CACHE=memory"}} {
		code, _, stderr := gatefold(t, with(settings...), "serve")
		require.Equal(t, 1, code, settings)
		require.Contains(t, stderr, "the deployment uses IMAGE_CACHE=redis CACHE_TTL=300s", settings)
		require.Contains(t, stderr, settings[0], settings)
	}
	follower := with()
	second := serve(t, follower)
	code, stdout, stderr := gatefold(t, follower, "cache", "mode")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "IMAGE_CACHE=redis CACHE_TTL=300s L1_TTL=1s")
	require.Equal(t, 2, strings.Count(stdout, "(process "), stdout)

	// From a machine of its own, with the configuration of the first.
	code, stdout, stderr = gatefold(t, with("IMAGE_CACHE=redis"), "cache", "mode", "twolevel", "--l1-ttl", "300ms")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "IMAGE_CACHE=twolevel CACHE_TTL=300s L1_TTL=0.3s")
	require.Zero(t, second.stop(t))
	code, _, stderr = gatefold(t, with("IMAGE_CACHE=redis"), "serve")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "the deployment uses IMAGE_CACHE=twolevel")

	for _, wrong := range [][]string{{"memory"}, {"memcached"}, {"--l1-ttl", "1h"}, {"off", "--cache-ttl", "1ms"}} {
		code, _, _ = gatefold(t, follower, append([]string{"cache", "mode"}, wrong...)...)
		require.Equal(t, 2, code, wrong)
	}
	require.Zero(t, first.stop(t))

	// Alone, a configuration that names something else is taken at its word.
	third := serve(t, with("IMAGE_CACHE=off"))
	require.Zero(t, third.stop(t))
}

func TestModeRoute(t *testing.T) {
	d := sharedDeployment(t)
	in := d.start(t)
	state := in.send(http.MethodGet, "/api/admin/cache/mode", nil).json(t)
	require.Equal(t, "twolevel", state["mode"])
	require.Equal(t, "300s", state["cacheTtl"])
	require.Equal(t, "settled", state["step"])
	require.Len(t, state["instances"], 1)
	for _, body := range []map[string]any{{}, {"mode": "memcached"}, {"mode": "memory"}, {"l1Ttl": "soon"}, {"l1Ttl": "1h"}, {"cacheTtl": "-1s"}, {"ttl": "1s"}} {
		requireProblem(t, in.send(http.MethodPut, "/api/admin/cache/mode", body), http.StatusBadRequest, "invalid_input")
	}
	in.token = "none"
	require.Equal(t, http.StatusUnauthorized, in.send(http.MethodPut, "/api/admin/cache/mode", map[string]any{"mode": "off"}).StatusCode)
}
