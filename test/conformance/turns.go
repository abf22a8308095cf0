package conformance

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/renderimage"
)

// RunTurns runs the suite of renderimage.Turns. open returns the turns of several
// instances, or several times those of one, that nobody has.
func RunTurns(t *testing.T, open func(TB) []renderimage.Turns) {
	t.Helper()
	run(t, TurnsCases(), open)
}

// TurnsCases are the clauses of renderimage.Turns.
func TurnsCases() []Case[[]renderimage.Turns] {
	return []Case[[]renderimage.Turns]{
		{"one of many takes the turn", turnOnce},
		{"a released turn can be taken", turnReleased},
		{"turns of other names do not matter", turnNames},
		{"a cancelled context takes no turn", turnCancelled},
	}
}

func turnOnce(t TB, open func(TB) []renderimage.Turns) {
	all := open(t)
	var taken atomic.Int64
	atOnce(t, writers, func(i int) error {
		_, ok, err := all[i%len(all)].Take(t.Context(), "one", time.Minute)
		if ok {
			taken.Add(1)
		}
		return err
	})
	require.EqualValues(t, 1, taken.Load())
}

func turnReleased(t TB, open func(TB) []renderimage.Turns) {
	all := open(t)
	for _, turns := range all {
		release, taken, err := turns.Take(t.Context(), "one", time.Minute)
		require.NoError(t, err)
		require.True(t, taken)
		release()
	}
}

func turnNames(t TB, open func(TB) []renderimage.Turns) {
	all := open(t)
	for _, name := range []string{"one", "two", "three"} {
		_, taken, err := all[0].Take(t.Context(), name, time.Minute)
		require.NoError(t, err)
		require.True(t, taken)
	}
}

func turnCancelled(t TB, open func(TB) []renderimage.Turns) {
	all := open(t)
	ctx := endedContext(t)
	_, taken, err := all[0].Take(ctx, "one", time.Minute)
	require.ErrorIs(t, err, ctx.Err())
	require.False(t, taken)
}

// endedContext returns a context that has ended.
func endedContext(t TB) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
