package conformance

import (
	"bytes"
	"context"
	pixels "image"
	"slices"
	"testing"

	"golang.org/x/image/draw"

	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
	"gatefold/test/picturefixture"
)

// brokenRenderer is a renderer that breaks one clause.
type brokenRenderer struct {
	renderimage.ImageRenderer
	render func(inner renderimage.ImageRenderer, ctx context.Context, content []byte, focal *artwork.FocalPoint, wanted []artwork.Rendition) ([][]byte, error)
}

func (t brokenRenderer) Render(ctx context.Context, content []byte, focal *artwork.FocalPoint, wanted []artwork.Rendition) ([][]byte, error) {
	return t.render(t.ImageRenderer, ctx, content, focal, wanted)
}

// RejectsBrokenRenderers proves that the suite notices what is broken: it breaks a
// renderer in one way after the other.
func RejectsBrokenRenderers(t *testing.T, open func(TB) renderimage.ImageRenderer) {
	t.Helper()
	as := func(change func(*artwork.Rendition)) func(renderimage.ImageRenderer, context.Context, []byte, *artwork.FocalPoint, []artwork.Rendition) ([][]byte, error) {
		return func(inner renderimage.ImageRenderer, ctx context.Context, content []byte, focal *artwork.FocalPoint, wanted []artwork.Rendition) ([][]byte, error) {
			wanted = slices.Clone(wanted)
			for i := range wanted {
				change(&wanted[i])
			}
			return inner.Render(ctx, content, focal, wanted)
		}
	}
	for name, render := range map[string]func(renderimage.ImageRenderer, context.Context, []byte, *artwork.FocalPoint, []artwork.Rendition) ([][]byte, error){
		"a square has the focal point in its middle": func(inner renderimage.ImageRenderer, ctx context.Context, content []byte, _ *artwork.FocalPoint, wanted []artwork.Rendition) ([][]byte, error) {
			return inner.Render(ctx, content, nil, wanted)
		},
		"the renditions that are wanted come in their order": func(inner renderimage.ImageRenderer, ctx context.Context, content []byte, focal *artwork.FocalPoint, wanted []artwork.Rendition) ([][]byte, error) {
			rendered, err := inner.Render(ctx, content, focal, wanted)
			slices.Reverse(rendered)
			return rendered, err
		},
		"without a focal point a square shows what attracts attention": func(inner renderimage.ImageRenderer, ctx context.Context, content []byte, focal *artwork.FocalPoint, wanted []artwork.Rendition) ([][]byte, error) {
			if focal == nil {
				focal = &renderimage.Centre
			}
			return inner.Render(ctx, content, focal, wanted)
		},
		"a rendition looks like the image, scaled exactly": func(inner renderimage.ImageRenderer, ctx context.Context, content []byte, focal *artwork.FocalPoint, wanted []artwork.Rendition) ([][]byte, error) {
			return inner.Render(ctx, blurred(content), focal, wanted)
		},
		"what is not square shows the whole image": as(func(r *artwork.Rendition) { r.Square = true }),
		"alpha is kept": as(func(r *artwork.Rendition) { r.Format = artwork.FormatJPEG }),
		"FormatAuto is JPEG, or PNG if anything is not opaque": as(func(r *artwork.Rendition) { r.Format = artwork.FormatPNG }),
		"truncated images are errors": func(inner renderimage.ImageRenderer, ctx context.Context, content []byte, focal *artwork.FocalPoint, wanted []artwork.Rendition) ([][]byte, error) {
			rendered, err := inner.Render(ctx, content, focal, wanted)
			if artwork.KindOf(err) == artwork.CorruptImage {
				return make([][]byte, len(wanted)), nil
			}
			return rendered, err
		},
		"an ended context ends Render": func(inner renderimage.ImageRenderer, ctx context.Context, content []byte, focal *artwork.FocalPoint, wanted []artwork.Rendition) ([][]byte, error) {
			return inner.Render(context.WithoutCancel(ctx), content, focal, wanted)
		},
	} {
		t.Run(name, func(t *testing.T) {
			Rejects(t, ImageRendererCases(), name, func(t TB) renderimage.ImageRenderer {
				return brokenRenderer{open(t), render}
			})
		})
	}
}

// blurred returns the image as if it had few pixels.
func blurred(content []byte) []byte {
	img, _, err := pixels.Decode(bytes.NewReader(content))
	if err != nil {
		return content
	}
	few := pixels.NewRGBA(pixels.Rectangle{Max: img.Bounds().Max.Div(8)})
	whole := pixels.NewRGBA(img.Bounds())
	draw.ApproxBiLinear.Scale(few, few.Rect, img, img.Bounds(), draw.Src, nil)
	draw.NearestNeighbor.Scale(whole, whole.Rect, few, few.Rect, draw.Src, nil)
	return picturefixture.EncodedPNG(whole)
}
