package gorender

import "math"

// plane is one channel of an image.
type plane struct {
	pix          []uint8
	w, h, stride int
}

func newPlane(w, h int) plane { return plane{make([]uint8, w*h), w, h, w} }

func (p plane) row(y int) []uint8 { return p.pix[y*p.stride : y*p.stride+p.w] }

// halve returns the plane at half its size, each pixel the mean of four. At an odd
// edge the last ones count twice.
func (p plane) halve() plane {
	half := newPlane((p.w+1)/2, (p.h+1)/2)
	for y := range half.h {
		above, below := p.row(2*y), p.row(min(2*y+1, p.h-1))
		out := half.row(y)
		for x := range p.w / 2 {
			a, b := above[2*x:2*x+2], below[2*x:2*x+2]
			out[x] = uint8((uint(a[0]) + uint(a[1]) + uint(b[0]) + uint(b[1]) + 2) / 4)
		}
		if last := p.w - 1; p.w%2 == 1 {
			out[half.w-1] = uint8((uint(above[last]) + uint(below[last]) + 1) / 2)
		}
	}
	return half
}

// window is a part of an image, in pixels; they may be fractions.
type window struct{ x0, y0, x1, y1 float64 }

// scaled returns the same part of an image of other dimensions.
func (w window) scaled(fx, fy float64) window {
	return window{w.x0 * fx, w.y0 * fy, w.x1 * fx, w.y1 * fy}
}

// halved returns the window that (w+1)/2 x (h+1)/2 pixels show of which w x h show this
// one: of odd numbers, the last ones reach over its edge.
func (w window) halved(across, down int) window {
	w.x1 += (w.x1 - w.x0) / float64(across) * float64(across%2)
	w.y1 += (w.y1 - w.y0) / float64(down) * float64(down%2)
	return w
}

// pyramid is a plane and its halves, made when they are needed. The level that a
// rendition is made of follows from its size alone, so that it does not matter which
// others are made with it.
type pyramid struct{ levels []plane }

func (p *pyramid) level(n int) plane {
	for len(p.levels) <= n {
		p.levels = append(p.levels, p.levels[len(p.levels)-1].halve())
	}
	return p.levels[n]
}

// leastRatio is how many times larger than the result a level has to be: means of four
// are quick, but only the last step is exact.
const leastRatio = 1.5

// resample returns a part of the plane in a new size.
func (p *pyramid) resample(win window, w, h int) plane {
	ratio := min((win.x1-win.x0)/float64(w), (win.y1-win.y0)/float64(h))
	level := 0
	for ; ratio >= 2*leastRatio; ratio /= 2 {
		level++
	}
	f := math.Ldexp(1, -level)
	return resample(p.level(level), win.scaled(f, f), w, h)
}

// resample returns a part of the plane in a new size, by a cubic filter (Catmull-Rom)
// along the rows and then along the columns.
func resample(p plane, win window, w, h int) plane {
	across, down := tapsOf(p.w, win.x0, win.x1, w), tapsOf(p.h, win.y0, win.y1, h)
	first, last := down.first[0], down.first[h-1]+down.n
	used := plane{p.pix[first*p.stride:], p.w, last - first, p.stride}
	for i := range down.first {
		down.first[i] -= first
	}
	return used.filterRows(across).filterColumns(down)
}

// taps are the pixels that each pixel of the result is made of: as many for all.
type taps struct {
	n       int
	first   []int
	weights []int32 // n for each; their sum is one
}

const (
	oneBits = 14
	one     = 1 << oneBits
	radius  = 2 // of the filter
)

// catmullRom is the cubic filter that goes through the pixels, as most photographs are
// scaled with: sharp, with little ringing.
func catmullRom(x float64) float64 {
	switch x = math.Abs(x); {
	case x < 1:
		return (1.5*x-2.5)*x*x + 1
	case x < radius:
		return ((-0.5*x+2.5)*x-4)*x + 2
	}
	return 0
}

// tapsOf returns of what count pixels are made that cover the part a to b of size pixels.
func tapsOf(size int, a, b float64, count int) taps {
	ratio := (b - a) / float64(count)
	scale := max(1, ratio)
	n := min(size, int(math.Ceil(2*radius*scale))+1)
	t := taps{n, make([]int, count), make([]int32, 0, count*n)}
	weights := make([]float64, n)
	for i := range t.first {
		centre := a + (float64(i)+0.5)*ratio
		first := min(max(0, int(math.Ceil(centre-radius*scale-0.5))), size-n)
		sum := 0.0
		for j := range weights {
			weights[j] = catmullRom((float64(first+j) + 0.5 - centre) / scale)
			sum += weights[j]
		}
		t.first[i] = first
		t.weights = append(t.weights, quantized(weights, sum)...)
	}
	return t
}

// quantized returns the weights as whole numbers; what rounding leaves over goes to
// the heaviest.
func quantized(weights []float64, sum float64) []int32 {
	whole := make([]int32, len(weights))
	if sum == 0 { // the part begins beyond the edge
		sum, weights[len(weights)-1] = 1, 1
	}
	rest, heaviest := int32(one), 0
	for i, weight := range weights {
		whole[i] = int32(math.Round(weight / sum * one))
		rest -= whole[i]
		if whole[i] > whole[heaviest] {
			heaviest = i
		}
	}
	whole[heaviest] += rest
	return whole
}

// filterRows returns the plane filtered along its rows.
func (p plane) filterRows(along taps) plane {
	out := newPlane(len(along.first), p.h)
	for y := range p.h {
		row, to := p.row(y), out.row(y)
		weights := along.weights
		for x, first := range along.first {
			pixels := row[first : first+along.n]
			sum := int32(one / 2)
			for i, weight := range weights[:len(pixels)] {
				sum += weight * int32(pixels[i])
			}
			weights = weights[len(pixels):]
			to[x] = clamped(sum >> oneBits)
		}
	}
	return out
}

// filterColumns returns the plane filtered along its columns, a row at a time.
func (p plane) filterColumns(along taps) plane {
	out := newPlane(p.w, len(along.first))
	sums := make([]int32, p.w)
	for y, first := range along.first {
		for x := range sums {
			sums[x] = one / 2
		}
		for i, weight := range along.weights[y*along.n : (y+1)*along.n] {
			add(sums, weight, p.row(first+i))
		}
		to := out.row(y)
		for x, sum := range sums {
			to[x] = clamped(sum >> oneBits)
		}
	}
	return out
}

// add adds to the sums the weighted pixels of a row.
func add(sums []int32, weight int32, row []uint8) {
	if weight == 0 {
		return
	}
	for x, pixel := range row[:len(sums)] {
		sums[x] += weight * int32(pixel)
	}
}

func clamped(v int32) uint8 { return uint8(min(max(v, 0), 255)) }

// orientation is how an image is to be turned to be shown, in Exif's numbers.
type orientation int

// swapsSides reports whether width and height change places.
func (o orientation) swapsSides() bool { return o >= 5 && o <= 8 }

// window returns which part of an image of w x h pixels is shown in the window.
func (o orientation) window(shown window, w, h float64) window {
	s := shown
	switch o {
	case 2:
		return window{w - s.x1, s.y0, w - s.x0, s.y1}
	case 3:
		return window{w - s.x1, h - s.y1, w - s.x0, h - s.y0}
	case 4:
		return window{s.x0, h - s.y1, s.x1, h - s.y0}
	case 5:
		return window{s.y0, s.x0, s.y1, s.x1}
	case 6:
		return window{s.y0, h - s.x1, s.y1, h - s.x0}
	case 7:
		return window{w - s.y1, h - s.x1, w - s.y0, h - s.x0}
	case 8:
		return window{w - s.y1, s.x0, w - s.y0, s.x1}
	}
	return s
}

// turn returns the plane as it is shown.
func (o orientation) turn(p plane) plane {
	if o < 2 || o > 8 {
		return p
	}
	out := newPlane(p.w, p.h)
	if o.swapsSides() {
		out = newPlane(p.h, p.w)
	}
	for y := range out.h {
		for x := range out.w {
			from := o.window(window{float64(x), float64(y), float64(x + 1), float64(y + 1)}, float64(p.w), float64(p.h))
			out.pix[y*out.stride+x] = p.pix[int(from.y0)*p.stride+int(from.x0)]
		}
	}
	return out
}
