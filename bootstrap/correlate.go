package bootstrap

import (
	"context"
	"log/slog"

	"gatefold/adapters/oteltraces"
	"gatefold/adapters/rest"
)

// correlatedHandler adds to each line which request and which trace it belongs to, if its
// context knows.
type correlatedHandler struct{ slog.Handler }

// correlated returns a logger whose lines say what they belong to.
func correlated(log *slog.Logger) *slog.Logger { return slog.New(correlatedHandler{log.Handler()}) }

// uncorrelated returns the handler that correlated was given.
func uncorrelated(handler slog.Handler) slog.Handler {
	if c, ok := handler.(correlatedHandler); ok {
		return c.Handler
	}
	return handler
}

const requestIDKey = "requestId"

// says reports whether a line has the key by itself: that of who has asked for what is
// done, which may be another request.
func says(record slog.Record, key string) bool {
	found := false
	record.Attrs(func(attr slog.Attr) bool {
		found = attr.Key == key
		return !found
	})
	return found
}

// Handle implements slog.Handler.
func (h correlatedHandler) Handle(ctx context.Context, record slog.Record) error {
	if id := rest.RequestID(ctx); id != "" && !says(record, requestIDKey) {
		record.AddAttrs(slog.String(requestIDKey, id))
	}
	if trace, span, ok := oteltraces.IDs(ctx); ok {
		record.AddAttrs(slog.String("traceId", trace), slog.String("spanId", span))
	}
	return h.Handler.Handle(ctx, record)
}

// WithAttrs implements slog.Handler.
func (h correlatedHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return correlatedHandler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h correlatedHandler) WithGroup(name string) slog.Handler {
	return correlatedHandler{h.Handler.WithGroup(name)}
}
