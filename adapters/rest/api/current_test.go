package api

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestGeneratedTypesAreCurrent makes them again, and looks for what has changed.
func TestGeneratedTypesAreCurrent(t *testing.T) {
	t.Parallel()
	generate := exec.CommandContext(t.Context(), "go", "tool", "oapi-codegen", "-config", "oapi-codegen.yaml", "../openapi.yaml")
	generate.Stderr = os.Stderr
	made, err := generate.Output()
	require.NoError(t, err)
	kept, err := os.ReadFile("types.gen.go")
	require.NoError(t, err)
	require.True(t, string(made) == string(kept), "the contract has changed since its types were generated: make generate")
}
