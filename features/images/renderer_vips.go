//go:build vips

package images

import (
	"log/slog"

	"gatefold/adapters/vipsrender"
	"gatefold/application/renderimage"
)

var rendererBuilt = "vips (libvips " + vipsrender.Version() + ")"

var openVips = func(admission renderimage.Admission, log *slog.Logger) (renderimage.ImageRenderer, error) {
	return vipsrender.New(admission, log)
}
