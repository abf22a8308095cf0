package bootstrap

import (
	"context"
	"fmt"
	"io"
	"time"

	"gatefold/adapters/control"
	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
)

// renderings is the verb that renders what is missing, carried out in this process.
type renderings struct{ fill *renderimage.Fill }

var _ control.Renderer = (*renderings)(nil)

func newRenderings(fill *renderimage.Fill) *renderings { return &renderings{fill} }

// RenderAll implements control.Renderer.
func (r *renderings) RenderAll(ctx context.Context, formats []artwork.Format, observer renderimage.Observer) (renderimage.Filled, error) {
	return r.fill.Run(ctx, formats, observer)
}

// renderCommand renders ahead of requests.
type renderCommand struct {
	All     bool     `required:"" help:"Render all sizes of all images in force that are not rendered yet."`
	Formats []string `default:"auto" placeholder:"FORMAT,…" help:"auto (what every client can show: JPEG, or PNG if the image has alpha), jpeg, png, webp, avif."`
}

// Run renders what is missing, by the running server if there is one. Ctrl-C ends it, and
// the next run goes on from there.
func (r renderCommand) Run(c *command) error {
	formats, err := r.formats()
	if err != nil {
		return err
	}
	cfg, log, err := c.beginQuietly()
	if err != nil {
		return err
	}
	return withVerbs(c.ctx, cfg, log, func(verbs control.Verbs) error {
		progress := newProgressOf(c.stderr, "Rendering")
		filled, err := verbs.RenderAll(c.ctx, formats, progress)
		progress.end()
		if c.ctx.Err() != nil {
			return artwork.Errorf(artwork.Unavailable, "stopped; gatefold render --all goes on from there")
		}
		if err != nil {
			return err
		}
		return printRendered(c.stdout, filled)
	})
}

func (r renderCommand) formats() ([]artwork.Format, error) {
	var formats []artwork.Format
	for _, name := range r.Formats {
		format := artwork.FormatAuto
		if name != format.String() {
			var err error
			if format, err = artwork.ParseFormat(name); err != nil {
				return nil, err
			}
		}
		formats = append(formats, format)
	}
	return formats, nil
}

// printRendered says what was done. That an image cannot be rendered is an error.
func printRendered(w io.Writer, f renderimage.Filled) error {
	_, err := fmt.Fprintf(w, "%d images in %s: %d renditions made, %d images had all of theirs, %d cannot be rendered\n",
		f.Images, f.Took.Round(time.Millisecond), f.Rendered, f.Complete, f.Failed)
	if err == nil && f.Failed > 0 {
		err = artwork.Errorf(artwork.CorruptImage, "%d images cannot be rendered: LOG_LEVEL=debug says which and why", f.Failed)
	}
	return err
}
