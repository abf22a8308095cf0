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

	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
)

// encoder changes with everything that makes other bytes of the same image.
const encoder = "go2"

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
	src, colours := sourceOf(picture.Image, orientation(picture.Orientation)), transformOf(picture.Profile)
	if renderimage.NeedsAttention(src.shown(), focal, wanted) {
		found := src.attention(colours)
		focal = &found
	}
	if focal == nil {
		focal = &renderimage.Centre
	}
	for _, rendition := range wanted {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		layout := renderimage.LayoutOf(src.shown(), rendition, *focal)
		content, err := encode(src.rendition(layout, src.keepsChroma(rendition.Format, colours), colours), rendition.Format)
		if err != nil {
			return nil, artwork.Wrap(artwork.Internal, "gorender."+rendition.String(), err)
		}
		rendered = append(rendered, content)
	}
	return rendered, nil
}

// attention finds the focal point, in a copy that does not depend on what is wanted.
func (s *source) attention(colours *transform) artwork.FocalPoint {
	layout := renderimage.LayoutOf(s.shown(), artwork.Rendition{Edge: renderimage.AttentionSide}, renderimage.Centre)
	return renderimage.Attention(s.rendition(layout, false, colours).nrgba())
}

// rendition returns what is shown in the layout, in sRGB.
func (s *source) rendition(layout renderimage.Layout, keepsChroma bool, colours *transform) raster {
	shown, scaled := s.shown(), layout.Scaled
	across, down := float64(shown.X)/float64(scaled.X), float64(shown.Y)/float64(scaled.Y)
	part := layout.Shown
	win := window{float64(part.Min.X) * across, float64(part.Min.Y) * down, float64(part.Max.X) * across, float64(part.Max.Y) * down}
	cut := s.cut(win, part.Dx(), part.Dy(), keepsChroma)
	if colours != nil {
		cut = colours.apply(cut)
	}
	return cut
}
