package musicfixture

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math/rand/v2"
)

// Picture returns a JPEG of w x h pixels. The same seed gives the same bytes,
// another seed others.
func Picture(w, h int, seed int64) []byte {
	var b bytes.Buffer
	if err := jpeg.Encode(&b, draw(w, h, seed), &jpeg.Options{Quality: 80}); err != nil {
		panic(err) // memory does not refuse a write
	}
	return b.Bytes()
}

// PNG is Picture as a PNG.
func PNG(w, h int, seed int64) []byte {
	var b bytes.Buffer
	if err := png.Encode(&b, draw(w, h, seed)); err != nil {
		panic(err) // memory does not refuse a write
	}
	return b.Bytes()
}

// draw paints a gradient between two colours of the seed's.
func draw(w, h int, seed int64) image.Image {
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	var from, to [3]int
	for i := range from {
		from[i], to[i] = random.IntN(256), random.IntN(256)
	}
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			part := func(i int) uint8 { return uint8(from[i] + (to[i]-from[i])*(x+y)/(w+h)) }
			img.SetRGBA(x, y, color.RGBA{part(0), part(1), part(2), 255})
		}
	}
	return img
}
