package musicfolder

import (
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/application/importlibrary"
	"gatefold/test/musicfixture"
)

// BenchmarkWalk reads albums of ten files with an embedded picture of 50 KB.
func BenchmarkWalk(b *testing.B) {
	const albums, songs = 100, 10
	root := b.TempDir()
	cover := musicfixture.Picture(1600, 1600, 1)
	for i := range albums {
		for j := range songs {
			musicfixture.Write(b, root, musicfixture.Track{
				Path:  fmt.Sprintf("artist %02d/album %d/%02d%s", i/10, i, j, musicfixture.Formats[i%5]),
				Album: fmt.Sprint("Album ", i), Artist: fmt.Sprint("Artist ", i/10), Pictures: musicfixture.Front(cover),
			})
		}
	}
	f, err := Open(root, slog.New(slog.DiscardHandler))
	require.NoError(b, err)
	for _, unchanged := range []bool{false, true} {
		b.Run(fmt.Sprintf("unchanged=%t", unchanged), func(b *testing.B) {
			for b.Loop() {
				err := f.Walk(b.Context(), func(string, string) (bool, error) { return unchanged, nil },
					func(importlibrary.Folder) error { return nil })
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.N*albums*songs)/b.Elapsed().Seconds(), "files/s")
		})
	}
}
