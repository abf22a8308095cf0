package integration

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/test/musicfixture"
)

// TestFocalPoint: setting it is a change like any other, seen on every instance at
// once, and undone like any other.
func TestFocalPoint(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		other := in
		if d.shared {
			other = d.start(t)
		}
		in.putArtist(artistID, "Focused")
		in.putAlbum(albumID, artistID, "Twice")
		plain := applyCover(t, in, musicfixture.Picture(30, 30, 1))
		bytes := other.get(coverPath).body
		path := "/api/admin/metadata/album/" + albumID
		set := in.send(http.MethodPut, path+"/focal-point", map[string]any{"type": "cover", "x": 0.25, "y": 0}, "If-Match", `"`+plain+`"`)
		require.Equal(t, http.StatusOK, set.StatusCode, string(set.body))
		tag := set.json(t)["tag"].(string)
		require.NotEqual(t, plain, tag)
		require.Contains(t, set.json(t), "visibleAfterMs")

		served := other.get(coverPath)
		require.Equal(t, `"`+tag+`"`, served.Header.Get("ETag"))
		require.Equal(t, bytes, served.body)
		cover := other.get(coverPath + "/metadata").json(t)["cover"].(map[string]any)
		require.Equal(t, map[string]any{"x": 0.25, "y": 0.0}, cover["focalPoint"])
		again := in.send(http.MethodPut, path+"/focal-point", map[string]any{"type": "cover", "x": 0.25, "y": 0})
		require.Equal(t, tag, again.json(t)["tag"])

		history := in.history(albumID)
		require.Len(t, history, 2)
		require.Equal(t, map[string]any{"x": 0.25, "y": 0.0}, history[0]["focalPoint"])
		require.NotContains(t, history[1], "focalPoint")
		uploads := in.send(http.MethodGet, "/api/admin/metadata/album/custom-covers/"+albumID, nil).json(t)
		require.EqualValues(t, 1, uploads["total"], "it is one picture")
		require.Equal(t, true, uploads["customCovers"].([]any)[0].(map[string]any)["isActive"])

		undone := in.send(http.MethodPost, path+"/restore", map[string]any{"type": "cover", "imageId": history[1]["imageId"]})
		require.Equal(t, plain, undone.json(t)["tag"])
		require.Equal(t, `"`+plain+`"`, other.get(coverPath).Header.Get("ETag"))
	})
}

func TestFocalPointRefusals(t *testing.T) {
	in := combinations["memory and SQLite"](t).start(t)
	in.putArtist(artistID, "Refused")
	in.putAlbum(albumID, artistID, "Always")
	path := "/api/admin/metadata/album/" + albumID + "/focal-point"
	good := map[string]any{"type": "cover", "x": 0.5, "y": 0.5}
	requireProblem(t, in.send(http.MethodPut, path, good), http.StatusNotFound, "not_found")
	applyCover(t, in, musicfixture.Picture(30, 30, 1))
	for _, bad := range []map[string]any{
		{"type": "cover", "x": 0.5}, {"type": "cover", "y": 0.5}, {"type": "cover", "x": -0.001, "y": 0}, {"type": "cover", "x": 0, "y": 1.001},
		{"type": "logo", "x": 0, "y": 0}, {"x": 0, "y": 0}, {"type": "cover", "x": "0", "y": 0}, {"type": "cover", "x": 0, "y": 0, "z": 0},
	} {
		requireProblem(t, in.send(http.MethodPut, path, bad), http.StatusBadRequest, "invalid_input")
	}
	requireProblem(t, in.send(http.MethodPut, path, good, "If-Match", `"0000"`), http.StatusPreconditionFailed, "precondition_failed")
	requireProblem(t, in.send(http.MethodPut, "/api/admin/metadata/user/"+userID+"/focal-point", map[string]any{"type": "avatar", "x": 0, "y": 0}), http.StatusNotFound, "not_found")
}

func TestBackgroundPosition(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		in.putArtist(artistID, "Placed")
		require.NotContains(t, in.get("/api/artists/"+artistID).json(t), "backgroundPosition")
		path := "/api/admin/metadata/artist/background-position"
		set := in.send(http.MethodPatch, path, map[string]any{"artistId": artistID, "backgroundPosition": "center  20%"})
		require.Equal(t, http.StatusOK, set.StatusCode, string(set.body))
		require.Equal(t, true, set.json(t)["success"])
		require.Equal(t, "center 20%", in.get("/api/artists/" + artistID).json(t)["backgroundPosition"])
		in.send(http.MethodPut, "/api/artists/"+artistID, map[string]any{"name": "Placed again"})
		require.Equal(t, "center 20%", in.get("/api/artists/" + artistID).json(t)["backgroundPosition"], "another system does not know of it")

		requireProblem(t, in.send(http.MethodPatch, path, map[string]any{"artistId": artistID, "backgroundPosition": "url(x)"}), http.StatusBadRequest, "invalid_input")
		requireProblem(t, in.send(http.MethodPatch, path, map[string]any{"artistId": albumID, "backgroundPosition": "center"}), http.StatusNotFound, "not_found")
	})
}
