package imagecheck

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func crc(data []byte) uint32 { return crc32.ChecksumIEEE(data) }

func putUint24(b []byte, n int) { b[0], b[1], b[2] = byte(n), byte(n>>8), byte(n>>16) }

// exif returns Exif data with nothing but an orientation, after another entry.
func exif(order binary.AppendByteOrder, o int) []byte {
	mark := "II*\x00"
	if order == binary.AppendByteOrder(binary.BigEndian) {
		mark = "MM\x00*"
	}
	b := order.AppendUint32([]byte(mark), 8)
	b = order.AppendUint16(b, 2)
	b = append(b, entry(order, 0x0100, 7)...)
	b = append(b, entry(order, 0x0112, o)...)
	return order.AppendUint32(b, 0)
}

func entry(order binary.AppendByteOrder, tag, value int) []byte {
	b := order.AppendUint16(nil, uint16(tag))
	b = order.AppendUint16(b, 3)
	b = order.AppendUint32(b, 1)
	b = order.AppendUint16(b, uint16(value))
	return order.AppendUint16(b, 0)
}

// with returns the images with Exif data put in.
func with(t testing.TB, data []byte) map[string][]byte {
	t.Helper()
	jpeg := encodeJPEG(t, gradient(48, 32))
	segment := append([]byte(exifHeader), data...)
	jpeg = bytes.Join([][]byte{jpeg[:2], {0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(segment)+2)), segment, jpeg[2:]}, nil)

	png := encodePNG(t, gradient(48, 32))
	chunk := append([]byte("eXIf"), data...)
	png = bytes.Join([][]byte{
		png[:33], binary.BigEndian.AppendUint32(nil, uint32(len(data))), chunk, binary.BigEndian.AppendUint32(nil, crc(chunk)), png[33:],
	}, nil)

	webp := append(bytes.Clone(load(t, "alpha.webp")), "EXIF"...)
	webp = append(binary.LittleEndian.AppendUint32(webp, uint32(len(data))), data...)
	binary.LittleEndian.PutUint32(webp[4:], uint32(len(webp)-8))
	return map[string][]byte{"JPEG": jpeg, "PNG": png, "WebP": webp}
}

func TestOrientationTurnsTheSize(t *testing.T) {
	t.Parallel()
	for o := 1; o <= 8; o++ {
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			for kind, content := range with(t, exif(order, o)) {
				got, err := New(testMemory).Inspect(t.Context(), content)
				require.NoError(t, err, kind)
				want := image.Pt(48, 32)
				if o >= 5 {
					want = image.Pt(32, 48)
				}
				assert.Equal(t, want, image.Pt(got.Width, got.Height), "%s %d", kind, o)
			}
		}
	}
}

func TestDamagedExifIsIgnored(t *testing.T) {
	t.Parallel()
	whole := exif(binary.LittleEndian, 6)
	for n := range whole {
		assert.Contains(t, []orientation{1, 6}, orientationOfExif(whole[:n]))
	}
	for _, o := range []int{0, 9, 65535} {
		assert.Equal(t, orientation(1), orientationOfExif(exif(binary.BigEndian, o)))
	}
	far := exif(binary.LittleEndian, 6)
	binary.LittleEndian.PutUint32(far[4:], 0xffffffff)
	assert.Equal(t, orientation(1), orientationOfExif(far))
}

// A pixel of the top left corner is found where the orientation says.
func TestOrientationTurnsThePixels(t *testing.T) {
	t.Parallel()
	src := image.NewRGBA(image.Rect(0, 0, 3, 2))
	red, blue := color.RGBA{255, 0, 0, 255}, color.RGBA{0, 0, 255, 255}
	src.SetRGBA(0, 0, red)                               // top left
	src.SetRGBA(2, 0, blue)                              // top right
	for o, want := range map[orientation][2]image.Point{ // of red and blue
		1: {{0, 0}, {2, 0}}, 2: {{2, 0}, {0, 0}}, 3: {{2, 1}, {0, 1}}, 4: {{0, 1}, {2, 1}},
		5: {{0, 0}, {0, 2}}, 6: {{1, 0}, {1, 2}}, 7: {{1, 2}, {1, 0}}, 8: {{0, 2}, {0, 0}},
	} {
		got := o.apply(src)
		assert.Equal(t, red, got.RGBAAt(want[0].X, want[0].Y), "red, %d", o)
		assert.Equal(t, blue, got.RGBAAt(want[1].X, want[1].Y), "blue, %d", o)
	}
}

func TestOrientationOfAVIF(t *testing.T) {
	t.Parallel()
	assert.Equal(t, orientation(8), orientationOfAVIF(load(t, "rotated.avif")))
	assert.Equal(t, orientation(1), orientationOfAVIF(load(t, "still.avif")))
	want := map[[2]byte]orientation{
		{0, 0}: 1, {1, 0}: 8, {2, 0}: 3, {3, 0}: 6, {0, 1}: 4, {1, 1}: 5, {2, 1}: 2, {3, 1}: 7, {0, 2}: 2, {1, 2}: 7, {2, 2}: 4, {3, 2}: 5,
	}
	for in, o := range want {
		assert.Equal(t, o, avifOrientation(in[0], in[1]), in)
	}
}

func TestAssociations(t *testing.T) {
	t.Parallel()
	short := []byte{0, 0, 0, 0, 0, 0, 0, 2, 0, 1, 1, 0x81, 0, 2, 2, 0x82, 3}
	assert.Equal(t, []int{1}, associations(short, 1))
	assert.Equal(t, []int{2, 3}, associations(short, 2))
	assert.Empty(t, associations(short, 3))
	long := []byte{1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 9, 2, 0x80, 1, 1, 0}
	assert.Equal(t, []int{1, 256}, associations(long, 9))
	for n := range short {
		assert.NotPanics(t, func() { associations(short[:n], 2) })
	}
}
