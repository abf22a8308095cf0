package integration

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/test/musicfixture"
)

// TestLists searches, filters and pages as a grid of artwork does.
func TestLists(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		in.putArtist(artistID, "Sigur Rós")
		in.putAlbum(albumID, artistID, "Ágætis byrjun")
		in.putAlbum(userID, artistID, "Takk…")
		names := func(query string) (names []string, answer map[string]any) {
			a := in.get("/api/albums?" + query)
			require.Equal(t, http.StatusOK, a.StatusCode, "%s: %s", query, a.body)
			answer = a.json(t)
			for _, item := range answer["items"].([]any) {
				names = append(names, item.(map[string]any)["name"].(string))
			}
			return names, answer
		}
		got, _ := names("query=" + url.QueryEscape("ROS ag"))
		require.Equal(t, []string{"Ágætis byrjun"}, got)

		first, answer := names("pageSize=1&missing=cover")
		require.EqualValues(t, 2, answer["total"])
		second, answer := names("pageSize=1&missing=cover&cursor=" + url.QueryEscape(answer["next"].(string)))
		require.Equal(t, []string{"Ágætis byrjun", "Takk…"}, append(first, second...))
		require.NotContains(t, answer, "next")

		cover := applyCover(t, in, musicfixture.Picture(30, 30, 1))
		got, answer = names("lowResolution=true&source=custom")
		require.Equal(t, []string{"Ágætis byrjun"}, got)
		item := answer["items"].([]any)[0].(map[string]any)
		require.Equal(t, cover, item["images"].(map[string]any)["cover"].(map[string]any)["tag"])
		got, _ = names("missing=cover")
		require.Equal(t, []string{"Takk…"}, got)

		got, _ = names("sort=-name")
		require.Equal(t, []string{"Takk…", "Ágætis byrjun"}, got)
		got, _ = names("sort=-updated&query=a")
		require.Equal(t, []string{"Ágætis byrjun", "Takk…"}, got)
		got, _ = names("query=agaetis")
		require.Equal(t, []string{"Ágætis byrjun"}, got, "as it is typed without its letters")
		require.Equal(t, http.StatusBadRequest, in.get("/api/artists?sort=year").StatusCode)
		require.Equal(t, http.StatusBadRequest, in.get("/api/albums?sort=random").StatusCode)
		got, _ = names("locked=true")
		require.Empty(t, got)
	})
}
