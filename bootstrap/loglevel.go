package bootstrap

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"go.uber.org/zap"

	"gatefold/adapters/control"
	"gatefold/domain/artwork"
)

// logLevels are the levels that LOG_LEVEL and the verb know.
var logLevels = []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}

// levelledHandler is a logger's handler with the level that it and all loggers derived
// from it keep to.
type levelledHandler struct {
	slog.Handler
	level zap.AtomicLevel
}

// levels changes what the process logs.
type levels struct{ log *slog.Logger }

var _ control.LogLeveler = (*levels)(nil)

func newLevels(log *slog.Logger) *levels { return &levels{log} }

// LogLevel implements control.LogLeveler.
func (l *levels) LogLevel(ctx context.Context) (slog.Level, error) {
	for _, level := range logLevels {
		if l.log.Enabled(ctx, level) {
			return level, nil
		}
	}
	return 0, artwork.Errorf(artwork.NotFound, "this server logs nothing")
}

// SetLogLevel implements control.LogLeveler.
func (l *levels) SetLogLevel(ctx context.Context, level slog.Level) error {
	if !slices.Contains(logLevels, level) {
		return artwork.Errorf(artwork.InvalidInput, "the log level %s is none of debug, info, warn, error", level)
	}
	handler, ok := uncorrelated(l.log.Handler()).(*levelledHandler)
	if !ok {
		return artwork.Errorf(artwork.NotFound, "this server logs what somebody else has chosen")
	}
	before, now := handler.level.Level(), zapLevel(level)
	handler.level.SetLevel(min(before, now)) // the change is told at the lower of the two
	l.log.WarnContext(ctx, "The log level is changed", "before", before.String(), "now", now.String())
	handler.level.SetLevel(now)
	return nil
}

type logLevelCommand struct {
	Level string `arg:"" optional:"" enum:"debug,info,warn,error," default:"" help:"debug, info, warn or error. Without one, the level in force is printed."`
}

// Run asks the running server, or tells it another level. It starts with LOG_LEVEL again.
func (l logLevelCommand) Run(c *command) error {
	cfg, _, err := c.beginQuietly()
	if err != nil {
		return err
	}
	client, err := control.Dial(c.ctx, cfg.DataDir)
	if err != nil {
		return err
	}
	if l.Level != "" {
		var level slog.Level
		if err := level.UnmarshalText([]byte(l.Level)); err != nil {
			return artwork.Errorf(artwork.InvalidInput, "%v", err)
		}
		if err := client.SetLogLevel(c.ctx, level); err != nil {
			return err
		}
	}
	now, err := client.LogLevel(c.ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.stdout, strings.ToLower(now.String()))
	return err
}
