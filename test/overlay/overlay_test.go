package overlay_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/test/overlay"
)

func TestWrite(t *testing.T) {
	t.Parallel()
	root, dir := t.TempDir(), t.TempDir()
	for _, folder := range []string{"a", "b"} {
		require.NoError(t, os.Mkdir(filepath.Join(root, folder), 0o700))
		require.NoError(t, os.WriteFile(filepath.Join(root, folder, "same.go"), []byte(folder+" one two two three"), 0o600))
	}
	name, err := overlay.Write(root, dir, []overlay.Edit{{"a/same.go", "one", "1"}, {"b/same.go", "one", "I"}, {"a/same.go", "three", "3"}})
	require.NoError(t, err)
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	var told struct{ Replace map[string]string }
	require.NoError(t, json.Unmarshal(text, &told))
	require.Len(t, told.Replace, 2)
	for folder, want := range map[string]string{"a": "a 1 two two 3", "b": "b I two two three"} {
		edited, err := os.ReadFile(told.Replace[filepath.Join(root, folder, "same.go")])
		require.NoError(t, err)
		require.Equal(t, want, string(edited))
		original, err := os.ReadFile(filepath.Join(root, folder, "same.go"))
		require.NoError(t, err)
		require.Equal(t, folder+" one two two three", string(original))
	}
	for _, old := range []string{"two", "four"} {
		_, err = overlay.Write(root, dir, []overlay.Edit{{"a/same.go", old, ""}})
		require.ErrorContains(t, err, "it has moved")
	}
}
