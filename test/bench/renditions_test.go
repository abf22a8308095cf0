package bench

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/jpeg"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/test/picturefixture"
	"gatefold/test/ssim"
)

// original is a JPEG of 1500 x 1500 like a photo.
func original(b *testing.B) []byte {
	b.Helper()
	var out bytes.Buffer
	require.NoError(b, jpeg.Encode(&out, picturefixture.Photo(1500, 1500), &jpeg.Options{Quality: 90}))
	return out.Bytes()
}

// wantedOf names what is rendered: a cover in each format, and all sizes of one from
// one call, as after an apply.
func wantedOf() map[string][]artwork.Rendition {
	wanted := map[string][]artwork.Rendition{
		"six JPEG": append(artwork.Presets(artwork.SlotProfile, artwork.FormatJPEG), artwork.RenditionOf(artwork.SlotLogo, 300, artwork.FormatJPEG)),
	}
	for format := artwork.FormatJPEG; format <= artwork.FormatAVIF; format++ {
		wanted["one "+format.String()] = []artwork.Rendition{{Edge: 300, Square: true, Format: format}}
	}
	return wanted
}

// BenchmarkRenditions renders with each renderer that is built in.
func BenchmarkRenditions(b *testing.B) {
	content := original(b)
	for _, renderer := range renderers(b) {
		for name, wanted := range wantedOf() {
			b.Run(renderer.name+"/"+name, func(b *testing.B) {
				rendered, err := renderer.Render(b.Context(), content, nil, wanted) // what is to be got ready is
				require.NoError(b, err)
				for b.Loop() {
					_, err := renderer.Render(b.Context(), content, nil, wanted)
					require.NoError(b, err)
				}
				b.ReportMetric(float64(b.N*len(wanted))/b.Elapsed().Seconds(), "renditions/s")
				b.ReportMetric(float64(len(rendered[0])), "B/first")
			})
		}
	}
}

// contestant makes so many times what is wanted.
type contestant struct {
	name  string
	times func(ctx context.Context, n int) error
}

const (
	renderRounds = 7  // in which all contestants have their turn: they suffer from the same neighbours
	batch        = 10 // images in a turn
)

// BenchmarkRenderers holds the renderers against each other and against vipsthumbnail,
// which makes the same of a batch of files. The ratios are medians of those of each
// round.
func BenchmarkRenderers(b *testing.B) {
	content := original(b)
	for name, wanted := range wantedOf() {
		b.Run(name, func(b *testing.B) {
			var contestants []contestant
			for _, renderer := range renderers(b) {
				contestants = append(contestants, contestant{renderer.name, func(ctx context.Context, n int) error {
					for range n {
						if _, err := renderer.Render(ctx, content, nil, wanted); err != nil {
							return err
						}
					}
					return nil
				}})
			}
			contestants = append(contestants, vipsthumbnail(b, content, wanted))
			compare(b, contestants)
		})
	}
}

// compare runs the rounds and reports milliseconds per image, and how many times longer
// each contestant takes than the last.
func compare(b *testing.B, contestants []contestant) {
	b.Helper()
	took := make([][]float64, len(contestants))
	ratios := make([][]float64, len(contestants))
	for range renderRounds {
		for i, c := range contestants {
			begin := time.Now()
			require.NoError(b, c.times(b.Context(), batch), c.name)
			took[i] = append(took[i], float64(time.Since(begin).Microseconds())/1000/batch)
		}
		for i := range contestants {
			ratios[i] = append(ratios[i], took[i][len(took[i])-1]/took[len(took)-1][len(took[i])-1])
		}
	}
	b.ReportMetric(0, "ns/op")
	for i, c := range contestants {
		b.ReportMetric(median(took[i]), c.name+"-ms")
		if last := contestants[len(contestants)-1]; c.name != last.name {
			b.ReportMetric(median(ratios[i]), c.name+"/"+last.name)
		}
	}
}

// extensions are those by which vipsthumbnail knows a format, with what is to be told
// its encoder to make what vipsrender makes.
var extensions = map[artwork.Format]string{
	artwork.FormatJPEG: "jpg[Q=80,interlace,optimize_coding,strip]", artwork.FormatPNG: "png[filter=all,compression=4,strip]",
	artwork.FormatWebP: "webp[Q=80,strip]", artwork.FormatAVIF: "avif[Q=60,effort=1,strip]",
}

// vipsthumbnail makes the same with libvips' own program, in one thread: a process for a
// batch of files and each size.
func vipsthumbnail(b *testing.B, content []byte, wanted []artwork.Rendition) contestant {
	b.Helper()
	program, err := exec.LookPath("vipsthumbnail")
	require.NoError(b, err, "scripts/install-test-tools.sh vipsthumbnail gets it")
	dir := b.TempDir()
	var files []string
	for i := range batch {
		files = append(files, filepath.Join(dir, fmt.Sprint(i, ".jpg")))
		require.NoError(b, os.WriteFile(files[i], content, 0o600))
	}
	run := func(ctx context.Context, n int) error {
		for _, r := range wanted {
			args := []string{"--size", fmt.Sprintf("%dx%d", r.Edge, r.Edge), "-o", filepath.Join(dir, "thumb_%s."+extensions[r.Format])}
			if r.Square {
				args = append(args, "--smartcrop", "centre")
			}
			cmd := exec.CommandContext(ctx, program, append(args, files[:n]...)...)
			cmd.Env = append(os.Environ(), "VIPS_CONCURRENCY=1")
			if err := cmd.Run(); err != nil {
				return err
			}
		}
		return nil
	}
	requireSame(b, filepath.Join(dir, "thumb_0.jpg"), content, wanted[0], run)
	return contestant{"vipsthumbnail", run}
}

// requireSame requires that what is compared looks the same.
func requireSame(b *testing.B, path string, content []byte, wanted artwork.Rendition, run func(context.Context, int) error) {
	b.Helper()
	if wanted.Format != artwork.FormatJPEG {
		return
	}
	require.NoError(b, run(b.Context(), 1))
	theirs, err := os.ReadFile(path)
	require.NoError(b, err)
	for _, renderer := range renderers(b) {
		ours, err := renderer.Render(b.Context(), content, nil, []artwork.Rendition{wanted})
		require.NoError(b, err)
		var pictures [2]image.Image
		for i, encoded := range [][]byte{ours[0], theirs} {
			pictures[i], err = jpeg.Decode(bytes.NewReader(encoded))
			require.NoError(b, err)
		}
		if wanted.Edge > 300 {
			continue
		}
		similarity, err := ssim.Of(pictures[0], pictures[1])
		require.NoError(b, err)
		require.Greater(b, similarity, 0.97, renderer.name)
	}
}
