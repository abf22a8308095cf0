package imagecheck

import (
	"bytes"
	"errors"
	"image"
	"image/draw"
	"image/gif"
	"io"
)

var errGIF = errors.New("gif: not made of blocks")

func sizeOfGIF(content []byte) (image.Point, error) { return sizeBy(gif.DecodeConfig)(content) }

// decodeGIF decodes the first frame, and looks whether all others are there.
func decodeGIF(content []byte) (image.Image, error) {
	if err := walkGIF(content); err != nil {
		return nil, err
	}
	size, err := sizeOfGIF(content)
	if err != nil {
		return nil, err
	}
	frame, err := gif.Decode(bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	return onCanvas(size, frame, frame.Bounds().Min), nil
}

// onCanvas returns the frame as it is shown: an animation's frame may cover
// only a part of the whole.
func onCanvas(size image.Point, frame image.Image, at image.Point) image.Image {
	if frame.Bounds().Size() == size {
		return frame
	}
	canvas := image.NewRGBA(image.Rectangle{Max: size})
	draw.Draw(canvas, frame.Bounds().Sub(frame.Bounds().Min).Add(at), frame, frame.Bounds().Min, draw.Src)
	return canvas
}

// The blocks of a GIF.
const (
	gifExtension  = 0x21
	gifDescriptor = 0x2c
	gifTrailer    = 0x3b
)

// walkGIF goes through the blocks up to the trailer.
func walkGIF(content []byte) error {
	r := bytes.NewReader(content)
	var header [13]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return err
	}
	skip(r, colourTable(header[10]))
	for {
		kind, err := r.ReadByte()
		if err != nil {
			return io.ErrUnexpectedEOF
		}
		switch kind {
		case gifTrailer:
			return nil
		case gifExtension:
			skip(r, 1)
		case gifDescriptor:
			var descriptor [9]byte
			if _, err := io.ReadFull(r, descriptor[:]); err != nil {
				return io.ErrUnexpectedEOF
			}
			skip(r, colourTable(descriptor[8])+1)
		default:
			return errGIF
		}
		if err := skipSubBlocks(r); err != nil {
			return err
		}
	}
}

// colourTable returns the bytes of the colour table that flags announce.
func colourTable(flags byte) int64 {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}

// skip moves on; reading past the end fails later.
func skip(r *bytes.Reader, n int64) { _, _ = r.Seek(n, io.SeekCurrent) }

func skipSubBlocks(r *bytes.Reader) error {
	for {
		n, err := r.ReadByte()
		if err != nil {
			return io.ErrUnexpectedEOF
		}
		if n == 0 {
			return nil
		}
		skip(r, int64(n))
	}
}
