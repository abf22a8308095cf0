package imagecheck

import (
	"bytes"
	"encoding/binary"
	"image"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// FuzzHeaders: whatever follows the signature of a format, reading its headers
// neither panics nor takes a size, an orientation or a description out of thin air,
// and it does not depend on what follows the image.
func FuzzHeaders(f *testing.F) {
	for _, content := range samples(f) {
		f.Add(content)
	}
	for _, content := range with(f, located(binary.LittleEndian, 6)) {
		f.Add(content)
	}
	for _, fm := range formats {
		f.Add([]byte(signatures[fm.name]))
	}
	f.Add(append([]byte(signatures["AVIF"]), withItems(2, []byte{0x0a, 6, 0x18, 0x3b, 0xbf, 0xff, 0xff, 0xff})...))
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, fm := range formats {
			signature := signatures[fm.name]
			content := append([]byte(signature), content[min(len(content), len(signature)):]...)
			if !fm.matches(content) {
				continue
			}
			o := fm.orientation(content)
			require.True(t, o >= 1 && o <= 8, "%s: orientation %d", fm.name, o)
			if fm.costly {
				requireAVIF(t, content)
				continue // its size is asked of a decoder, which takes too long for a search
			}
			size, err := fm.readSize(content)
			if err != nil {
				require.Contains(t, []artwork.ErrorKind{artwork.CorruptImage, artwork.UnsupportedImage, artwork.ImageTooLarge}, artwork.KindOf(err))
				continue
			}
			require.True(t, size.X >= 1 && size.Y >= 1 && size.X <= MaxSide && size.Y <= MaxSide && size.X*size.Y <= fm.maxPixels(), "%s: %v", fm.name, size)
			again, err := fm.readSize(append(bytes.Clone(content), "and more"...))
			require.NoError(t, err)
			require.Equal(t, size, again)
		}
	})
}

// signatures are what each format begins with.
var signatures = map[string]string{
	"JPEG": "\xff\xd8\xff", "PNG": "\x89PNG\r\n\x1a\n", "WebP": "RIFF", "GIF": "GIF89a", "AVIF": "\x00\x00\x00\x1cftypavif\x00\x00\x00\x00avifmif1miaf",
}

// requireAVIF reads what is read of an AVIF before its decoder is.
func requireAVIF(t *testing.T, content []byte) {
	t.Helper()
	for _, size := range []image.Point{declaredSize(content), first(codedSize(content))} {
		require.True(t, size.X >= 0 && size.Y >= 0)
	}
}

func first[T any](value T, _ error) T { return value }

// FuzzParts: what a file is split into is all of it, in its order.
func FuzzParts(f *testing.F) {
	for name, content := range samples(f) {
		if len(content) > 12 && name[len(name)-1] == 'p' { // a WebP has its chunks behind a header
			content = content[12:]
		}
		f.Add(content)
	}
	f.Add([]byte("\x00\x00\x00\x01mdat\x00\x00\x00\x00\x00\x00\x00\x12ab"))
	f.Add([]byte("\x00\x00\x00\x00mdat and the rest"))
	f.Add([]byte("VP8 \x03\x00\x00\x00abc\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if boxes, err := boxesOf(data); err == nil {
			rest := data
			for _, b := range boxes {
				require.Equal(t, string(rest[4:8]), b.kind, "a box begins where the one before ends")
				header := 8
				if binary.BigEndian.Uint32(rest) == 1 {
					header = 16
				}
				require.Equal(t, rest[header:header+len(b.data)], b.data)
				rest = rest[header+len(b.data):]
			}
			require.Empty(t, rest)
		}
		if chunks, err := chunksOf(data); err == nil {
			var again []byte
			for _, c := range chunks {
				again = binary.LittleEndian.AppendUint32(append(again, c.id...), uint32(len(c.data)))
				again = append(again, c.data...)
				if len(c.data)%2 == 1 && len(again) < len(data) {
					again = append(again, data[len(again)])
				}
			}
			require.True(t, bytes.Equal(data, again))
		}
	})
}

// FuzzGIF: a GIF that is whole is so up to its trailer, and without it it is not.
func FuzzGIF(f *testing.F) {
	const enough = 300 // bytes, to meet every kind of block
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x00\x00\x00;"))
	f.Add([]byte("GIF87a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"))
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > enough || walkGIF(content) != nil {
			return
		}
		require.NoError(t, walkGIF(append(bytes.Clone(content), "and more"...)))
		whole := len(content)
		for whole > 0 && walkGIF(content[:whole-1]) == nil {
			whole--
		}
		require.Equal(t, byte(gifTrailer), content[whole-1])
		for n := range whole {
			require.Error(t, walkGIF(content[:n]), "cut after %d of %d bytes", n, whole)
		}
	})
}
