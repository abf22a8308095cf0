package imagecheck

import (
	"image"

	"github.com/galdor/go-thumbhash"
	"golang.org/x/image/draw"

	"gatefold/domain/artwork"
)

// The longest sides of the copies a placeholder is made of. A quick copy that
// leaves out pixels comes first, because the exact one looks at all of them.
const (
	quickSide = 400
	thumbSide = 100
)

// placeholders returns the blurred placeholder of the image as it is shown, and the
// colour for where there is no room for that.
func placeholders(img image.Image, o orientation) ([]byte, artwork.Color) {
	quick := shrink(img, quickSide, draw.ApproxBiLinear)
	small := shrink(quick, thumbSide, draw.BiLinear)
	return thumbhash.EncodeImage(o.apply(small)), dominantColor(small)
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
