package integration

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"gatefold/test/musicfixture"
	"gatefold/test/testenv"
	"gatefold/test/testenv/migrated"
)

func TestCacheVerbs(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		server := serve(t, d)
		_, token, _ := gatefold(t, d, "token", "create", "--scope", "admin")
		server.token = token[:len(token)-1]
		server.putArtist(artistID, "Cached")
		server.putAlbum(albumID, artistID, "Cached")
		path := "/api/images/albums/" + albumID + "/cover"
		key := "image:album:" + albumID + ":cover"
		warm := func() {
			for range 2 {
				require.Equal(t, http.StatusOK, server.get(path).StatusCode)
			}
			requireExists(t, d, key, 1)
		}

		warm()
		stats := server.send(http.MethodGet, "/api/admin/cache/stats", nil).json(t)
		require.EqualValues(t, 1, stats["fills"])
		require.InDelta(t, 0.5, stats["hitRate"], 0.01)
		code, stdout, stderr := gatefold(t, d, "cache", "stats")
		require.Zero(t, code, stderr)
		require.Contains(t, stdout, "hit rate 50.0 %")

		code, _, stderr = gatefold(t, d, "cache", "invalidate", "album", albumID)
		require.Zero(t, code, stderr)
		requireExists(t, d, key, 0)
		warm()
		answer := server.send(http.MethodPost, "/api/admin/cache/invalidate", map[string]any{"albumId": albumID})
		require.Equal(t, http.StatusOK, answer.StatusCode, string(answer.body))
		requireExists(t, d, key, 0)
		requireProblem(t, server.send(http.MethodPost, "/api/admin/cache/invalidate", map[string]any{}), http.StatusBadRequest, "invalid_input")
		requireProblem(t, server.send(http.MethodPost, "/api/admin/cache/invalidate", map[string]any{"albumId": albumID, "artistId": artistID}),
			http.StatusBadRequest, "invalid_input")

		if d.redis != nil {
			require.NoError(t, d.redis.Set(t.Context(), "session:7", "of another program", 0).Err())
		}
		warm()
		code, stdout, stderr = gatefold(t, d, "cache", "flush")
		require.Zero(t, code, stderr)
		require.Contains(t, stdout, "1 pointers were removed")
		requireExists(t, d, key, 0)
		requireExists(t, d, "session:7", 1)
		warm()
		require.EqualValues(t, 1, server.send(http.MethodPost, "/api/admin/cache/flush", nil).json(t)["removed"])

		code, _, _ = gatefold(t, d, "cache", "invalidate", "song", albumID)
		require.NotZero(t, code)
		code, _, _ = gatefold(t, d, "cache", "invalidate", "album", "x")
		require.Equal(t, 2, code)
	})
}

// TestWhatTheCacheHolds: a look tells what each level holds, and changes none of it;
// warming and invalidating a subject tell what they did.
func TestWhatTheCacheHolds(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		server := d.start(t)
		server.putArtist(artistID, "Cached")
		server.putAlbum(albumID, artistID, "Cached")
		applyCover(t, server, musicfixture.Picture(30, 30, 1))
		look := func() map[string]any {
			answer := server.send(http.MethodGet, "/api/admin/cache/entries?albumId="+albumID, nil).json(t)
			keys, _ := answer["keys"].([]any)
			require.Len(t, keys, 1)
			entry, _ := keys[0].(map[string]any)
			require.Equal(t, "image:album:"+albumID+":cover", entry["key"])
			require.Len(t, entry["held"], len(answer["levels"].([]any)))
			return entry
		}
		for range 2 {
			require.Equal(t, "notHeld", look()["verdict"], "looking has not filled it")
		}
		requireExists(t, d, "image:album:"+albumID+":cover", 0)
		subject := map[string]any{"albumId": albumID}
		require.EqualValues(t, 1, server.send(http.MethodPost, "/api/admin/cache/warm", subject).json(t)["filled"])
		entry := look()
		require.Equal(t, "agrees", entry["verdict"])
		inForce, _ := entry["inForce"].(map[string]any)
		held, _ := entry["held"].([]any)[len(entry["held"].([]any))-1].(map[string]any)
		require.Equal(t, "image", held["holds"])
		require.Equal(t, inForce["tag"], held["image"].(map[string]any)["tag"])
		require.Positive(t, held["expiresInMs"])
		invalidated := server.send(http.MethodPost, "/api/admin/cache/invalidate", subject).json(t)
		require.EqualValues(t, 1, invalidated["keys"])
		require.Contains(t, invalidated, "tookMs")
		require.Equal(t, "notHeld", look()["verdict"])

		requireProblem(t, server.send(http.MethodGet, "/api/admin/cache/entries", nil), http.StatusBadRequest, "invalid_input")
		requireProblem(t, server.send(http.MethodGet, "/api/admin/cache/entries?userId="+albumID, nil), http.StatusNotFound, "not_found")
		requireProblem(t, server.send(http.MethodPost, "/api/admin/cache/warm", map[string]any{"userId": albumID}), http.StatusNotFound, "not_found")
	})
}

// TestEveryInstanceTellsOfAll of them, with what they count, and of Redis; when that is
// gone, of itself, and says so.
func TestEveryInstanceTellsOfAll(t *testing.T) {
	redisServer := testenv.RedisServer(t)
	d := deployment{environ: []string{"DATABASE_URL=" + migrated.Postgres(t), "REDIS_URL=redis://" + redisServer.Addr, "L1_TTL=50ms"}}
	one, other := d.start(t, "DATA_DIR="+t.TempDir()), d.start(t, "DATA_DIR="+t.TempDir())
	one.putArtist(artistID, "Seen")
	require.Equal(t, http.StatusNotFound, other.get("/api/images/artists/"+artistID+"/profile").StatusCode)
	told := func(asked *instance) (fills float64, fleet map[string]any) {
		fleet = asked.send(http.MethodGet, "/api/admin/cache/instances", nil).json(t)
		for _, i := range fleet["instances"].([]any) {
			if stats, ok := i.(map[string]any)["stats"].(map[string]any); ok {
				fills += stats["fills"].(float64)
			}
		}
		return fills, fleet
	}
	require.Eventually(t, func() bool { // it tells every five seconds
		fills, fleet := told(one)
		return len(fleet["instances"].([]any)) == 2 && fills == 1
	}, 20*time.Second, 100*time.Millisecond)
	_, fleet := told(one)
	require.NotContains(t, fleet, "problem")
	require.Len(t, fleet["redis"].(map[string]any)["servers"], 1)
	require.Equal(t, true, fleet["instances"].([]any)[0].(map[string]any)["self"])

	history := one.send(http.MethodGet, "/api/admin/cache/history", nil).json(t)
	require.EqualValues(t, 2, history["instances"])
	requireProblem(t, one.send(http.MethodGet, "/api/admin/cache/history?instance="+artistID, nil), http.StatusNotFound, "not_found")

	redisServer.Stop()
	_, fleet = told(one)
	require.Contains(t, fleet["problem"], "Redis does not answer")
	require.Equal(t, "Redis does not answer", fleet["redis"].(map[string]any)["problem"])
	require.Len(t, fleet["instances"], 2, "the database still knows who there is")
}

// TestARedisWithAnOlderFile: a server that comes back with what was in force
// before an apply does not make anybody serve it.
func TestARedisWithAnOlderFile(t *testing.T) {
	server := testenv.RedisServer(t)
	d := deployment{environ: []string{"DATA_DIR=" + t.TempDir(), "DATABASE_URL=" + migrated.Postgres(t), "REDIS_URL=redis://" + server.Addr, "L1_TTL=50ms"}}
	in := d.start(t)
	in.putArtist(artistID, "Old")
	in.putAlbum(albumID, artistID, "News")
	path, key := "/api/images/albums/"+albumID+"/cover", "image:album:"+albumID+":cover"
	operator := redis.NewClient(&redis.Options{Addr: server.Addr})
	defer func() { _ = operator.Close() }()

	applyCover(t, in, musicfixture.Picture(30, 30, 1))
	in.get(path)
	older := operator.Get(t.Context(), key).Val()
	require.NotEmpty(t, older)
	tag := applyCover(t, in, musicfixture.Picture(30, 30, 2))

	server.Stop()
	server.Start(t)
	require.NoError(t, operator.Set(t.Context(), key, older, time.Minute).Err())
	for range 100 {
		require.Equal(t, `"`+tag+`"`, in.get(path).Header.Get("ETag"))
		time.Sleep(5 * time.Millisecond)
	}
	require.Contains(t, in.log.String(), "recent changes were replayed")
	require.NotEqual(t, older, operator.Get(t.Context(), key).Val())
}

// TestADeadWritersChangeIsFinished: an instance sweeps what another left between
// its commit and the end of its fence.
func TestADeadWritersChangeIsFinished(t *testing.T) {
	t.Parallel()
	d := sharedDeployment(t, "IMAGE_CACHE=redis")
	in := d.start(t)
	in.putArtist(artistID, "Left")
	in.putAlbum(albumID, artistID, "Behind")
	applyCover(t, in, musicfixture.Picture(30, 30, 1))
	path, key := "/api/images/albums/"+albumID+"/cover", "image:album:"+albumID+":cover"
	in.get(path)
	requireExists(t, d, key, 1)
	leavePending(t, d, key)
	require.Eventually(t, func() bool { return d.redis.Exists(t.Context(), key).Val() == 0 }, 10*time.Second, 20*time.Millisecond)
	require.Equal(t, http.StatusOK, in.get(path).StatusCode)
}

// leavePending writes what a writer leaves that died after its commit.
func leavePending(t *testing.T, d deployment, key string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), d.variable("DATABASE_URL"))
	require.NoError(t, err)
	defer func() { _ = conn.Close(context.WithoutCancel(t.Context())) }()
	_, err = conn.Exec(t.Context(), `INSERT INTO cache_pending (token, keys, deadline, created_at)
		VALUES ('dead', jsonb_build_array($1::text)::text, now() - interval '1 minute', now())`, key)
	require.NoError(t, err)
}

// variable returns a setting of the deployment.
func (d deployment) variable(name string) string {
	for _, setting := range d.environ {
		if value, ok := strings.CutPrefix(setting, name+"="); ok {
			return value
		}
	}
	return ""
}
