package imagecheck

import (
	"bytes"
	"context"
	"embed"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"path"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/galdor/go-thumbhash"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// Images of 48 x 32 pixels, in all types and kinds.
//
//go:embed testdata
var testdata embed.FS

// testMemory is enough for the images of the tests.
const testMemory = 1 << 30

func load(tb testing.TB, name string) []byte {
	tb.Helper()
	content, err := testdata.ReadFile("testdata/" + name)
	require.NoError(tb, err)
	return content
}

// samples returns all images of testdata, and some that are made here.
func samples(tb testing.TB) map[string][]byte {
	tb.Helper()
	entries, err := testdata.ReadDir("testdata")
	require.NoError(tb, err)
	all := map[string][]byte{"gradient.png": encodePNG(tb, gradient(48, 32)), "gradient.jpg": encodeJPEG(tb, gradient(48, 32))}
	for _, entry := range entries {
		if entry.IsDir() {
			continue
		}
		all[entry.Name()] = load(tb, entry.Name())
	}
	return all
}

// gradient is dark on the left, bright on the right, red at the top.
func gradient(w, h int) image.Image {
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			img.SetRGBA(x, y, color.RGBA{uint8(255 * (h - y) / h), uint8(255 * x / w), uint8(255 * x / w), 255})
		}
	}
	return img
}

func encodePNG(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	require.NoError(tb, png.Encode(&b, img))
	return b.Bytes()
}

func encodeJPEG(tb testing.TB, img image.Image) []byte {
	tb.Helper()
	var b bytes.Buffer
	require.NoError(tb, jpeg.Encode(&b, img, nil))
	return b.Bytes()
}

func requireKind(t *testing.T, kind artwork.ErrorKind, err error) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, kind, artwork.KindOf(err), err.Error())
}

func message(t *testing.T, err error) string {
	t.Helper()
	e, ok := errors.AsType[*artwork.Error](err)
	require.True(t, ok)
	return e.Msg
}

func TestEveryAcceptedType(t *testing.T) {
	t.Parallel()
	types := map[string]string{".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp", ".gif": "image/gif", ".avif": "image/avif"}
	for name, content := range samples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := New(testMemory).Inspect(t.Context(), content)
			require.NoError(t, err)
			width, height := 48, 32
			if name == "rotated.avif" {
				width, height = 32, 48
			}
			placeholder, err := thumbhash.DecodeImage(got.ThumbHash)
			require.NoError(t, err)
			assert.Equal(t, width > height, placeholder.Bounds().Dx() > placeholder.Bounds().Dy())
			assert.Less(t, len(got.ThumbHash), 30)
			assert.Regexp(t, "^#[0-9a-f]{6}$", got.DominantColor)
			got.ThumbHash, got.DominantColor = nil, ""
			assert.Equal(t, artwork.Content{
				Hash: artwork.HashOf(content), Size: int64(len(content)), MIMEType: types[path.Ext(name)], Width: width, Height: height,
			}, got)
		})
	}
}

func TestWhatIsNotAnImage(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ content, message string }{
		"nothing":     {"", "there is no content"},
		"text":        {"hello, this is a text\n", "this is text, not an image: JPEG, PNG, WebP, GIF and AVIF are accepted"},
		"long text":   {strings.Repeat("é", 2000), "this is text"},
		"HTML":        {"\n<!DOCTYPE html><html><body>404</body></html>", "a web page (HTML)"},
		"SVG":         {`<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>`, "an SVG drawing"},
		"SVG, BOM":    {"\ufeff<SVG>", "an SVG drawing"},
		"PDF":         {"%PDF-1.7\n", "a PDF document"},
		"BMP":         {"BM\x00\x00\x00\x00", "a BMP image"},
		"TIFF":        {"II*\x00\x08\x00", "a TIFF image"},
		"HEIC":        {"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "a HEIC image"},
		"MP4":         {"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00isomiso2", "an audio or video file"},
		"MP3":         {"ID3\x04\x00", "an audio file"},
		"WAV":         {"RIFF\x24\x00\x00\x00WAVEfmt ", "an audio or video file"},
		"ZIP":         {"PK\x03\x04", "a ZIP archive"},
		"binary":      {"\x01\x02\x03\x04", "nothing that is known"},
		"not UTF-8":   {"abc\xff\xfe", "nothing that is known"},
		"JPEG inside": {"  \xff\xd8\xff\xe0", "nothing that is known"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := New(testMemory).Inspect(t.Context(), []byte(c.content))
			requireKind(t, artwork.UnsupportedImage, err)
			assert.Contains(t, message(t, err), c.message)
		})
	}
}

// TestPolyglots: an image that begins as something else too is not accepted; what
// follows an image is nobody's beginning, and sizes are not taken for scripts.
func TestPolyglots(t *testing.T) {
	t.Parallel()
	jpeg, gif := encodeJPEG(t, gradient(8, 8)), load(t, "animated.gif")
	commented := func(comment string) []byte {
		return bytes.Join([][]byte{jpeg[:2], {0xff, 0xfe}, binary.BigEndian.AppendUint16(nil, uint16(len(comment)+2)), []byte(comment), jpeg[2:]}, nil)
	}
	inspect := func(content []byte) error {
		_, err := New(testMemory).Inspect(t.Context(), content)
		return err
	}
	for what, contents := range map[string][][]byte{
		"a PDF document":    {commented("%PDF-1.4 obj"), commented(strings.Repeat(" ", startBytes-11) + "%PDF-")},
		"an SVG drawing":    {commented("<svg onload=alert(1)>"), commented("<SVG\n>")},
		"a web page (HTML)": {commented("<html>"), commented("<!DocType  HTML>"), commented("<HTML lang=en>")},
		"a script": {
			commented("<script>"), commented("<?php echo 1"), []byte("GIF89a/*\x01\x00\x80"), []byte("GIF87a=1;/*"), []byte("GIF89a \t=`"), []byte("GIF89a//\x01\x00"),
			[]byte("\xff\xd8\xff\xe0/*JFIF\x00"), []byte("RIFF/*\x00\x00WEBPVP8 "), []byte("RIFF='\x00\x00WEBPVP8 "),
		},
	} {
		for _, content := range contents {
			err := inspect(content)
			requireKind(t, artwork.UnsupportedImage, err)
			assert.Contains(t, message(t, err), "begins as "+what+" too", "%q", content)
		}
	}
	for _, content := range [][]byte{
		commented("<htmlish> and <svgs>, 100 %PDF"), commented(strings.Repeat(" ", startBytes) + "<html>"), append(bytes.Clone(jpeg), strings.Repeat(" ", startBytes)+"<html>"...),
		edited(gif, func(b []byte) { binary.LittleEndian.PutUint16(b[6:], 61) }), edited(gif, func(b []byte) { binary.LittleEndian.PutUint16(b[6:], 303) }),
	} {
		require.NoError(t, inspect(content), "%q", content[:min(len(content), 60)])
	}
}

// edited returns a copy of the content after a change.
func edited(content []byte, change func([]byte)) []byte {
	content = bytes.Clone(content)
	change(content)
	return content
}

func TestTruncatedImages(t *testing.T) {
	t.Parallel()
	for name, content := range samples(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			inspector := New(testMemory)
			step := max(1, len(content)/40)
			for n := 16; n < len(content); n += step {
				_, err := inspector.Inspect(t.Context(), content[:n])
				requireKind(t, artwork.CorruptImage, err)
			}
			_, err := inspector.Inspect(t.Context(), content[:len(content)-1])
			requireKind(t, artwork.CorruptImage, err)
			assert.Contains(t, message(t, err), "is damaged or cut off")
		})
	}
}

func TestDamagedImages(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"still.avif", "ten-bit.avif", "rotated.avif", "lossless.webp", "gradient.png", "animated.gif"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			content := bytes.Clone(samples(t)[name])
			for i := len(content) * 6 / 10; i < len(content)*9/10; i++ {
				content[i] ^= 0x5a
			}
			_, err := New(testMemory).Inspect(t.Context(), content)
			requireKind(t, artwork.CorruptImage, err)
			assert.NotContains(t, err.Error(), "\n")
		})
	}
}

// sized returns images of each type whose header declares a size.
func sized(t *testing.T, w, h int) map[string][]byte {
	t.Helper()
	png := bytes.Clone(encodePNG(t, gradient(2, 2)))
	binary.BigEndian.PutUint32(png[16:], uint32(w))
	binary.BigEndian.PutUint32(png[20:], uint32(h))
	binary.BigEndian.PutUint32(png[29:], crc(png[12:29]))
	jpeg := bytes.Clone(encodeJPEG(t, gradient(2, 2)))
	frame := bytes.Index(jpeg, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(jpeg[frame+5:], uint16(h))
	binary.BigEndian.PutUint16(jpeg[frame+7:], uint16(w))
	gif := bytes.Clone(load(t, "animated.gif"))
	binary.LittleEndian.PutUint16(gif[6:], uint16(w))
	binary.LittleEndian.PutUint16(gif[8:], uint16(h))
	webp := bytes.Clone(load(t, "animated.webp"))
	putUint24(webp[24:], w-1)
	putUint24(webp[27:], h-1)
	avif := bytes.Clone(load(t, "still.avif"))
	ispe := bytes.Index(avif, []byte("ispe"))
	binary.BigEndian.PutUint32(avif[ispe+8:], uint32(w))
	binary.BigEndian.PutUint32(avif[ispe+12:], uint32(h))
	return map[string][]byte{"PNG": png, "JPEG": jpeg, "GIF": gif, "WebP": webp, "AVIF": avif}
}

func TestImagesThatAreTooLarge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		w, h    int
		message string
	}{
		"pixels": {9000, 8000, "9000 x 8000 = 72.0 million pixels"},
		"width":  {16385, 10, "16385 x 10 pixels: a side may have 16384 at most"},
		"height": {10, 20000, "10 x 20000"},
		"both":   {20000, 20000, "20000 x 20000 pixels: a side may have 16384 at most"},
	} {
		for kind, content := range sized(t, c.w, c.h) {
			t.Run(name+" "+kind, func(t *testing.T) {
				t.Parallel()
				_, err := New(testMemory).Inspect(t.Context(), content)
				requireKind(t, artwork.ImageTooLarge, err)
				assert.Contains(t, message(t, err), c.message)
			})
		}
	}
	_, err := New(testMemory).Inspect(t.Context(), sized(t, 5000, 4000)["AVIF"])
	requireKind(t, artwork.ImageTooLarge, err)
	assert.Contains(t, message(t, err), "in AVIF 16.8 million are accepted")
	_, err = New(testMemory).Inspect(t.Context(), sized(t, 5000, 4000)["PNG"])
	requireKind(t, artwork.CorruptImage, err)
	for kind, content := range sized(t, 0, 10) {
		if kind != "WebP" { // which cannot say 0
			_, err := New(testMemory).Inspect(t.Context(), content)
			requireKind(t, artwork.CorruptImage, err)
		}
	}
}

func TestSizeOfHeaderAndImageDiffer(t *testing.T) {
	t.Parallel()
	for kind, content := range sized(t, 20, 20) { // smaller than the frames
		_, err := New(testMemory).Inspect(t.Context(), content)
		if kind == "JPEG" || kind == "AVIF" { // the data does not know its size, or is scaled
			continue
		}
		require.Error(t, err, kind)
		requireKind(t, artwork.CorruptImage, err)
	}
}

func TestUnusualImagesAreUnsupported(t *testing.T) {
	t.Parallel()
	arithmetic := bytes.Clone(encodeJPEG(t, gradient(8, 8)))
	arithmetic[bytes.Index(arithmetic, []byte{0xff, 0xc0})+1] = 0xc9
	_, err := New(testMemory).Inspect(t.Context(), arithmetic)
	requireKind(t, artwork.UnsupportedImage, err)
	assert.Equal(t, "this kind of JPEG is not supported", message(t, err))

	plain := encodeJPEG(t, gradient(8, 8))
	scan := bytes.Index(plain, []byte{0xff, 0xda})
	many := bytes.Clone(plain[:scan])
	for range maxScans + 1 {
		many = append(many, plain[scan:len(plain)-2]...)
	}
	_, err = New(testMemory).Inspect(t.Context(), append(many, 0xff, 0xd9))
	requireKind(t, artwork.UnsupportedImage, err)
}

func TestFramesSmallerThanTheAnimation(t *testing.T) {
	t.Parallel()
	palette := color.Palette{color.Black, color.White}
	var b bytes.Buffer
	require.NoError(t, gif.EncodeAll(&b, &gif.GIF{
		Image: []*image.Paletted{image.NewPaletted(image.Rect(3, 4, 8, 9), palette)}, Delay: []int{1},
		Config: image.Config{ColorModel: palette, Width: 30, Height: 20},
	}))
	got, err := New(testMemory).Inspect(t.Context(), b.Bytes())
	require.NoError(t, err)
	assert.Equal(t, [2]int{30, 20}, [2]int{got.Width, got.Height})

	larger := sized(t, 60, 50)["WebP"]
	got, err = New(testMemory).Inspect(t.Context(), larger)
	require.NoError(t, err)
	assert.Equal(t, [2]int{60, 50}, [2]int{got.Width, got.Height})
	frame := bytes.Index(larger, []byte("ANMF")) + 8
	putUint24(larger[frame:], 7) // 48 + 2*7 > 60
	_, err = New(testMemory).Inspect(t.Context(), larger)
	requireKind(t, artwork.CorruptImage, err)
}

func TestExtremeShapes(t *testing.T) {
	t.Parallel()
	for _, size := range []image.Point{{1, 1}, {1, 5000}, {5000, 1}, {400, 401}} {
		got, err := New(testMemory).Inspect(t.Context(), encodePNG(t, gradient(size.X, size.Y)))
		require.NoError(t, err)
		assert.Equal(t, size, image.Pt(got.Width, got.Height))
		assert.NotEmpty(t, got.ThumbHash)
	}
	transparent, err := New(testMemory).Inspect(t.Context(), encodePNG(t, image.NewNRGBA(image.Rect(0, 0, 9, 9))))
	require.NoError(t, err)
	assert.NotEmpty(t, transparent.ThumbHash)
}

// TestMemoryIsLimited: who needs more than there is waits for others to end, and
// holds up nobody who fits beside them; but who came later waits behind.
func TestMemoryIsLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		small, large := encodePNG(t, gradient(10, 10)), encodePNG(t, gradient(100, 100))
		inspector := New(100*100*pixelBytes + 99)
		require.NoError(t, inspector.memory.Acquire(t.Context(), 100)) // of another image
		checked := make(chan string, 3)
		var all sync.WaitGroup
		check := func(name string, content []byte) {
			all.Go(func() {
				_, err := inspector.Inspect(t.Context(), content)
				assert.NoError(t, err)
				checked <- name
			})
			synctest.Wait()
		}
		check("small", small)
		check("large", large)
		check("late", small)
		require.Len(t, checked, 1)
		inspector.memory.Release(100)
		all.Wait()
		require.Equal(t, "small", <-checked)

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.NoError(t, inspector.memory.Acquire(ctx, inspector.total))
		_, err := inspector.Inspect(ctx, small)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		inspector.memory.Release(inspector.total)

		_, err = New(1).Inspect(t.Context(), large)
		require.NoError(t, err, "alone it fits always")
	})
}

func TestDecodersAreLimited(t *testing.T) {
	t.Parallel()
	inspector := New(testMemory)
	for range cap(inspector.slots) {
		inspector.slots <- struct{}{}
	}
	var wait sync.WaitGroup
	for _, name := range []string{"baseline.jpg", "still.avif"} {
		ctx, cancel := context.WithCancel(t.Context())
		content := load(t, name)
		wait.Go(func() {
			_, err := inspector.Inspect(ctx, content)
			assert.ErrorIs(t, err, context.Canceled)
		})
		cancel()
	}
	wait.Wait()
	<-inspector.slots
	for range 3 { // slots are given back
		for _, name := range []string{"baseline.jpg", "still.avif"} {
			_, err := inspector.Inspect(t.Context(), load(t, name))
			require.NoError(t, err)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 20 {
		_, err := inspector.Inspect(ended, load(t, "baseline.jpg"))
		require.ErrorIs(t, err, context.Canceled)
	}
	_, err := inspector.Inspect(t.Context(), load(t, "baseline.jpg"))
	require.NoError(t, err)
}

func TestPanicsOfDecodersAreErrors(t *testing.T) {
	t.Parallel()
	f := format{name: "PNG", decode: func([]byte) (image.Image, error) { panic("index out of range") }}
	_, err := f.readImage(nil, image.Pt(1, 1))
	requireKind(t, artwork.CorruptImage, err)
}

func FuzzInspect(f *testing.F) {
	for _, content := range samples(f) {
		f.Add(content)
	}
	f.Add([]byte("<svg/>"))
	inspector := New(testMemory)
	// The first AVIF has its decoder compiled, which takes longer than a try may.
	_, err := inspector.Inspect(f.Context(), load(f, "still.avif"))
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, content []byte) {
		got, err := inspector.Inspect(t.Context(), content)
		if err != nil {
			switch artwork.KindOf(err) {
			case artwork.UnsupportedImage, artwork.CorruptImage, artwork.ImageTooLarge:
			default:
				t.Errorf("%v", err)
			}
			return
		}
		if got.Width < 1 || got.Height < 1 || got.Width*got.Height > MaxPixels || len(got.ThumbHash) == 0 {
			t.Errorf("%+v", got)
		}
	})
}
