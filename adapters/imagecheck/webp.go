package imagecheck

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"io"
	"math"

	"golang.org/x/image/webp"
)

var errWebP = errors.New("webp: no image in it")

// chunk is a part of a WebP file.
type chunk struct {
	id   string
	data []byte
}

// The flags of a VP8X chunk.
const (
	webpAnimated = 1 << 1
	webpAlpha    = 1 << 4
)

// chunksOf splits a WebP file, or what a frame holds of one. All that is
// announced has to be there.
func chunksOf(data []byte) ([]chunk, error) {
	var chunks []chunk
	for len(data) > 0 {
		if len(data) < 8 {
			return nil, io.ErrUnexpectedEOF
		}
		n := uint64(binary.LittleEndian.Uint32(data[4:]))
		if n > uint64(len(data)-8) {
			return nil, io.ErrUnexpectedEOF
		}
		chunks = append(chunks, chunk{string(data[:4]), data[8 : 8+n]})
		data = data[min(8+n+n%2, uint64(len(data))):]
	}
	return chunks, nil
}

// openWebP returns the chunks of the file.
func openWebP(content []byte) ([]chunk, error) {
	n := uint64(binary.LittleEndian.Uint32(content[4:])) + 8
	if n < 12 || n > uint64(len(content)) {
		return nil, io.ErrUnexpectedEOF
	}
	return chunksOf(content[12:n])
}

func find(chunks []chunk, id string) []byte {
	for _, c := range chunks {
		if c.id == id {
			return c.data
		}
	}
	return nil
}

// animation returns the first frame of an animation and the size of the whole;
// none if the image does not move.
func animation(chunks []chunk) (frame []byte, size image.Point, err error) {
	header := find(chunks, "VP8X")
	if len(header) < 10 || header[0]&webpAnimated == 0 {
		return nil, image.Point{}, nil
	}
	frame = find(chunks, "ANMF")
	if len(frame) < 16 {
		return nil, image.Point{}, errWebP
	}
	return frame, image.Pt(uint24(header[4:])+1, uint24(header[7:])+1), nil
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

func sizeOfWebP(content []byte) (image.Point, error) {
	chunks, err := openWebP(content)
	if err != nil {
		return image.Point{}, err
	}
	if frame, size, err := animation(chunks); frame != nil || err != nil {
		return size, err
	}
	return sizeBy(webp.DecodeConfig)(content)
}

func decodeWebP(content []byte) (image.Image, error) {
	chunks, err := openWebP(content)
	if err != nil {
		return nil, err
	}
	frame, size, err := animation(chunks)
	if err != nil {
		return nil, err
	}
	if frame == nil {
		return decodeStill(content)
	}
	return decodeFrame(frame, size)
}

// decodeStill decodes an image that does not move. Lossy WebP has the levels of
// television, black at 16 and white at 235 (RFC 6386, 9.2), which the decoder hands out
// as if they were those of a JPEG: they are made so.
func decodeStill(content []byte) (image.Image, error) {
	img, err := webp.Decode(bytes.NewReader(content))
	var lossy *image.YCbCr
	switch img := img.(type) {
	case *image.YCbCr:
		lossy = img
	case *image.NYCbCrA:
		lossy = &img.YCbCr
	default:
		return img, err
	}
	for i, v := range lossy.Y {
		lossy.Y[i] = fullLuma[v]
	}
	for i := range lossy.Cb {
		lossy.Cb[i], lossy.Cr[i] = fullChroma[lossy.Cb[i]], fullChroma[lossy.Cr[i]]
	}
	return img, err
}

var (
	fullLuma   = widened(16, 0, 219)
	fullChroma = widened(128, 128, 224)
)

// widened returns the table that moves a level to another, and spreads so many levels
// around it over 255.
func widened(from, to, levels int) (table [256]uint8) {
	for v := range table {
		wide := float64(to) + float64(v-from)*255/float64(levels)
		table[v] = uint8(min(max(math.Round(wide), 0), 255))
	}
	return table
}

// decodeFrame decodes a frame of an animation, which the decoder does not know,
// as the image of its own that it could be.
func decodeFrame(frame []byte, size image.Point) (image.Image, error) {
	at := image.Pt(2*uint24(frame), 2*uint24(frame[3:]))
	width, height := frame[6:9], frame[9:12]
	area := image.Rect(0, 0, uint24(width)+1, uint24(height)+1).Add(at)
	if !area.In(image.Rectangle{Max: size}) {
		return nil, errWebP
	}
	chunks, err := chunksOf(frame[16:])
	if err != nil {
		return nil, err
	}
	var flags byte
	if find(chunks, "ALPH") != nil {
		flags = webpAlpha
	}
	still := []byte("WEBPVP8X\x0a\x00\x00\x00")
	still = append(still, flags, 0, 0, 0)
	still = append(append(still, width...), height...)
	still = append(still, frame[16:]...)
	riff := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(len(still)))
	img, err := decodeStill(append(riff, still...))
	if err != nil {
		return nil, err
	}
	return onCanvas(size, img, at), nil
}
