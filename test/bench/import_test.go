// Package bench measures what the documentation states in numbers.
package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"gatefold/test/musicfixture"
	"gatefold/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// BenchmarkImport imports libraries of 100 and of 10 000 files with the program
// as it is shipped, each into a new embedded database, and reports the peak of
// the process' resident memory: it must not grow with the library.
func BenchmarkImport(b *testing.B) {
	program := filepath.Join(b.TempDir(), "gatefold")
	if out, err := exec.Command("go", "build", "-o", program, "gatefold").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	for _, files := range []int{100, 10_000} {
		music := b.TempDir()
		writeLibrary(b, music, files)
		b.Run(fmt.Sprintf("files=%d", files), func(b *testing.B) {
			var peak int64
			var took time.Duration
			for b.Loop() {
				cmd := exec.Command(program, "import", music)
				cmd.Env = []string{"ENV_FILE=" + os.DevNull, "DATA_DIR=" + b.TempDir()}
				begin := time.Now()
				if out, err := cmd.CombinedOutput(); err != nil {
					b.Fatalf("%v: %s", err, out)
				}
				took += time.Since(begin)
				peak = max(peak, cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
			}
			b.ReportMetric(float64(peak)/1024, "peak-MB")
			b.ReportMetric(float64(files*b.N)/took.Seconds(), "files/s")
		})
	}
}

// writeLibrary writes albums of ten files, three albums to an artist, each with
// a cover, in the usual layout.
func writeLibrary(b *testing.B, dir string, files int) {
	const perAlbum, perArtist = 10, 3
	for album := range files / perAlbum {
		artist := fmt.Sprintf("Artist %04d", album/perArtist)
		name := fmt.Sprintf("Album %05d", album)
		folder := filepath.Join(artist, name)
		musicfixture.WriteFile(b, dir, filepath.Join(folder, "cover.jpg"), musicfixture.Picture(300, 300, int64(album)))
		for n := range perAlbum {
			musicfixture.Write(b, dir, musicfixture.Track{
				Path: filepath.Join(folder, fmt.Sprintf("%02d.mp3", n+1)), Album: name, AlbumArtist: artist, Artist: artist, Date: "2001",
			})
		}
	}
}
