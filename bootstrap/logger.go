package bootstrap

import (
	"io"
	"log/slog"
	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/exp/zapslog"
	"go.uber.org/zap/zapcore"
)

// newLogger returns a logger on zap: readable lines or JSON. The rest of the
// program only knows log/slog. Its level can be changed while it is used.
func newLogger(cfg Config, w io.Writer) *slog.Logger {
	encoding := zap.NewProductionEncoderConfig()
	encoding.TimeKey = "time"
	encoding.EncodeTime = zapcore.ISO8601TimeEncoder
	encoding.EncodeDuration = zapcore.StringDurationEncoder
	encoder := zapcore.NewJSONEncoder(encoding)
	if !cfg.LogJSON {
		encoding.EncodeLevel = zapcore.CapitalLevelEncoder
		encoder = zapcore.NewConsoleEncoder(encoding)
	}
	level := zap.NewAtomicLevelAt(zapLevel(cfg.LogLevel))
	core := zapcore.NewCore(encoder, &lockedWriter{w: w}, level)
	// Stack traces are logged where something panicked, and nowhere else.
	const never = slog.Level(1000)
	return slog.New(&levelledHandler{zapslog.NewHandler(core, zapslog.AddStacktraceAt(never)), level})
}

func zapLevel(level slog.Level) zapcore.Level {
	switch {
	case level < slog.LevelInfo:
		return zapcore.DebugLevel
	case level < slog.LevelWarn:
		return zapcore.InfoLevel
	case level < slog.LevelError:
		return zapcore.WarnLevel
	default:
		return zapcore.ErrorLevel
	}
}

// lockedWriter keeps lines of several goroutines apart.
type lockedWriter struct {
	mu sync.Mutex
	w  io.Writer
}

func (l *lockedWriter) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(p)
}

// Sync implements zapcore.WriteSyncer; what is written is not buffered.
func (l *lockedWriter) Sync() error { return nil }
