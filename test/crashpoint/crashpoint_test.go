package crashpoint

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestOneIsHeldUpUntilRelease: only at the point that is named, and only once.
func TestOneIsHeldUpUntilRelease(t *testing.T) {
	orders := filepath.Join(t.TempDir(), "order")
	t.Setenv(OrderVariable, orders)
	require.NoError(t, OrderHold(orders, "a point, with a comma"))
	Reach("another point")
	require.False(t, Held(orders, "a point, with a comma"))

	passed := make(chan struct{})
	go func() {
		defer close(passed)
		Reach("a point, with a comma")
	}()
	require.Eventually(t, func() bool { return Held(orders, "a point, with a comma") }, time.Minute, time.Millisecond)
	Reach("a point, with a comma")
	select {
	case <-passed:
		require.Fail(t, "nobody was held up")
	default:
	}
	require.NoError(t, Release(orders, "a point, with a comma"))
	<-passed
	require.NoError(t, Release(orders, "a point, with a comma"), "nobody is there")
}

// TestAnOrderCanBeTakenBack before somebody comes.
func TestAnOrderCanBeTakenBack(t *testing.T) {
	orders := filepath.Join(t.TempDir(), "order")
	t.Setenv(OrderVariable, orders)
	require.NoError(t, OrderHold(orders, "a point"))
	require.NoError(t, Release(orders, "a point"))
	Reach("a point")
}
