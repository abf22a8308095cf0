package disturb

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestOnlyTheWallClockIsWrong(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		right := time.Now()
		wrong := shift(right, by)
		require.Zero(t, wrong.Sub(right), "what is measured")
		require.Equal(t, by, wrong.Round(0).Sub(right.Round(0)), "what is shown")
		require.Equal(t, right.Add(by).Format(time.RFC3339Nano), wrong.Format(time.RFC3339Nano))
		require.Equal(t, right.Round(0).Add(by), shift(right.Round(0), by))
	}
}

func TestDetours(t *testing.T) {
	detours = pairs("a:1=b:2,c:3=d:4")
	t.Cleanup(func() { detours = nil })
	var dialled []string
	dial := Dialer(func(_ context.Context, _, addr string) (net.Conn, error) {
		dialled = append(dialled, addr)
		return nil, net.ErrClosed
	})
	for _, addr := range []string{"a:1", "b:2", "c:3"} {
		_, err := dial(t.Context(), "tcp", addr)
		require.ErrorIs(t, err, net.ErrClosed)
	}
	require.Equal(t, []string{"b:2", "b:2", "d:4"}, dialled)
}

func TestARuleIsBrokenWhileTheFileSaysSo(t *testing.T) {
	require.False(t, Broken("a rule"))
	broken = filepath.Join(t.TempDir(), "broken")
	t.Cleanup(func() { broken = "" })
	require.False(t, Broken("a rule"))
	require.NoError(t, os.WriteFile(broken, []byte("a rule"), 0o600))
	require.True(t, Broken("a rule"))
	require.False(t, Broken("another"))
	require.Equal(t, "say no", Script("a rule", "say yes", "yes", "no"))
	require.Equal(t, "say yes", Script("another", "say yes", "yes", "no"))
	require.Panics(t, func() { Script("a rule", "say yes", "maybe", "no") })
}
