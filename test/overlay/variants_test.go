package overlay_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/test/overlay"
)

const program = `package main

import "fmt"

type counter struct{ n int }

func (c *counter) add(all ...int) (sum int, err error) {
	for _, n := range all {
		c.n += n
	}
	return c.n, err
}

func say(c *counter) {
	sum, _ := c.add(1, 2)
	fmt.Print("sum ", sum)
}

func main() { say(&counter{}) }

func unnamed(int) string { return "blank" }

var outside = "of functions"
`

// TestVariants: one program is each of the variants, and none of them unless it is told.
func TestVariants(t *testing.T) {
	t.Parallel()
	root, dir := t.TempDir(), t.TempDir()
	for name, text := range map[string]string{"main.go": program, "go.mod": "module variants\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(root, name), []byte(text), 0o600))
	}
	base := []overlay.Edit{{"main.go", `"sum "`, `"= "`}}
	subtracting, louder := overlay.Edit{"main.go", "c.n += n", "c.n -= n"}, overlay.Edit{"main.go", "sum)", `sum, "!")`}
	file, err := overlay.WriteVariants(root, dir, base, map[string]overlay.Edit{"subtracting": subtracting, "louder": louder})
	require.NoError(t, err)
	build := exec.CommandContext(t.Context(), "go", "build", "-overlay", file, "-o", filepath.Join(dir, "variants"), ".")
	build.Dir = root
	out, err := build.CombinedOutput()
	require.NoError(t, err, string(out))
	for variant, want := range map[string]string{"": "= 3", "subtracting": "= -3", "louder": "= 3!"} {
		run := exec.CommandContext(t.Context(), filepath.Join(dir, "variants"))
		run.Env = append(os.Environ(), overlay.Variable+"="+variant)
		out, err := run.CombinedOutput()
		require.NoError(t, err)
		require.Equal(t, want, string(out))
	}
	for _, apart := range []overlay.Edit{{"main.go", "blank", ""}, {"main.go", "of functions", ""}, {"main.go", "say(&", "(&"}, {"main.go", "c.n", ""}, {"go.mod", "variants", ""}} {
		require.False(t, overlay.SideBySide(root, base, apart), apart)
	}
	require.True(t, overlay.SideBySide(root, base, louder))
}
