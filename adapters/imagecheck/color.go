package imagecheck

import (
	"image"
	"image/color"

	"gatefold/domain/artwork"
)

const (
	// colorBits is how many bits of each part tell colours apart when they are counted.
	colorBits = 4
	// sameColor is how far a part of a colour may be from the most frequent one to be
	// taken for the same.
	sameColor = 1 << (8 - colorBits)
	// leastAlpha is from where on a pixel is seen.
	leastAlpha = 128
)

// dominantColor returns the colour that most pixels have, but for small differences.
// What is transparent does not count; an image of which nothing is seen is white.
func dominantColor(img *image.RGBA) artwork.Color {
	var counts [1 << (3 * colorBits)]int
	most := -1
	eachSeen(img, func(c color.NRGBA) {
		bucket := int(c.R>>(8-colorBits))<<(2*colorBits) | int(c.G>>(8-colorBits))<<colorBits | int(c.B>>(8-colorBits))
		counts[bucket]++
		if most < 0 || counts[bucket] > counts[most] {
			most = bucket
		}
	})
	if most < 0 {
		return artwork.ColorOf(255, 255, 255)
	}
	const mask, middle = 1<<colorBits - 1, sameColor / 2
	part := func(shift int) int { return (most>>shift&mask)*sameColor + middle }
	return meanAround(img, part(2*colorBits), part(colorBits), part(0))
}

// meanAround returns the mean of the colours near one. There are some.
func meanAround(img *image.RGBA, r, g, b int) artwork.Color {
	var n, sumR, sumG, sumB int
	near := func(part uint8, of int) bool { return max(int(part)-of, of-int(part)) <= sameColor }
	eachSeen(img, func(c color.NRGBA) {
		if near(c.R, r) && near(c.G, g) && near(c.B, b) {
			n, sumR, sumG, sumB = n+1, sumR+int(c.R), sumG+int(c.G), sumB+int(c.B)
		}
	})
	mean := func(sum int) uint8 { return uint8((sum + n/2) / n) }
	return artwork.ColorOf(mean(sumR), mean(sumG), mean(sumB))
}

func eachSeen(img *image.RGBA, visit func(color.NRGBA)) {
	for y := img.Rect.Min.Y; y < img.Rect.Max.Y; y++ {
		for x := img.Rect.Min.X; x < img.Rect.Max.X; x++ {
			if c := img.RGBAAt(x, y); c.A >= leastAlpha {
				seen, _ := color.NRGBAModel.Convert(c).(color.NRGBA)
				visit(seen)
			}
		}
	}
}
