package lifecycle_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"gatefold/features/lifecycle"
)

// TestWhileRunning: what runs has begun after the start, has ended after the stop, and
// ends after what was appended later.
func TestWhileRunning(t *testing.T) {
	t.Parallel()
	lc := fxtest.NewLifecycle(t)
	begun, ended := make(chan struct{}), false
	lifecycle.WhileRunning(lc, func(ctx context.Context) {
		close(begun)
		<-ctx.Done()
		ended = true
	})
	lc.Append(fx.StopHook(func() { require.False(t, ended) }))
	lc.RequireStart()
	<-begun
	lc.RequireStop()
	require.True(t, ended)
}
