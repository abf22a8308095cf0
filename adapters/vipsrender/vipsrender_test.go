//go:build vips

package vipsrender_test

import (
	"io"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/imagecheck"
	"gatefold/adapters/vipsrender"
	"gatefold/application/renderimage"
	"gatefold/test/conformance"
)

func open(t conformance.TB) renderimage.ImageRenderer {
	renderer, err := vipsrender.New(imagecheck.New(64<<20), slog.New(slog.NewTextHandler(io.Discard, nil)))
	require.NoError(t, err)
	return renderer
}

func TestConformance(t *testing.T) {
	t.Parallel()
	conformance.RunImageRenderer(t, open)
}
