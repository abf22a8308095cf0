//go:build vips

package vipsrender

import (
	"fmt"
	"image"

	"github.com/davidbyttow/govips/v2/vips"

	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
)

// picture is an image, decoded once in each of the sizes that are needed: a JPEG can be
// decoded to a half, quarter or eighth of its size.
//
// libvips reads the content while there are images, without holding on to it: it is kept
// here until they are closed.
type picture struct {
	content []byte
	renderimage.Header
	decoded map[int]*vips.ImageRef
}

func newPicture(content []byte, header renderimage.Header) *picture {
	p := &picture{content, header, map[int]*vips.ImageRef{}}
	if p.MIMEType == mimeAVIF { // comes out of its decoder as it is shown
		p.Size, p.Orientation = p.shown(), 1
	}
	return p
}

const (
	mimeJPEG = "image/jpeg"
	mimeAVIF = "image/avif"
)

func (p *picture) close() {
	for _, img := range p.decoded {
		img.Close()
	}
}

// swapsSides reports whether width and height change places when it is turned.
func (p *picture) swapsSides() bool { return p.Orientation >= 5 && p.Orientation <= 8 }

// shown returns the size of the image as it is displayed.
func (p *picture) shown() image.Point { return p.turned(p.Size) }

func (p *picture) turned(size image.Point) image.Point {
	if p.swapsSides() {
		return image.Pt(size.Y, size.X)
	}
	return size
}

// scaled returns the whole image in a size, turned. It is made of one that is so many
// times larger, if the image is: halving in the decoder is quick, only the last step
// is exact. The caller closes it.
func (p *picture) scaled(size image.Point, spare int) (*vips.ImageRef, error) {
	size = p.turned(size) // back to how it is stored
	img, err := p.decode(p.shrinkFor(size, spare))
	if err != nil {
		return nil, err
	}
	img, err = img.Copy()
	if err != nil {
		return nil, internal(err)
	}
	if err := p.fit(img, size); err != nil {
		img.Close()
		return nil, internal(err)
	}
	return img, nil
}

func (p *picture) fit(img *vips.ImageRef, size image.Point) error {
	if img.Width() != size.X || img.Height() != size.Y {
		across, down := float64(size.X)/float64(img.Width()), float64(size.Y)/float64(img.Height())
		if err := img.ResizeWithVScale(across, down, vips.KernelCubic); err != nil {
			return err
		}
	}
	return turn(img, p.Orientation)
}

// shrinkFor returns how many times smaller the decoder is to make the image.
func (p *picture) shrinkFor(size image.Point, spare int) int {
	if p.MIMEType != mimeJPEG {
		return 1
	}
	ratio := min(p.Size.X/size.X, p.Size.Y/size.Y) / spare
	switch {
	case ratio >= 8:
		return 8
	case ratio >= 4:
		return 4
	case ratio >= 2:
		return 2
	}
	return 1
}

// decode decodes the image to a fraction of its size. The picture closes it.
func (p *picture) decode(shrink int) (*vips.ImageRef, error) {
	if img, ok := p.decoded[shrink]; ok {
		return img, nil
	}
	params := vips.NewImportParams()
	if p.MIMEType == mimeJPEG {
		params.JpegShrinkFactor.Set(shrink)
	}
	img, err := vips.LoadImageFromBuffer(p.content, params)
	if err != nil {
		return nil, corrupt(err)
	}
	p.decoded[shrink] = img
	if size, want := image.Pt(img.Width(), img.Height()), p.Size.Div(shrink); size != want {
		return nil, corrupt(fmt.Errorf("%v pixels instead of %v", size, want))
	}
	if err := force(img); err != nil {
		return nil, corrupt(err)
	}
	if err := p.simplify(img); err != nil {
		return nil, internal(err)
	}
	return img, nil
}

// simplify takes away what is of no use: metadata but the profile, further frames, and
// alpha that hides nothing.
func (p *picture) simplify(img *vips.ImageRef) error {
	if err := img.RemoveMetadata(); err != nil {
		return err
	}
	if err := img.SetPages(1); err != nil {
		return err
	}
	if p.PlainInks {
		if err := img.Invert(); err != nil {
			return err
		}
	}
	return withoutOpaqueAlpha(img)
}

// force has the whole image decoded, by asking for a pixel.
func force(img *vips.ImageRef) error {
	pixel, err := img.Copy()
	if err != nil {
		return err
	}
	defer pixel.Close()
	if err := pixel.ExtractArea(0, 0, 1, 1); err != nil {
		return err
	}
	_, err = pixel.ToBytes()
	return err
}

// turn turns the image as it is to be shown, by Exif's number.
func turn(img *vips.ImageRef, orientation int) error {
	angle := [...]vips.Angle{3: vips.Angle180, 5: vips.Angle90, 6: vips.Angle90, 7: vips.Angle270, 8: vips.Angle270}
	if orientation < len(angle) && angle[orientation] != vips.Angle0 {
		if err := img.Rotate(angle[orientation]); err != nil {
			return err
		}
	}
	switch orientation {
	case 2, 5, 7:
		return img.Flip(vips.DirectionHorizontal)
	case 4:
		return img.Flip(vips.DirectionVertical)
	}
	return nil
}

func corrupt(err error) error {
	return &artwork.Error{Kind: artwork.CorruptImage, Op: "vipsrender", Msg: "the image is damaged or cut off", Err: brief(err)}
}

func internal(err error) error { return artwork.Wrap(artwork.Internal, "vipsrender", brief(err)) }
