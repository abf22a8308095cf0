package integration

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/test/musicfixture"
)

// TestUndoInOneCall: an earlier image is put in force again, with the bytes and
// the tag it had, on every instance.
func TestUndoInOneCall(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		other := in
		if d.shared {
			other = d.start(t)
		}
		in.putArtist(artistID, "Undone")
		in.putAlbum(albumID, artistID, "Twice")
		first := applyCover(t, in, musicfixture.Picture(30, 30, 1))
		before := other.get(coverPath)
		second := applyCover(t, in, musicfixture.Picture(30, 30, 2))
		require.Equal(t, `"`+second+`"`, other.get(coverPath).Header.Get("ETag"))

		history := in.history(albumID)
		require.Len(t, history, 2)
		require.Equal(t, []any{true, false}, []any{history[0]["current"], history[1]["current"]})
		require.Equal(t, first, history[1]["tag"])
		require.Equal(t, "cover", history[1]["type"])
		require.Equal(t, "test", history[1]["appliedBy"])

		restored := in.send(http.MethodPost, "/api/admin/metadata/album/"+albumID+"/restore", map[string]any{"type": "cover", "imageId": history[1]["imageId"]})
		require.Equal(t, http.StatusCreated, restored.StatusCode, string(restored.body))
		require.Equal(t, first, restored.json(t)["tag"])
		after := other.get(coverPath)
		require.Equal(t, before.body, after.body)
		require.Equal(t, before.Header.Get("ETag"), after.Header.Get("ETag"))
		require.NotEqual(t, before.Header.Get("Last-Modified"), after.Header.Get("Last-Modified"))
		require.Len(t, in.history(albumID), 3)
		stale := other.get(coverPath, "If-None-Match", `"`+second+`"`)
		require.Equal(t, http.StatusOK, stale.StatusCode, "who holds the second image must not keep it")
	})
}

func (in *instance) history(album string) []map[string]any {
	in.t.Helper()
	a := in.send(http.MethodGet, "/api/admin/metadata/album/"+album+"/history", nil)
	require.Equal(in.t, http.StatusOK, a.StatusCode, string(a.body))
	var entries []map[string]any
	for _, entry := range a.json(in.t)["history"].([]any) {
		entries = append(entries, entry.(map[string]any))
	}
	return entries
}

func TestRestoreRefusals(t *testing.T) {
	d := combinations["memory and SQLite"](t)
	in := d.start(t)
	in.putArtist(artistID, "Undone")
	in.putAlbum(albumID, artistID, "Never")
	applyCover(t, in, musicfixture.Picture(30, 30, 1))
	image := in.history(albumID)[0]["imageId"]
	path := "/api/admin/metadata/album/" + albumID + "/restore"
	requireProblem(t, in.send(http.MethodPost, path, map[string]any{"type": "cover", "imageId": artistID}), http.StatusNotFound, "not_found")
	requireProblem(t, in.send(http.MethodPost, "/api/admin/metadata/artist/"+artistID+"/restore", map[string]any{"type": "logo", "imageId": image}), http.StatusNotFound, "not_found")
	for _, body := range []map[string]any{{"type": "avatar", "imageId": image}, {"type": "front", "imageId": image}, {"imageId": image}, {"type": "cover"}, {"type": "cover", "imageId": "x"}} {
		requireProblem(t, in.send(http.MethodPost, path, body), http.StatusBadRequest, "invalid_input")
	}
	requireProblem(t, in.send(http.MethodGet, "/api/admin/metadata/user/"+userID+"/history", nil), http.StatusNotFound, "not_found")
	in.token = "none"
	require.Equal(t, http.StatusUnauthorized, in.send(http.MethodPost, path, nil).StatusCode)
}
