// Package gorender makes renditions without any C: it decodes with the decoders of the
// standard library, scales by itself, and encodes JPEG and PNG with the standard
// library, WebP and AVIF with libwebp and libavif, which run as WebAssembly.
//
// # What a rendition looks like
//
// Pixels are scaled as they are stored, not in linear light: that is what browsers and
// libvips' thumbnails do, so that pictures look as people know them, and it lets the
// planes of a JPEG be scaled without turning them into RGB. A large image is halved
// until it is less than three times the size of the rendition, and then filtered.
// Alpha is multiplied in before, so that what cannot be seen bleeds nowhere.
//
// JPEG is baseline with 4:2:0 chroma: the standard library has no progressive encoder.
package gorender

import (
	"context"
	"fmt"
	"math"

	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
)

// encoder changes with everything that makes other bytes of the same image.
const encoder = "go1"

// Renderer is an ImageRenderer. It may be used concurrently; how many render at once
// is up to the callers and to the decoder's memory.
type Renderer struct{ decoder renderimage.Decoder }

var _ renderimage.ImageRenderer = (*Renderer)(nil)

// New returns a renderer of what the decoder decodes.
func New(decoder renderimage.Decoder) *Renderer { return &Renderer{decoder} }

// Encoder implements renderimage.ImageRenderer.
func (*Renderer) Encoder() string { return encoder }

// Render implements renderimage.ImageRenderer.
func (r *Renderer) Render(ctx context.Context, content []byte, focal *artwork.FocalPoint, wanted []artwork.Rendition) (rendered [][]byte, err error) {
	err = r.decoder.Decode(ctx, content, func(picture renderimage.Picture) error {
		rendered, err = renderAll(ctx, picture, focal, wanted)
		return err
	})
	return rendered, err
}

func renderAll(ctx context.Context, picture renderimage.Picture, focal *artwork.FocalPoint, wanted []artwork.Rendition) (rendered [][]byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = artwork.Wrap(artwork.Internal, "gorender", fmt.Errorf("panic: %v", p))
		}
	}()
	src, colours, turned := sourceOf(picture.Image), transformOf(picture.Profile), orientation(picture.Orientation)
	for _, rendition := range wanted {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		cut := src.rendition(rendition, focal, turned)
		if colours != nil {
			cut = colours.apply(cut)
		}
		content, err := encode(cut, rendition.Format)
		if err != nil {
			return nil, artwork.Wrap(artwork.Internal, "gorender."+rendition.String(), err)
		}
		rendered = append(rendered, content)
	}
	return rendered, nil
}

// rendition returns the part of the image that is shown, in its size.
func (s *source) rendition(r artwork.Rendition, focal *artwork.FocalPoint, turned orientation) raster {
	w, h := s.w, s.h
	if turned.swapsSides() {
		w, h = h, w
	}
	shown := window{0, 0, float64(w), float64(h)}
	if r.Square {
		shown = square(w, h, focal)
		w, h = min(w, h, r.Edge), min(w, h, r.Edge)
	} else {
		w, h = fitted(w, h, r.Edge)
	}
	win := turned.window(shown, float64(s.w), float64(s.h))
	if turned.swapsSides() {
		w, h = h, w
	}
	return s.cut(win, w, h, turned)
}

// square returns the largest square of an image with the focal point as near to its
// middle as can be. It begins at a whole pixel, so that what is not scaled stays sharp.
func square(w, h int, focal *artwork.FocalPoint) window {
	if focal == nil {
		focal = &artwork.FocalPoint{X: 0.5, Y: 0.5}
	}
	side := min(w, h)
	begin := func(fraction float64, length int) float64 {
		at := math.Floor(fraction*float64(length) - float64(side)/2)
		return min(max(at, 0), float64(length-side))
	}
	x, y := begin(focal.X, w), begin(focal.Y, h)
	return window{x, y, x + float64(side), y + float64(side)}
}

// fitted returns the size of an image whose longer side is at most edge.
func fitted(w, h, edge int) (int, int) {
	longest := max(w, h)
	if longest <= edge {
		return w, h
	}
	scaled := func(n int) int { return max(1, int(math.Round(float64(n)*float64(edge)/float64(longest)))) }
	return scaled(w), scaled(h)
}
