package gorender_test

import (
	"context"
	"slices"
	"testing"

	"gatefold/adapters/gorender"
	"gatefold/adapters/imagecheck"
	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
)

func open(conformance.TB) renderimage.ImageRenderer {
	return gorender.New(imagecheck.New(64 << 20))
}

func TestConformance(t *testing.T) {
	t.Parallel()
	conformance.RunImageRenderer(t, open)
}

// twin is a renderer that breaks one clause.
type twin struct {
	renderimage.ImageRenderer
	render func(inner renderimage.ImageRenderer, ctx context.Context, content []byte, focal *artwork.FocalPoint, wanted []artwork.Rendition) ([][]byte, error)
}

func (t twin) Render(ctx context.Context, content []byte, focal *artwork.FocalPoint, wanted []artwork.Rendition) ([][]byte, error) {
	return t.render(t.ImageRenderer, ctx, content, focal, wanted)
}

func TestBrokenTwins(t *testing.T) {
	t.Parallel()
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
			conformance.Rejects(t, conformance.ImageRendererCases(), name, func(t conformance.TB) renderimage.ImageRenderer {
				return twin{open(t), render}
			})
		})
	}
}
