package imagecheck

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io"
	"slices"
	"strings"

	"github.com/gen2brain/avif"
)

var (
	errAVIF    = errors.New("avif: not decodable")
	errNoBoxes = errors.New("avif: not made of boxes")
)

// box is a part of a file of the ISO base media format.
type box struct {
	kind string
	data []byte
}

// boxesOf splits data into boxes. All that is announced has to be there.
func boxesOf(data []byte) ([]box, error) {
	var boxes []box
	for len(data) > 0 {
		if len(data) < 8 {
			return nil, io.ErrUnexpectedEOF
		}
		n, header := uint64(binary.BigEndian.Uint32(data)), uint64(8)
		switch {
		case n == 0: // up to the end
			n = uint64(len(data))
		case n == 1 && len(data) >= 16:
			n, header = binary.BigEndian.Uint64(data[8:]), 16
		}
		if n < header {
			return nil, errNoBoxes
		}
		if n > uint64(len(data)) {
			return nil, io.ErrUnexpectedEOF
		}
		boxes = append(boxes, box{string(data[4:8]), data[header:n]})
		data = data[n:]
	}
	return boxes, nil
}

// inBox returns the data of the first box of a kind in the data, without the
// given number of bytes at its beginning; nil if there is none.
func inBox(data []byte, kind string, without int) []byte {
	boxes, err := boxesOf(data)
	if err != nil {
		return nil
	}
	i := slices.IndexFunc(boxes, func(b box) bool { return b.kind == kind })
	if i < 0 || len(boxes[i].data) < without {
		return nil
	}
	return boxes[i].data[without:]
}

// fileType returns the brands of a file of the ISO base media format.
func fileType(content []byte) (major string, compatible []string, ok bool) {
	if len(content) < 16 || string(content[4:8]) != "ftyp" {
		return "", nil, false
	}
	end := min(uint64(binary.BigEndian.Uint32(content)), uint64(len(content)))
	for i := uint64(16); i+4 <= end; i += 4 {
		compatible = append(compatible, string(content[i:i+4]))
	}
	return string(content[8:12]), compatible, true
}

func isAVIF(content []byte) bool {
	major, compatible, ok := fileType(content)
	return ok && (isAVIFBrand(major) || slices.ContainsFunc(compatible, isAVIFBrand))
}

func isAVIFBrand(brand string) bool { return brand == "avif" || brand == "avis" }

// errSequence is an AVIF with tracks, like a video.
var errSequence = errors.New("avif: an image sequence")

// sizeOfAVIF returns the size that the file declares, or that of the images in
// it if they are larger than is accepted.
func sizeOfAVIF(content []byte) (image.Point, error) {
	boxes, err := boxesOf(content)
	if err != nil {
		return image.Point{}, err
	}
	major, _, _ := fileType(content)
	if major != "avif" && slices.ContainsFunc(boxes, func(b box) bool { return b.kind == "moov" }) {
		return image.Point{}, errSequence
	}
	// The decoder gives up on sizes that it cannot hold without saying so.
	if declared := declaredSize(content); exceeds(declared) {
		return declared, nil
	}
	coded, err := codedSize(content)
	if err != nil || exceeds(coded) {
		return coded, err
	}
	size, err := sizeBy(avif.DecodeConfig)(content)
	return size, brief(err)
}

func exceeds(size image.Point) bool {
	return size.X > MaxSide || size.Y > MaxSide || size.X*size.Y > MaxPixelsAVIF
}

// declaredSize returns the size that the properties of the primary item declare;
// none if they do not.
func declaredSize(content []byte) (size image.Point) {
	eachProperty(content, func(property box) {
		if r := (fields{data: property.data}); property.kind == "ispe" {
			r.next(4) // version and flags
			size = image.Pt(int(r.next(4)), int(r.next(4)))
		}
	})
	return size
}

// stillDuration is what the decoder reports as the duration of a picture that
// does not move, once it is decoded.
const stillDuration = 1

// decodeAVIF decodes the image.
//
// The decoder does not tell when the compressed data is damaged: it hands out
// the memory it was to decode to. The duration, which it writes last, tells.
func decodeAVIF(content []byte) (image.Image, error) {
	all, err := avif.DecodeAll(bytes.NewReader(content))
	if err != nil {
		return nil, brief(err)
	}
	if len(all.Image) != 1 || all.Delay[0] != stillDuration {
		return nil, errAVIF
	}
	return all.Image[0], nil
}

// brief leaves out the decoder's stack trace, which is of use to nobody.
func brief(err error) error {
	if err == nil {
		return nil
	}
	line, _, _ := strings.Cut(err.Error(), "\n")
	return fmt.Errorf("%w: %s", errAVIF, line)
}

// orientationOfAVIF combines the rotation and mirroring that belong to the
// primary item. In this format they, and not Exif, say how to show the image.
func orientationOfAVIF(content []byte) orientation {
	var angle, mirrored byte
	eachProperty(content, func(property box) {
		value := property.data[0]
		switch property.kind {
		case "irot": // quarter turns against the clock
			angle = value & 3
		case "imir": // 0 exchanges top and bottom, 1 left and right
			mirrored = 1 + value&1
		}
	})
	return avifOrientation(angle, mirrored)
}

// eachProperty visits the properties of the primary item that have any data.
func eachProperty(content []byte, visit func(box)) {
	meta := inBox(content, "meta", 4)
	properties := inBox(meta, "iprp", 0)
	boxes, err := boxesOf(inBox(properties, "ipco", 0))
	if err != nil {
		return
	}
	for _, i := range associations(inBox(properties, "ipma", 0), primaryItem(inBox(meta, "pitm", 0))) {
		if i >= 1 && i <= len(boxes) && len(boxes[i-1].data) > 0 {
			visit(boxes[i-1])
		}
	}
}

// avifOrientation translates to Exif's numbers. Mirroring comes after turning;
// to exchange left and right is to turn by half and exchange top and bottom.
func avifOrientation(angle, mirrored byte) orientation {
	if mirrored == 0 {
		return [4]orientation{1, 8, 3, 6}[angle]
	}
	if mirrored == 2 {
		angle = (angle + 2) % 4
	}
	return [4]orientation{4, 5, 2, 7}[angle]
}
