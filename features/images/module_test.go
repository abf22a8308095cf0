package images

import (
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bytescache"
	"gatefold/adapters/diskstore"
)

func TestBytesAreKeptInMemoryUnlessTurnedOff(t *testing.T) {
	t.Parallel()
	disk, err := diskstore.Open(t.TempDir())
	require.NoError(t, err)
	require.Same(t, disk, newStore(Config{}, disk, nil))
	require.IsType(t, &bytescache.Store{}, newStore(Config{BytesCacheMB: 1}, disk, nil))
}
