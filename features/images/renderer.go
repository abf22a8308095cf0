package images

import (
	"log/slog"

	"gatefold/adapters/gorender"
	"gatefold/adapters/imagecheck"
	"gatefold/application/renderimage"
)

// Renderer is what makes renditions.
type Renderer string

// The renderers.
const (
	Fastest Renderer = "auto" // Vips if it is built in, else Go
	Go      Renderer = "go"   // gorender, which is always there
	Vips    Renderer = "vips" // vipsrender, with the build tag vips
)

// RendererBuilt says which renderer Fastest is in this program.
func RendererBuilt() string { return rendererBuilt }

// InForce says what makes renditions when the renderer is asked for.
func (r Renderer) InForce() string {
	if r == Go {
		return string(Go)
	}
	return rendererBuilt
}

// HasRenderer reports whether the renderer is built in.
func HasRenderer(r Renderer) bool { return r != Vips || openVips != nil }

// newRenderer returns the renderer that is asked for. libvips, which a process can only
// start once, is started here and ends with the process.
func newRenderer(cfg Config, inspector *imagecheck.Inspector, log *slog.Logger) (renderimage.ImageRenderer, error) {
	if openVips == nil || cfg.Renderer == Go {
		return gorender.New(inspector), nil
	}
	return openVips(inspector, log)
}
