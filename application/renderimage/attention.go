package renderimage

import (
	"image"
	"math"

	"gatefold/domain/artwork"
)

// AttentionSide is the longest side, in pixels, of the copy of an image in which
// Attention looks. It is never enlarged.
const AttentionSide = 128

// Attention returns the focal point of an image for which nobody has set one: the middle
// of that largest square of it which people are likely to look at. It takes a copy of at
// most AttentionSide pixels, as it is displayed.
//
// A pixel attracts by its contrast to those beside it, by being coloured like skin, and a
// little by any colour at all; what is not opaque attracts less. The measure is a plain
// one: it finds a face above a wall and a person beside the road, and knows nothing of
// what it sees. Unless another square attracts clearly more, it is the one in the middle,
// so that what is alike everywhere is cut as people expect. Places are rounded, so that
// copies by different means give the same.
func Attention(img *image.NRGBA) artwork.FocalPoint {
	size := img.Rect.Size()
	focal := Centre
	if wide := size.X > size.Y; wide {
		focal.X = attractive(attraction(img, wide), size.Y)
	} else if size.Y > size.X {
		focal.Y = attractive(attraction(img, wide), size.X)
	}
	return focal
}

// attraction returns how much each column of the image, or else each row, attracts.
func attraction(img *image.NRGBA, columns bool) []float64 {
	size := img.Rect.Size()
	sums := make([]float64, max(size.X, size.Y))
	for y := range size.Y {
		for x := range size.X {
			at := x
			if !columns {
				at = y
			}
			sums[at] += interest(img, x, y)
		}
	}
	return sums
}

// How much each trait counts.
const (
	edgeWeight   = 1.0
	skinWeight   = 0.8
	colourWeight = 0.15
)

// interest is how much a pixel attracts.
func interest(img *image.NRGBA, x, y int) float64 {
	size := img.Rect.Size()
	across := luma(img, min(x+1, size.X-1), y) - luma(img, max(x-1, 0), y)
	down := luma(img, x, min(y+1, size.Y-1)) - luma(img, x, max(y-1, 0))
	pixel := img.Pix[img.PixOffset(x, y):]
	r, g, b, alpha := float64(pixel[0])/255, float64(pixel[1])/255, float64(pixel[2])/255, float64(pixel[3])/255
	colour := max(r, g, b) - min(r, g, b)
	return edgeWeight*math.Hypot(across, down) + alpha*(skinWeight*skin(r, g, b)+colourWeight*colour)
}

// luma is how bright a pixel is on black (Rec. 601), from 0 to 1.
func luma(img *image.NRGBA, x, y int) float64 {
	pixel := img.Pix[img.PixOffset(x, y):]
	return (0.299*float64(pixel[0]) + 0.587*float64(pixel[1]) + 0.114*float64(pixel[2])) * float64(pixel[3]) / (255 * 255)
}

// skin is how near a colour is to those of skin, from 0 to 1. People differ in how bright
// their skin is more than in its hue, so only the shares of red and green count, unless
// it is too dark or too bright to have a hue.
func skin(r, g, b float64) float64 {
	const red, green, reach = 0.43, 0.315, 0.07
	sum := r + g + b
	if sum < 0.25 || sum > 2.8 {
		return 0
	}
	return max(0, 1-math.Hypot(r/sum-red, g/sum-green)/reach)
}

// clearly is how many times more than the middle another place has to attract.
const clearly = 1.1

// attractive returns where the middle of that window of the values lies, as a fraction of
// their length, whose values are highest, those in its middle most of all.
func attractive(values []float64, window int) float64 {
	weights := make([]float64, window)
	for i := range weights {
		off := (float64(i)+0.5)/float64(window)*2 - 1
		weights[i] = 1 - 0.5*off*off
	}
	sum := func(begin int) (total float64) {
		for i, weight := range weights {
			total += weight * values[begin+i]
		}
		return total
	}
	middle := (len(values) - window) / 2
	best, most := middle, sum(middle)*clearly
	for distance := 1; distance <= middle+1; distance++ {
		for _, begin := range [...]int{middle - distance, middle + distance} {
			if begin < 0 || begin+window > len(values) {
				continue
			}
			if total := sum(begin); total > most {
				best, most = begin, total
			}
		}
	}
	if best == middle {
		return 0.5
	}
	const steps = 32
	return math.Round((float64(best)+float64(window)/2)/float64(len(values))*steps) / steps
}
