package imagecheck

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"maps"
	"slices"
)

// maxProfile is more than the ICC profile of a screen or camera has. Those of printers,
// which have tables and take a few MB, are of no use here.
const maxProfile = 128 << 10 // bytes

// profileOf returns the ICC profile of an image; nil if it has none, or none that can
// be read: then it is shown as sRGB.
func profileOf(content []byte) []byte {
	switch {
	case prefix(startOfJPEG)(content):
		return profileOfJPEG(content)
	case prefix("\x89PNG\r\n\x1a\n")(content):
		return profileOfPNG(content)
	case isWebP(content):
		chunks, err := openWebP(content)
		if err != nil {
			return nil
		}
		return find(chunks, "ICCP")
	case isAVIF(content):
		return profileOfAVIF(content)
	}
	return nil
}

const iccHeader = "ICC_PROFILE\x00"

// profileOfJPEG puts the parts together, which are numbered and in segments of their
// own before the image data.
func profileOfJPEG(content []byte) []byte {
	parts := map[byte][]byte{}
	eachSegment(content, func(marker byte, segment []byte) {
		const app2 = 0xe2
		if part, ok := bytes.CutPrefix(segment, []byte(iccHeader)); marker == app2 && ok && len(part) > 2 {
			parts[part[0]] = part[2:]
		}
	})
	var profile []byte
	for _, number := range slices.Sorted(maps.Keys(parts)) {
		profile = append(profile, parts[number]...)
	}
	return profile
}

// eachSegment visits the segments of a JPEG before its image data.
func eachSegment(content []byte, visit func(marker byte, segment []byte)) {
	const startOfScan = 0xda
	for data := content[2:]; len(data) >= 4 && data[0] == 0xff; {
		marker := data[1]
		if marker == 0xff { // fill
			data = data[1:]
			continue
		}
		n := int(binary.BigEndian.Uint16(data[2:]))
		if marker == startOfScan || n < 2 || n+2 > len(data) {
			return
		}
		visit(marker, data[4:n+2])
		data = data[n+2:]
	}
}

func profileOfPNG(content []byte) []byte {
	for data := content[8:]; len(data) >= 12; {
		n := uint64(binary.BigEndian.Uint32(data))
		if n+12 > uint64(len(data)) {
			return nil
		}
		if string(data[4:8]) == "iCCP" {
			return inflated(data[8 : 8+n])
		}
		data = data[n+12:]
	}
	return nil
}

// inflated reads the profile of an iCCP chunk: a name, a zero, the method 0, and what
// is compressed by it.
func inflated(chunk []byte) []byte {
	_, compressed, ok := bytes.Cut(chunk, []byte{0})
	if !ok || len(compressed) < 1 || compressed[0] != 0 {
		return nil
	}
	r, err := zlib.NewReader(bytes.NewReader(compressed[1:]))
	if err != nil {
		return nil
	}
	profile, err := io.ReadAll(io.LimitReader(r, maxProfile))
	if err != nil {
		return nil
	}
	return profile
}

func profileOfAVIF(content []byte) (profile []byte) {
	eachProperty(content, func(property box) {
		if property.kind != "colr" {
			return
		}
		for _, kind := range [...]string{"prof", "rICC"} {
			if data, ok := bytes.CutPrefix(property.data, []byte(kind)); ok {
				profile = data
			}
		}
	})
	return profile
}
