//go:build vips

package bench

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/vipsrender"
	"gatefold/application/renderimage"
)

func withLibvips(b *testing.B, admission renderimage.Admission) []renderer {
	b.Helper()
	vips, err := vipsrender.New(admission, slog.Default())
	require.NoError(b, err)
	return []renderer{{"vips", vips}}
}
