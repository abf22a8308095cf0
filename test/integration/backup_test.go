package integration

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/application/backup"
	"gatefold/domain/artwork"
	"gatefold/test/musicfixture"
	"gatefold/test/testenv"
	"gatefold/test/testenv/migrated"
)

const profilePath = "/api/images/artists/" + artistID + "/profile"

// told is what is compared of an answer: all that a client keeps.
type told struct {
	status               int
	etag, modified, kind string
	body                 string
}

func (in *instance) tell(paths []string) map[string]told {
	in.t.Helper()
	answers := map[string]told{}
	for _, path := range paths {
		a := in.get(path, "Authorization", "Bearer "+in.token)
		if a.StatusCode == http.StatusNotFound {
			a.body = nil // it names the request
		}
		answers[path] = told{a.StatusCode, a.Header.Get("ETag"), a.Header.Get("Last-Modified"), a.Header.Get("Content-Type"), string(a.body)}
	}
	return answers
}

// manifests returns those of the backups in the folder, the oldest first.
func manifests(t *testing.T, dir string) []backup.Manifest {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "backups", "*", "manifest.json"))
	require.NoError(t, err)
	slices.Sort(paths)
	found := make([]backup.Manifest, len(paths))
	for i, path := range paths {
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(text, &found[i]))
	}
	return found
}

// furnish puts something of everything into a deployment, and returns the paths that tell it.
func (in *instance) furnish() (paths []string) {
	in.putArtist(artistID, "Kept")
	in.putAlbum(albumID, artistID, "For Ever")
	in.putUser(userID, "keeper")
	applyCover(in.t, in, musicfixture.Picture(60, 60, 1))
	applyCover(in.t, in, musicfixture.Picture(60, 60, 2))
	album, artist := "/api/admin/metadata/album/"+albumID, "/api/admin/metadata/artist/"+artistID
	for path, body := range map[string]map[string]any{
		album + "/focal-point": {"type": "cover", "x": 0.25, "y": 0.5},
		album + "/lock":        {"type": "cover", "locked": true},
	} {
		a := in.send(http.MethodPut, path, body)
		require.Equal(in.t, http.StatusOK, a.StatusCode, string(a.body))
	}
	upload := in.upload("/api/admin/metadata/artist/custom-images/"+artistID+"/upload", musicfixture.Picture(80, 80, 3), "imageType", "profile")
	require.Equal(in.t, http.StatusOK, upload.StatusCode, string(upload.body))
	return []string{
		coverPath, profilePath, coverPath + "/metadata", "/api/images/artists/" + artistID + "/all", upload.json(in.t)["url"].(string),
		"/api/artists", "/api/albums/" + albumID, "/api/users", album + "/history", artist + "/history",
		"/api/admin/metadata/album/custom-covers/" + albumID,
	}
}

// TestABackupRestores: to copy, lose everything and restore gives the same answers, byte for
// byte, whatever the cache had learnt meanwhile.
func TestABackupRestores(t *testing.T) {
	for name, deploy := range combinations {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, vault := deploy(t), t.TempDir()
			server := withAdmin(t, d, serve(t, d))
			paths := server.furnish()
			before := server.tell(paths)
			code, stdout, stderr := gatefold(t, d, "backup", "create", vault)
			require.Zero(t, code, stderr)
			require.Contains(t, stdout, "3 images")

			// What comes later is not in the first backup, and in the cache that outlives it.
			_ = server.send(http.MethodPut, "/api/admin/metadata/album/"+albumID+"/lock", map[string]any{"type": "cover", "locked": false})
			applyCover(t, server.instance, musicfixture.Picture(60, 60, 4))
			custom := "/api/admin/metadata/artist/custom-images/" + artistID
			id := server.send(http.MethodGet, custom, nil).json(t)["customImages"].([]any)[0].(map[string]any)["id"].(string)
			require.Equal(t, http.StatusCreated, server.send(http.MethodPost, custom+"/apply/"+id, nil).StatusCode)
			for range 3 {
				later := server.tell([]string{coverPath, profilePath})
				require.NotEqual(t, before[coverPath], later[coverPath])
				require.Equal(t, http.StatusOK, later[profilePath].status)
			}
			code, _, stderr = gatefold(t, d, "backup", "create", vault)
			require.Zero(t, code, stderr)
			made := manifests(t, vault)
			require.Len(t, made, 2)
			require.Equal(t, []int{3, 1}, []int{made[0].Images.New, made[1].Images.New}, "what is there is not copied again")
			require.Equal(t, d.redis != nil, slices.ContainsFunc(made[0].Files, func(f backup.File) bool { return f.Name == "redis.rdb" }))
			code, stdout, _ = gatefold(t, d, "backup", "verify", vault)
			require.Zero(t, code, stdout)
			require.Equal(t, "2 backups and their 4 images are what was written.\n", stdout)
			require.Zero(t, server.stop(t))

			fresh := deploy(t)
			if d.redis != nil {
				// A database with nothing in it, and the Redis that has seen the later image.
				fresh.environ = append(fresh.environ, "DATABASE_URL="+testenv.Postgres(t), environOf(d, "REDIS_URL"))
				fresh.redis = d.redis
			}
			code, stdout, stderr = gatefold(t, fresh, "backup", "restore", vault, "--id", made[0].ID)
			require.Zero(t, code, stderr)
			require.Contains(t, stdout, made[0].ID+" is restored: 3 images")
			again := serve(t, fresh)
			again.token = server.token
			for path, answer := range again.tell(paths) {
				require.True(t, before[path] == answer, "%s is not what it was", path)
			}

			code, _, _ = gatefold(t, fresh, "backup", "restore", vault)
			require.Equal(t, 1, code, "a server runs")
			require.Zero(t, again.stop(t))
			code, _, stderr = gatefold(t, fresh, "backup", "restore", vault)
			require.Equal(t, 1, code)
			require.Contains(t, stderr, "the database is not empty")
		})
	}
}

// environOf returns the last setting of a variable.
func environOf(d deployment, name string) string {
	found := ""
	for _, setting := range d.environ {
		if strings.HasPrefix(setting, name+"=") {
			found = setting
		}
	}
	return found
}

// TestADamagedBackupIsFoundAndNotRestored: whichever part of it is damaged.
func TestADamagedBackupIsFoundAndNotRestored(t *testing.T) {
	d, vault := combinations["memory and SQLite"](t), t.TempDir()
	in := d.start(t)
	in.furnish()
	content := musicfixture.Picture(60, 60, 1)
	code, _, stderr := gatefold(t, d, "backup", "create", vault)
	require.Zero(t, code, stderr)
	id := manifests(t, vault)[0].ID
	for name, path := range map[string]string{
		"database": filepath.Join("backups", id, "database"), "list": filepath.Join("backups", id, "images.txt"),
		"manifest": filepath.Join("backups", id, "manifest.json"), "image": artwork.HashOf(content).Path(),
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.CopyFS(dir, os.DirFS(vault)))
			text, err := os.ReadFile(filepath.Join(dir, path))
			require.NoError(t, err)
			text[len(text)/2] ^= 0x10
			require.NoError(t, os.WriteFile(filepath.Join(dir, path), text, 0o600))
			code, stdout, stderr := gatefold(t, d, "backup", "verify", dir)
			require.Equal(t, 1, code, stderr)
			require.Contains(t, stdout, "DAMAGED")

			fresh := combinations["memory and SQLite"](t)
			code, _, stderr = gatefold(t, fresh, "backup", "restore", dir, "--id", id)
			require.Equal(t, 1, code)
			require.Contains(t, stderr, "damaged")
			require.NoFileExists(t, filepath.Join(strings.TrimPrefix(fresh.environ[0], "DATA_DIR="), "gatefold.db"))
			require.NoError(t, os.WriteFile(filepath.Join(dir, path), flip(text), 0o600))
			code, _, stderr = gatefold(t, fresh, "backup", "restore", dir, "--id", id)
			require.Zero(t, code, "it can be repeated when the damage is repaired: "+stderr)
		})
	}
}

func flip(text []byte) []byte {
	text[len(text)/2] ^= 0x10
	return text
}

// TestABackupOfADamagedStoreIsKept, and says what it lacks.
func TestABackupOfADamagedStoreIsKept(t *testing.T) {
	d, vault := combinations["memory and SQLite"](t), t.TempDir()
	in := d.start(t)
	in.furnish()
	lost := artwork.HashOf(musicfixture.Picture(60, 60, 1))
	spoil(t, strings.TrimPrefix(d.environ[0], "DATA_DIR="), musicfixture.Picture(60, 60, 1))
	code, stdout, stderr := gatefold(t, d, "backup", "create", vault)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "was kept, but lacks 1 images")
	require.Contains(t, stdout, "2 images")
	require.Equal(t, []artwork.Hash{lost}, manifests(t, vault)[0].Images.Lost)
	code, stdout, _ = gatefold(t, d, "backup", "list", vault)
	require.Zero(t, code)
	require.Contains(t, stdout, "INCOMPLETE")
	code, stdout, _ = gatefold(t, d, "backup", "verify", vault)
	require.Equal(t, 1, code)
	require.Contains(t, stdout, lost.String())
	code, _, stderr = gatefold(t, combinations["memory and SQLite"](t), "backup", "restore", vault)
	require.Zero(t, code, stderr)
}

// TestABackupHoldsTheGeneratedSecret: without it, what it has sealed would be lost, and
// everybody signed out.
func TestABackupHoldsTheGeneratedSecret(t *testing.T) {
	d, vault := combinations["memory and SQLite"](t), t.TempDir()
	d.environ = append(d.environ, "AUTH_SECRET=", "BACKUP_DIR="+vault)
	server := withAdmin(t, d, serve(t, d))
	require.Zero(t, server.stop(t))
	code, _, stderr := gatefold(t, d, "backup", "create")
	require.Zero(t, code, stderr)
	secret := func(d deployment) string {
		text, err := os.ReadFile(filepath.Join(strings.TrimPrefix(d.environ[0], "DATA_DIR="), "auth-secret"))
		require.NoError(t, err)
		return string(text)
	}
	fresh := combinations["memory and SQLite"](t)
	fresh.environ = append(fresh.environ, "AUTH_SECRET=", "BACKUP_DIR="+vault)
	code, _, stderr = gatefold(t, fresh, "backup", "restore")
	require.Zero(t, code, stderr)
	require.Equal(t, secret(d), secret(fresh))
	info, err := os.Stat(filepath.Join(vault, "backups", manifests(t, vault)[0].ID, "auth-secret"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())

	other := combinations["memory and SQLite"](t)
	other.environ = append(other.environ, "AUTH_SECRET=", "BACKUP_DIR="+vault)
	dir := strings.TrimPrefix(other.environ[0], "DATA_DIR=")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "auth-secret"), []byte(strings.Repeat("x", 40)), 0o600))
	code, _, stderr = gatefold(t, other, "backup", "restore")
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "is another secret than the backup's")
	require.NoFileExists(t, filepath.Join(dir, "gatefold.db"))
}

// TestABackupWithoutRedisIsKept: Redis holds nothing that cannot be had again.
func TestABackupWithoutRedisIsKept(t *testing.T) {
	server := testenv.RedisServer(t)
	d := deployment{environ: []string{"DATA_DIR=" + t.TempDir(), "DATABASE_URL=" + migrated.Postgres(t), "REDIS_URL=redis://" + server.Addr}}
	code, _, stderr := gatefold(t, d, "migrate")
	require.Zero(t, code, stderr)
	server.Stop()
	vault := t.TempDir()
	code, _, stderr = gatefold(t, d, "backup", "create", vault)
	require.Equal(t, 1, code)
	require.Contains(t, stderr, "lacks the copy of Redis, which nothing is restored from")
	require.Len(t, manifests(t, vault), 1)
	d.environ = append(d.environ, "BACKUP_REDIS=false")
	code, _, stderr = gatefold(t, d, "backup", "create", vault)
	require.Zero(t, code, stderr)
}
