package imagecheck

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
)

// latitude stands for a place, as Exif data keeps one: three fractions.
var latitude = bytes.Repeat([]byte{0x5a}, 24)

// located returns Exif data with an orientation and a GPS directory.
func located(order binary.AppendByteOrder, orientation int) []byte {
	mark := tiffMarks[0]
	if order == binary.AppendByteOrder(binary.BigEndian) {
		mark = tiffMarks[1]
	}
	long := func(tag, kind, count, value uint32) []byte {
		b := order.AppendUint16(nil, uint16(tag))
		b = order.AppendUint16(b, uint16(kind))
		return order.AppendUint32(order.AppendUint32(b, count), value)
	}
	const gpsAt, valueAt = 8 + 2 + 2*entryBytes + 4, 8 + 2 + 2*entryBytes + 4 + 2 + entryBytes + 4
	b := order.AppendUint32([]byte(mark), 8)
	b = order.AppendUint16(b, 2)
	b = append(b, entry(order, 0x0112, orientation)...)
	b = append(b, long(gpsTag, 4, 1, gpsAt)...)
	b = order.AppendUint32(b, 0)
	b = order.AppendUint16(b, 1)
	b = append(b, long(2, 5, 3, valueAt)...)
	b = order.AppendUint32(b, 0)
	return append(b, latitude...)
}

// TestThePlaceIsRemoved and nothing else is: the picture, its orientation and every
// other byte are as they were.
func TestThePlaceIsRemoved(t *testing.T) {
	t.Parallel()
	inspector := New(testMemory)
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		data := located(order, 6)
		for kind, content := range with(t, data) {
			name := fmt.Sprint(kind, order)
			before := bytes.Clone(content)
			cleaned := inspector.RemoveLocation(content)
			require.Equal(t, before, content, "what was handed in is not written to: %s", name)
			require.Len(t, cleaned, len(content), name)
			require.NotContains(t, string(cleaned), string(latitude), name)
			head, tail, found := bytes.Cut(content, data)
			require.True(t, found, name)
			require.Equal(t, head, cleaned[:len(head)], name)
			if kind != "PNG" { // there a checksum follows
				require.Equal(t, tail, cleaned[len(head)+len(data):], name)
			}
			want, err := inspector.Inspect(t.Context(), content)
			require.NoError(t, err, name)
			got, err := inspector.Inspect(t.Context(), cleaned)
			require.NoError(t, err, name)
			require.NotEqual(t, want.Hash, got.Hash, name)
			want.Hash = got.Hash
			require.Equal(t, want, got, name)
			require.Equal(t, &cleaned[0], &inspector.RemoveLocation(cleaned)[0], "there is nothing left to remove: %s", name)
		}
	}
}

// TestThePlaceOfASecondImageIsRemoved: motion photos keep what follows the first
// image, and that may have a place too.
func TestThePlaceOfASecondImageIsRemoved(t *testing.T) {
	t.Parallel()
	content := with(t, located(binary.LittleEndian, 1))["JPEG"]
	cleaned := New(testMemory).RemoveLocation(append(bytes.Clone(content), content...))
	require.NotContains(t, string(cleaned), string(latitude))
	require.Len(t, cleaned, 2*len(content))
}

func TestThePlaceInXMPIsRemoved(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`<rdf:Description exif:GPSLatitude="40,25.0N" tiff:Make="Kamera" exif:GPSLongitude = "3,42.1W"/>`,
		`<exif:GPSLatitude>40,25.0N</exif:GPSLatitude><tiff:Make>Kamera</tiff:Make><exif:GPSAltitude>667/1</exif:GPSAltitude>`,
	} {
		segment := append([]byte("http://ns.adobe.com/xap/1.0/\x00"), text...)
		jpeg := encodeJPEG(t, gradient(16, 16))
		content := bytes.Join([][]byte{jpeg[:2], {0xff, 0xe1}, binary.BigEndian.AppendUint16(nil, uint16(len(segment)+2)), segment, jpeg[2:]}, nil)
		cleaned := string(New(testMemory).RemoveLocation(content))
		for _, gone := range []string{"40,25", "42.1W", "667/1"} {
			require.NotContains(t, cleaned, gone)
		}
		require.Contains(t, cleaned, "Kamera")
		require.Len(t, cleaned, len(content))
	}
}

// TestWithoutAPlaceNothingChanges: the bytes, and so the hash, are those that came.
func TestWithoutAPlaceNothingChanges(t *testing.T) {
	t.Parallel()
	contents := with(t, exif(binary.LittleEndian, 3))
	for _, name := range []string{"baseline.jpg", "animated.gif", "animated.webp", "rotated.avif", "still.avif"} {
		contents[name] = load(t, name)
	}
	contents["nothing"], contents["no TIFF"] = []byte{}, []byte("II*\x00")
	for name, content := range contents {
		require.Equal(t, content, New(testMemory).RemoveLocation(content), name)
	}
}

func TestDamagedPlacesAreLeftAlone(t *testing.T) {
	t.Parallel()
	whole := located(binary.BigEndian, 1)
	for n := range whole {
		require.NotPanics(t, func() { New(testMemory).RemoveLocation(whole[:n]) })
		damaged := bytes.Clone(whole)
		damaged[n] = 0xff
		require.Len(t, New(testMemory).RemoveLocation(damaged), len(whole))
	}
}

// FuzzRemoveLocation: whatever comes in, its length stays, what is accepted is
// accepted afterwards, and a second time there is nothing to remove.
func FuzzRemoveLocation(f *testing.F) {
	f.Add(located(binary.LittleEndian, 6))
	f.Add(located(binary.BigEndian, 1))
	f.Add([]byte(`exif:GPSLatitude="40,25.0N" II*` + "\x00\x08\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, content []byte) {
		before := bytes.Clone(content)
		cleaned := New(testMemory).RemoveLocation(content)
		require.Equal(t, before, content)
		require.Len(t, cleaned, len(content))
		require.Equal(t, cleaned, New(testMemory).RemoveLocation(cleaned))
	})
}
