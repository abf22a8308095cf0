package rig

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"math/rand/v2"
)

// Cover returns a JPEG of some 30 KB, whose thumb has some 12 KB; each seed has another.
func Cover(seed uint64) []byte {
	const edge, cell = 350, 4.6
	random := rand.New(rand.NewPCG(seed, 1))
	var noise [edge][edge]int
	for y := range noise {
		for x := range noise[y] {
			noise[y][x] = random.IntN(82)
		}
	}
	img := image.NewRGBA(image.Rect(0, 0, edge, edge))
	for y := range edge {
		for x := range edge {
			n := noise[int(float64(y)/cell)][int(float64(x)/cell)]
			img.SetRGBA(x, y, color.RGBA{uint8(60 + n + x/4), uint8(40 + n + y/4), uint8(90 + n), 255})
		}
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: 80}); err != nil {
		panic(err) // memory does not refuse a write
	}
	return out.Bytes()
}
