package diskstore

import (
	"context"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

// A writer that was overtaken finds the name given when it comes to give it.
func TestPlaceTakesTheNameFromBrokenFilesOnly(t *testing.T) {
	t.Parallel()
	for _, existing := range []string{"CONTENT", "conten", "", "content"} {
		dir := t.TempDir()
		temp, path := filepath.Join(dir, "temp"), filepath.Join(dir, "path")
		require.NoError(t, os.WriteFile(temp, []byte("content"), 0o600))
		require.NoError(t, os.WriteFile(path, []byte(existing), 0o600))
		require.NoError(t, place(temp, path, []byte("content")))
		got, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, "content", string(got))
		_, err = os.Stat(temp)
		require.Equal(t, existing == "content", err == nil, "a sound file keeps its name")
	}
}

// watched counts how often somebody looks whether it has ended.
type watched struct {
	context.Context
	looks atomic.Int64
}

func (w *watched) Err() error {
	w.looks.Add(1)
	return w.Context.Err()
}

func TestWritingLooksAtTheContextAtEveryChunk(t *testing.T) {
	t.Parallel()
	store, err := Open(t.TempDir())
	require.NoError(t, err)
	var small, large watched
	small.Context, large.Context = t.Context(), t.Context()
	_, err = store.Put(&small, make([]byte, chunkSize))
	require.NoError(t, err)
	_, err = store.Put(&large, make([]byte, 6*chunkSize))
	require.NoError(t, err)
	require.Equal(t, int64(5), large.looks.Load()-small.looks.Load())
}
