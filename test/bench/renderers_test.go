package bench

import (
	"testing"

	"gatefold/adapters/gorender"
	"gatefold/adapters/imagecheck"
	"gatefold/application/renderimage"
)

// renderer is one of those that are built in.
type renderer struct {
	name string
	renderimage.ImageRenderer
}

// renderers returns all of them.
func renderers(b *testing.B) []renderer {
	b.Helper()
	inspector := imagecheck.New(1 << 30)
	return append([]renderer{{"go", gorender.New(inspector)}}, withLibvips(b, inspector)...)
}
