package oteltraces

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"gatefold/application/tracing"
	"gatefold/domain/artwork"
)

// scope records what belongs to one request or work.
type scope struct {
	traces *Traces
	left   atomic.Int64 // spans that it may still have
}

var (
	_ tracing.Tracer = (*scope)(nil)
	_ tracing.Tracer = (*Traces)(nil)
)

// within returns a context that belongs to the span, the first of a scope.
func (t *Traces) within(ctx context.Context, span trace.Span) context.Context {
	s := &scope{traces: t}
	s.left.Store(mostSpans - 1)
	return tracing.With(trace.ContextWithSpan(ctx, span), s)
}

// scopeOf returns what records ctx; nil: nothing does.
func scopeOf(ctx context.Context) *scope {
	s, _ := tracing.Of(ctx).(*scope)
	return s
}

// begin begins a span in ctx, unless there are too many already: then it returns nil.
func (s *scope) begin(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	if s.left.Add(-1) < 0 {
		s.traces.queue.leaveOut()
		return ctx, nil
	}
	return s.traces.tracer.Start(ctx, name, options...)
}

// leaf records something that has ended, and in which nothing else was recorded.
func (s *scope) leaf(ctx context.Context, name string, begun time.Time, err error, options ...trace.SpanStartOption) {
	_, span := s.begin(ctx, name, append(options, trace.WithTimestamp(begun))...)
	if span != nil {
		fail(span, err)
		span.End()
	}
}

// Step implements tracing.Tracer.
func (s *scope) Step(ctx context.Context, name string, facts []slog.Attr) (context.Context, tracing.End) {
	inStep, span := s.begin(ctx, name, trace.WithAttributes(attributesOf(facts)...))
	if span == nil {
		return ctx, func(error) {}
	}
	return inStep, func(err error) {
		fail(span, err)
		span.End()
	}
}

// Note implements tracing.Tracer.
func (s *scope) Note(ctx context.Context, facts []slog.Attr) {
	trace.SpanFromContext(ctx).SetAttributes(attributesOf(facts)...)
}

// Work implements tracing.Tracer.
func (s *scope) Work(ctx context.Context, name string, cause tracing.Cause, facts []slog.Attr) (context.Context, tracing.End) {
	return s.traces.Work(ctx, name, cause, facts)
}

// Cause implements tracing.Tracer.
func (s *scope) Cause(ctx context.Context) tracing.Cause { return s.traces.Cause(ctx) }

// Step implements tracing.Tracer: what belongs to nothing is not recorded.
func (t *Traces) Step(ctx context.Context, _ string, _ []slog.Attr) (context.Context, tracing.End) {
	return ctx, func(error) {}
}

// Note implements tracing.Tracer.
func (t *Traces) Note(context.Context, []slog.Attr) {}

// Work implements tracing.Tracer. A work is a trace by itself, which links to its cause: if
// none is known, to what ctx belongs to.
func (t *Traces) Work(ctx context.Context, name string, cause tracing.Cause, facts []slog.Attr) (context.Context, tracing.End) {
	options := []trace.SpanStartOption{trace.WithNewRoot(), trace.WithAttributes(attributesOf(facts)...)}
	if cause == "" {
		cause = t.Cause(ctx)
	}
	if link, ok := linkTo(cause); ok {
		options = append(options, trace.WithLinks(link))
	}
	// Spans of what ctx belonged to before are none of this work.
	clean := trace.ContextWithSpanContext(tracing.With(ctx, t), trace.SpanContext{})
	_, span := t.tracer.Start(clean, name, options...)
	if !span.IsRecording() {
		return clean, func(error) {}
	}
	return t.within(clean, span), func(err error) {
		fail(span, err)
		span.End()
	}
}

const traceparent = "traceparent"

// Cause implements tracing.Tracer.
func (t *Traces) Cause(ctx context.Context) tracing.Cause {
	if !trace.SpanContextFromContext(ctx).IsSampled() {
		return ""
	}
	carrier := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, carrier)
	return tracing.Cause(carrier[traceparent])
}

func linkTo(cause tracing.Cause) (trace.Link, bool) {
	ctx := propagation.TraceContext{}.Extract(context.Background(), propagation.MapCarrier{traceparent: string(cause)})
	span := trace.SpanContextFromContext(ctx)
	return trace.Link{SpanContext: span}, span.IsValid()
}

// fail says of a span how it has ended, if that was an error: by its kind alone, because
// messages may have names of people and addresses in them. What is not there and what nobody
// waits for any more are no failures.
func fail(span trace.Span, err error) {
	if err == nil {
		return
	}
	kind := kindOf(err)
	span.SetAttributes(semconv.ErrorTypeKey.String(kind))
	if kind != artwork.NotFound.String() && kind != cancelled {
		span.SetStatus(codes.Error, kind)
	}
}

const cancelled = "cancelled"

// kindOf returns the kind of an error as problem documents have it.
func kindOf(err error) string {
	switch {
	case errors.Is(err, context.Canceled):
		return cancelled
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	default:
		return artwork.KindOf(err).String()
	}
}

// attributesOf returns facts as OpenTelemetry writes them.
func attributesOf(facts []slog.Attr) []attribute.KeyValue {
	attributes := make([]attribute.KeyValue, len(facts))
	for i, fact := range facts {
		key := attribute.Key(fact.Key)
		switch value := fact.Value.Resolve(); value.Kind() {
		case slog.KindInt64:
			attributes[i] = key.Int64(value.Int64())
		case slog.KindBool:
			attributes[i] = key.Bool(value.Bool())
		case slog.KindFloat64:
			attributes[i] = key.Float64(value.Float64())
		default:
			attributes[i] = key.String(value.String())
		}
	}
	return attributes
}
