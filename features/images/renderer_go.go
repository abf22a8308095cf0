//go:build !vips

package images

import (
	"log/slog"

	"gatefold/application/renderimage"
)

const rendererBuilt = "go"

// openVips is nil where there is no libvips.
var openVips func(renderimage.Admission, *slog.Logger) (renderimage.ImageRenderer, error)
