//go:build !vips

package bench

import (
	"testing"

	"gatefold/application/renderimage"
)

func withLibvips(*testing.B, renderimage.Admission) []renderer { return nil }
