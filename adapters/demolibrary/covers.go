package demolibrary

import (
	"image/color"
	"math"
	"math/rand/v2"
)

// motif is the picture of a cover.
type motif struct {
	draw func(c *canvas, p palette, random *rand.Rand)
	// night motifs grow dark towards the names below, the others end above them.
	night bool
}

var (
	sunset   = motif{drawSunset, true}
	rainbow  = motif{drawRainbow, false}
	tiles    = motif{drawTiles, false}
	waves    = motif{drawWaves, true}
	peaks    = motif{drawPeaks, true}
	halftone = motif{drawHalftone, false}
	tunnel   = motif{drawTunnel, false}
	contours = motif{drawContours, false}
	arcs     = motif{drawArcs, false}
	city     = motif{drawCity, true}
	petals   = motif{drawPetals, true}
	sails    = motif{drawSails, true}
	spectrum = motif{drawSpectrum, false}
)

// cover paints the cover of an album: a motif, and the names below.
func cover(album, artist string, m motif, p palette, edge int) *canvas {
	c := newCanvas(edge, edge)
	random := seeded(artist + "/" + album)
	m.draw(c, p, random)
	const margin = 0.065
	ink := p.light
	if !m.night {
		ink = p.dark
	}
	title := text{words: album, weight: bold, size: 0.07, width: 1 - 2*margin, ink: ink}
	name := text{words: artist, weight: regular, size: 0.038, width: 1 - 2*margin, ink: ink}
	top := 1 - margin - title.height(c.scale) - name.height(c.scale) - 0.01
	if m.night {
		c.fill(all, func(_, y float64) color.RGBA { return faint(p.dark, 0.8*min(max((y-top+0.22)/0.26, 0), 1)) })
	} else {
		c.fill(box(0.5, top-0.05+0.5, 2, 1, 0), plain(p.light))
	}
	c.grain(random, 5)
	c.write(name, margin, c.write(title, margin, top)+0.01)
	return c
}

// drawSunset paints a striped sun over the sea.
func drawSunset(c *canvas, p palette, _ *rand.Rand) {
	c.fill(all, fade(p.dark, p.bold, 0, 0.75))
	sun := circle(0.5, 0.45, 0.28)
	stripes := func(_, y float64) float64 {
		if y < 0.4 {
			return -1
		}
		width := 0.045 - (y-0.4)*0.03
		return 0.008 + (y-0.4)*0.03 - math.Abs(math.Mod(y-0.4, width)-width/2)
	}
	c.fill(both(sun, stripes), fade(p.light, p.warm, 0.2, 0.7))
	c.fill(below(func(x float64) float64 { return 0.71 + 0.006*math.Sin(x*31) }, 0.2), fade(p.deep, p.dark, 0.7, 1))
	for i := range 9 {
		y := 0.735 + float64(i)*0.017
		half := 0.19 - float64(i)*0.014 + 0.03*math.Sin(float64(i)*2.3)
		c.fill(stroke(0.5-half, y, 0.5+half, y, 0.006), plain(faint(p.warm, 0.85)))
	}
}

// drawRainbow paints a road of bands that turns away.
func drawRainbow(c *canvas, p palette, _ *rand.Rand) {
	c.fill(all, plain(p.light))
	const cx, cy = 1.0, 0.85
	for i, ink := range []color.RGBA{p.dark, p.deep, p.bold, p.warm, p.light, p.bold, p.deep} {
		r := 0.84 - float64(i)*0.105
		c.fill(circle(cx, cy, r), plain(ink))
	}
	c.fill(circle(0.2, 0.2, 0.085), plain(p.bold))
}

// drawTiles paints a floor of quarter circles.
func drawTiles(c *canvas, p palette, random *rand.Rand) {
	c.fill(all, plain(p.light))
	inks := []color.RGBA{p.dark, p.deep, p.bold, p.warm, p.light}
	const n = 5
	const size = 1.0 / n
	for i := range n * n {
		x, y := float64(i%n)*size, float64(i/n)*size
		ground, ink := random.IntN(5), random.IntN(4)
		tile := box(x+size/2, y+size/2, size, size, 0)
		c.fill(tile, plain(inks[ground]))
		corner := random.IntN(4)
		cx, cy := x+size*float64(corner%2), y+size*float64(corner/2)
		figure := circle(cx, cy, size)
		if random.IntN(3) == 0 {
			figure = circle(x+size/2, y+size/2, size*0.36)
		}
		c.fill(both(tile, figure), plain(inks[(ground+1+ink)%5]))
	}
}

// drawWaves paints lines that rise in the middle, one in front of the other.
func drawWaves(c *canvas, p palette, random *rand.Rand) {
	c.fill(all, plain(p.dark))
	const lines = 24
	for i := range lines {
		base := 0.14 + float64(i)*0.58/lines
		var heights, widths, centres [7]float64
		for j := range heights {
			heights[j], widths[j], centres[j] = random.Float64()*0.075, 0.02+random.Float64()*0.06, random.Float64()
		}
		curve := sampled(func(x float64) float64 {
			y := base
			for j := range heights {
				d := (x - centres[j]) / widths[j]
				y -= heights[j] * math.Exp(-d*d)
			}
			return y
		})
		c.fill(below(curve, 1.2), plain(p.dark))
		ink := mixed(p.light, p.bold, float64(i)/lines)
		line := both(below(curve, 1.2), not(below(func(x float64) float64 { return curve(x) + 0.0062 }, 1.2)))
		c.fill(line, plain(ink))
	}
}

// sampled is a curve between 0 and 1 that is computed only once.
func sampled(curve func(x float64) float64) func(x float64) float64 {
	const n = 1024
	var values [n + 1]float64
	for i := range values {
		values[i] = curve(float64(i) / n)
	}
	return func(x float64) float64 {
		at := min(max(x, 0), 1) * n
		i := min(int(at), n-1)
		return values[i] + (values[i+1]-values[i])*(at-float64(i))
	}
}

// drawPeaks paints mountains before a moon.
func drawPeaks(c *canvas, p palette, random *rand.Rand) {
	c.fill(all, fade(p.dark, p.deep, 0, 0.8))
	stars(c, p, random, 90, 0.55)
	c.fill(circle(0.68, 0.27, 0.13), glow(p.light, p.warm, 0.64, 0.23, 0.25))
	c.fill(circle(0.68, 0.27, 0.19), plain(faint(p.light, 0.09)))
	for i, ink := range []color.RGBA{mixed(p.deep, p.bold, 0.55), p.deep, mixed(p.deep, p.dark, 0.55), p.dark} {
		c.fill(ridge(random, 0.52+float64(i)*0.1, 0.27-float64(i)*0.045), fade(ink, mixed(ink, p.dark, 0.4), 0.4, 1))
	}
}

// ridge is a jagged line of mountains around a height.
func ridge(random *rand.Rand, height, roughness float64) shape {
	const points = 129
	var heights [points]float64
	heights[0], heights[points-1] = random.Float64(), random.Float64()
	for step, spread := points-1, 1.0; step > 1; step, spread = step/2, spread*0.56 {
		for i := step / 2; i < points; i += step {
			heights[i] = (heights[i-step/2]+heights[i+step/2])/2 + (random.Float64()-0.5)*spread
		}
	}
	return func(x, y float64) float64 {
		at := math.Mod(x, 2) / 2 * (points - 1)
		i := min(int(at), points-2)
		h := heights[i] + (heights[i+1]-heights[i])*(at-float64(i))
		return (height - (h-0.5)*2*roughness - y) * 0.7
	}
}

func stars(c *canvas, p palette, random *rand.Rand, n int, bottom float64) {
	for range n {
		x, y, size := random.Float64()*c.width, random.Float64()*bottom, 0.0012+random.Float64()*random.Float64()*0.004
		c.dot(x, y, size, faint(p.light, 0.35+random.Float64()*0.6))
	}
}

// dot is a small filled circle, painted without looking at the whole canvas.
func (c *canvas) dot(cx, cy, r float64, ink color.RGBA) {
	disc := circle(cx, cy, r)
	reach := r + 1/c.scale
	for py := max(int((cy-reach)*c.scale), 0); py <= min(int((cy+reach)*c.scale), c.Rect.Dy()-1); py++ {
		for px := max(int((cx-reach)*c.scale), 0); px <= min(int((cx+reach)*c.scale), c.Rect.Dx()-1); px++ {
			coverage := 0.5 - disc((float64(px)+0.5)/c.scale, (float64(py)+0.5)/c.scale)*c.scale
			if coverage > 0 {
				i := c.PixOffset(px, py)
				blend(c.Pix[i:i+4:i+4], ink, min(coverage, 1))
			}
		}
	}
}

// drawHalftone paints a ball printed in dots.
func drawHalftone(c *canvas, p palette, _ *rand.Rand) {
	c.fill(all, plain(p.warm))
	c.fill(circle(0.5, 0.36, 0.29), plain(p.bold))
	const pitch = 0.026
	for row := -1; row < 40; row++ {
		for column := -1; column < 40; column++ {
			x := (float64(column) + 0.5*float64(row&1)) * pitch
			y := float64(row) * pitch * 0.866 * 1.15
			inside := math.Hypot(x-0.5, y-0.36) < 0.29
			shade := math.Hypot(x-0.38, y-0.23) / 0.54
			if inside {
				c.dot(x, y, pitch*0.66*min(shade, 1), p.dark)
			} else {
				c.dot(x, y, pitch*0.3*(1-min(math.Abs(y-0.36), 1)), faint(p.light, 0.8))
			}
		}
	}
}

// drawTunnel paints a row of squares that turn into the depth.
func drawTunnel(c *canvas, p palette, _ *rand.Rand) {
	c.fill(all, plain(p.dark))
	inks := []color.RGBA{p.deep, p.bold, p.warm, p.light, p.warm, p.bold, p.deep, p.dark}
	for i := range 24 {
		size := 1.25 * math.Pow(0.865, float64(i))
		c.fill(turned(box(0.5, 0.43, size, size, size*0.06), 0.5, 0.43, float64(i)*0.105), plain(inks[i%len(inks)]))
	}
}

// drawContours paints the lines of a map.
func drawContours(c *canvas, p palette, random *rand.Rand) {
	c.fill(all, plain(p.light))
	var hills [9][4]float64
	for i := range hills {
		hills[i] = [4]float64{random.Float64() * 1.1, random.Float64() * 1.1, 0.1 + random.Float64()*0.22, random.Float64()*1.6 - 0.45}
	}
	height := func(x, y float64) float64 {
		h := 0.0
		for _, hill := range hills {
			d := ((x-hill[0])*(x-hill[0]) + (y-hill[1])*(y-hill[1])) / (hill[2] * hill[2])
			h += hill[3] * math.Exp(-d)
		}
		return h
	}
	inks := []color.RGBA{p.deep, mixed(p.deep, p.light, 0.35), mixed(p.warm, p.light, 0.4), p.warm, p.bold}
	c.fill(all, func(x, y float64) color.RGBA {
		level := height(x, y)
		ink := inks[min(max(int(level*3.4+1.2), 0), len(inks)-1)]
		line := math.Abs(math.Mod(level*10+50, 1) - 0.5)
		steep := math.Hypot(height(x+0.002, y)-level, height(x, y+0.002)-level) * 5000
		return mixed(ink, p.dark, min(max(1.4-(0.5-line)*c.scale/max(steep, 1)*0.9, 0), 1)*0.55)
	})
}

// drawArcs paints quarter circles that swing from corner to corner.
func drawArcs(c *canvas, p palette, _ *rand.Rand) {
	c.fill(all, plain(p.deep))
	inks := []color.RGBA{p.bold, p.light, p.warm, p.dark}
	for i := range 12 {
		c.fill(circle(0, 0, 0.99-float64(i)*0.083), plain(inks[i%4]))
	}
	for i := range 6 {
		c.fill(circle(1, 1, 0.6-float64(i)*0.1), plain(inks[(i+2)%4]))
	}
}

// drawCity paints a row of houses with lights at night.
func drawCity(c *canvas, p palette, random *rand.Rand) {
	c.fill(all, fade(p.dark, mixed(p.bold, p.deep, 0.4), 0, 0.9))
	stars(c, p, random, 60, 0.4)
	c.fill(circle(0.24, 0.24, 0.095), plain(p.light))
	c.fill(circle(0.275, 0.215, 0.083), fade(p.dark, mixed(p.bold, p.deep, 0.4), 0, 0.9))
	for layer := range 3 {
		ink := mixed(p.deep, p.dark, 0.15+float64(layer)*0.4)
		for x := -0.02; x < 1; {
			width := 0.07 + random.Float64()*0.08
			top := 0.36 + float64(layer)*0.13 + random.Float64()*0.17
			c.fill(box(x+width/2, top+0.5, width, 1, 0.004), plain(ink))
			windows(c, p, random, x, top, width)
			x += width + random.Float64()*0.01
		}
	}
}

func windows(c *canvas, p palette, random *rand.Rand, x, top, width float64) {
	for wy := top + 0.025; wy < 0.95; wy += 0.03 {
		for wx := x + 0.018; wx < x+width-0.012; wx += 0.022 {
			if random.IntN(3) == 0 {
				c.dot(wx, wy, 0.0048, mixed(p.warm, p.light, random.Float64()*0.6))
			}
		}
	}
}

// drawPetals paints a flower seen from above.
func drawPetals(c *canvas, p palette, _ *rand.Rand) {
	c.fill(all, glow(p.deep, p.dark, 0.5, 0.42, 0.75))
	for layer, ink := range []color.RGBA{p.bold, p.warm, p.light} {
		n := 12 - layer*2
		reach := 0.27 - float64(layer)*0.075
		for i := range n {
			angle := float64(i)*2*math.Pi/float64(n) + float64(layer)*0.26
			petal := turned(ellipse(0.5+reach*0.72, 0.42, reach*0.72, 0.062-float64(layer)*0.009), 0.5, 0.42, angle)
			c.fill(petal, plain(faint(ink, 0.82)))
		}
	}
	c.fill(circle(0.5, 0.42, 0.05), plain(p.dark))
	c.fill(ring(0.5, 0.42, 0.033, 0.008), plain(p.warm))
}

// drawSails paints triangles on the water.
func drawSails(c *canvas, p palette, random *rand.Rand) {
	c.fill(all, fade(p.light, p.warm, 0, 0.75))
	c.fill(circle(0.77, 0.2, 0.085), plain(p.bold))
	for i := range 3 {
		x, y, size := 0.22+float64(i)*0.28, 0.6+float64(i%2)*0.025, 0.34-float64(i)*0.05
		c.fill(triangle(x, y-size, x+size*0.52, y, x, y), plain(p.dark))
		c.fill(triangle(x-0.012, y-size*0.86, x-0.012, y, x-size*0.4, y), plain(p.bold))
		c.fill(both(ellipse(x+0.01, y+0.012, size*0.45, 0.055), not(box(x, y-0.45, 2, 0.93, 0))), plain(p.deep))
	}
	for i := range 6 {
		phase := random.Float64() * 6
		top := 0.65 + float64(i)*0.055
		wave := below(func(x float64) float64 { return top + 0.012*math.Sin(x*24+phase) }, 0.3)
		c.fill(wave, plain(mixed(p.deep, p.dark, float64(i)/6)))
	}
}

// drawSpectrum paints the sound of a song in bars.
func drawSpectrum(c *canvas, p palette, random *rand.Rand) {
	c.fill(all, fade(p.light, mixed(p.light, p.warm, 0.35), 0, 1))
	for i := range 19 {
		x := 0.095 + float64(i)*0.045
		height := 0.08 + 0.5*math.Exp(-math.Pow((float64(i)-9)/5.5, 2))*(0.45+random.Float64()*0.55)
		ink := mixed(p.bold, p.deep, math.Abs(float64(i)-9)/9)
		c.fill(box(x, 0.4, 0.027, height, 0.0135), plain(ink))
	}
}
