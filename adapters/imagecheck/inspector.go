// Package imagecheck looks at the bytes of an image before they are taken in:
// what they are, how large the picture is, and whether it can be decoded.
package imagecheck

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"image/png"
	"runtime"

	"golang.org/x/sync/semaphore"

	"gatefold/domain/artwork"
)

// The largest image that is accepted, as its header declares it. A decoded
// pixel takes up to eight bytes.
const (
	MaxPixels = 50_000_000
	MaxSide   = 16_384
)

// MaxPixelsAVIF is the lower limit for AVIF, whose decoder takes some 60 bytes
// and a quarter of a microsecond for a pixel.
const MaxPixelsAVIF = 4096 * 4096

// Inspector checks images. It may be used concurrently. It decodes as many at a
// time as there are processors, and as fit into the memory it was given.
type Inspector struct {
	slots  chan struct{}
	memory *semaphore.Weighted
	total  int64 // bytes of memory
}

// New returns an Inspector that decodes in so many bytes of memory, as far as that
// can be told from the headers. An image that alone would take more is decoded
// alone.
func New(memory int64) *Inspector {
	return &Inspector{
		slots:  make(chan struct{}, runtime.GOMAXPROCS(0)),
		memory: semaphore.NewWeighted(memory),
		total:  memory,
	}
}

// Inspect describes the image. The type follows from the content alone, and the
// whole image is decoded; of an animation only the first frame, while of the
// others it is only checked that they are there. Animations in AVIF are not
// accepted.
//
// UnsupportedImage: the content is nothing that is accepted; the message says
// what it looks like. ImageTooLarge: the header declares more than MaxPixels
// (MaxPixelsAVIF) or a side longer than MaxSide; nothing was decoded. CorruptImage: the content is
// damaged or cut off. ctx's error: it ended before there was room to decode.
func (i *Inspector) Inspect(ctx context.Context, content []byte) (artwork.Content, error) {
	f, err := detect(content)
	if err != nil {
		return artwork.Content{}, err
	}
	size, err := f.readSize(content)
	if err != nil {
		return artwork.Content{}, err
	}
	release, err := i.acquire(ctx, f.memory(size))
	if err != nil {
		return artwork.Content{}, err
	}
	defer release()
	img, err := f.readImage(content, size)
	if err != nil {
		return artwork.Content{}, err
	}
	orientation := f.orientation(content)
	if orientation.swapsSides() {
		size.X, size.Y = size.Y, size.X
	}
	thumbHash, color := placeholders(img, orientation)
	return artwork.Content{
		Hash:          artwork.HashOf(content),
		Size:          int64(len(content)),
		MIMEType:      f.mimeType,
		Width:         size.X,
		Height:        size.Y,
		ThumbHash:     thumbHash,
		DominantColor: color,
	}, nil
}

// acquire waits for so much memory to be free, first come, first served, and then
// for a processor.
func (i *Inspector) acquire(ctx context.Context, memory int64) (release func(), err error) {
	memory = min(memory, i.total)
	if err := i.memory.Acquire(ctx, memory); err != nil {
		return nil, err
	}
	select {
	case i.slots <- struct{}{}:
		release = func() {
			<-i.slots
			i.memory.Release(memory)
		}
	case <-ctx.Done():
		i.memory.Release(memory)
		return nil, ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		release()
		return nil, err
	}
	return release, nil
}

// readSize returns the size that the header declares, if it is accepted.
func (f format) readSize(content []byte) (image.Point, error) {
	size, err := guard(func() (image.Point, error) { return f.size(content) })
	switch {
	case err != nil:
		return size, f.classify(err)
	case size.X < 1 || size.Y < 1:
		return size, f.classify(fmt.Errorf("%d x %d pixels", size.X, size.Y))
	case size.X > MaxSide || size.Y > MaxSide:
		return size, artwork.Errorf(artwork.ImageTooLarge, "the image has %d x %d pixels: a side may have %d at most", size.X, size.Y, MaxSide)
	case size.X*size.Y > f.maxPixels():
		return size, artwork.Errorf(artwork.ImageTooLarge, "the image has %d x %d = %.1f million pixels: in %s %.1f million are accepted",
			size.X, size.Y, millions(size.X*size.Y), f.name, millions(f.maxPixels()))
	}
	return size, nil
}

// What a decoded pixel takes, in bytes.
const (
	pixelBytes     = 8
	pixelBytesAVIF = 60
)

// memory returns how many bytes decoding an image of the size takes, at most.
func (f format) memory(size image.Point) int64 {
	if f.costly {
		return int64(size.X) * int64(size.Y) * pixelBytesAVIF
	}
	return int64(size.X) * int64(size.Y) * pixelBytes
}

func (f format) maxPixels() int {
	if f.costly {
		return MaxPixelsAVIF
	}
	return MaxPixels
}

func millions(n int) float64 { return float64(n) / 1e6 }

// readImage decodes the image.
func (f format) readImage(content []byte, size image.Point) (image.Image, error) {
	img, err := guard(func() (image.Image, error) { return f.decode(content) })
	if err != nil {
		return nil, f.classify(err)
	}
	if img.Bounds().Size() != size {
		return nil, f.classify(fmt.Errorf("%v pixels instead of %v", img.Bounds().Size(), size))
	}
	return img, nil
}

// classify makes a decoder's error one that says whether the image is damaged
// or only unusual.
func (f format) classify(err error) error {
	kind, msg := artwork.CorruptImage, "the "+f.name+" is damaged or cut off"
	_, unusualJPEG := errors.AsType[jpeg.UnsupportedError](err)
	_, unusualPNG := errors.AsType[png.UnsupportedError](err)
	switch {
	case unusualJPEG, unusualPNG, errors.Is(err, errTooManyScans):
		kind, msg = artwork.UnsupportedImage, "this kind of "+f.name+" is not supported"
	case errors.Is(err, errSequence):
		kind, msg = artwork.UnsupportedImage, "this AVIF is animated: only still ones are accepted"
	case errors.Is(err, errTooManyPixels):
		kind, msg = artwork.ImageTooLarge, "the images in this AVIF have too many pixels together"
	}
	return &artwork.Error{Kind: kind, Op: "imagecheck", Msg: msg, Err: err}
}

// guard turns a decoder's panic into an error: what is decoded comes from
// anybody.
func guard[T any](decode func() (T, error)) (result T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("decoder: %v", p)
		}
	}()
	return decode()
}
