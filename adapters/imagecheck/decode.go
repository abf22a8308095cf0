package imagecheck

import (
	"context"
	"image"

	"gatefold/application/renderimage"
)

var (
	_ renderimage.Decoder   = (*Inspector)(nil)
	_ renderimage.Admission = (*Inspector)(nil)
)

// renderBytes is what rendering takes on top of decoding, in bytes for a pixel.
const renderBytes = 4

// Decode implements renderimage.Decoder, for images that Inspect accepts and in the
// same memory. Errors are those of Inspect.
func (i *Inspector) Decode(ctx context.Context, content []byte, use func(renderimage.Picture) error) error {
	f, size, err := measured(content)
	if err != nil {
		return err
	}
	release, err := i.acquire(ctx, f.memory(size)+pixels(size)*renderBytes)
	if err != nil {
		return err
	}
	defer release()
	img, err := f.readImage(content, size)
	if err != nil {
		return err
	}
	return use(renderimage.Picture{Image: img, Orientation: int(f.orientation(content)), Profile: profileOf(content)})
}

// Admit implements renderimage.Admission: in the same memory, for contents that Inspect
// may accept. All that is known without decoding is checked, down to whether the parts
// of a file are there.
func (i *Inspector) Admit(ctx context.Context, content []byte, use func(renderimage.Header) error) error {
	f, size, err := measured(content)
	if err != nil {
		return err
	}
	if _, err := guard(func() (struct{}, error) { return struct{}{}, f.complete(content) }); err != nil {
		return f.classify(err)
	}
	release, err := i.acquire(ctx, pixels(size)*(pixelBytes+renderBytes))
	if err != nil {
		return err
	}
	defer release()
	return use(renderimage.Header{
		MIMEType: f.mimeType, Size: size, Orientation: int(f.orientation(content)),
		PlainInks: f.matches([]byte(startOfJPEG)) && inksOfJPEG(content),
	})
}

// measured returns the format and the size of a content, if both are accepted.
func measured(content []byte) (format, image.Point, error) {
	f, err := detect(content)
	if err != nil {
		return format{}, image.Point{}, err
	}
	size, err := f.readSize(content)
	return f, size, err
}

func pixels(size image.Point) int64 { return int64(size.X) * int64(size.Y) }
