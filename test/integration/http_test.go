package integration

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/test/musicfixture"
)

// TestWalk is a first day with Gatefold: import, look, apply, look again.
func TestWalk(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		music := t.TempDir()
		front := musicfixture.Picture(300, 300, 1)
		musicfixture.Write(t, music,
			musicfixture.Track{Path: "Ana/Uno/01.mp3", Album: "Uno", AlbumArtist: "Ana", Artist: "Ana", Date: "1999"},
			musicfixture.Track{Path: "Ana/Dos/01.flac", Album: "Dos", AlbumArtist: "Ana", Artist: "Ana", Pictures: musicfixture.Front(musicfixture.Picture(90, 90, 2))},
		)
		musicfixture.WriteFile(t, music, "Ana/Uno/cover.jpg", front)
		in := d.start(t)
		summary := in.importFolder(music)
		require.Equal(t, 1, summary.NewArtists)
		require.Equal(t, 2, summary.NewAlbums)
		require.Equal(t, 2, summary.NewImages)

		albums := in.get("/api/albums?query=UNO").json(t)
		require.EqualValues(t, 1, albums["total"])
		album := albums["items"].([]any)[0].(map[string]any)
		require.Equal(t, "Ana", album["artistName"])
		require.EqualValues(t, 1999, album["year"])
		path := "/api/images/albums/" + album["id"].(string) + "/cover"

		served := in.get(path)
		require.Equal(t, http.StatusOK, served.StatusCode)
		require.Equal(t, front, served.body)
		require.Equal(t, "image/jpeg", served.Header.Get("Content-Type"))
		require.Equal(t, "no-cache", served.Header.Get("Cache-Control"))
		require.Equal(t, "nosniff", served.Header.Get("X-Content-Type-Options"))
		etag := served.Header.Get("ETag")
		require.Regexp(t, `^"[0-9a-f]{16}"$`, etag)
		require.Equal(t, "public, max-age=31536000, immutable", in.get(path+"?tag="+strings.Trim(etag, `"`)).Header.Get("Cache-Control"))
		require.Equal(t, "no-cache", in.get(path+"?tag=0000000000000000").Header.Get("Cache-Control"))
		require.Equal(t, served.body, in.get("/api/albums/"+album["id"].(string)+"/cover").body)

		requireConditional(t, in, path, served)
		requireMetadata(t, in, album["id"].(string), etag)
	})
}

func requireConditional(t *testing.T, in *instance, path string, served answer) {
	t.Helper()
	etag, modified := served.Header.Get("ETag"), served.Header.Get("Last-Modified")
	for _, header := range [][]string{
		{"If-None-Match", etag}, {"If-None-Match", `"other", ` + etag}, {"If-None-Match", "*"}, {"If-Modified-Since", modified},
	} {
		a := in.get(path, header...)
		require.Equal(t, http.StatusNotModified, a.StatusCode, header)
		require.Empty(t, a.body)
		require.Equal(t, etag, a.Header.Get("ETag"))
	}
	require.Equal(t, http.StatusOK, in.get(path, "If-None-Match", `"other"`, "If-Modified-Since", modified).StatusCode)
	head := in.do(http.MethodHead, path, nil)
	require.Equal(t, http.StatusOK, head.StatusCode)
	require.EqualValues(t, len(served.body), head.ContentLength)
	part := in.get(path, "Range", "bytes=10-19")
	require.Equal(t, http.StatusPartialContent, part.StatusCode)
	require.Equal(t, served.body[10:20], part.body)
	require.Equal(t, http.StatusOK, in.get(path, "Range", "bytes=10-19", "If-Range", `"other"`).StatusCode)
	require.Equal(t, http.StatusRequestedRangeNotSatisfiable, in.get(path, "Range", "bytes=99999999-").StatusCode)
}

func requireMetadata(t *testing.T, in *instance, album, etag string) {
	t.Helper()
	exists := in.get("/api/images/albums/" + album + "/cover/exists").json(t)
	require.Equal(t, map[string]any{"exists": true, "albumId": album}, exists)
	cover := in.get("/api/images/albums/" + album + "/cover/metadata").json(t)["cover"].(map[string]any)
	require.Equal(t, strings.Trim(etag, `"`), cover["tag"])
	require.EqualValues(t, 300, cover["width"])
	require.Equal(t, "local", cover["source"])
	require.NotEmpty(t, cover["thumbhash"])
	require.Equal(t, false, cover["locked"])
}

func TestApplyFromURL(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		picture := musicfixture.Picture(200, 200, 5)
		provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch r.URL.Path {
			case "/cover.jpg":
				_, _ = w.Write(picture)
			case "/text.jpg":
				_, _ = w.Write([]byte("this is not a picture"))
			default:
				http.NotFound(w, r)
			}
		}))
		defer provider.Close()
		in := d.start(t, "DOWNLOAD_ALLOW_HOSTS="+strings.TrimPrefix(provider.URL, "http://"))
		in.putArtist(artistID, "Remote")
		in.putAlbum(albumID, artistID, "Far Away")
		apply := func(url string) answer {
			return in.send(http.MethodPost, "/api/admin/metadata/album/covers/apply",
				map[string]any{"albumId": albumID, "coverUrl": url, "provider": "coverartarchive"})
		}
		applied := apply(provider.URL + "/cover.jpg")
		require.Equal(t, http.StatusCreated, applied.StatusCode, string(applied.body))
		body := applied.json(t)
		require.Equal(t, true, body["success"])
		require.GreaterOrEqual(t, body["visibleAfterMs"], 0.0)
		path := "/api/images/albums/" + albumID + "/cover"
		require.Equal(t, picture, in.get(path).body)
		modified := in.get(path).Header.Get("Last-Modified")

		again := apply(provider.URL + "/cover.jpg").json(t)
		require.Equal(t, body["tag"], again["tag"])
		require.EqualValues(t, 0, again["visibleAfterMs"], "what is in force already changes nothing")
		require.Equal(t, modified, in.get(path).Header.Get("Last-Modified"))

		requireProblem(t, apply(provider.URL+"/gone.jpg"), http.StatusNotFound, "not_found")
		requireProblem(t, apply(provider.URL+"/text.jpg"), http.StatusUnprocessableEntity, "unsupported_image")
		requireProblem(t, apply("http://127.0.0.1:1/cover.jpg"), http.StatusUnprocessableEntity, "forbidden_url")
		requireProblem(t, apply("file:///etc/passwd"), http.StatusUnprocessableEntity, "forbidden_url")
		require.Equal(t, picture, in.get(path).body, "a failed apply leaves what was in force")

		artist := in.send(http.MethodPost, "/api/admin/metadata/artist/avatars/apply",
			map[string]any{"artistId": artistID, "avatarUrl": provider.URL + "/cover.jpg", "provider": "deezer", "type": "profile"})
		require.Equal(t, http.StatusCreated, artist.StatusCode, string(artist.body))
		require.Equal(t, picture, in.get("/api/images/artists/"+artistID+"/profile").body)
	})
}

func TestUploads(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		in.putArtist(artistID, "Uploader")
		in.putAlbum(albumID, artistID, "Uploads")
		in.putUser(userID, "ana")
		one, two := musicfixture.Picture(50, 50, 1), musicfixture.PNG(60, 60, 2)
		first := applyCover(t, in, one)
		second := applyCover(t, in, two)
		require.NotEqual(t, first, second)
		covers := in.send(http.MethodGet, "/api/admin/metadata/album/custom-covers/"+albumID, nil).json(t)
		require.EqualValues(t, 2, covers["total"])
		require.Equal(t, "Uploads", covers["albumName"])
		for i, active := range []bool{true, false} { // newest first
			cover := covers["customCovers"].([]any)[i].(map[string]any)
			require.Equal(t, active, cover["isActive"])
			require.IsType(t, "", cover["fileSize"])
			served := in.get(cover["url"].(string))
			require.Equal(t, [][]byte{two, one}[i], served.body)
			require.Contains(t, served.Header.Get("Cache-Control"), "immutable")
		}

		avatar := in.upload("/api/users/avatar", one, "userId", userID)
		require.Equal(t, http.StatusOK, avatar.StatusCode, string(avatar.body))
		require.EqualValues(t, len(one), avatar.json(t)["avatarSize"])
		served := in.get("/api/images/users/" + userID + "/avatar")
		require.Equal(t, one, served.body)
		require.Equal(t, http.StatusNotModified, in.get("/api/images/users/"+userID+"/avatar", "If-None-Match", served.Header.Get("ETag")).StatusCode)
	})
}

func TestLastModifiedOnlyGrows(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		in.putArtist(artistID, "Again")
		in.putAlbum(albumID, artistID, "And Again")
		var last time.Time
		for n := range 4 {
			applyCover(t, in, musicfixture.Picture(30, 30, int64(n%2)))
			modified, err := http.ParseTime(in.get("/api/images/albums/" + albumID + "/cover").Header.Get("Last-Modified"))
			require.NoError(t, err)
			require.True(t, modified.After(last), "change %d", n)
			last = modified
		}
	})
}

func TestIfMatch(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		in.putUser(userID, "ana")
		first := in.upload("/api/users/avatar", musicfixture.Picture(20, 20, 1), "userId", userID)
		require.Equal(t, http.StatusOK, first.StatusCode, string(first.body))
		apply := func(match string, seed int64) answer {
			body, contentType := form(t, musicfixture.Picture(20, 20, seed), "userId", userID)
			return in.do(http.MethodPost, "/api/users/avatar", body, "Content-Type", contentType,
				"Authorization", "Bearer "+in.token, "If-Match", match)
		}
		requireProblem(t, apply(`"0000000000000000"`, 2), http.StatusPreconditionFailed, "precondition_failed")
		requireProblem(t, apply(`unquoted`, 2), http.StatusBadRequest, "invalid_input")
		require.Equal(t, http.StatusOK, apply(`"`+first.json(t)["tag"].(string)+`"`, 2).StatusCode)
	})
}

func TestAlbumWithoutCover(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		in.putArtist(artistID, "Bare")
		in.putAlbum(albumID, artistID, "Bare")
		path := "/api/images/albums/" + albumID + "/cover"
		served := in.get(path)
		require.Equal(t, http.StatusOK, served.StatusCode)
		require.Equal(t, "image/png", served.Header.Get("Content-Type"))
		require.Equal(t, http.StatusNotModified, in.get(path, "If-None-Match", served.Header.Get("ETag")).StatusCode)
		require.Equal(t, map[string]any{"exists": false, "albumId": albumID}, in.get(path+"/exists").json(t))
		require.Equal(t, map[string]any{"exists": false}, in.get(path + "/metadata").json(t)["cover"])
		tag := applyCover(t, in, musicfixture.Picture(20, 20, 1))
		require.Equal(t, `"`+tag+`"`, in.get(path).Header.Get("ETag"))
	})
}
