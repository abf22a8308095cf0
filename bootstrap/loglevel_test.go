package bootstrap

import (
	"bytes"
	"encoding/json"
	stdlog "log"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// TestTheLogLevelChangesAtOnce: also for loggers that were derived before.
func TestTheLogLevelChangesAtOnce(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := newLogger(load(t, "LOG_LEVEL=info"), &out)
	derived, levels := log.With("part", "cache").WithGroup("of"), newLevels(log)
	for _, level := range logLevels {
		require.NoError(t, levels.SetLogLevel(t.Context(), level))
		now, err := levels.LogLevel(t.Context())
		require.NoError(t, err)
		require.Equal(t, level, now)
		for _, other := range logLevels {
			out.Reset()
			derived.Log(t.Context(), other, "said")
			require.Equal(t, other >= level, out.Len() > 0, "%s is in force, %s was said", level, other)
		}
	}
	require.NoError(t, levels.SetLogLevel(t.Context(), slog.LevelWarn))
	require.Contains(t, out.String(), "The log level is changed")
	require.Contains(t, out.String(), `{"before": "error", "now": "warn"}`)
	out.Reset()
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(levels.SetLogLevel(t.Context(), slog.LevelInfo+1)))
	require.Empty(t, out.String())
}

func TestAForeignLoggerKeepsItsLevel(t *testing.T) {
	t.Parallel()
	levels := newLevels(slog.New(slog.DiscardHandler))
	require.Equal(t, artwork.NotFound, artwork.KindOf(levels.SetLogLevel(t.Context(), slog.LevelDebug)))
	_, err := levels.LogLevel(t.Context())
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
}

// TestWhatLibrariesPrintIsInTheLog, as a line of it, and not unless details are asked for.
func TestWhatLibrariesPrintIsInTheLog(t *testing.T) {
	before, flags := stdlog.Writer(), stdlog.Flags()
	t.Cleanup(func() {
		stdlog.SetOutput(before)
		stdlog.SetFlags(flags)
	})
	for level, told := range map[string]bool{"debug": true, "info": false} {
		var stderr bytes.Buffer
		c := command{stderr: &stderr, environ: func() []string { return []string{"ENV_FILE=/dev/null", "LOG_FORMAT=json", "LOG_LEVEL=" + level} }}
		_, _, err := c.begin()
		require.NoError(t, err)
		stdlog.Print("Unsolicited response")
		if !told {
			require.Empty(t, stderr.String())
			continue
		}
		var line struct{ Level, Msg string }
		require.NoError(t, json.Unmarshal(stderr.Bytes(), &line), stderr.String())
		require.Equal(t, "Unsolicited response", line.Msg)
		require.Equal(t, "debug", line.Level)
	}
}
