package integration

import (
	"bytes"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"gatefold/application/verifystore"
	"gatefold/domain/artwork"
	"gatefold/test/musicfixture"
	"gatefold/test/testenv"
)

// storages are where images may be kept, each with the folder in which tests find
// the files.
var storages = map[string]func(t *testing.T) (d deployment, dir string){
	"disk": func(t *testing.T) (deployment, string) {
		dir := t.TempDir()
		return deployment{environ: []string{"DATA_DIR=" + dir}}, dir
	},
	"S3": func(t *testing.T) (deployment, string) {
		bucket := testenv.S3(t)
		return deployment{environ: append(bucket.Environ(), "DATA_DIR="+t.TempDir())}, bucket.Dir
	},
}

// spoil changes a byte in the middle of a stored image.
func spoil(t *testing.T, dir string, content []byte) {
	t.Helper()
	path := filepath.Join(dir, artwork.HashOf(content).Path())
	spoilt := bytes.Clone(content)
	spoilt[len(spoilt)/2] ^= 0x10
	require.NoError(t, os.WriteFile(path, spoilt, 0o600))
}

// TestDamageIsFoundAndHealed: by the doctor, and by storing the image again.
func TestDamageIsFoundAndHealed(t *testing.T) {
	for name, deploy := range storages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, dir := deploy(t)
			local, uploaded := musicfixture.Picture(120, 120, 1), musicfixture.Picture(90, 90, 2)
			music := importOne(t, d)
			doctor := func(args ...string) (int, string) {
				t.Helper()
				code, stdout, stderr := gatefold(t, d, append([]string{"doctor"}, args...)...)
				require.NotContains(t, stderr, "panic")
				return code, stdout
			}
			in := serve(t, d)
			_, token, _ := gatefold(t, d, "token", "create", "--scope", "admin")
			in.token = strings.TrimSpace(token)
			in.putArtist(artistID, "Ana")
			upload := "/api/admin/metadata/artist/custom-images/" + artistID + "/upload"
			require.Equal(t, http.StatusOK, in.upload(upload, uploaded, "imageType", "profile").StatusCode)
			code, stdout := doctor()
			require.Zero(t, code, stdout)
			require.Contains(t, stdout, "2, every file has its hash")

			spoil(t, dir, local)
			spoil(t, dir, uploaded)
			code, stdout = doctor("--quick")
			require.Zero(t, code, "sizes do not tell: "+stdout)
			code, stdout = doctor()
			require.Equal(t, 1, code, stdout)
			for _, content := range [][]byte{local, uploaded} {
				require.Contains(t, stdout, "the file of an image is damaged: "+artwork.HashOf(content).Path())
			}
			require.Equal(t, http.StatusOK, in.upload(upload, uploaded, "imageType", "profile").StatusCode)
			code, _, stderr := gatefold(t, d, "import", music)
			require.Zero(t, code, stderr)
			code, stdout = doctor("--repair")
			require.Equal(t, 1, code, "the folder had not changed: "+stdout)
			require.NotContains(t, stdout, artwork.HashOf(uploaded).Path())
			require.Contains(t, stdout, "the next import reads every folder again")
			code, _, stderr = gatefold(t, d, "import", music)
			require.Zero(t, code, stderr)
			code, stdout = doctor()
			require.Zero(t, code, stdout)
		})
	}
}

// TestOrphansAreRemovedByTheDoctor, in a bucket in two steps.
func TestOrphansAreRemovedByTheDoctor(t *testing.T) {
	for name, deploy := range storages {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, dir := deploy(t)
			d.environ = append(d.environ, "ORPHAN_GRACE=2h")
			importOne(t, d)
			kept := files(t, dir)
			require.Len(t, kept, 1)
			orphan := filepath.Join(dir, artwork.HashOf([]byte("orphan")).Path())
			write(t, orphan, []byte("orphan"))
			doctor := func(sound bool, says string, args ...string) {
				t.Helper()
				code, stdout, _ := gatefold(t, d, append([]string{"doctor"}, args...)...)
				require.Equal(t, sound, code == 0, stdout)
				require.Contains(t, stdout, says)
			}
			doctor(true, "1 unreferenced files wait for their time")
			age(t, dir, 3*time.Hour)
			doctor(false, "1 files that nothing refers to")
			require.FileExists(t, orphan)
			doctor(true, "1 were removed", "--repair")
			if name == "S3" {
				require.FileExists(t, orphan+".removed")
				doctor(true, "1 unreferenced files wait for their time", "--repair")
				age(t, dir, 3*time.Hour)
				doctor(true, "1 were removed", "--repair")
			}
			require.Equal(t, kept, files(t, dir))
		})
	}
}

// files returns the stored images, by their path in the folder.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var found []string
	require.NoError(t, filepath.WalkDir(filepath.Join(dir, "images"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			found = append(found, path)
		}
		return err
	}))
	return found
}

// age makes the stored images as old as if they had been stored so long ago.
func age(t *testing.T, dir string, by time.Duration) {
	t.Helper()
	then := time.Now().Add(-by)
	for _, path := range files(t, dir) {
		require.NoError(t, os.Chtimes(path, then, then))
	}
}

// TestAVanishedDiskIsNoFreshInstallation: the database knows better.
func TestAVanishedDiskIsNoFreshInstallation(t *testing.T) {
	d, dir := storages["disk"](t)
	importOne(t, d)
	require.NoError(t, os.RemoveAll(filepath.Join(dir, "images")))
	code, stdout, _ := gatefold(t, d, "doctor")
	require.Equal(t, 1, code, stdout)
	require.Contains(t, stdout, "the file of an image is missing: ")
}

// importOne imports a library with one album and its cover, and returns its folder.
func importOne(t *testing.T, d deployment) (music string) {
	t.Helper()
	music = t.TempDir()
	musicfixture.Write(t, music, musicfixture.Track{Path: "Eva/Luz/01.flac", Album: "Luz", AlbumArtist: "Eva", Artist: "Eva"})
	musicfixture.WriteFile(t, music, "Eva/Luz/cover.jpg", musicfixture.Picture(120, 120, 1))
	code, stdout, stderr := gatefold(t, d, "import", music)
	require.Zero(t, code, stderr)
	require.Contains(t, stdout, "1 new images")
	return music
}

// TestServersSweepOrphans, and never what is recorded: pictures are uploaded while
// their bytes, stored long ago and not recorded, are being swept.
func TestServersSweepOrphans(t *testing.T) {
	for name, deploy := range map[string]func(t *testing.T) (deployment, string){
		"disk": func(t *testing.T) (deployment, string) {
			d := sharedDeployment(t)
			return d, strings.TrimPrefix(d.environ[0], "DATA_DIR=")
		},
		"S3": func(t *testing.T) (deployment, string) {
			bucket := testenv.S3(t)
			return sharedDeployment(t, bucket.Environ()...), bucket.Dir
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, dir := deploy(t)
			var sweeps [2]*verifystore.Sweep
			fleet := []*instance{d.startWith(t, fx.Populate(&sweeps[0])), d.startWith(t, fx.Populate(&sweeps[1]))}
			for _, in := range fleet {
				requireLog(t, in, "Orphans of the image store are looked for later") // by itself
			}
			fleet[0].putArtist(artistID, "Swept")
			fleet[0].putAlbum(albumID, artistID, "And Kept")
			applyCover(t, fleet[0], musicfixture.Picture(30, 30, 0))
			upload := "/api/admin/metadata/album/custom-covers/" + albumID + "/upload"
			for round := range 8 {
				picture := musicfixture.Picture(30, 30, int64(100+round))
				write(t, filepath.Join(dir, artwork.HashOf(picture).Path()), picture)
				age(t, dir, 25*time.Hour)
				var racing sync.WaitGroup
				for _, sweep := range sweeps {
					racing.Go(func() {
						_, err := sweep.Run(t.Context())
						assert.NoError(t, err)
					})
				}
				a := fleet[round%2].upload(upload, picture)
				racing.Wait()
				require.Equal(t, http.StatusOK, a.StatusCode, string(a.body))
				require.Equal(t, picture, fleet[1-round%2].get(a.json(t)["url"].(string)).body)
			}
			orphan := artwork.HashOf([]byte("orphan")).Path()
			write(t, filepath.Join(dir, orphan), []byte("orphan"))
			age(t, dir, 25*time.Hour)
			swept, err := sweeps[1].Run(t.Context())
			require.NoError(t, err)
			require.GreaterOrEqual(t, swept.Removed, 1)
			require.NoFileExists(t, filepath.Join(dir, orphan))
			require.Equal(t, http.StatusOK, fleet[0].get(coverPath).StatusCode)
		})
	}
}
