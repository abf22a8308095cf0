package integration

import (
	"bytes"
	"compress/zlib"
	codec "encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/test/musicfixture"
)

// sampleImages returns a sound image of each format that is accepted.
func sampleImages(t *testing.T) map[string][]byte {
	t.Helper()
	read := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join("..", "..", "adapters", "imagecheck", "testdata", name))
		require.NoError(t, err)
		return content
	}
	return map[string][]byte{
		"JPEG": musicfixture.Picture(64, 48, 7), "PNG": musicfixture.PNG(64, 48, 7),
		"GIF": read("animated.gif"), "WebP": read("animated.webp"), "AVIF": read("still.avif"),
	}
}

// edited returns a copy of the content after a change.
func edited(content []byte, change func([]byte)) []byte {
	content = bytes.Clone(content)
	change(content)
	return content
}

// declaring returns the images of sampleImages with another size in their headers.
func declaring(t *testing.T, w, h int) map[string][]byte {
	t.Helper()
	all := sampleImages(t)
	return map[string][]byte{
		"JPEG": edited(all["JPEG"], func(b []byte) {
			frame := bytes.Index(b, []byte{0xff, 0xc0})
			codec.BigEndian.PutUint16(b[frame+5:], uint16(h))
			codec.BigEndian.PutUint16(b[frame+7:], uint16(w))
		}),
		"PNG": edited(all["PNG"], func(b []byte) {
			codec.BigEndian.PutUint32(b[16:], uint32(w))
			codec.BigEndian.PutUint32(b[20:], uint32(h))
			codec.BigEndian.PutUint32(b[29:], crc32.ChecksumIEEE(b[12:29]))
		}),
		"GIF": edited(all["GIF"], func(b []byte) {
			codec.LittleEndian.PutUint16(b[6:], uint16(w))
			codec.LittleEndian.PutUint16(b[8:], uint16(h))
		}),
		"WebP": edited(all["WebP"], func(b []byte) {
			copy(b[24:], codec.LittleEndian.AppendUint32(nil, uint32(w-1))[:3])
			copy(b[27:], codec.LittleEndian.AppendUint32(nil, uint32(h-1))[:3])
		}),
		"AVIF": edited(all["AVIF"], func(b []byte) {
			size := bytes.Index(b, []byte("ispe")) + 8
			codec.BigEndian.PutUint32(b[size:], uint32(w))
			codec.BigEndian.PutUint32(b[size+4:], uint32(h))
		}),
	}
}

// pngChunk returns a chunk of a PNG.
func pngChunk(kind string, data []byte) []byte {
	b := codec.BigEndian.AppendUint32(nil, uint32(len(data)))
	b = append(append(b, kind...), data...)
	return codec.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b[4:]))
}

// withChunk puts a chunk behind the header of a PNG.
func withChunk(png, chunk []byte) []byte {
	const header = 8 + 25
	return bytes.Join([][]byte{png[:header], chunk, png[header:]}, nil)
}

// deflated returns so many zeros, compressed to a small part of their number.
func deflated(zeros int64) []byte {
	var b bytes.Buffer
	w, err := zlib.NewWriterLevel(&b, zlib.BestSpeed)
	if err != nil {
		panic(err) // there is such a level
	}
	if _, err := io.CopyN(w, nothing{}, zeros); err != nil {
		panic(err) // memory does not refuse a write
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// nothing is an endless source of zeros.
type nothing struct{}

func (nothing) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// greyPNG returns a PNG of one bit a pixel, black all over: complete and sound if
// there are as many rows as the header says.
func greyPNG(w, h, rows int) []byte {
	header := codec.BigEndian.AppendUint32(codec.BigEndian.AppendUint32(nil, uint32(w)), uint32(h))
	header = append(header, 1, 0, 0, 0, 0)
	row := int64(1 + (w+7)/8)
	return bytes.Join([][]byte{
		[]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", header), pngChunk("IDAT", deflated(row*int64(rows))), pngChunk("IEND", nil),
	}, nil)
}

// bomb returns a sound PNG of 20 000 x 20 000 pixels in some 200 kB.
var bomb = sync.OnceValue(func() []byte { return greyPNG(20_000, 20_000, 20_000) })

// withSegment puts a segment behind the first two bytes of a JPEG.
func withSegment(jpeg []byte, marker byte, data string) []byte {
	segment := codec.BigEndian.AppendUint16([]byte{0xff, marker}, uint16(len(data)+2))
	return bytes.Join([][]byte{jpeg[:2], segment, []byte(data), jpeg[2:]}, nil)
}

// manyFrames returns an animation of n frames.
func manyFrames(t *testing.T, n int) []byte {
	t.Helper()
	palette := color.Palette{color.Black, color.White}
	animation := &gif.GIF{Config: image.Config{ColorModel: palette, Width: 8, Height: 8}}
	for range n {
		animation.Image = append(animation.Image, image.NewPaletted(image.Rect(0, 0, 8, 8), palette))
		animation.Delay = append(animation.Delay, 1)
	}
	var b bytes.Buffer
	require.NoError(t, gif.EncodeAll(&b, animation))
	return b.Bytes()
}

// manyScans returns a JPEG with the same pixels over and over.
func manyScans(jpeg []byte, n int) []byte {
	scan := bytes.Index(jpeg, []byte{0xff, 0xda})
	return joined(jpeg[:scan], bytes.Repeat(jpeg[scan:len(jpeg)-2], n), jpeg[len(jpeg)-2:])
}

func joined(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// gifAndScript is a sound GIF whose width begins a comment for those who read it
// as a script.
func gifAndScript() []byte {
	const width = 0x2a2f // "/*"
	b := codec.LittleEndian.AppendUint16([]byte("GIF89a"), width)
	b = append(b, 1, 0, 0x80, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff)
	frame := []byte{0x2c, 0, 0, 0, 0, 1, 0, 1, 0, 0, 2, 2, 0x44, 1, 0, 0x3b}
	return joined(b, frame, []byte("*/=1;alert(document.domain)//"))
}
