// Package ssim measures how alike two pictures look, for tests that cannot compare bytes.
package ssim

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
)

// window is the side of the squares that are compared, step the distance between them,
// in pixels.
const (
	window = 8
	step   = 4
)

// The constants of the measure for 8 bits, which keep it stable where a picture is plain.
const (
	c1 = (0.01 * 255) * (0.01 * 255)
	c2 = (0.03 * 255) * (0.03 * 255)
)

// Of returns the mean structural similarity of two pictures of the same size: 1 if they
// are the same, and less the more their structures differ, whatever the size of the
// error. Of their brightness and two colour differences, as in JPEG, that which differs
// most counts. What is transparent lies on grey.
//
// The measure is that of Z. Wang, A. C. Bovik, H. R. Sheikh and E. P. Simoncelli, "Image
// quality assessment: from error visibility to structural similarity", IEEE Transactions
// on Image Processing 13 (4), 2004, equation 13, with plain windows of 8 x 8 pixels.
func Of(a, b image.Image) (float64, error) {
	size := a.Bounds().Size()
	if size != b.Bounds().Size() {
		return 0, fmt.Errorf("%v and %v pixels", size, b.Bounds().Size())
	}
	lowest := 1.0
	first, second := planes(a), planes(b)
	for i := range first {
		lowest = min(lowest, mean(first[i], second[i], size))
	}
	return lowest, nil
}

// planes returns the brightness and the two colour differences of each pixel.
func planes(img image.Image) (out [3][]float64) {
	onGrey := image.NewRGBA(image.Rectangle{Max: img.Bounds().Size()})
	draw.Draw(onGrey, onGrey.Rect, image.NewUniform(color.Gray{Y: 128}), image.Point{}, draw.Src)
	draw.Draw(onGrey, onGrey.Rect, img, img.Bounds().Min, draw.Over)
	for i := range out {
		out[i] = make([]float64, len(onGrey.Pix)/4)
	}
	for i := range out[0] {
		pixel := onGrey.Pix[4*i : 4*i+3]
		level, cb, cr := color.RGBToYCbCr(pixel[0], pixel[1], pixel[2])
		out[0][i], out[1][i], out[2][i] = float64(level), float64(cb), float64(cr)
	}
	return out
}

func mean(a, b []float64, size image.Point) float64 {
	sum, count := 0.0, 0
	for y := 0; y == 0 || y+window <= size.Y; y += step {
		for x := 0; x == 0 || x+window <= size.X; x += step {
			part := image.Rect(x, y, min(x+window, size.X), min(y+window, size.Y))
			sum += similarity(a, b, size.X, part)
			count++
		}
	}
	return sum / float64(count)
}

func similarity(a, b []float64, stride int, part image.Rectangle) float64 {
	var sumA, sumB, squaresA, squaresB, products float64
	for y := part.Min.Y; y < part.Max.Y; y++ {
		for x := part.Min.X; x < part.Max.X; x++ {
			va, vb := a[y*stride+x], b[y*stride+x]
			sumA, sumB = sumA+va, sumB+vb
			squaresA, squaresB, products = squaresA+va*va, squaresB+vb*vb, products+va*vb
		}
	}
	n := float64(part.Dx() * part.Dy())
	meanA, meanB := sumA/n, sumB/n
	varA, varB, cov := squaresA/n-meanA*meanA, squaresB/n-meanB*meanB, products/n-meanA*meanB
	return (2*meanA*meanB + c1) * (2*cov + c2) / ((meanA*meanA + meanB*meanB + c1) * (varA + varB + c2))
}
