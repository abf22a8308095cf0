package imagecheck

import (
	"context"

	"github.com/corona10/goimagehash"

	"gatefold/domain/artwork"
)

// PerceptualHash returns 64 bits that follow from what the picture looks like: those
// of copies in other sizes and formats differ in few of them (the DCT of a small grey
// copy against its median; hackerfactor.com/blog, "Looks Like It"). Errors are those
// of Inspect.
func (i *Inspector) PerceptualHash(ctx context.Context, content []byte) (uint64, error) {
	f, err := detect(content)
	if err != nil {
		return 0, err
	}
	size, err := f.readSize(content)
	if err != nil {
		return 0, err
	}
	release, err := i.acquire(ctx, f.memory(size))
	if err != nil {
		return 0, err
	}
	defer release()
	img, err := f.readImage(content, size)
	if err != nil {
		return 0, err
	}
	hash, err := goimagehash.PerceptionHash(img)
	if err != nil {
		return 0, artwork.Wrap(artwork.Internal, "imagecheck.PerceptualHash", err)
	}
	return hash.GetHash(), nil
}
