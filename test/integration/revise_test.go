package integration

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/test/musicfixture"
)

// TestRemoveAndLock walks through what a librarian does to a cover, on every
// instance at once.
func TestRemoveAndLock(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		other := in
		if d.shared {
			other = d.start(t)
		}
		music := t.TempDir()
		musicfixture.Write(t, music, musicfixture.Track{Path: "Sol/Mar/01.opus", Album: "Mar", AlbumArtist: "Sol", Artist: "Sol"})
		write(t, music+"/Sol/Mar/cover.png", musicfixture.Picture(40, 40, 1))
		in.importFolder(music)
		album := in.get("/api/albums").json(t)["items"].([]any)[0].(map[string]any)["id"].(string)
		path, admin := "/api/images/albums/"+album+"/cover", "/api/admin/metadata/album/"+album
		local := other.get(path).Header.Get("ETag")
		require.NotEmpty(t, local)

		prefix := "/api/admin/metadata/album/custom-covers/" + album
		uploaded := in.upload(prefix+"/upload", musicfixture.Picture(30, 30, 2)).json(t)["customCoverId"].(string)
		require.Equal(t, http.StatusCreated, in.send(http.MethodPost, prefix+"/apply/"+uploaded, nil).StatusCode)
		custom := other.get(path).Header.Get("ETag")
		require.NotEqual(t, local, custom)

		removed := in.send(http.MethodDelete, admin+"/images/cover", nil)
		require.Equal(t, http.StatusOK, removed.StatusCode, string(removed.body))
		require.Equal(t, local, `"`+removed.json(t)["tag"].(string)+`"`)
		require.Equal(t, local, other.get(path).Header.Get("ETag"), "the next source took force")

		locked := in.send(http.MethodPut, admin+"/lock", map[string]any{"type": "cover", "locked": true})
		require.Equal(t, http.StatusOK, locked.StatusCode, string(locked.body))
		require.Equal(t, true, other.get(path + "/metadata").json(t)["cover"].(map[string]any)["locked"])

		require.Equal(t, http.StatusOK, in.send(http.MethodDelete, admin+"/images/cover?keepEmpty=true", nil).StatusCode)
		require.Equal(t, false, other.get(path + "/exists").json(t)["exists"])
		write(t, music+"/Sol/Mar/cover.png", musicfixture.Picture(44, 44, 3))
		in.importFolder(music)
		require.Equal(t, false, other.get(path + "/exists").json(t)["exists"], "a scan leaves it empty")
	})
}

func TestRevisionRefusals(t *testing.T) {
	in := combinations["memory and SQLite"](t).start(t)
	in.putArtist(artistID, "Refused")
	in.putAlbum(albumID, artistID, "Always")
	tag := applyCover(t, in, musicfixture.Picture(30, 30, 1))
	admin := "/api/admin/metadata/album/" + albumID
	for _, c := range []struct {
		method, path string
		body         any
		status       int
		kind         string
	}{
		{http.MethodPut, admin + "/lock", map[string]any{"type": "cover"}, http.StatusBadRequest, "invalid_input"},
		{http.MethodPut, admin + "/lock", map[string]any{"type": "logo", "locked": true}, http.StatusBadRequest, "invalid_input"},
		{http.MethodPut, admin + "/lock", map[string]any{"type": "cover", "locked": "yes"}, http.StatusBadRequest, "invalid_input"},
		{http.MethodDelete, admin + "/images/logo", nil, http.StatusBadRequest, "invalid_input"},
		{http.MethodDelete, admin + "/images/front", nil, http.StatusBadRequest, "invalid_input"},
		{http.MethodDelete, admin + "/images/cover?keepEmpty=perhaps", nil, http.StatusBadRequest, "invalid_input"},
		{http.MethodDelete, admin + "/images/cover?keep=true", nil, http.StatusBadRequest, "invalid_input"},
		{http.MethodDelete, "/api/admin/metadata/album/" + artistID + "/images/cover", nil, http.StatusNotFound, "not_found"},
	} {
		requireProblem(t, in.send(c.method, c.path, c.body), c.status, c.kind)
	}
	request := in.do(http.MethodDelete, admin+"/images/cover", nil, "Authorization", "Bearer "+in.token, "If-Match", `"0000000000000000"`)
	requireProblem(t, request, http.StatusPreconditionFailed, "precondition_failed")
	require.Equal(t, `"`+tag+`"`, in.get(coverPath).Header.Get("ETag"))
	in.token = "none"
	require.Equal(t, http.StatusUnauthorized, in.send(http.MethodDelete, admin+"/images/cover", nil).StatusCode)
}
