package integration

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/test/musicfixture"
)

// TestPurge: what is forgotten is served nowhere any more, and cannot be restored.
func TestPurge(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		other := in
		if d.shared {
			other = d.start(t)
		}
		in.putArtist(artistID, "Forgotten")
		in.putAlbum(albumID, artistID, "Partly")
		applyCover(t, in, musicfixture.Picture(30, 30, 1))
		second := applyCover(t, in, musicfixture.Picture(30, 30, 2))
		require.Equal(t, `"`+second+`"`, other.get(coverPath).Header.Get("ETag"))
		path := "/api/admin/metadata/album/" + albumID
		history := in.history(albumID)
		former, present := history[1]["imageId"].(string), history[0]["imageId"].(string)

		gone := in.send(http.MethodDelete, path+"/images/cover/history/"+former, nil)
		require.Equal(t, http.StatusOK, gone.StatusCode, string(gone.body))
		require.EqualValues(t, 1, gone.json(t)["images"])
		require.Equal(t, second, gone.json(t)["tag"])
		require.Len(t, in.history(albumID), 1)
		requireProblem(t, in.send(http.MethodPost, path+"/restore", map[string]any{"type": "cover", "imageId": former}), http.StatusNotFound, "not_found")
		requireProblem(t, other.get("/api/images/albums/"+albumID+"/custom/"+former), http.StatusNotFound, "not_found")
		requireProblem(t, in.send(http.MethodDelete, path+"/images/cover/history/"+former, nil), http.StatusNotFound, "not_found")

		gone = in.send(http.MethodDelete, path+"/images/cover/history/"+present, nil)
		require.Equal(t, http.StatusOK, gone.StatusCode, string(gone.body))
		require.NotContains(t, gone.json(t), "tag")
		require.Equal(t, false, other.get(coverPath + "/exists").json(t)["exists"])
		require.Empty(t, in.history(albumID))
	})
}

// TestPurgeOfAUser: every picture of somebody who left.
func TestPurgeOfAUser(t *testing.T) {
	in := combinations["memory and SQLite"](t).start(t)
	in.putUser(userID, "ana")
	avatar := "/api/images/users/" + userID + "/avatar"
	for n := range 3 {
		a := in.upload("/api/users/avatar", musicfixture.Picture(30, 30, int64(n)), "userId", userID)
		require.Equal(t, http.StatusOK, a.StatusCode, string(a.body))
	}
	authorised := []string{"Authorization", "Bearer " + in.token}
	require.Equal(t, http.StatusOK, in.get(avatar, authorised...).StatusCode)
	requireProblem(t, in.send(http.MethodDelete, "/api/users/avatar", nil), http.StatusBadRequest, "invalid_input")
	require.Equal(t, http.StatusNoContent, in.send(http.MethodDelete, "/api/users/avatar?userId="+userID, nil).StatusCode)
	require.Equal(t, http.StatusNotFound, in.get(avatar, authorised...).StatusCode)
	history := "/api/admin/metadata/user/" + userID + "/history"
	require.Len(t, in.send(http.MethodGet, history, nil).json(t)["history"], 3, "a removal can be undone")

	gone := in.send(http.MethodDelete, history, nil)
	require.Equal(t, http.StatusOK, gone.StatusCode, string(gone.body))
	require.EqualValues(t, 3, gone.json(t)["images"])
	require.Empty(t, in.send(http.MethodGet, history, nil).json(t)["history"])
	require.Equal(t, http.StatusOK, in.send(http.MethodDelete, history, nil).StatusCode, "it can be repeated")
}

// TestDeleteUploaded: an upload that was in force gives way, and stays restorable.
func TestDeleteUploaded(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		in.putArtist(artistID, "Deleted")
		in.putAlbum(albumID, artistID, "Cover")
		tag := applyCover(t, in, musicfixture.Picture(30, 30, 1))
		uploads := "/api/admin/metadata/album/custom-covers/" + albumID
		never := in.upload(uploads+"/upload", musicfixture.Picture(30, 30, 2)).json(t)["customCoverId"].(string)
		once := in.history(albumID)[0]["imageId"].(string)
		for _, id := range []string{once, never} {
			a := in.send(http.MethodDelete, uploads+"/"+id, nil)
			require.Equal(t, http.StatusOK, a.StatusCode, string(a.body))
			require.Equal(t, true, a.json(t)["success"])
			requireProblem(t, in.send(http.MethodDelete, uploads+"/"+id, nil), http.StatusNotFound, "not_found")
		}
		require.EqualValues(t, 0, in.send(http.MethodGet, uploads, nil).json(t)["total"])
		require.Equal(t, false, in.get(coverPath + "/exists").json(t)["exists"])
		requireProblem(t, in.get("/api/images/albums/"+albumID+"/custom/"+never), http.StatusNotFound, "not_found")

		restored := in.send(http.MethodPost, "/api/admin/metadata/album/"+albumID+"/restore", map[string]any{"type": "cover", "imageId": once})
		require.Equal(t, http.StatusCreated, restored.StatusCode, string(restored.body))
		require.Equal(t, tag, restored.json(t)["tag"])
		require.EqualValues(t, 1, in.send(http.MethodGet, uploads, nil).json(t)["total"])
	})
}
