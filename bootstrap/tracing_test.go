package bootstrap

import (
	"bytes"
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/oteltraces"
)

func TestTracesAreOffUnlessACollectorIsNamed(t *testing.T) {
	t.Parallel()
	require.Empty(t, load(t).Traces.Endpoint)
	require.Empty(t, load(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318", "OTEL_SDK_DISABLED=TRUE", "OTEL_EXPORTER_OTLP_PROTOCOL=grpc").Traces.Endpoint)
	for written, want := range map[string]string{
		"OTEL_EXPORTER_OTLP_ENDPOINT=http://collector:4318":             "http://collector:4318/v1/traces",
		"OTEL_EXPORTER_OTLP_ENDPOINT=https://example.org/otlp/":         "https://example.org/otlp/v1/traces",
		"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://collector:4318/mine": "http://collector:4318/mine",
	} {
		require.Equal(t, want, load(t, written).Traces.Endpoint)
	}
	require.Equal(t, "http://b/", load(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://a", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=http://b/").Traces.Endpoint)
}

func TestWhatIsTracedAndHow(t *testing.T) {
	t.Parallel()
	cfg := load(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://c", "OTEL_EXPORTER_OTLP_HEADERS=api-key=s%20e,other=a=b", "OTEL_EXPORTER_OTLP_TIMEOUT=1500", "OTEL_EXPORTER_OTLP_COMPRESSION=gzip",
		"OTEL_RESOURCE_ATTRIBUTES=service.name=cover-art,deployment.environment.name=prod", "OTEL_METRICS_EXPORTER=none", "OTEL_BSP_SCHEDULE_DELAY=1")
	require.Equal(t, map[string]string{"api-key": "s e", "other": "a=b"}, cfg.Traces.Headers)
	require.Equal(t, 1500*time.Millisecond, cfg.Traces.Timeout)
	require.True(t, cfg.Traces.Compress)
	require.Equal(t, "cover-art", cfg.Traces.Service)
	require.Equal(t, "prod", cfg.Traces.Attributes["deployment.environment.name"])
	require.Equal(t, []string{"OTEL_BSP_SCHEDULE_DELAY", "OTEL_METRICS_EXPORTER"}, cfg.UnreadTracing)
	require.Equal(t, "gatefold", load(t).Traces.Service)
	require.Equal(t, "named", load(t, "OTEL_SERVICE_NAME=named", "OTEL_RESOURCE_ATTRIBUTES=service.name=other").Traces.Service)
	for written, want := range map[string]oteltraces.Sampler{
		"": {Ratio: 1, ParentBased: true}, "always_on": {Ratio: 1}, "always_off": {}, "traceidratio": {Ratio: .25}, "parentbased_traceidratio": {Ratio: .25, ParentBased: true},
		"parentbased_always_off": {ParentBased: true},
	} {
		require.Equal(t, want, load(t, "OTEL_TRACES_SAMPLER="+written, "OTEL_TRACES_SAMPLER_ARG=0.25").Traces.Sampler, written)
	}
	for written, want := range map[string]bool{"": true, "tracecontext": true, "tracecontext,baggage": true, "baggage": false, "none": false} {
		require.Equal(t, want, load(t, "OTEL_PROPAGATORS="+written).Traces.Parents, written)
	}
}

// TestCorrelatedLoggers: a logger that is derived says what its lines belong to as well, and
// of what belongs to nothing, nothing is said.
func TestCorrelatedLoggers(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := correlated(newLogger(load(t, "LOG_FORMAT=json"), &out))
	traces := oteltraces.New(oteltraces.Config{Endpoint: "http://127.0.0.1:1", Sampler: oteltraces.Sampler{Ratio: 1}}, uncounted{}, slog.New(slog.DiscardHandler))
	ctx, end := traces.Work(t.Context(), "work", "", nil)
	log.With("part", "cache").InfoContext(ctx, "said")
	require.Regexp(t, `"msg":"said","part":"cache","traceId":"[0-9a-f]{32}","spanId":"[0-9a-f]{16}"`, out.String())
	end(nil)
	out.Reset()
	log.InfoContext(context.WithoutCancel(t.Context()), "said")
	require.NotContains(t, out.String(), "Id")
	require.NoError(t, newLevels(log).SetLogLevel(t.Context(), slog.LevelDebug), "the level is found below")
}

type uncounted struct{}

func (uncounted) Spans(string, int) {}
