package bunrepo_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/bunrepo"
	"gatefold/application/renderimage"
	"gatefold/test/conformance"
)

func TestTurns(t *testing.T) {
	onBoth(t, func(t *testing.T, open opener) {
		conformance.RunTurns(t, func(t conformance.TB) []renderimage.Turns {
			db := open(t)
			return []renderimage.Turns{bunrepo.NewTurns(db), bunrepo.NewTurns(db)}
		})
	})
}

// TestTurnsOfTheDead: the turn of a holder that has died can be taken after its term, and
// nothing is left of any.
func TestTurnsOfTheDead(t *testing.T) {
	onBoth(t, func(t *testing.T, open opener) {
		db := open(t)
		turns := bunrepo.NewTurns(db)
		for _, name := range []string{"one", "two"} {
			_, taken, err := turns.Take(t.Context(), name, 0)
			require.NoError(t, err)
			require.True(t, taken)
		}
		release, taken, err := turns.Take(t.Context(), "one", time.Minute)
		require.NoError(t, err)
		require.True(t, taken)
		release()
		var left int
		require.NoError(t, db.Write().NewRaw("SELECT count(*) FROM fleet_tasks").Scan(t.Context(), &left))
		require.Zero(t, left)
	})
}
