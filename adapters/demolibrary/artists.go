package demolibrary

import (
	"image"
	"image/color"
	"math"
	"math/rand/v2"
)

// portrait paints the members of a group, as on a poster.
func portrait(name string, members int, p palette, edge int) *canvas {
	c := newCanvas(edge, edge)
	random := seeded(name)
	c.fill(all, glow(p.warm, p.bold, 0.5, 0.42, 0.8))
	for i := range 24 { // rays
		angle := float64(i) * math.Pi / 12
		ray := turned(triangle(0.5, 0.46, 2, 0.34, 2, 0.58), 0.5, 0.46, angle)
		c.fill(ray, plain(faint(p.light, 0.10+0.06*float64(i&1))))
	}
	c.fill(circle(0.5, 0.46, 0.36), plain(faint(p.light, 0.9)))
	places := [][]float64{{0.5}, {0.35, 0.65}, {0.24, 0.76, 0.5}, {0.18, 0.82, 0.39, 0.61}}[members-1]
	size := []float64{1.25, 1, 0.92, 0.8}[members-1]
	look := random.IntN(60)
	for i, x := range places {
		figure(c, p, random, x, 0.5+0.03*float64(i%2), size, look+i)
	}
	c.grain(random, 4)
	return c
}

// figure paints head and shoulders. Looks that follow each other have nothing in
// common.
func figure(c *canvas, p palette, random *rand.Rand, x, y, size float64, look int) {
	skin := []color.RGBA{mixed(p.warm, p.light, 0.45), mixed(p.dark, p.warm, 0.62), mixed(p.warm, p.light, 0.15), mixed(p.dark, p.warm, 0.42)}[look%4]
	coat := []color.RGBA{p.dark, p.deep, p.bold}[look%3]
	hair := []color.RGBA{p.dark, mixed(p.dark, p.bold, 0.35), mixed(p.deep, p.dark, 0.4)}[look/2%3]
	unit := func(f float64) float64 { return f * size }
	style := look * 2 % 5
	if style == 1 { // long hair falls behind the shoulders
		c.fill(box(x, y+unit(0.04), unit(0.3), unit(0.4), unit(0.14)), plain(hair))
	}
	c.fill(box(x, y+unit(0.58), unit(0.5), unit(0.8), unit(0.17)), fade(coat, mixed(coat, p.dark, 0.6), y+unit(0.16), y+unit(0.56)))
	c.fill(box(x, y+unit(0.13), unit(0.1), unit(0.2), unit(0.05)), plain(mixed(skin, p.dark, 0.18)))
	c.fill(triangle(x-unit(0.075), y+unit(0.178), x+unit(0.075), y+unit(0.178), x, y+unit(0.3)), plain(p.light))
	head := ellipse(x, y, unit(0.115), unit(0.145))
	c.fill(head, plain(skin))
	c.fill(both(head, not(circle(x-unit(0.05), y-unit(0.03), unit(0.155)))), plain(faint(p.dark, 0.14)))
	hairstyle(c, x, y, unit, style, hair, head)
	face(c, p, random, x, y, unit)
}

func hairstyle(c *canvas, x, y float64, unit func(float64) float64, style int, hair color.RGBA, head shape) {
	crown := both(ellipse(x, y-unit(0.03), unit(0.128), unit(0.14)), not(circle(x+unit(0.02), y+unit(0.075), unit(0.135))))
	switch style {
	case 0: // short
		c.fill(crown, plain(hair))
	case 1: // long, with a parting
		c.fill(either(crown, box(x-unit(0.115), y+unit(0.05), unit(0.05), unit(0.26), unit(0.025)), box(x+unit(0.115), y+unit(0.05), unit(0.05), unit(0.26), unit(0.025))), plain(hair))
	case 2: // curls
		for i := range 9 {
			angle := math.Pi + float64(i)*math.Pi/8
			c.fill(circle(x+unit(0.115)*math.Cos(angle), y-unit(0.04)+unit(0.11)*math.Sin(angle), unit(0.052)), plain(hair))
		}
	case 3: // a hat
		c.fill(box(x, y-unit(0.135), unit(0.2), unit(0.12), unit(0.03)), plain(hair))
		c.fill(box(x, y-unit(0.085), unit(0.34), unit(0.03), unit(0.015)), plain(hair))
	case 4: // a bun, and a beard
		c.fill(either(crown, circle(x, y-unit(0.185), unit(0.05))), plain(hair))
		c.fill(both(head, not(box(x, y-unit(0.1), 1, unit(0.3), 0)), not(ellipse(x, y+unit(0.06), unit(0.06), unit(0.028)))), plain(hair))
	}
}

// face gives some members glasses and the others closed eyes.
func face(c *canvas, p palette, random *rand.Rand, x, y float64, unit func(float64) float64) {
	left, right := x-unit(0.046), x+unit(0.046)
	switch random.IntN(3) {
	case 0:
		for _, eye := range []float64{left, right} {
			c.fill(circle(eye, y, unit(0.036)), plain(p.dark))
			c.fill(circle(eye-unit(0.01), y-unit(0.01), unit(0.01)), plain(faint(p.light, 0.6)))
		}
		c.fill(stroke(left, y, right, y, unit(0.008)), plain(p.dark))
	default:
		for _, eye := range []float64{left, right} {
			lid := both(ring(eye, y-unit(0.012), unit(0.022), unit(0.008)), not(box(eye, y-unit(0.06), 1, unit(0.1), 0)))
			c.fill(lid, plain(p.dark))
		}
	}
	mouth := both(ring(x, y+unit(0.045), unit(0.03), unit(0.008)), not(box(x, y-unit(0.04), 1, unit(0.2), 0)))
	c.fill(mouth, plain(p.dark))
}

// backdrop paints a wide landscape.
func backdrop(name string, p palette, w, h int) *canvas {
	c := newCanvas(w, h)
	random := seeded(name + " backdrop")
	landscape(c, p, random, c.width*0.68)
	c.grain(random, 3)
	return c
}

// landscape paints hills under a low sun.
func landscape(c *canvas, p palette, random *rand.Rand, sun float64) {
	sky := func(_, y float64) color.RGBA {
		if y < 0.35 {
			return mixed(p.dark, p.deep, y/0.35)
		}
		return mixed(p.deep, p.warm, (y-0.35)/0.35)
	}
	c.fill(all, sky)
	stars(c, p, random, 140, 0.4)
	for i := range 5 {
		c.fill(circle(sun, 0.52, 0.42-float64(i)*0.062), plain(faint(p.warm, 0.12)))
	}
	c.fill(circle(sun, 0.52, 0.13), fade(p.light, p.warm, 0.39, 0.66))
	inks := []color.RGBA{mixed(p.bold, p.warm, 0.35), p.bold, mixed(p.bold, p.deep, 0.6), p.deep, mixed(p.deep, p.dark, 0.6), p.dark}
	for i, ink := range inks {
		height := 0.53 + float64(i)*0.085
		a, b := random.Float64()*6, random.Float64()*6
		steep := 1.4 + random.Float64()
		hill := func(x float64) float64 {
			return height + 0.055*math.Sin(x*steep*2+a) + 0.022*math.Sin(x*steep*5.3+b) + 0.004*math.Sin(x*41+a)
		}
		c.fill(below(hill, 0.35), fade(ink, mixed(ink, p.dark, 0.35), height-0.08, height+0.3))
	}
}

// banner paints a strip of landscape with the name on it.
func banner(name string, p palette, w, h int) *canvas {
	c := newCanvas(w, h)
	random := seeded(name + " banner")
	landscape(c, p, random, c.width*0.86)
	c.grain(random, 3)
	title := text{words: name, weight: bold, size: 0.42, width: 100, ink: p.light}
	title.size *= min(1, 0.72*c.width/title.widest(c.scale))
	y := (1 - title.size) / 2
	shadow := title
	shadow.ink = p.dark
	c.write(shadow, 0.27, y+0.02)
	c.write(title, 0.25, y)
	return c
}

// logo is a record and the name, on nothing, in colours that show on light and
// dark.
func logo(name string, p palette, w, h int) image.Image {
	c := newCanvas(w, h)
	title := text{words: name, weight: bold, size: 0.25, width: c.width * 0.6, ink: p.bold}
	y := (1 - title.height(c.scale)) / 2
	x := 0.95
	for i, ink := range []color.RGBA{p.bold, p.warm, p.light, p.bold} { // a record
		c.fill(circle(0.46, 0.5, 0.36-float64(i)*0.095), plain(ink))
	}
	c.fill(circle(0.46, 0.5, 0.03), plain(p.dark))
	c.write(title, x, y)
	return c
}
