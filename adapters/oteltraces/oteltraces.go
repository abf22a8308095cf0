// Package oteltraces records what the program does as OpenTelemetry traces, and sends them to
// a collector by OTLP over HTTP.
//
// What is recorded is bounded: one trace has at most mostSpans spans of this process, at most
// queueLength spans wait to be sent, and what does not fit is dropped and counted. Nobody ever
// waits for a collector.
//
// Attributes follow OpenTelemetry's semantic conventions as far as these do not ask for what
// may be private: no addresses of clients, no paths and queries of URLs, no values of
// statements, no keys of Redis, no ids of users.
package oteltraces

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"gatefold/application/tracing"
)

// Config says where traces are sent, and which.
type Config struct {
	Endpoint string            // URL that takes traces; "": nothing is traced
	Headers  map[string]string // of every request to it
	Timeout  time.Duration     // of such a request
	Compress bool              // by gzip
	CAs      *x509.CertPool    // that are trusted; nil: the system's
	Sampler  Sampler
	// Parents: a request's traceparent says which trace it belongs to.
	Parents    bool
	Service    string            // what the program is called in traces
	Version    string            // of the program
	Instance   string            // names this process
	Attributes map[string]string // of everything that it sends
}

// Sampler says which traces are recorded.
type Sampler struct {
	Ratio       float64 // of those that begin here, 0 to 1
	ParentBased bool    // of others, those that their parent records
}

func (s Sampler) sdk() sdk.Sampler {
	own := sdk.TraceIDRatioBased(s.Ratio)
	if s.ParentBased {
		return sdk.ParentBased(own)
	}
	return own
}

// mostSpans bounds what is recorded of one request or work: a collector may take no larger
// traces, and a job may make millions of statements.
const mostSpans = 1000

// limits bound a span, and do not depend on the environment. No value is longer than a
// statement has to be.
var limits = sdk.SpanLimits{
	AttributeValueLengthLimit: 2048, AttributeValueDepthLimit: 4, AttributeCountLimit: 32,
	EventCountLimit: 8, LinkCountLimit: 8, AttributePerEventCountLimit: 8, AttributePerLinkCountLimit: 8,
}

// Traces records. A nil Traces records nothing: what it decorates it returns as it is.
// All methods may be called concurrently.
type Traces struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	queue    *queue
	parents  bool
}

// New returns what records as the configuration says, or nil if that is nothing. It talks to
// nobody yet.
func New(cfg Config, counter Counter, log *slog.Logger) *Traces {
	if cfg.Endpoint == "" {
		return nil
	}
	// The library prints to stderr, past every log; what it prints is also returned as an
	// error.
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(error) {}))
	q := newQueue(otlptrace.NewUnstarted(newSender(cfg)), counter, log)
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(q), sdk.WithSampler(cfg.Sampler.sdk()), sdk.WithResource(cfg.resource()), sdk.WithRawSpanLimits(limits))
	return &Traces{provider: provider, tracer: provider.Tracer("gatefold", trace.WithInstrumentationVersion(cfg.Version)), queue: q, parents: cfg.Parents}
}

func (c Config) resource() *resource.Resource {
	attributes := make([]attribute.KeyValue, 0, len(c.Attributes)+3)
	for name, value := range c.Attributes {
		attributes = append(attributes, attribute.String(name, value))
	}
	attributes = append(attributes, semconv.ServiceName(c.Service), semconv.ServiceVersion(c.Version), semconv.ServiceInstanceID(c.Instance))
	return resource.NewWithAttributes(semconv.SchemaURL, attributes...)
}

// Start begins to send.
func (t *Traces) Start(ctx context.Context) error {
	if t == nil {
		return nil
	}
	return t.queue.start(ctx)
}

// Recorded returns a context whose works are recorded: that of what runs in the background.
func (t *Traces) Recorded(ctx context.Context) context.Context {
	if t == nil {
		return ctx
	}
	return tracing.With(ctx, t)
}

// closeBudget bounds how long a stop waits for the collector.
const closeBudget = 3 * time.Second

// Close sends what was recorded, for some seconds at most, and drops the rest. What is
// recorded later is lost. That a collector cannot be reached is no error.
func (t *Traces) Close(ctx context.Context) error {
	if t == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, closeBudget)
	defer cancel()
	if err := t.provider.Shutdown(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// IDs returns the trace and the span that ctx belongs to, for logs; ok is false if they are
// not recorded.
func IDs(ctx context.Context) (traceID, spanID string, ok bool) {
	span := trace.SpanContextFromContext(ctx)
	if !span.IsSampled() || span.IsRemote() {
		return "", "", false
	}
	return span.TraceID().String(), span.SpanID().String(), true
}
