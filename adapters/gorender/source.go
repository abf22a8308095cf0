package gorender

import (
	"image"
	"image/color"
	"image/draw"

	"gatefold/domain/artwork"
)

// model is what the planes of an image are.
type model int

const (
	grey  model = iota // luminance
	ycc                // Y, Cb, Cr, as in JPEG
	rgb                // red, green, blue
	rgbPA              // the same, multiplied by the fourth, alpha
)

// source is a decoded image as planes. Those of chroma may be smaller.
type source struct {
	model  model
	planes []*pyramid
	fx, fy []float64 // how many times smaller each plane is
	w, h   int
	turned orientation
}

// shown returns the size of the image as it is displayed.
func (s *source) shown() image.Point {
	if s.turned.swapsSides() {
		return image.Pt(s.h, s.w)
	}
	return image.Pt(s.w, s.h)
}

func (s *source) add(p plane, fx, fy int) {
	s.planes = append(s.planes, &pyramid{[]plane{p}})
	s.fx, s.fy = append(s.fx, float64(fx)), append(s.fy, float64(fy))
}

// sourceOf takes an image apart. The pixels of a JPEG are not copied.
func sourceOf(img image.Image, turned orientation) *source {
	bounds := img.Bounds()
	s := &source{w: bounds.Dx(), h: bounds.Dy(), turned: turned}
	switch img := img.(type) {
	case *image.Gray:
		s.add(plane{img.Pix[img.PixOffset(bounds.Min.X, bounds.Min.Y):], s.w, s.h, img.Stride}, 1, 1)
	case *image.YCbCr:
		s.model = ycc
		s.addYCC(img)
	default:
		s.addRGB(img)
	}
	return s
}

func (s *source) addYCC(img *image.YCbCr) {
	fx, fy := 1, 1
	switch img.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		fx = 2
	case image.YCbCrSubsampleRatio420:
		fx, fy = 2, 2
	case image.YCbCrSubsampleRatio440:
		fy = 2
	case image.YCbCrSubsampleRatio411:
		fx = 4
	case image.YCbCrSubsampleRatio410:
		fx, fy = 4, 2
	case image.YCbCrSubsampleRatio444:
	}
	w, h := (s.w+fx-1)/fx, (s.h+fy-1)/fy
	s.add(plane{img.Y, s.w, s.h, img.YStride}, 1, 1) // decoders begin at 0, 0
	s.add(plane{img.Cb, w, h, img.CStride}, fx, fy)
	s.add(plane{img.Cr, w, h, img.CStride}, fx, fy)
}

// stripRows is how many rows are converted at once.
const stripRows = 64

// addRGB converts the image strip by strip, so that it is not held a third time.
func (s *source) addRGB(img image.Image) {
	bounds := img.Bounds()
	var channels [4]plane
	for i := range channels {
		channels[i] = newPlane(s.w, s.h)
	}
	strip := image.NewRGBA(image.Rect(0, 0, s.w, stripRows))
	opaque := true
	for top := 0; top < s.h; top += stripRows {
		rows := image.Rect(0, 0, s.w, min(stripRows, s.h-top))
		draw.Draw(strip, rows, img, bounds.Min.Add(image.Pt(0, top)), draw.Src)
		begin, end := top*s.w, (top+rows.Dy())*s.w
		red, green, blue, alpha := channels[0].pix[begin:end], channels[1].pix[begin:end], channels[2].pix[begin:end], channels[3].pix[begin:end]
		for i := range red {
			pixel := strip.Pix[4*i : 4*i+4]
			red[i], green[i], blue[i], alpha[i] = pixel[0], pixel[1], pixel[2], pixel[3]
			opaque = opaque && pixel[3] == 0xff
		}
	}
	s.model = rgbPA
	if opaque {
		s.model = rgb
	}
	for _, p := range channels[:s.channels()] {
		s.add(p, 1, 1)
	}
}

func (s *source) channels() int { return [...]int{grey: 1, ycc: 3, rgb: 3, rgbPA: 4}[s.model] }

// raster is a part of a source in its final size. Planes of chroma may have half of it.
type raster struct {
	model  model
	planes []plane
	w, h   int
}

// keepsChroma reports whether the encoder takes chroma in half the size, as JPEG does: to
// scale it to more would be for nothing.
func (s *source) keepsChroma(format artwork.Format, colours *transform) bool {
	return s.model == ycc && colours == nil && (format == artwork.FormatJPEG || format == artwork.FormatAuto)
}

// cut returns what is shown in the window, in w x h pixels.
func (s *source) cut(shown window, w, h int, keepsChroma bool) raster {
	r := raster{model: s.model, w: w, h: h}
	for i, p := range s.planes {
		win, w, h := shown, w, h
		if i > 0 && keepsChroma {
			win, w, h = win.halved(w, h), (w+1)/2, (h+1)/2
		}
		win = s.turned.window(win, float64(s.w), float64(s.h))
		if s.turned.swapsSides() {
			w, h = h, w
		}
		r.planes = append(r.planes, s.turned.turn(p.resample(win.scaled(1/s.fx[i], 1/s.fy[i]), w, h)))
	}
	if r.model == rgbPA {
		r.limitToAlpha()
	}
	return r
}

// limitToAlpha takes away what the filter has added: no colour is more than its alpha.
func (r raster) limitToAlpha() {
	for _, p := range r.planes[:3] {
		for i, alpha := range r.planes[3].pix {
			p.pix[i] = min(p.pix[i], alpha)
		}
	}
}

// nrgba returns the raster with colours that are not multiplied by alpha.
func (r raster) nrgba() *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, r.w, r.h))
	for i := range r.w * r.h {
		pixel := img.Pix[4*i : 4*i+4 : 4*i+4]
		pixel[3] = 0xff
		switch r.model {
		case grey:
			pixel[0], pixel[1], pixel[2] = r.planes[0].pix[i], r.planes[0].pix[i], r.planes[0].pix[i]
		case ycc:
			pixel[0], pixel[1], pixel[2] = color.YCbCrToRGB(r.planes[0].pix[i], r.planes[1].pix[i], r.planes[2].pix[i])
		case rgb:
			pixel[0], pixel[1], pixel[2] = r.planes[0].pix[i], r.planes[1].pix[i], r.planes[2].pix[i]
		case rgbPA:
			r.divide(pixel, i)
		}
	}
	return img
}

// divide writes the pixel i with its colours divided by alpha.
func (r raster) divide(pixel []uint8, i int) {
	alpha := uint(r.planes[3].pix[i])
	pixel[3] = uint8(alpha)
	if alpha == 0 {
		return
	}
	for c := range 3 {
		pixel[c] = uint8((uint(r.planes[c].pix[i])*0xff + alpha/2) / alpha)
	}
}

// opaque returns the raster on white, as image/jpeg encodes it best.
func (r raster) opaque() image.Image {
	bounds := image.Rect(0, 0, r.w, r.h)
	switch r.model {
	case grey:
		return &image.Gray{Pix: r.planes[0].pix, Stride: r.w, Rect: bounds}
	case ycc:
		cb, cr := r.planes[1], r.planes[2]
		if cb.w == r.w && r.w > 1 || cb.h == r.h && r.h > 1 {
			cb, cr = cb.halve(), cr.halve()
		}
		return &image.YCbCr{
			Y: r.planes[0].pix, Cb: cb.pix, Cr: cr.pix, YStride: r.w, CStride: cb.stride,
			SubsampleRatio: image.YCbCrSubsampleRatio420, Rect: bounds,
		}
	case rgb, rgbPA:
	}
	img := image.NewRGBA(bounds)
	for i := range r.w * r.h {
		pixel := img.Pix[4*i : 4*i+4 : 4*i+4]
		white := uint8(0)
		if r.model == rgbPA {
			white = 0xff - r.planes[3].pix[i]
		}
		pixel[0], pixel[1], pixel[2], pixel[3] = r.planes[0].pix[i]+white, r.planes[1].pix[i]+white, r.planes[2].pix[i]+white, 0xff
	}
	return img
}
