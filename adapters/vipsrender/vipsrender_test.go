//go:build vips

package vipsrender_test

import (
	"context"
	"fmt"
	"image"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/imagecheck"
	"gatefold/adapters/vipsrender"
	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
	"gatefold/test/picturefixture"
)

func opened(t conformance.TB, admission renderimage.Admission) renderimage.ImageRenderer {
	renderer, err := vipsrender.New(admission, slog.New(slog.NewTextHandler(io.Discard, nil)))
	require.NoError(t, err)
	return renderer
}

func open(t conformance.TB) renderimage.ImageRenderer { return opened(t, imagecheck.New(64<<20)) }

func TestConformance(t *testing.T) {
	t.Parallel()
	conformance.RunImageRenderer(t, open)
}

func TestBrokenTwins(t *testing.T) {
	t.Parallel()
	conformance.RejectsBrokenRenderers(t, open)
}

// TestJPEGIsProgressive: a first impression is there after some of the bytes.
func TestJPEGIsProgressive(t *testing.T) {
	t.Parallel()
	rendered, err := open(t).Render(t.Context(), picturefixture.EncodedPNG(picturefixture.Photo(300, 300)), nil, []artwork.Rendition{{Edge: 200, Format: artwork.FormatJPEG}})
	require.NoError(t, err)
	require.Contains(t, string(rendered[0]), "\xff\xc2\x00\x11\x08", "the start of a progressive frame")
}

// careless admits everything.
type careless struct{}

func (careless) Admit(_ context.Context, _ []byte, use func(renderimage.Header) error) error {
	return use(renderimage.Header{Size: image.Pt(1, 1)})
}

// TestOtherLoadersAreBlocked: even if it were admitted, nothing is read that is not one
// of the accepted formats. libvips can read all of these.
func TestOtherLoadersAreBlocked(t *testing.T) {
	t.Parallel()
	renderer := opened(t, careless{})
	for name, content := range map[string]string{
		"SVG":  `<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"><rect width="1" height="1"/></svg>`,
		"PPM":  "P6 1 1 255 \x00\x00\x00",
		"TIFF": "II*\x00\x08\x00\x00\x00\x08\x00\x00\x01\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00\x01\x01\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00\x02\x01\x03\x00\x01\x00\x00\x00\x08\x00\x00\x00\x03\x01\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00\x06\x01\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00\x11\x01\x04\x00\x01\x00\x00\x00\x08\x00\x00\x00\x15\x01\x03\x00\x01\x00\x00\x00\x01\x00\x00\x00\x17\x01\x04\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00",
		"PDF":  "%PDF-1.1\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj 3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 1 1]>>endobj\ntrailer<</Root 1 0 R>>",
		"JPEG": string(picturefixture.EncodedJPEG(picturefixture.Photo(2, 2))), // does not have the size that it is said to have
	} {
		_, err := renderer.Render(t.Context(), []byte(content), nil, []artwork.Rendition{{Edge: 1, Format: artwork.FormatPNG}})
		require.Equal(t, artwork.CorruptImage, artwork.KindOf(err), name)
	}
}

const (
	measureVariable = "GATEFOLD_TEST_MEASURE"
	budget          = 200 << 20 // bytes that decoding is given
	besides         = 180 << 20 // what a process takes anyway, and threads keep
)

// TestMemoryIsBounded: images that are much larger than their bytes, many at once, take
// what they are given. It is measured in a process of its own.
func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestMeasured$", "-test.v")
	child.Env = append(os.Environ(), measureVariable+"=yes")
	out, err := child.CombinedOutput()
	require.NoError(t, err, string(out))
	peak := regexp.MustCompile(`peak (\d+)`).FindSubmatch(out)
	require.NotNil(t, peak, string(out))
	bytes, err := strconv.ParseInt(string(peak[1]), 10, 64)
	require.NoError(t, err)
	t.Logf("peak: %d MiB", bytes>>20)
	require.Less(t, bytes, int64(budget+besides))
}

// TestMeasured is the process of TestMemoryIsBounded, and passes elsewhere.
func TestMeasured(t *testing.T) {
	if os.Getenv(measureVariable) == "" {
		return
	}
	contents := picturefixture.Inflated()
	require.NoError(t, os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)) // forgets what making them took
	renderer := opened(t, imagecheck.New(budget))
	var all sync.WaitGroup
	for name, content := range contents {
		for range 2 {
			all.Go(func() {
				_, err := renderer.Render(t.Context(), content, nil, []artwork.Rendition{{Edge: 200, Format: artwork.FormatJPEG}, {Edge: 1000, Square: true, Format: artwork.FormatPNG}})
				if err != nil {
					t.Errorf("%s: %v", name, err)
				}
			})
		}
	}
	all.Wait()
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	_, after, _ := strings.Cut(string(status), "VmHWM:")
	var kB int64
	_, err = fmt.Sscan(after, &kB)
	require.NoError(t, err)
	fmt.Println("peak", kB<<10)
}
