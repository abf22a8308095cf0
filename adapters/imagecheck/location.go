package imagecheck

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"regexp"
)

// RemoveLocation returns the image without the place where it was taken: the GPS
// directory of Exif data and the GPS properties of XMP are blanked where they
// stand. No other byte changes, neither of pixels nor of other metadata, but for
// the checksums of PNG chunks. Content without a place is returned as it is, and
// content is never written to.
//
// Exif data is looked for everywhere, not only where a format keeps it: the second
// image of a motion photo has its own. Exif data that a PNG keeps compressed is not
// found.
func (i *Inspector) RemoveLocation(content []byte) []byte {
	cleaned := bytes.Clone(content)
	changed := blankXMP(cleaned)
	for _, start := range tiffHeaders(cleaned) {
		changed = blankGPS(cleaned[start:]) || changed
	}
	if !changed {
		return content
	}
	if prefix("\x89PNG\r\n\x1a\n")(cleaned) {
		mendPNG(cleaned)
	}
	return cleaned
}

// The marks of a TIFF structure, which Exif data is: the byte order and 42.
var tiffMarks = [...]string{"II*\x00", "MM\x00*"}

// tiffHeaders returns where TIFF structures may begin: at a mark after the header
// of Exif data, or at one whose first directory follows at once, as in formats that
// leave the header out. Neither is met by chance in pixels.
func tiffHeaders(content []byte) []int {
	var starts []int
	for _, mark := range tiffMarks {
		order := byteOrder(mark[0])
		for from := 0; ; {
			n := bytes.Index(content[from:], []byte(mark))
			if n < 0 {
				break
			}
			start := from + n
			from = start + 1
			afterHeader := bytes.HasSuffix(content[:start], []byte(exifHeader))
			if len(content)-start >= 8 && (afterHeader || order.Uint32(content[start+4:]) == 8) {
				starts = append(starts, start)
			}
		}
	}
	return starts
}

func byteOrder(mark byte) binary.ByteOrder {
	if mark == 'M' {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// Of a directory of Exif data (TIFF 6.0, section 2; Exif 2.32, section 4.6).
const (
	gpsTag         = 0x8825 // points to the GPS directory
	entryBytes     = 12
	maxEntries     = 1000
	maxDirectories = 4 // of the image, its thumbnail, and some
)

// sizes are those of the types of values, in bytes.
var sizes = [...]uint64{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}

// blankGPS empties the GPS directories of a TIFF structure and reports whether
// there were any with something in them. What is damaged is left alone.
func blankGPS(tiff []byte) (changed bool) {
	order := byteOrder(tiff[0])
	next := uint64(order.Uint32(tiff[4:]))
	for range maxDirectories {
		entries, after, ok := directory(tiff, order, next)
		if !ok {
			return changed
		}
		for len(entries) > 0 {
			if order.Uint16(entries) == gpsTag {
				changed = emptyDirectory(tiff, order, uint64(order.Uint32(entries[8:]))) || changed
			}
			entries = entries[entryBytes:]
		}
		next = after
	}
	return changed
}

// directory returns the entries of the directory at the offset, and the offset of
// the one after it.
func directory(tiff []byte, order binary.ByteOrder, offset uint64) (entries []byte, after uint64, ok bool) {
	if offset < 8 || offset+2 > uint64(len(tiff)) {
		return nil, 0, false
	}
	count := uint64(order.Uint16(tiff[offset:]))
	end := offset + 2 + count*entryBytes
	if count > maxEntries || end > uint64(len(tiff)) {
		return nil, 0, false
	}
	if end+4 <= uint64(len(tiff)) {
		after = uint64(order.Uint32(tiff[end:]))
	}
	return tiff[offset+2 : end], after, true
}

// emptyDirectory blanks the values of a directory, and the directory itself.
func emptyDirectory(tiff []byte, order binary.ByteOrder, offset uint64) bool {
	entries, _, ok := directory(tiff, order, offset)
	if !ok || len(entries) == 0 {
		return false
	}
	for rest := entries; len(rest) > 0; rest = rest[entryBytes:] {
		kind := int(order.Uint16(rest[2:]))
		if kind >= len(sizes) {
			continue
		}
		length, at := sizes[kind]*uint64(order.Uint32(rest[4:])), uint64(order.Uint32(rest[8:]))
		if length > 4 && at+length <= uint64(len(tiff)) {
			clear(tiff[at : at+length])
		}
	}
	clear(entries)
	order.PutUint16(tiff[offset:], 0)
	return true
}

// gpsProperty is a property of XMP with a place, as an attribute or as an element.
var gpsProperty = regexp.MustCompile(`exif:GPS[A-Za-z]{1,40}(?:\s{0,8}=\s{0,8}"([^"<]{0,200})"|>([^<]{0,200})<)`)

// blankXMP writes spaces over the values of GPS properties.
func blankXMP(content []byte) (changed bool) {
	for _, match := range gpsProperty.FindAllSubmatchIndex(content, -1) {
		for group := 2; group < len(match); group += 2 {
			if match[group] < 0 {
				continue
			}
			value := content[match[group]:match[group+1]]
			changed = changed || len(bytes.TrimSpace(value)) > 0
			for i := range value {
				value[i] = ' '
			}
		}
	}
	return changed
}

// mendPNG corrects the checksums of the chunks that may hold a place.
func mendPNG(content []byte) {
	for data := content[8:]; len(data) >= 12; {
		n := uint64(binary.BigEndian.Uint32(data))
		if n+12 > uint64(len(data)) {
			return
		}
		switch string(data[4:8]) {
		case "eXIf", "iTXt", "tEXt":
			binary.BigEndian.PutUint32(data[8+n:], crc32.ChecksumIEEE(data[4:8+n]))
		}
		data = data[n+12:]
	}
}
