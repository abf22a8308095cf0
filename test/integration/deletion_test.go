package integration

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/announce"
	"gatefold/application/manageaccounts"
	"gatefold/domain/catalog"
	"gatefold/test/musicfixture"
)

// requireDeleted requires that the call has deleted something, and returns the answer.
func (in *instance) requireDeleted(path string) map[string]any {
	in.t.Helper()
	a := in.send(http.MethodDelete, path, nil)
	require.Equal(in.t, http.StatusOK, a.StatusCode, string(a.body))
	until, err := time.Parse(time.RFC3339, a.json(in.t)["restorableUntil"].(string))
	require.NoError(in.t, err)
	require.WithinDuration(in.t, time.Now().Add(30*24*time.Hour), until, time.Hour)
	return a.json(in.t)
}

func (in *instance) requireRestored(path string) map[string]any {
	in.t.Helper()
	a := in.send(http.MethodPost, path+"/restore", nil)
	require.Equal(in.t, http.StatusOK, a.StatusCode, string(a.body))
	return a.json(in.t)
}

// TestDeletion: no instance answers with what was deleted, all do with what was
// restored, and clients are told.
func TestDeletion(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		other := in
		if d.shared {
			other = d.start(t)
		}
		in.putSolMar()
		tag := applyCover(t, in, musicfixture.Picture(30, 30, 1))
		custom := in.history(albumID)[0]["imageId"].(string)
		artist, album := "/api/artists/"+artistID, "/api/albums/"+albumID
		lock := in.send(http.MethodPut, "/api/admin/metadata/album/"+albumID+"/lock", map[string]any{"type": "cover", "locked": true})
		require.Equal(t, http.StatusOK, lock.StatusCode)
		images := []string{
			coverPath, coverPath + "?tag=" + tag, coverPath + "?size=thumb", coverPath + "/exists", coverPath + "/metadata", album + "/cover", album,
			"/api/images/albums/" + albumID + "/custom/" + custom,
		}
		for _, path := range images {
			for _, instance := range []*instance{in, other} {
				require.Equal(t, http.StatusOK, instance.get(path).StatusCode, path)
			}
		}
		stream := other.listen()

		in.requireDeleted(album)
		for _, path := range images {
			requireProblem(t, other.get(path), http.StatusNotFound, "not_found")
			requireProblem(t, in.get(path), http.StatusNotFound, "not_found")
		}
		event := stream.Next()
		require.Equal(t, announce.AlbumDeleted, event.Name)
		require.Equal(t, []any{albumID, "Mar", artistID, "Sol"}, []any{event.Data["albumId"], event.Data["albumName"], event.Data["artistId"], event.Data["artistName"]})
		require.EqualValues(t, 0, other.get("/api/albums?query=mar").json(t)["total"])
		requireProblem(t, in.send(http.MethodGet, "/api/admin/metadata/album/"+albumID+"/covers/search", nil), http.StatusNotFound, "not_found")
		upload := in.upload("/api/admin/metadata/album/custom-covers/"+albumID+"/upload", musicfixture.Picture(30, 30, 2))
		requireProblem(t, upload, http.StatusNotFound, "not_found")

		listed := other.send(http.MethodGet, "/api/deleted?kind=album", nil).json(t)["items"].([]any)
		require.Len(t, listed, 1)
		require.Equal(t, []any{"album", albumID, "Mar", "Sol", "test"}, pick(listed[0], "kind", "id", "name", "artistName", "deletedBy"))

		in.requireDeleted(album) // it is so already
		in.requireRestored(album)
		requireCoverUpdated(t, stream.Next(), tag)
		for _, instance := range []*instance{in, other} {
			cover := instance.get(coverPath)
			require.Equal(t, http.StatusOK, cover.StatusCode)
			require.Equal(t, `"`+tag+`"`, cover.Header.Get("ETag"))
			require.Equal(t, true, instance.get(coverPath + "/metadata").json(t)["cover"].(map[string]any)["locked"])
		}
		require.Len(t, in.history(albumID), 1)
		in.requireRestored(album)

		requireProblem(t, in.send(http.MethodDelete, artist, nil), http.StatusConflict, "conflict")
		require.EqualValues(t, 1, in.requireDeleted(artist + "?albums=true")["albums"])
		requireProblem(t, other.get(artist), http.StatusNotFound, "not_found")
		requireProblem(t, other.get(coverPath), http.StatusNotFound, "not_found")
		requireProblem(t, in.send(http.MethodPost, album+"/restore", nil), http.StatusConflict, "conflict")
		require.EqualValues(t, 1, other.requireRestored(artist)["albums"])
		require.Equal(t, `"`+tag+`"`, in.get(coverPath).Header.Get("ETag"))
	})
}

func pick(object any, fields ...string) (values []any) {
	for _, field := range fields {
		values = append(values, object.(map[string]any)[field])
	}
	return values
}

// TestDeletionsThatCannotBe are refused, and what was never there is not found.
func TestDeletionsThatCannotBe(t *testing.T) {
	t.Parallel()
	in := combinations["memory and SQLite"](t).start(t)
	in.putSolMar()
	for _, path := range []string{"/api/artists/", "/api/albums/", "/api/users/"} {
		requireProblem(t, in.send(http.MethodDelete, path+userID, nil), http.StatusNotFound, "not_found")
		requireProblem(t, in.send(http.MethodPost, path+userID+"/restore", nil), http.StatusNotFound, "not_found")
		requireProblem(t, in.send(http.MethodDelete, path+"7", nil), http.StatusBadRequest, "invalid_input")
		requireProblem(t, in.send(http.MethodDelete, path+userID+"?force=true", nil), http.StatusBadRequest, "invalid_input")
	}
	requireProblem(t, in.send(http.MethodDelete, "/api/artists/"+artistID+"?albums=perhaps", nil), http.StatusBadRequest, "invalid_input")
	requireProblem(t, in.send(http.MethodDelete, "/api/albums/"+albumID+"?albums=true", nil), http.StatusBadRequest, "invalid_input")
	for _, query := range []string{"kind=song", "cursor=x", "pageSize=0", "since=now"} {
		requireProblem(t, in.send(http.MethodGet, "/api/deleted?"+query, nil), http.StatusBadRequest, "invalid_input")
	}
	admin, err := in.server.CreateUser(t.Context(), manageaccounts.CreateIn{Username: "ana", Role: catalog.RoleAdmin, Password: aPassword})
	require.NoError(t, err)
	last := in.send(http.MethodDelete, "/api/users/"+admin.String(), nil)
	requireProblem(t, last, http.StatusConflict, "conflict")
	require.Contains(t, string(last.body), "last administrator")
	for range 3 {
		in.requireDeleted("/api/albums/" + albumID)
		in.requireRestored("/api/albums/" + albumID)
	}
	in.requireDeleted("/api/artists/" + artistID + "?albums=true")
	first := in.send(http.MethodGet, "/api/deleted?pageSize=1", nil).json(t)
	second := in.send(http.MethodGet, "/api/deleted?pageSize=1&cursor="+url.QueryEscape(first["next"].(string)), nil).json(t)
	require.NotContains(t, second, "next")
	require.EqualValues(t, (30 * 24 * time.Hour).Seconds(), first["keepSeconds"])
	require.NotEqual(t, first["items"], second["items"])
}

// TestAPutOfWhatWasDeletedBringsItBack, as another system pushes its catalogue.
func TestAPutOfWhatWasDeletedBringsItBack(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		other := in
		if d.shared {
			other = d.start(t)
		}
		in.putSolMar()
		tag := applyCover(t, in, musicfixture.Picture(30, 30, 1))
		in.requireDeleted("/api/artists/" + artistID + "?albums=true")
		requireProblem(t, other.get(coverPath), http.StatusNotFound, "not_found")
		album := map[string]any{"name": "Tierra", "artistId": artistID}
		requireProblem(t, in.send(http.MethodPut, "/api/albums/"+albumID, album), http.StatusNotFound, "not_found")
		back := in.send(http.MethodPut, "/api/artists/"+artistID, map[string]any{"name": "Luna"})
		require.Equal(t, http.StatusOK, back.StatusCode, string(back.body))
		require.Equal(t, "Luna", back.json(t)["name"])
		requireProblem(t, other.get(coverPath), http.StatusNotFound, "not_found")
		back = in.send(http.MethodPut, "/api/albums/"+albumID, album)
		require.Equal(t, http.StatusOK, back.StatusCode, string(back.body))
		require.Equal(t, []any{"Tierra", "Luna"}, pick(back.json(t), "name", "artistName"))
		require.Equal(t, `"`+tag+`"`, other.get(coverPath).Header.Get("ETag"))
	})
}

// TestDeletingAUser ends all that the user could do, on every instance.
func TestDeletingAUser(t *testing.T) {
	t.Parallel()
	onPairs(t, func(t *testing.T, one, two *instance) {
		id, err := one.server.CreateUser(t.Context(), manageaccounts.CreateIn{Username: "ana", Role: catalog.RoleAdmin, Password: aPassword})
		require.NoError(t, err)
		ana := "/api/users/" + id.String()
		session := two.signIn("ana")
		as := []string{"Authorization", "Bearer " + session.access}
		requireProblem(t, two.do(http.MethodDelete, ana, nil, as...), http.StatusConflict, "conflict") // oneself

		one.requireDeleted(ana)
		require.Equal(t, http.StatusUnauthorized, one.me(session.access))
		eventually(t, func() bool { return two.me(session.access) == http.StatusUnauthorized })
		requireProblem(t, two.refresh(session.refresh), http.StatusUnauthorized, "unauthenticated")
		requireProblem(t, two.login("ana", aPassword), http.StatusUnauthorized, "unauthenticated")

		one.requireRestored(ana)
		require.Equal(t, http.StatusUnauthorized, two.me(session.access), "what has ended stays so")
		two.signIn("ana")

		one.requireDeleted(ana)
		require.Equal(t, http.StatusOK, one.send(http.MethodPut, ana, map[string]any{"username": "ana", "role": "user"}).StatusCode)
		requireProblem(t, two.login("ana", aPassword), http.StatusUnauthorized, "unauthenticated")
	})
}

// TestAnImportLeavesOutWhatWasDeleted, although its music is there, until it is restored.
func TestAnImportLeavesOutWhatWasDeleted(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		music := t.TempDir()
		musicfixture.Write(t, music, musicfixture.Track{Path: "Eva/Luz/01.opus", Album: "Luz", AlbumArtist: "Eva", Artist: "Eva"})
		write(t, music+"/Eva/Luz/cover.png", musicfixture.Picture(40, 40, 4))
		require.Equal(t, 1, in.importFolder(music).NewAlbums)
		album := in.get("/api/albums").json(t)["items"].([]any)[0].(map[string]any)["id"].(string)
		in.requireDeleted("/api/albums/" + album)
		write(t, music+"/Eva/Luz/cover.png", musicfixture.Picture(40, 40, 5))
		musicfixture.Write(t, music, musicfixture.Track{Path: "Eva/Sombra/01.opus", Album: "Sombra", AlbumArtist: "Eva", Artist: "Eva"})
		summary := in.importFolder(music)
		require.Equal(t, []int{1, 1, 0}, []int{summary.NewAlbums, summary.Deleted, summary.Missing})
		require.EqualValues(t, 1, in.get("/api/albums").json(t)["total"])
		in.requireRestored("/api/albums/" + album)
		summary = in.importFolder(music)
		require.Equal(t, []int{0, 0, 1}, []int{summary.NewAlbums, summary.Deleted, summary.NewImages}, "what has changed meanwhile is met")
		require.Equal(t, false, in.get("/api/albums/" + album).json(t)["missing"])
	})
}
