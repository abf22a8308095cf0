package demolibrary

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
)

// canvas is a picture being painted. Places and lengths are in units of its
// shorter side, so that a motif looks the same at every size.
type canvas struct {
	*image.RGBA
	scale         float64 // pixels per unit
	width, height float64 // units
}

func newCanvas(w, h int) *canvas {
	scale := float64(min(w, h))
	return &canvas{image.NewRGBA(image.Rect(0, 0, w, h)), scale, float64(w) / scale, float64(h) / scale}
}

// shape returns how far a point lies outside of something, in units; inside it
// is negative.
type shape func(x, y float64) float64

// paint returns the colour of a point.
type paint func(x, y float64) color.RGBA

// block is the side of the squares, in pixels, that fill looks at first.
const block = 16

// fill paints what lies in the shape, with smooth edges.
func (c *canvas) fill(inside shape, with paint) {
	bounds := c.Rect
	for y := 0; y < bounds.Max.Y; y += block {
		for x := 0; x < bounds.Max.X; x += block {
			// Most of a canvas is far from most shapes. Some shapes overstate the
			// distance, but not that much.
			middle := inside((float64(x)+block/2)/c.scale, (float64(y)+block/2)/c.scale)
			if middle*c.scale < 4*block {
				c.fillBlock(image.Rect(x, y, x+block, y+block).Intersect(bounds), inside, with)
			}
		}
	}
}

func (c *canvas) fillBlock(area image.Rectangle, inside shape, with paint) {
	for py := area.Min.Y; py < area.Max.Y; py++ {
		y := (float64(py) + 0.5) / c.scale
		for px := area.Min.X; px < area.Max.X; px++ {
			x := (float64(px) + 0.5) / c.scale
			if coverage := 0.5 - inside(x, y)*c.scale; coverage > 0 {
				i := c.PixOffset(px, py)
				blend(c.Pix[i:i+4:i+4], with(x, y), min(coverage, 1))
			}
		}
	}
}

// blend lays a colour over a pixel.
func blend(pixel []uint8, over color.RGBA, coverage float64) {
	coverage *= float64(over.A) / 255
	mix := func(i int, value uint8) {
		pixel[i] = uint8(float64(pixel[i]) + (float64(value)-float64(pixel[i]))*coverage + 0.5)
	}
	mix(0, over.R)
	mix(1, over.G)
	mix(2, over.B)
	mix(3, 255)
}

// all is the whole canvas.
func all(_, _ float64) float64 { return -1 }

// grain makes flat colours look printed.
func (c *canvas) grain(random *rand.Rand, strength int) {
	for i := 0; i < len(c.Pix); i += 4 {
		noise := random.IntN(2*strength+1) - strength
		for j := range 3 {
			c.Pix[i+j] = uint8(min(max(int(c.Pix[i+j])+noise, 0), 255))
		}
	}
}

func circle(cx, cy, r float64) shape {
	return func(x, y float64) float64 { return math.Hypot(x-cx, y-cy) - r }
}

func ellipse(cx, cy, rx, ry float64) shape {
	return func(x, y float64) float64 { return (math.Hypot((x-cx)/rx, (y-cy)/ry) - 1) * min(rx, ry) }
}

func ring(cx, cy, r, thickness float64) shape {
	return func(x, y float64) float64 { return math.Abs(math.Hypot(x-cx, y-cy)-r) - thickness/2 }
}

// box is a rectangle around a centre, with rounded corners.
func box(cx, cy, w, h, corner float64) shape {
	return func(x, y float64) float64 {
		dx, dy := math.Abs(x-cx)-w/2+corner, math.Abs(y-cy)-h/2+corner
		return math.Hypot(max(dx, 0), max(dy, 0)) + min(max(dx, dy), 0) - corner
	}
}

// below is what lies under a curve. The slope bounds how steep it is.
func below(curve func(x float64) float64, slope float64) shape {
	return func(x, y float64) float64 { return (curve(x) - y) / math.Hypot(1, slope) }
}

// triangle has its corners in clockwise order.
func triangle(ax, ay, bx, by, cx, cy float64) shape {
	edge := func(x0, y0, x1, y1 float64) shape {
		length := math.Hypot(x1-x0, y1-y0)
		return func(x, y float64) float64 { return ((y1-y0)*(x-x0) - (x1-x0)*(y-y0)) / length }
	}
	return both(edge(ax, ay, bx, by), edge(bx, by, cx, cy), edge(cx, cy, ax, ay))
}

// stroke is a line with round ends.
func stroke(ax, ay, bx, by, thickness float64) shape {
	length := (bx-ax)*(bx-ax) + (by-ay)*(by-ay)
	return func(x, y float64) float64 {
		t := min(max(((x-ax)*(bx-ax)+(y-ay)*(by-ay))/length, 0), 1)
		return math.Hypot(x-ax-t*(bx-ax), y-ay-t*(by-ay)) - thickness/2
	}
}

// both is what lies in all of the shapes.
func both(shapes ...shape) shape {
	return func(x, y float64) float64 {
		d := math.Inf(-1)
		for _, s := range shapes {
			d = max(d, s(x, y))
		}
		return d
	}
}

// either is what lies in any of the shapes.
func either(shapes ...shape) shape {
	return func(x, y float64) float64 {
		d := math.Inf(1)
		for _, s := range shapes {
			d = min(d, s(x, y))
		}
		return d
	}
}

// not is what lies outside of a shape.
func not(s shape) shape { return func(x, y float64) float64 { return -s(x, y) } }

// turned is a shape turned clockwise around a point.
func turned(s shape, cx, cy, angle float64) shape {
	sin, cos := math.Sincos(-angle)
	return func(x, y float64) float64 {
		return s(cx+(x-cx)*cos-(y-cy)*sin, cy+(x-cx)*sin+(y-cy)*cos)
	}
}

func plain(c color.RGBA) paint { return func(_, _ float64) color.RGBA { return c } }

// fade goes from one colour to another between two heights.
func fade(from, to color.RGBA, top, bottom float64) paint {
	return func(_, y float64) color.RGBA { return mixed(from, to, (y-top)/(bottom-top)) }
}

// glow goes from one colour to another with the distance from a point.
func glow(from, to color.RGBA, cx, cy, r float64) paint {
	return func(x, y float64) color.RGBA { return mixed(from, to, math.Hypot(x-cx, y-cy)/r) }
}

// mixed returns the colour a part of the way from a to b.
func mixed(a, b color.RGBA, part float64) color.RGBA {
	part = min(max(part, 0), 1)
	mix := func(a, b uint8) uint8 { return uint8(float64(a) + (float64(b)-float64(a))*part + 0.5) }
	return color.RGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), mix(a.A, b.A)}
}

// faint returns the colour with an opacity.
func faint(c color.RGBA, opacity float64) color.RGBA {
	c.A = uint8(opacity * 255)
	return c
}

// palette is a set of colours that go together.
type palette struct {
	dark, deep, bold, warm, light color.RGBA
}

func hues(dark, deep, bold, warm, light uint32) palette {
	rgb := func(n uint32) color.RGBA { return color.RGBA{uint8(n >> 16), uint8(n >> 8), uint8(n), 255} }
	return palette{rgb(dark), rgb(deep), rgb(bold), rgb(warm), rgb(light)}
}

// The palettes, by mood.
var (
	ember  = hues(0x1b1a2e, 0x5b2245, 0xe43f5a, 0xff9a3c, 0xffe3b0)
	lagoon = hues(0x052f3d, 0x0e6377, 0x16a3a8, 0xff8a5b, 0xe3f6f5)
	olive  = hues(0x222d14, 0x56642f, 0xbc6c25, 0xdda15e, 0xfefae0)
	berry  = hues(0x24172b, 0x6d2a56, 0xd9517a, 0xf6bd60, 0xfbeee0)
	desert = hues(0x1d3640, 0x2a8f85, 0xe76f51, 0xf2bd62, 0xfff3d6)
	frost  = hues(0x10203a, 0x294d7a, 0x5f9ecf, 0xf2c6a0, 0xf3f8fc)
	press  = hues(0x161616, 0x3d3d3f, 0xd62f3c, 0xe9c46a, 0xf4efe6)
	moss   = hues(0x0f2a26, 0x1f5c4d, 0x6fb98f, 0xf0b67f, 0xf4f1de)
)

// seeded returns the random numbers that belong to a name.
func seeded(name string) *rand.Rand {
	var seed uint64 = 14695981039346656037
	for i := range len(name) {
		seed = (seed ^ uint64(name[i])) * 1099511628211
	}
	return rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // art is no secret
}
