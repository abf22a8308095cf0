package imagecheck

import (
	"image"

	"github.com/galdor/go-thumbhash"
	"golang.org/x/image/draw"
)

// The longest sides of the copies a placeholder is made of. A quick copy that
// leaves out pixels comes first, because the exact one looks at all of them.
const (
	quickSide = 400
	thumbSide = 100
)

// thumbHash returns the blurred placeholder of the image as it is shown.
func thumbHash(img image.Image, o orientation) []byte {
	quick := shrink(img, quickSide, draw.ApproxBiLinear)
	return thumbhash.EncodeImage(o.apply(shrink(quick, thumbSide, draw.BiLinear)))
}

// shrink returns a copy with sides of at most max pixels.
func shrink(img image.Image, limit int, scaler draw.Scaler) *image.RGBA {
	size := img.Bounds().Size()
	if longest := max(size.X, size.Y); longest > limit {
		size = image.Pt(max(1, size.X*limit/longest), max(1, size.Y*limit/longest))
	}
	small := image.NewRGBA(image.Rectangle{Max: size})
	scaler.Scale(small, small.Rect, img, img.Bounds(), draw.Src, nil)
	return small
}
