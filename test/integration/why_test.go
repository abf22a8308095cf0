package integration

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/test/musicfixture"
	"gatefold/test/providerfixture"
)

// why answers why a slot shows what it shows.
func (in *instance) why(subject string, slot artwork.Slot) map[string]any {
	in.t.Helper()
	a := in.send(http.MethodGet, "/api/admin/metadata/"+subject+"/images/"+slot.String()+"/why", nil)
	require.Equal(in.t, http.StatusOK, a.StatusCode, string(a.body))
	require.Equal(in.t, "no-store", a.Header.Get("Cache-Control"))
	return a.json(in.t)
}

func objects(list any) (all []map[string]any) {
	for _, one := range list.([]any) {
		all = append(all, one.(map[string]any))
	}
	return all
}

// requireRights fails the test unless an answer has exactly what is known of the rights
// in a candidate.
func requireRights(t *testing.T, candidate, answer map[string]any) {
	t.Helper()
	for _, field := range []string{"licence", "attribution", "sourcePage"} {
		require.Equal(t, candidate[field], answer[field], field)
	}
}

// requireExplained fails the test unless the slot is known to show the candidate of the
// last search that was applied just now.
func (in *instance) requireExplained(subject string, slot artwork.Slot, candidate map[string]any) {
	in.t.Helper()
	why := in.why(subject, slot)
	require.Equal(in.t, "chosen", why["rule"].(map[string]any)["code"])
	inForce := why["inForce"].(map[string]any)
	require.Equal(in.t, []any{"external", candidate["provider"], candidate["url"], "applied", "test"},
		[]any{inForce["source"], inForce["provider"], inForce["url"], inForce["act"], inForce["appliedBy"]})
	requireRights(in.t, candidate, inForce)
	considered := objects(why["considered"])
	require.Len(in.t, considered, 1)
	require.Equal(in.t, "search", considered[0]["occasion"])
	best := objects(considered[0]["candidates"])[0]
	require.Equal(in.t, []any{candidate["url"], 1.0, true, "offered", inForce["imageId"]},
		[]any{best["url"], best["rank"], best["inForce"], best["verdict"], best["imageId"]})
}

// TestLicencesAreKept: what a provider said of an image is in its history, whoever
// answers, until it is purged; and with it what was considered.
func TestLicencesAreKept(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		d, _ = searching(t, d)
		in := d.start(t)
		other := in
		if d.shared {
			other = d.start(t)
		}
		in.putFindable()
		found, _ := in.search(searchAvatars+"?type=profile", "avatars")
		var licensed map[string]any
		for _, candidate := range found {
			if candidate["provider"] == providerfixture.Wikimedia {
				licensed = candidate
			}
		}
		require.Contains(t, licensed["licence"], "CC BY-SA 4.0")
		require.Equal(t, "Ana & Somebody", licensed["attribution"])
		require.Contains(t, licensed["sourcePage"], "https://commons.wikimedia.org/wiki/File:")

		apply := map[string]any{"artistId": artistID, "avatarUrl": licensed["url"], "provider": "wikimedia", "type": "profile"}
		applied := other.send(http.MethodPost, "/api/admin/metadata/artist/avatars/apply", apply)
		require.Equal(t, http.StatusCreated, applied.StatusCode, string(applied.body))
		entry := objects(in.send(http.MethodGet, "/api/admin/metadata/artist/"+artistID+"/history", nil).json(t)["history"])[0]
		requireRights(t, licensed, entry)
		require.Equal(t, "applied", entry["act"])
		require.Equal(t, "provider", other.why("artist/"+artistID, artwork.SlotProfile)["inForce"].(map[string]any)["statedBy"])

		apply["licence"] = "CC0, says the photographer"
		require.Equal(t, http.StatusCreated, in.send(http.MethodPost, "/api/admin/metadata/artist/avatars/apply", apply).StatusCode)
		inForce := other.why("artist/"+artistID, artwork.SlotProfile)["inForce"].(map[string]any)
		require.Equal(t, []any{"caller", apply["licence"], licensed["attribution"]}, []any{inForce["statedBy"], inForce["licence"], inForce["attribution"]})
		require.Len(t, objects(in.send(http.MethodGet, "/api/admin/metadata/artist/"+artistID+"/history", nil).json(t)["history"]), 1)
		change := objects(in.send(http.MethodGet, "/api/admin/activity?action=image.apply&pageSize=1", nil).json(t)["items"])[0]
		requireRights(t, licensed, change["before"].(map[string]any))
		require.Equal(t, apply["licence"], change["after"].(map[string]any)["licence"])

		purged := in.send(http.MethodDelete, "/api/admin/metadata/artist/"+artistID+"/images/profile/history/"+inForce["imageId"].(string), nil)
		require.Equal(t, http.StatusOK, purged.StatusCode, string(purged.body))
		why := other.why("artist/"+artistID, artwork.SlotProfile)
		require.NotContains(t, why, "inForce")
		require.Equal(t, []any{[]any{}, []any{}}, []any{why["considered"], why["others"]})
	})
}

// TestWhyIsToldOfEverySlot: of uploads and users as well, and what would be next.
func TestWhyIsToldOfEverySlot(t *testing.T) {
	in := combinations["memory and SQLite"](t).start(t)
	in.putArtist(artistID, "Explained")
	in.putAlbum(albumID, artistID, "Twice")
	require.Less(t, in.send(http.MethodPut, "/api/users/"+userID, map[string]any{"username": "ana"}).StatusCode, 300)
	require.Equal(t, "empty", in.why("user/"+userID, artwork.SlotAvatar)["rule"].(map[string]any)["code"])
	applyCover(t, in, musicfixture.Picture(30, 30, 1))
	applyCover(t, in, musicfixture.Picture(30, 30, 2))
	why := in.why("album/"+albumID, artwork.SlotCover)
	require.Equal(t, []any{"custom", "external", "local"}, why["priority"])
	inForce := why["inForce"].(map[string]any)
	require.Equal(t, "uploaded", inForce["act"])
	require.NotContains(t, inForce, "licence")
	require.NotContains(t, inForce, "url")
	others := objects(why["others"])
	require.Len(t, others, 1)
	require.Equal(t, "replaced", others[0]["reason"].(map[string]any)["code"])
	require.Equal(t, false, others[0]["next"])
	require.NotContains(t, others[0], "act")
}

func TestWhyRefusals(t *testing.T) {
	in := combinations["memory and SQLite"](t).start(t)
	in.putFindable()
	for path, status := range map[string]int{
		"artist/" + artistID + "/images/cover/why": 400, "artist/" + artistID + "/images/profile-small/why": 400, "artist/x/images/logo/why": 400,
		"artist/" + artistID + "/images/logo/why?all=true": 400, "artist/" + albumID + "/images/logo/why": 404, "user/" + userID + "/images/avatar/why": 404,
	} {
		require.Equal(t, status, in.send(http.MethodGet, "/api/admin/metadata/"+path, nil).StatusCode, path)
	}
	for _, body := range []map[string]any{
		{"licence": strings.Repeat("x", 501)}, {"attribution": "a\nb"}, {"sourcePage": "javascript:alert(1)"}, {"license": "CC0"},
	} {
		for key, value := range map[string]any{"albumId": albumID, "coverUrl": "http://127.0.0.1/x", "provider": "p"} {
			body[key] = value
		}
		requireProblem(t, in.send(http.MethodPost, "/api/admin/metadata/album/covers/apply", body), http.StatusBadRequest, "invalid_input")
	}
}

// TestWhatProvidersSaidOutlivesTheServer: an image can be applied long after it was found,
// alone or with many.
func TestWhatProvidersSaidOutlivesTheServer(t *testing.T) {
	d, _ := searching(t, combinations["memory and SQLite"](t))
	var logo map[string]any
	t.Run("search", func(t *testing.T) {
		in := d.start(t)
		in.putFindable()
		found, _ := in.search(searchAvatars+"?type=logo", "avatars")
		for _, candidate := range found {
			if candidate["provider"] == providerfixture.Wikimedia {
				logo = candidate
			}
		}
		require.NotEmpty(t, logo["licence"])
	})
	t.Run("apply", func(t *testing.T) {
		in := d.start(t)
		item := map[string]any{"subject": "artist", "id": artistID, "type": "logo", "url": logo["url"], "provider": "wikimedia"}
		in.awaitJob(in.submit([]map[string]any{item}))
		inForce := in.why("artist/"+artistID, artwork.SlotLogo)["inForce"].(map[string]any)
		requireRights(t, logo, inForce)
		require.Equal(t, "provider", inForce["statedBy"])

		item["attribution"] = "Zoë"
		in.awaitJob(in.submit([]map[string]any{item}))
		inForce = in.why("artist/"+artistID, artwork.SlotLogo)["inForce"].(map[string]any)
		require.Equal(t, []any{"caller", "Zoë", logo["licence"]}, []any{inForce["statedBy"], inForce["attribution"], inForce["licence"]})

		delete(item, "url")
		item["imageId"] = inForce["imageId"]
		a := in.send(http.MethodPost, bulkPath+"apply", map[string]any{"items": []any{item}})
		requireProblem(t, a, http.StatusBadRequest, "invalid_input")
	})
}
