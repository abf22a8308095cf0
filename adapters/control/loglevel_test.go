package control_test

import (
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

func TestLogLevel(t *testing.T) {
	client, v, _ := start(t)
	v.level = slog.LevelWarn
	level, err := client.LogLevel(t.Context())
	require.NoError(t, err)
	require.Equal(t, slog.LevelWarn, level, "to ask changes nothing")
	for _, want := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelError} {
		require.NoError(t, client.SetLogLevel(t.Context(), want))
		level, err = client.LogLevel(t.Context())
		require.NoError(t, err)
		require.Equal(t, want, level)
	}
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(client.SetLogLevel(t.Context(), slog.LevelError+4)))
}
