package integration

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/test/musicfixture"
	"gatefold/test/testenv"
	"gatefold/test/testenv/migrated"
)

func TestBadRequests(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		in.putArtist(artistID, "Strict")
		in.putAlbum(albumID, artistID, "Strict")
		cover := "/api/images/albums/" + albumID + "/cover"
		for path, want := range map[string]int{
			"/api/images/albums/not-a-uuid/cover":                        400,
			"/api/images/albums/" + strings.ToUpper(albumID) + "/cover":  200,
			"/api/images/albums/" + artistID + "/cover":                  404,
			"/api/images/artists/" + artistID + "/poster":                400,
			"/api/images/artists/" + artistID + "/profile":               404,
			"/api/images/artists/" + albumID + "/profile":                404,
			"/api/images/artists/" + albumID + "/all":                    404,
			"/api/images/artists/" + artistID + "/custom/" + albumID:     404,
			"/api/images/artists/" + artistID + "/custom/" + "x":         400,
			"/api/images/users/" + userID + "/avatar":                    404,
			cover + "?size=huge":                                         400,
			cover + "?size=small":                                        200,
			cover + "?size=small&format=webp":                            200,
			cover + "?size=small&format=bmp":                             400,
			cover + "?format=webp":                                       400,
			cover + "?width=7":                                           400,
			cover + "?tag=a&tag=b":                                       400,
			"/api/artists?page=0":                                        400,
			"/api/artists?pageSize=1000":                                 400,
			"/api/artists?missing=cover":                                 400,
			"/api/artists?missing=logo":                                  200,
			"/api/artists?source=local&locked=true&lowResolution=300":    200,
			"/api/artists?slot=logo&lowResolution=true":                  200,
			"/api/artists?slot=cover&locked=true":                        400,
			"/api/artists?slot=logo":                                     400,
			"/api/artists?source=anywhere":                               400,
			"/api/artists?locked=yes":                                    400,
			"/api/artists?lowResolution=-1":                              400,
			"/api/artists?lowResolution=low":                             400,
			"/api/artists?cursor=":                                       400,
			"/api/artists?cursor=e30":                                    400,
			"/api/artists?query=" + strings.Repeat("x", 1001):            400,
			"/api/albums?artistId=x":                                     400,
			"/api/artists?artistId=" + artistID:                          400,
			"/api/nothing":                                               404,
			"/api/images/artists/" + artistID + "/profile-small/exists":  200,
			"/api/images/artists/" + artistID + "/something/exists":      400,
			"/api/images/albums/" + albumID + "/cover/metadata":          200,
			"/api/images/albums/" + artistID + "/cover/metadata":         404,
			"/api/images/albums/../../../../etc/passwd":                  404,
			"/api/images/albums/%00/cover":                               400,
			"/api/images/albums/" + albumID + "/cover/":                  404,
			"/api/artists?query=" + "%25":                                200,
			"/health":                                                    200,
			"/health/live":                                               200,
			"/health/ready":                                              200,
			"/":                                                          200,
			"/api/health":                                                200,
			"/api/images/artists/" + artistID + "/all":                   200,
			"/api/images/artists/" + artistID + "/profile-medium?tag=00": 404,
		} {
			a := in.get(path)
			require.Equal(t, want, a.StatusCode, "%s: %s", path, a.body)
			if want >= 400 {
				require.Equal(t, "application/problem+json", a.Header.Get("Content-Type"), path)
			}
		}
		method := in.do(http.MethodDelete, cover, nil)
		requireProblem(t, method, http.StatusMethodNotAllowed, "method_not_allowed")
		require.Contains(t, method.Header.Get("Allow"), "GET")
	})
}

func TestBadBodies(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		in.putArtist(artistID, "Strict")
		in.putAlbum(albumID, artistID, "Strict")
		apply := "/api/admin/metadata/album/covers/apply"
		for body, problem := range map[string]string{
			``:                     "empty",
			`{`:                    "not what is expected",
			`[]`:                   "must be a JSON object",
			`{"albumId":7}`:        "\"albumId\" cannot be a JSON number",
			`{"albumId":"x"}`:      "not a UUID",
			`{"albumID2":"x"}`:     "unknown field",
			`{} {}`:                "more than one",
			`{"provider":"deezer"`: "not what is expected",
		} {
			a := in.do(http.MethodPost, apply, strings.NewReader(body), "Authorization", "Bearer "+in.token)
			requireProblem(t, a, http.StatusBadRequest, "invalid_input")
			require.Contains(t, a.json(t)["detail"], problem, body)
		}
		requireProblem(t, in.do(http.MethodPost, apply, strings.NewReader(`{"provider":"`+strings.Repeat("x", 2<<20)+`"}`),
			"Authorization", "Bearer "+in.token), http.StatusRequestEntityTooLarge, "too_large")

		upload := "/api/admin/metadata/album/custom-covers/" + albumID + "/upload"
		requireProblem(t, in.upload(upload, []byte("just text, whatever it is called")), http.StatusUnprocessableEntity, "unsupported_image")
		requireProblem(t, in.upload(upload, nil), http.StatusUnprocessableEntity, "unsupported_image")
		picture := musicfixture.Picture(80, 80, 1)
		requireProblem(t, in.upload(upload, picture[:len(picture)/2]), http.StatusUnprocessableEntity, "corrupt_image")
		requireProblem(t, in.upload(upload, make([]byte, 20<<20+1)), http.StatusRequestEntityTooLarge, "too_large")
		requireProblem(t, in.upload(upload, picture, "surprise", "1"), http.StatusBadRequest, "invalid_input")
		requireProblem(t, in.upload("/api/admin/metadata/album/custom-covers/"+artistID+"/upload", picture), http.StatusNotFound, "not_found")
		requireProblem(t, in.upload("/api/admin/metadata/artist/custom-images/"+artistID+"/upload", picture), http.StatusBadRequest, "invalid_input")
		requireProblem(t, in.do(http.MethodPost, upload, strings.NewReader("x"), "Authorization", "Bearer "+in.token, "Content-Type", "image/jpeg"),
			http.StatusBadRequest, "invalid_input")
		requireProblem(t, in.upload("/api/users/avatar", make([]byte, 5<<20+1), "userId", userID), http.StatusRequestEntityTooLarge, "too_large")
		require.Equal(t, false, in.get("/api/images/albums/" + albumID + "/cover/exists").json(t)["exists"], "nothing was put in force")
	})
}

func TestCatalogueConflicts(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		mbid := "5b11f4ce-a62d-471e-81fc-a69a8278c7da"
		put := func(id string) answer {
			return in.send(http.MethodPut, "/api/artists/"+id, map[string]any{"name": "Nirvana", "mbzArtistId": mbid})
		}
		require.Equal(t, http.StatusCreated, put(artistID).StatusCode)
		require.Equal(t, http.StatusOK, put(artistID).StatusCode)
		conflict := put(albumID)
		requireProblem(t, conflict, http.StatusConflict, "conflict")
		require.Contains(t, conflict.json(t)["detail"], artistID, "who holds the MBID")
		a := in.send(http.MethodPut, "/api/albums/"+albumID, map[string]any{"name": "X", "artistId": userID})
		requireProblem(t, a, http.StatusNotFound, "not_found")
	})
}

func TestDatabaseThatGoesAway(t *testing.T) {
	t.Parallel()
	postgres := testenv.PostgresServer(t)
	d := deployment{environ: []string{"DATA_DIR=" + t.TempDir(), "DATABASE_URL=" + postgres.URL(), "IMAGE_CACHE=memory"}}
	in := d.start(t)
	in.putArtist(artistID, "Gone")
	in.putAlbum(albumID, artistID, "Gone")
	tag := applyCover(t, in, musicfixture.Picture(30, 30, 1))
	path := "/api/images/albums/" + albumID + "/cover"
	require.Equal(t, `"`+tag+`"`, in.get(path).Header.Get("ETag"))
	require.Equal(t, "connected", in.get("/health").json(t)["database"])
	require.Equal(t, "disabled", in.get("/health").json(t)["redis"])

	postgres.Stop()
	require.Equal(t, `"`+tag+`"`, in.get(path).Header.Get("ETag"), "what is cached is served without a database")
	a := in.get("/api/albums/" + albumID)
	requireProblem(t, a, http.StatusServiceUnavailable, "unavailable")
	require.NotEmpty(t, a.Header.Get("Retry-After"))
	require.Eventually(t, func() bool {
		health := in.get("/health")
		return health.StatusCode == http.StatusServiceUnavailable && health.json(t)["database"] == "error"
	}, 6*time.Second, 50*time.Millisecond, "health shows it")

	require.NoError(t, postgres.Start())
	require.Eventually(t, func() bool { return in.get("/api/albums/"+albumID).StatusCode == http.StatusOK }, 10*time.Second, 50*time.Millisecond)
	require.Eventually(t, func() bool { return in.get("/health").StatusCode == http.StatusOK }, 6*time.Second, 50*time.Millisecond)
}

func TestRedisThatGoesAway(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	d := deployment{environ: []string{"DATA_DIR=" + t.TempDir(), "DATABASE_URL=" + migrated.Postgres(t), "REDIS_URL=redis://" + server.Addr, "L1_TTL=100ms"}}
	in := d.start(t)
	in.putArtist(artistID, "Steady")
	in.putAlbum(albumID, artistID, "Steady")
	picture := musicfixture.Picture(30, 30, 1)
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(picture) }))
	defer provider.Close()
	first := applyCover(t, in, picture)
	path := "/api/images/albums/" + albumID + "/cover"
	require.Equal(t, "connected", in.get("/health").json(t)["redis"])

	server.Stop()
	require.Equal(t, `"`+first+`"`, in.get(path).Header.Get("ETag"), "images are served from the database")
	uploaded := in.upload("/api/admin/metadata/album/custom-covers/"+albumID+"/upload", musicfixture.Picture(30, 30, 2))
	require.Equal(t, http.StatusOK, uploaded.StatusCode, "uploading never needs Redis")
	apply := "/api/admin/metadata/album/custom-covers/" + albumID + "/apply/" + uploaded.json(t)["customCoverId"].(string)
	refused := in.send(http.MethodPost, apply, nil)
	requireProblem(t, refused, http.StatusServiceUnavailable, "cache_unreachable")
	require.Equal(t, "5", refused.Header.Get("Retry-After"))
	require.Equal(t, `"`+first+`"`, in.get(path).Header.Get("ETag"), "nothing has changed")
	require.Eventually(t, func() bool {
		health := in.get("/health")
		return health.StatusCode == http.StatusOK && health.json(t)["status"] == "degraded" && health.json(t)["redis"] == "error"
	}, 6*time.Second, 50*time.Millisecond)

	server.Start(t)
	require.Eventually(t, func() bool { return in.send(http.MethodPost, apply, nil).StatusCode == http.StatusCreated }, 6*time.Second, 50*time.Millisecond)
	require.NotEqual(t, `"`+first+`"`, in.get(path).Header.Get("ETag"))
}
