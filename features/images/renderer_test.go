package images

import (
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/gorender"
	"gatefold/adapters/imagecheck"
)

// TestRendererIsChosen: the fastest that is built in, or the one without C.
func TestRendererIsChosen(t *testing.T) {
	t.Parallel()
	inspector := imagecheck.New(1 << 20)
	encoders := map[Renderer]string{}
	for _, wanted := range []Renderer{Fastest, Go} {
		renderer, err := newRenderer(Config{Renderer: wanted}, inspector, slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		encoders[wanted] = renderer.Encoder()
	}
	require.Equal(t, gorender.New(inspector).Encoder(), encoders[Go])
	require.True(t, HasRenderer(Go) && HasRenderer(Fastest))
	vips := strings.HasPrefix(RendererBuilt(), "vips")
	require.Equal(t, vips, HasRenderer(Vips))
	require.Equal(t, vips, encoders[Fastest] != encoders[Go], "their renditions are kept apart")
}
