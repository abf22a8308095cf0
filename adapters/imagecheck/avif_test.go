package imagecheck

import (
	"bytes"
	"encoding/binary"
	"image"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// Where the compressed data of still.avif begins, and its sequence header.
func codedData(t *testing.T, content []byte) []byte {
	t.Helper()
	data := content[bytes.Index(content, []byte("mdat"))+4:]
	require.Equal(t, []byte{0x0a, 6}, data[:2], "a sequence header of six bytes comes first")
	return data
}

// A file that declares a small image, but holds a large one, costs no more than
// the look at its headers.
func TestAVIFThatLiesAboutItsSize(t *testing.T) {
	t.Parallel()
	content := bytes.Clone(load(t, "still.avif"))
	size, err := codedSize(content)
	require.NoError(t, err)
	require.Equal(t, image.Pt(48, 32), size)
	copy(codedData(t, content)[2:], []byte{0x18, 0x3b, 0xbf, 0xff, 0xff, 0xff}) // two sides of 15 bits, all ones
	size, err = codedSize(content)
	require.NoError(t, err)
	require.Equal(t, image.Pt(1<<15, 1<<15), size)
	_, err = New(testMemory).Inspect(t.Context(), content)
	requireKind(t, artwork.ImageTooLarge, err)
}

// boxed returns a box around data.
func boxed(kind string, data ...[]byte) []byte {
	all := bytes.Join(data, nil)
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(all)+8)), kind...), all...)
}

// withItems returns what codedSize reads, with n items that all are the same
// data, the sequence header given.
func withItems(n int, data []byte) []byte {
	entries := []byte{0, 0, 0, 0, 0, byte(n)}
	locations := []byte{1, 0, 0, 0, 0x44, 0, 0, byte(n)}
	for i := range n {
		entries = append(entries, boxed("infe", []byte{2, 0, 0, 0, 0, byte(i), 0, 0}, []byte("av01\x00"))...)
		locations = append(locations, 0, byte(i), 0, 1, 0, 0, 0, 1, 0, 0, 0, 0)
		locations = binary.BigEndian.AppendUint32(locations, uint32(len(data)))
	}
	return boxed("meta", []byte{0, 0, 0, 0}, boxed("iinf", entries), boxed("iloc", locations), boxed("idat", data))
}

func TestManyImagesInOneAVIF(t *testing.T) {
	t.Parallel()
	header := append([]byte{0x0a, 6}, sequence("000 1 1 00000 1011 1011 111111111111 111111111111 0000000")...)
	size, err := codedSize(withItems(4, header))
	require.NoError(t, err)
	assert.Equal(t, image.Pt(4096, 4096), size)
	_, err = codedSize(withItems(5, header))
	require.ErrorIs(t, err, errTooManyPixels)
	requireKind(t, artwork.ImageTooLarge, formats[4].classify(err))
	small := append([]byte{0x0a, 6}, sequence("000 1 1 00000 0101 0100 111111 11111 0000000000000000000")...)
	_, err = codedSize(withItems(200, append(small, boxOfPadding(500)...)))
	require.ErrorIs(t, err, errNoBoxes, "the same bytes too often")
}

// boxOfPadding is a unit of AV1 that says nothing.
func boxOfPadding(n int) []byte {
	return append([]byte{0x7a, byte(n&0x7f) | 0x80, byte(n >> 7)}, make([]byte, n)...)
}

// sequence packs bits, written with spaces between the fields, into bytes.
func sequence(fields string) []byte {
	fields = strings.ReplaceAll(fields, " ", "")
	packed := make([]byte, (len(fields)+7)/8)
	for i, c := range fields {
		packed[i/8] |= byte(c-'0') << (7 - i%8)
	}
	return packed
}

func TestSequenceHeaders(t *testing.T) {
	t.Parallel()
	zeros := func(n int) string { return strings.Repeat("0", n) + " " }
	size := "0101 0100 101111 11111" // 48 x 32
	for name, header := range map[string]string{
		"reduced":                             "000 1 1 00101" + size,
		"full":                                "000 0 0 0 0 00000 " + zeros(12) + "00101" + size,
		"several operating points with tiers": "000 0 0 0 0 00001 " + zeros(12) + "01000 1" + zeros(12) + "00111" + size,
		"display delay":                       "000 0 0 0 1 00000 " + zeros(12) + "00101 1 1111" + size,
		"timing":                              "000 0 0 1" + zeros(64) + "0 0 0 00000 " + zeros(12) + "00101" + size,
		"equal timing":                        "000 0 0 1" + zeros(64) + "1 0001 111 0 0 00000 " + zeros(12) + "00101" + size,
		"decoder model":                       "000 0 0 1" + zeros(64) + "0 1 00011" + zeros(42) + "0 00000 " + zeros(12) + "00101 1 0000 0000 0" + size,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			packed := sequence(header)
			got, err := sizeOfSequence(packed)
			require.NoError(t, err)
			assert.Equal(t, image.Pt(48, 32), got)
			for n := range len(packed) - 1 {
				_, err := sizeOfSequence(packed[:n])
				require.Error(t, err)
			}
		})
	}
}

func TestUnitsOfAV1(t *testing.T) {
	t.Parallel()
	header := sequence("000 1 1 00101 0101 0100 101111 11111")
	sized := append([]byte{0x0a, byte(len(header))}, header...)
	for name, stream := range map[string][]byte{
		"sized":         sized,
		"up to the end": append([]byte{0x08}, header...),
		"extended":      append([]byte{0x0e, 0, byte(len(header))}, header...),
		"after others":  append([]byte{0x12, 0, 0x7a, 1, 9}, sized...),
		"long length":   append([]byte{0x0a, byte(len(header)) | 0x80, 0}, header...),
	} {
		got, err := sizeOfAV1(stream)
		require.NoError(t, err, name)
		assert.Equal(t, image.Pt(48, 32), got, name)
	}
	for name, stream := range map[string][]byte{
		"nothing": nil, "no header": {0x12, 0}, "no length": {0x0a}, "no extension": {0x0e}, "too long": {0x0a, 100, 0},
		"endless length": append([]byte{0x0a}, bytes.Repeat([]byte{0x80}, 9)...), "cut length": {0x0a, 0x80},
	} {
		_, err := sizeOfAV1(stream)
		require.Error(t, err, name)
	}
}

func TestAnimatedAVIFIsUnsupported(t *testing.T) {
	t.Parallel()
	_, err := New(testMemory).Inspect(t.Context(), load(t, "refused/animated.avif"))
	requireKind(t, artwork.UnsupportedImage, err)
	assert.Equal(t, "this AVIF is animated: only still ones are accepted", message(t, err))
}
