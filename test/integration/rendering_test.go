package integration

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/test/musicfixture"
)

// TestRenderAll: what is missing is rendered beside a running server and without one, and
// nothing twice.
func TestRenderAll(t *testing.T) {
	d := combinations["memory and SQLite"](t)
	dir := strings.TrimPrefix(d.environ[0], "DATA_DIR=")
	server := serve(t, d)
	code, token, stderr := gatefold(t, d, "token", "create", "--scope", "admin")
	require.Zero(t, code, stderr)
	server.token = strings.TrimSpace(token)
	server.putArtist(artistID, "Rendered")
	server.putAlbum(albumID, artistID, "Before Anybody Asks")
	applyCover(t, server.instance, musicfixture.Picture(300, 300, 1))

	code, stdout, stderr := gatefold(t, d, "render", "--all")
	require.Zero(t, code, stderr)
	require.Regexp(t, `^1 images in .*: 4 renditions made, 0 images had all of theirs, 0 cannot be rendered\n$`, stdout)
	require.Len(t, renditionsIn(t, dir), 4)
	code, stdout, stderr = gatefold(t, d, "render", "--all", "--formats", "auto,webp")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "4 renditions made, 0 images had all")
	require.Equal(t, http.StatusOK, server.get(coverPath+"?size=thumb").StatusCode)
	require.Zero(t, server.stop(t))

	code, stdout, stderr = gatefold(t, d, "render", "--all", "--formats=webp")
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "0 renditions made, 1 images had all")
	require.Len(t, renditionsIn(t, dir), 8)

	// Of a database whose image is gone, the verb says so.
	images, err := filepath.Glob(filepath.Join(dir, "images", "*", "*"))
	require.NoError(t, err)
	require.NotEmpty(t, images)
	for _, path := range images {
		require.NoError(t, os.Remove(path))
	}
	code, stdout, stderr = gatefold(t, d, "render", "--all", "--formats=png")
	require.Equal(t, 1, code)
	require.Contains(t, stdout, "1 cannot be rendered")
	require.Contains(t, stderr, "LOG_LEVEL=debug")
	for _, args := range [][]string{{"render"}, {"render", "--all", "--formats=gif"}} {
		code, _, _ = gatefold(t, d, args...)
		require.Equal(t, 2, code, args)
	}
}

func renditionsIn(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "renditions", "*", "*", "*"))
	require.NoError(t, err)
	return paths
}

// TestDominantColour: it is told wherever the placeholder is, and in the history.
func TestDominantColour(t *testing.T) {
	onEvery(t, func(t *testing.T, d deployment) {
		in := d.start(t)
		in.putArtist(artistID, "Coloured")
		in.putAlbum(albumID, artistID, "Red")
		applyCover(t, in, reddish)
		want := in.get(coverPath + "/metadata").json(t)["cover"].(map[string]any)["dominantColor"]
		require.Regexp(t, "^#[0-9a-f]{6}$", want)
		require.Equal(t, want, in.get(coverPath + "/metadata").json(t)["cover"].(map[string]any)["dominantColor"], "from the cache")
		require.Equal(t, want, in.history(albumID)[0]["dominantColor"])
		var list struct {
			Items []struct {
				Images map[string]struct{ DominantColor string }
			}
		}
		require.NoError(t, json.Unmarshal(in.get("/api/albums").body, &list))
		require.Equal(t, want, list.Items[0].Images["cover"].DominantColor)
	})
}

var reddish = musicfixture.Picture(120, 120, 3)
