package gorender_test

import (
	"testing"

	"gatefold/adapters/gorender"
	"gatefold/adapters/imagecheck"
	"gatefold/application/renderimage"
	"gatefold/test/conformance"
)

func open(conformance.TB) renderimage.ImageRenderer {
	return gorender.New(imagecheck.New(64 << 20))
}

func TestConformance(t *testing.T) {
	t.Parallel()
	conformance.RunImageRenderer(t, open)
}

func TestBrokenTwins(t *testing.T) {
	t.Parallel()
	conformance.RejectsBrokenRenderers(t, open)
}
