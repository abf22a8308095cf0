package argon2hash_test

import (
	"context"
	"strings"
	"testing"

	"github.com/alexedwards/argon2id"
	"github.com/stretchr/testify/require"

	"gatefold/adapters/argon2hash"
	"gatefold/domain/artwork"
)

func TestHashes(t *testing.T) {
	t.Parallel()
	hasher := argon2hash.New(argon2hash.DefaultLimits)
	hash, err := hasher.Hash(t.Context(), "Pässwörter 🎷")
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(hash, "$argon2id$v=19$m=19456,t=2,p=1$"), hash)
	other, err := hasher.Hash(t.Context(), "Pässwörter 🎷")
	require.NoError(t, err)
	require.NotEqual(t, hash, other, "a salt of its own")
	for password, want := range map[string]bool{"Pässwörter 🎷": true, "passworter 🎷": false, "": false} {
		matches, outdated, err := hasher.Matches(t.Context(), password, hash)
		require.NoError(t, err)
		require.Equal(t, want, matches)
		require.False(t, outdated)
	}
	matches, _, err := hasher.Matches(t.Context(), "", "")
	require.NoError(t, err)
	require.False(t, matches, "nothing is not a password")
	_, _, err = hasher.Matches(t.Context(), "x", "not a hash")
	require.Equal(t, artwork.Internal, artwork.KindOf(err))
}

func TestLessEffortIsOutdated(t *testing.T) {
	t.Parallel()
	weak, err := argon2id.CreateHash("password", &argon2id.Params{Memory: 1024, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
	require.NoError(t, err)
	matches, outdated, err := argon2hash.New(argon2hash.DefaultLimits).Matches(t.Context(), "password", weak)
	require.NoError(t, err)
	require.True(t, matches)
	require.True(t, outdated)
}

// TestAStormIsRefused: whoever finds too many before them is told so, and does not
// take memory.
func TestAStormIsRefused(t *testing.T) {
	t.Parallel()
	hasher := argon2hash.New(argon2hash.Limits{AtOnce: 0, Waiting: 1}) // nobody's turn ever comes
	ctx, cancel := context.WithCancel(t.Context())
	results := make(chan error)
	for range 3 {
		go func() {
			_, err := hasher.Hash(ctx, "password")
			results <- err
		}()
	}
	for range 2 { // one waits
		require.Equal(t, artwork.Unavailable, artwork.KindOf(<-results))
	}
	cancel()
	require.ErrorIs(t, <-results, context.Canceled)
}

func TestWaitingEndsWithTheCaller(t *testing.T) {
	t.Parallel()
	hasher := argon2hash.New(argon2hash.Limits{AtOnce: 0, Waiting: 1}) // nobody's turn ever comes
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 {
		_, err := hasher.Hash(ctx, "password")
		require.ErrorIs(t, err, context.Canceled)
		_, _, err = hasher.Matches(ctx, "password", "")
		require.ErrorIs(t, err, context.Canceled)
	}
}
