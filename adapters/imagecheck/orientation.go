package imagecheck

import (
	"bytes"
	"encoding/binary"
	"image"
)

// orientation is how an image is to be turned or mirrored to be shown, in
// Exif's numbers 1 (as it is) to 8.
type orientation int

func upright([]byte) orientation { return 1 }

// swapsSides reports whether width and height change places.
func (o orientation) swapsSides() bool { return o >= 5 }

// apply returns the image as it is shown.
func (o orientation) apply(src *image.RGBA) *image.RGBA {
	w, h := src.Rect.Dx(), src.Rect.Dy()
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	if o.swapsSides() {
		dst = image.NewRGBA(image.Rect(0, 0, h, w))
	}
	for y := range dst.Rect.Dy() {
		for x := range dst.Rect.Dx() {
			from := o.source(x, y, w, h)
			dst.SetRGBA(x, y, src.RGBAAt(from.X, from.Y))
		}
	}
	return dst
}

// source returns which pixel of an image of w x h is shown at x, y.
func (o orientation) source(x, y, w, h int) image.Point {
	switch o {
	case 2:
		return image.Pt(w-1-x, y)
	case 3:
		return image.Pt(w-1-x, h-1-y)
	case 4:
		return image.Pt(x, h-1-y)
	case 5:
		return image.Pt(y, x)
	case 6:
		return image.Pt(y, h-1-x)
	case 7:
		return image.Pt(w-1-y, h-1-x)
	case 8:
		return image.Pt(w-1-y, x)
	}
	return image.Pt(x, y)
}

// exifHeader precedes Exif data in a JPEG, and now and then elsewhere.
const exifHeader = "Exif\x00\x00"

// orientationOfJPEG looks for Exif in the segments before the image data.
func orientationOfJPEG(content []byte) orientation {
	const app1, startOfScan = 0xe1, 0xda
	for data := content[2:]; len(data) >= 4 && data[0] == 0xff; {
		marker := data[1]
		if marker == 0xff { // fill
			data = data[1:]
			continue
		}
		n := int(binary.BigEndian.Uint16(data[2:]))
		if marker == startOfScan || n < 2 || n+2 > len(data) {
			return 1
		}
		if segment := data[4 : n+2]; marker == app1 && prefix(exifHeader)(segment) {
			return orientationOfExif(segment)
		}
		data = data[n+2:]
	}
	return 1
}

// orientationOfPNG looks for an eXIf chunk.
func orientationOfPNG(content []byte) orientation {
	for data := content[8:]; len(data) >= 12; {
		n := uint64(binary.BigEndian.Uint32(data))
		if n+12 > uint64(len(data)) {
			return 1
		}
		if string(data[4:8]) == "eXIf" {
			return orientationOfExif(data[8 : 8+n])
		}
		data = data[n+12:]
	}
	return 1
}

func orientationOfWebP(content []byte) orientation {
	chunks, err := openWebP(content)
	if err != nil {
		return 1
	}
	return orientationOfExif(find(chunks, "EXIF"))
}

// orientationOfExif reads the orientation in the first directory; 1 if there is
// none.
func orientationOfExif(exif []byte) orientation {
	exif = bytes.TrimPrefix(exif, []byte(exifHeader))
	if len(exif) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.LittleEndian
	if exif[0] == 'M' {
		order = binary.BigEndian
	}
	directory := uint64(order.Uint32(exif[4:]))
	if directory+2 > uint64(len(exif)) {
		return 1
	}
	const orientationTag, entrySize = 0x0112, 12
	entries := exif[directory+2:]
	for range order.Uint16(exif[directory:]) {
		if len(entries) < entrySize {
			return 1
		}
		if value := order.Uint16(entries[8:]); order.Uint16(entries) == orientationTag && value >= 1 && value <= 8 {
			return orientation(value)
		}
		entries = entries[entrySize:]
	}
	return 1
}
