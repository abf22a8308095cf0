package integration

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"gatefold/test/musicfixture"
	"gatefold/test/testenv"
)

const (
	artistID = "0b0e7a3c-6f0e-4a54-9e0d-2f4c6c1f6a10"
	albumID  = "9f1d2c3b-4a5e-4d6f-8a7b-0c1d2e3f4a5b"
	userID   = "7d3a1b2c-5e6f-4a8b-9c0d-1e2f3a4b5c6d"
)

// TestGuideScenarios are the scenarios of the guide that Gatefold began with:
// cached after a read, gone after an apply, and the cached value is the result.
func TestGuideScenarios(t *testing.T) { onEvery(t, guideScenarios) }

// TestGuideScenariosOnSentinelAndCluster: the key names are the same there.
func TestGuideScenariosOnSentinelAndCluster(t *testing.T) {
	t.Parallel()
	environ := func() []string {
		return []string{"DATA_DIR=" + t.TempDir(), "DATABASE_URL=" + testenv.Postgres(t), "L1_TTL=100ms"}
	}
	t.Run("Sentinel", func(t *testing.T) {
		sentinel := testenv.Sentinel(t)
		guideScenarios(t, deployment{
			environ: append(environ(), "REDIS_SENTINEL_MASTER="+sentinel.MasterName(), "REDIS_SENTINEL_ADDRS="+strings.Join(sentinel.Addrs(), ",")),
			redis:   sentinel.Master(t).Client(t),
		})
	})
	t.Run("Cluster", func(t *testing.T) {
		cluster := testenv.RedisCluster(t)
		operator := redis.NewClusterClient(&redis.ClusterOptions{Addrs: cluster.Addrs()})
		defer func() { _ = operator.Close() }()
		guideScenarios(t, deployment{environ: append(environ(), "REDIS_CLUSTER_ADDRS="+strings.Join(cluster.Addrs(), ",")), redis: operator})
	})
}

func guideScenarios(t *testing.T, d deployment) {
	in := d.start(t)
	in.putArtist(artistID, "Los Ñandúes")
	applyUploaded(t, in, "background", musicfixture.Picture(64, 32, 1))
	key := "image:artist:" + artistID + ":background"
	path := "/api/images/artists/" + artistID + "/background"
	requireExists(t, d, key, 0)

	first := in.get(path)
	require.Equal(t, http.StatusOK, first.StatusCode)
	requireExists(t, d, key, 1)
	require.Contains(t, in.log.String(), "Cached "+key+" for 300s")

	require.Equal(t, first.body, in.get(path).body)
	require.Contains(t, in.log.String(), "Cache hit for "+key)
	requireCachedValueIsResult(t, d, key, in)

	applyUploaded(t, in, "background", musicfixture.Picture(64, 32, 2))
	requireExists(t, d, key, 0)
	require.Contains(t, in.log.String(), "Artist cache invalidated for "+artistID)
	require.Contains(t, in.log.String(), "Invalidated image cache for artist "+artistID)
	second := in.get(path)
	require.NotEqual(t, first.body, second.body)
	require.NotEqual(t, first.Header.Get("ETag"), second.Header.Get("ETag"))
}

// TestEveryTypeOfAnArtistIsCachedAndInvalidated walks the seven types.
func TestEveryTypeOfAnArtistIsCachedAndInvalidated(t *testing.T) {
	types := map[string]string{
		"profile": "profile", "profile-small": "profile", "profile-medium": "profile", "profile-large": "profile",
		"background": "background", "banner": "banner", "logo": "logo",
	}
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		in.putArtist(artistID, "Seven")
		for n, slot := range []string{"profile", "background", "banner", "logo"} {
			applyUploaded(t, in, slot, musicfixture.Picture(40, 40, int64(n)))
		}
		for typ, slot := range types {
			key := "image:artist:" + artistID + ":" + typ
			before := in.get("/api/images/artists/" + artistID + "/" + typ)
			require.Equal(t, http.StatusOK, before.StatusCode, typ)
			requireExists(t, d, key, 1)
			applyUploaded(t, in, slot, musicfixture.Picture(41, 41, time.Now().UnixNano()))
			requireExists(t, d, key, 0)
			require.NotEqual(t, before.body, in.get("/api/images/artists/"+artistID+"/"+typ).body, typ)
		}
	})
}

func TestApplyOnOneInstanceIsVisibleOnTheOther(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		one := d.start(t)
		instances := []*instance{one}
		if d.shared {
			instances = append(instances, d.start(t), d.start(t))
		}
		one.putArtist(artistID, "Everywhere")
		one.putAlbum(albumID, artistID, "At Once")
		path := "/api/images/albums/" + albumID + "/cover"
		for n := range 5 {
			for _, in := range instances {
				in.get(path) // every process holds a copy of what will be old
			}
			tag := applyCover(t, instances[n%len(instances)], musicfixture.Picture(30, 30, int64(n)))
			for _, in := range instances {
				a := in.get(path)
				require.Equal(t, `"`+tag+`"`, a.Header.Get("ETag"), "round %d", n)
			}
		}
	})
}

// applyUploaded uploads a picture and puts it in force in a slot of the artist.
func applyUploaded(t *testing.T, in *instance, slot string, picture []byte) (tag string) {
	t.Helper()
	prefix := "/api/admin/metadata/artist/custom-images/" + artistID
	uploaded := in.upload(prefix+"/upload", picture, "imageType", slot)
	require.Equal(t, http.StatusOK, uploaded.StatusCode, string(uploaded.body))
	applied := in.send(http.MethodPost, prefix+"/apply/"+uploaded.json(t)["customImageId"].(string), nil)
	require.Equal(t, http.StatusCreated, applied.StatusCode, string(applied.body))
	require.Equal(t, slot, applied.json(t)["imageType"])
	return applied.json(t)["tag"].(string)
}

// applyCover does the same for the album.
func applyCover(t *testing.T, in *instance, picture []byte) (tag string) {
	t.Helper()
	prefix := "/api/admin/metadata/album/custom-covers/" + albumID
	uploaded := in.upload(prefix+"/upload", picture)
	require.Equal(t, http.StatusOK, uploaded.StatusCode, string(uploaded.body))
	applied := in.send(http.MethodPost, prefix+"/apply/"+uploaded.json(t)["customCoverId"].(string), nil)
	require.Equal(t, http.StatusCreated, applied.StatusCode, string(applied.body))
	return applied.json(t)["tag"].(string)
}

// requireExists is the operator's redis-cli EXISTS, where there is a Redis.
func requireExists(t *testing.T, d deployment, key string, want int64) {
	t.Helper()
	if d.redis != nil {
		require.Equal(t, want, d.redis.Exists(t.Context(), key).Val(), "EXISTS "+key)
	}
}

// requireCachedValueIsResult compares redis-cli GET with what the API tells.
func requireCachedValueIsResult(t *testing.T, d deployment, key string, in *instance) {
	t.Helper()
	if d.redis == nil {
		return
	}
	var cached map[string]any
	require.NoError(t, json.Unmarshal([]byte(d.redis.Get(t.Context(), key).Val()), &cached))
	told := in.get("/api/images/artists/" + artistID + "/all").json(t)["images"].(map[string]any)["background"].(map[string]any)
	for _, field := range []string{"size", "mimeType", "lastModified", "tag", "source", "width", "height"} {
		require.Equal(t, told[field], cached[field], field)
	}
	require.NotEmpty(t, cached["filePath"])
	ttl := d.redis.TTL(t.Context(), key).Val()
	require.Greater(t, ttl, 265*time.Second)
	require.LessOrEqual(t, ttl, 300*time.Second)
}
