package rediscache_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
	"gatefold/test/testenv"
)

func TestTurns(t *testing.T) {
	conformance.RunTurns(t, func(t conformance.TB) []renderimage.Turns {
		url := testenv.Redis(t)
		return []renderimage.Turns{connect(t, url, noChanges{}).Turns(), connect(t, url, noChanges{}).Turns()}
	})
}

// TestATurnEndsWithItsTerm, should its holder die; and whoever held it before does not
// end the next one's.
func TestATurnEndsWithItsTerm(t *testing.T) {
	cache, operator := open(t)
	turns := cache.Turns()
	release, taken, err := turns.Take(t.Context(), "one", time.Hour)
	require.NoError(t, err)
	require.True(t, taken)
	require.Positive(t, operator.TTL(t.Context(), "gatefold:turn:one").Val())
	require.NoError(t, operator.Del(t.Context(), "gatefold:turn:one").Err())
	_, taken, err = turns.Take(t.Context(), "one", time.Hour)
	require.NoError(t, err)
	require.True(t, taken)
	release()
	_, taken, err = turns.Take(t.Context(), "one", time.Hour)
	require.NoError(t, err)
	require.False(t, taken)
	require.NoError(t, cache.Close())
	_, _, err = turns.Take(t.Context(), "two", time.Hour)
	require.Equal(t, artwork.Unavailable, artwork.KindOf(err), "%v", err)
}
