package imagecheck

import (
	"errors"
	"image"
	"io"
)

var errAV1 = errors.New("av1: no sequence header")

// sizeOfAV1 returns the largest size that a stream of AV1 declares for its
// frames (AV1 Bitstream & Decoding Process Specification, 5.3 to 5.5).
func sizeOfAV1(data []byte) (image.Point, error) {
	const sequenceHeader = 1
	var largest image.Point
	for len(data) > 0 {
		kind, payload, rest, err := nextOBU(data)
		if err != nil {
			return image.Point{}, err
		}
		if kind == sequenceHeader {
			size, err := sizeOfSequence(payload)
			if err != nil {
				return image.Point{}, err
			}
			largest = image.Pt(max(largest.X, size.X), max(largest.Y, size.Y))
		}
		data = rest
	}
	if largest == (image.Point{}) {
		return image.Point{}, errAV1
	}
	return largest, nil
}

// nextOBU splits off the first unit of a stream.
func nextOBU(data []byte) (kind byte, payload, rest []byte, err error) {
	const extended, sized = 1 << 2, 1 << 1
	header := data[0]
	kind, data = header>>3&15, data[1:]
	if header&extended != 0 {
		if len(data) == 0 {
			return 0, nil, nil, io.ErrUnexpectedEOF
		}
		data = data[1:]
	}
	if header&sized == 0 {
		return kind, data, nil, nil
	}
	size := uint64(0)
	for i := range 8 { // leb128
		if i == len(data) {
			return 0, nil, nil, io.ErrUnexpectedEOF
		}
		size |= uint64(data[i]&0x7f) << (7 * i)
		if data[i]&0x80 == 0 {
			data = data[i+1:]
			if size > uint64(len(data)) {
				return 0, nil, nil, io.ErrUnexpectedEOF
			}
			return kind, data[:size], data[size:], nil
		}
	}
	return 0, nil, nil, errAV1
}

// sizeOfSequence reads a sequence header up to the size.
func sizeOfSequence(payload []byte) (image.Point, error) {
	b := bits{data: payload}
	b.skip(3 + 1)       // profile, still picture
	if b.next(1) == 1 { // reduced header
		b.skip(5) // level
	} else {
		skipOperatingPoints(&b)
	}
	widthBits, heightBits := b.next(4)+1, b.next(4)+1
	size := image.Pt(b.next(widthBits)+1, b.next(heightBits)+1)
	if b.failed {
		return image.Point{}, io.ErrUnexpectedEOF
	}
	return size, nil
}

func skipOperatingPoints(b *bits) {
	decoderModel, delayBits := 0, 0
	if b.next(1) == 1 { // timing
		b.skip(32 + 32)
		if b.next(1) == 1 { // equal intervals, as uvlc
			zeros := 0
			for !b.failed && b.next(1) == 0 {
				zeros++
			}
			b.skip(zeros)
		}
		if decoderModel = b.next(1); decoderModel == 1 {
			delayBits = b.next(5) + 1
			b.skip(32 + 5 + 5)
		}
	}
	initialDelay := b.next(1)
	for n := b.next(5); n >= 0; n-- {
		b.skip(12)
		if b.next(5) > 7 { // level
			b.skip(1)
		}
		if decoderModel == 1 && b.next(1) == 1 {
			b.skip(2*delayBits + 1)
		}
		if initialDelay == 1 && b.next(1) == 1 {
			b.skip(4)
		}
	}
}

// bits reads numbers of some bits one after the other.
type bits struct {
	data   []byte
	at     int
	failed bool
}

func (b *bits) next(size int) (n int) {
	for range size {
		if b.at >= 8*len(b.data) {
			b.failed = true
			return 0
		}
		n = n<<1 | int(b.data[b.at/8]>>(7-b.at%8)&1)
		b.at++
	}
	return n
}

func (b *bits) skip(size int) { b.at += size }
