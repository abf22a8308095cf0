package demolibrary

import (
	"image"
	"image/color"
	"strings"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/math/fixed"
)

// weight is the weight of letters.
type weight []byte

var (
	bold    weight = gobold.TTF
	regular weight = goregular.TTF
)

// text is something written on a canvas; places and sizes are in its units.
type text struct {
	words  string
	weight weight
	size   float64 // of the letters
	width  float64 // to break lines at
	ink    color.RGBA
}

// write sets the text with the top left corner at x, y, and returns where it
// ends below.
func (c *canvas) write(t text, x, y float64) float64 {
	face := t.face(c.scale)
	defer func() { _ = face.Close() }()
	drawer := font.Drawer{Dst: c, Src: image.NewUniform(t.ink), Face: face}
	ascent := float64(face.Metrics().Ascent) / 64 / c.scale * 0.95
	for _, line := range t.lines(face, c.scale) {
		drawer.Dot = fixed.Point26_6{X: fixed.Int26_6(x * c.scale * 64), Y: fixed.Int26_6((y + ascent) * c.scale * 64)}
		drawer.DrawString(line)
		y += t.size * 1.08
	}
	return y
}

// height returns how much room the text takes.
func (t text) height(scale float64) float64 {
	face := t.face(scale)
	defer func() { _ = face.Close() }()
	return float64(len(t.lines(face, scale))) * t.size * 1.08
}

// widest returns the width of the longest line.
func (t text) widest(scale float64) float64 {
	face := t.face(scale)
	defer func() { _ = face.Close() }()
	var widest fixed.Int26_6
	for _, line := range t.lines(face, scale) {
		widest = max(widest, font.MeasureString(face, line))
	}
	return float64(widest) / 64 / scale
}

// lines breaks the text where it would become too wide.
func (t text) lines(face font.Face, scale float64) []string {
	limit := fixed.Int26_6(t.width * scale * 64)
	var lines []string
	for _, word := range strings.Fields(t.words) {
		if last := len(lines) - 1; last >= 0 && font.MeasureString(face, lines[last]+" "+word) <= limit {
			lines[last] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}

func (t text) face(scale float64) font.Face {
	parsed, err := opentype.Parse(t.weight)
	if err != nil {
		panic(err) // the fonts are part of the program
	}
	face, err := opentype.NewFace(parsed, &opentype.FaceOptions{Size: t.size * scale, DPI: 72})
	if err != nil {
		panic(err) // only for impossible options
	}
	return face
}
