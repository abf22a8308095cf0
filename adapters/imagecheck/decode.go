package imagecheck

import (
	"context"

	"gatefold/application/renderimage"
)

var _ renderimage.Decoder = (*Inspector)(nil)

// renderBytes is what rendering takes on top of decoding, in bytes for a pixel.
const renderBytes = 4

// Decode implements renderimage.Decoder, for images that Inspect accepts and in the
// same memory. Errors are those of Inspect.
func (i *Inspector) Decode(ctx context.Context, content []byte, use func(renderimage.Picture) error) error {
	f, err := detect(content)
	if err != nil {
		return err
	}
	size, err := f.readSize(content)
	if err != nil {
		return err
	}
	release, err := i.acquire(ctx, f.memory(size)+int64(size.X)*int64(size.Y)*renderBytes)
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
