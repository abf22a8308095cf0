package control

import (
	"context"
	"log/slog"
)

const logLevelPath = "/log-level"

// LogLeveler changes what is logged.
type LogLeveler interface {
	// LogLevel returns the level in force.
	LogLevel(ctx context.Context) (slog.Level, error)
	// SetLogLevel changes it for every line that is logged from now on, until the end of
	// the process. Another than debug, info, warn and error is InvalidInput.
	SetLogLevel(ctx context.Context, level slog.Level) error
}

// logLevelIn asks for the level in force, and changes it before if there is one.
type logLevelIn struct {
	Level *slog.Level `json:"level,omitempty"`
}

func (s *Server) logLevel(ctx context.Context, in logLevelIn) (slog.Level, error) {
	if in.Level != nil {
		if err := s.verbs.SetLogLevel(ctx, *in.Level); err != nil {
			return 0, err
		}
	}
	return s.verbs.LogLevel(ctx)
}

// LogLevel implements LogLeveler.
func (c *Client) LogLevel(ctx context.Context) (slog.Level, error) {
	return call[slog.Level](ctx, c, logLevelPath, logLevelIn{})
}

// SetLogLevel implements LogLeveler.
func (c *Client) SetLogLevel(ctx context.Context, level slog.Level) error {
	_, err := call[slog.Level](ctx, c, logLevelPath, logLevelIn{&level})
	return err
}
