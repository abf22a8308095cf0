//go:build vips

package vipsrender

import (
	"context"
	"errors"
	"fmt"
	"image"
	"log/slog"
	"strings"

	"github.com/davidbyttow/govips/v2/vips"

	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
)

// made changes with everything here that makes other bytes of the same image.
const made = 1

// Renderer is an ImageRenderer. It may be used concurrently; how many render at once is
// up to the callers and to the memory of its Admission. A rendering takes one thread.
//
// Pixels are scaled as they are stored, not in linear light, as gorender does. A JPEG is
// decoded at a half, quarter or eighth of its size when that is still twice the size of
// the rendition. Profiles are followed, also those with tables; of inks without a
// profile, each takes its share of white away.
type Renderer struct{ admission renderimage.Admission }

var _ renderimage.ImageRenderer = (*Renderer)(nil)

// New returns a renderer of what is admitted. The first one of a process starts libvips,
// whose warnings go to its log; libvips then stays until the process ends. It fails if
// the library that is found at run time lacks something.
func New(admission renderimage.Admission, log *slog.Logger) (*Renderer, error) {
	if err := start(log); err != nil {
		return nil, err
	}
	return &Renderer{admission}, nil
}

// Version returns the version of libvips.
func Version() string { return vips.Version }

// Encoder implements renderimage.ImageRenderer. Other versions of libvips make other
// bytes.
func (*Renderer) Encoder() string {
	return fmt.Sprintf("vips%dl%d%02d", made, vips.MajorVersion, vips.MinorVersion)
}

// Render implements renderimage.ImageRenderer.
func (r *Renderer) Render(ctx context.Context, content []byte, focal *artwork.FocalPoint, wanted []artwork.Rendition) (rendered [][]byte, err error) {
	err = r.admission.Admit(ctx, content, func(header renderimage.Header) error {
		p := newPicture(content, header)
		defer p.close()
		rendered, err = p.renderAll(ctx, focal, wanted)
		return err
	})
	return rendered, err
}

func (p *picture) renderAll(ctx context.Context, focal *artwork.FocalPoint, wanted []artwork.Rendition) (rendered [][]byte, err error) {
	if renderimage.NeedsAttention(p.shown(), focal, wanted) {
		found, err := p.attention()
		if err != nil {
			return nil, err
		}
		focal = &found
	}
	if focal == nil {
		focal = &renderimage.Centre
	}
	for _, rendition := range wanted {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		content, err := p.render(rendition, *focal)
		if err != nil {
			return nil, err
		}
		rendered = append(rendered, content)
	}
	return rendered, nil
}

// render makes one rendition.
func (p *picture) render(r artwork.Rendition, focal artwork.FocalPoint) ([]byte, error) {
	layout := renderimage.LayoutOf(p.shown(), r, focal)
	img, err := p.scaled(layout.Scaled, 2)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	content, err := finished(img, layout, r.Format)
	if err != nil {
		return nil, artwork.Wrap(artwork.Internal, "vipsrender."+r.String(), brief(err))
	}
	return content, nil
}

// finished cuts out what is shown, in sRGB, and encodes it.
func finished(img *vips.ImageRef, layout renderimage.Layout, format artwork.Format) ([]byte, error) {
	if at := layout.Shown; at.Size() != layout.Scaled {
		if err := img.ExtractArea(at.Min.X, at.Min.Y, at.Dx(), at.Dy()); err != nil {
			return nil, err
		}
	}
	srgb, err := toSRGB(img)
	if err != nil {
		return nil, err
	}
	defer srgb.Close()
	return encode(srgb, format)
}

// attention finds the focal point, in a copy that does not depend on what is wanted.
func (p *picture) attention() (artwork.FocalPoint, error) {
	shown := p.shown()
	layout := renderimage.LayoutOf(shown, artwork.Rendition{Edge: renderimage.AttentionSide}, renderimage.Centre)
	img, err := p.scaled(layout.Scaled, 1)
	if err != nil {
		return artwork.FocalPoint{}, err
	}
	defer img.Close()
	pixels, err := pixelsOf(img)
	if err != nil {
		return artwork.FocalPoint{}, artwork.Wrap(artwork.Internal, "vipsrender.attention", brief(err))
	}
	return renderimage.Attention(pixels), nil
}

// pixelsOf returns the pixels of an image that is small.
func pixelsOf(img *vips.ImageRef) (*image.NRGBA, error) {
	img, err := toSRGB(img)
	if err != nil {
		return nil, err
	}
	defer img.Close()
	raw, err := img.ToBytes()
	if err != nil {
		return nil, err
	}
	bands := img.Bands()
	out := image.NewNRGBA(image.Rect(0, 0, img.Width(), img.Height()))
	if bands < 1 || len(raw) != img.Width()*img.Height()*bands {
		return nil, errors.New("pixels of an unknown kind")
	}
	for i := range len(raw) / bands {
		from, to := raw[i*bands:(i+1)*bands], out.Pix[4*i:4*i+4]
		to[3] = 0xff
		switch bands {
		case 1, 2:
			to[0], to[1], to[2] = from[0], from[0], from[0]
		default:
			copy(to, from[:min(bands, 4)])
		}
		if bands == 2 {
			to[3] = from[1]
		}
	}
	return out, nil
}

// brief leaves out the stack trace that govips adds.
func brief(err error) error {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(line)
}
