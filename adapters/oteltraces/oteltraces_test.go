package oteltraces

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"gatefold/adapters/memory"
	"gatefold/application/tracing"
	"gatefold/domain/artwork"
)

// counts is a Counter.
type counts struct {
	mu sync.Mutex
	of map[string]int
}

func (c *counts) Spans(result string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.of == nil {
		c.of = map[string]int{}
	}
	c.of[result] += n
}

func (c *counts) get(result string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.of[result]
}

// collector is who takes traces.
type collector struct {
	mu       sync.Mutex
	spans    []*tracepb.Span
	requests []*http.Request
	answers  []int // the next ones; 200 after them
	*httptest.Server
}

func newCollector(t *testing.T) *collector {
	t.Helper()
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(c.take(t, r)) }))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) take(t *testing.T, r *http.Request) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.requests = append(c.requests, r)
	if len(c.answers) > 0 {
		status := c.answers[0]
		c.answers = c.answers[1:]
		return status
	}
	var body io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			t.Error(err)
			return http.StatusBadRequest
		}
		body = unpacked
	}
	content, err := io.ReadAll(body)
	var data tracepb.TracesData
	if err := errors.Join(err, proto.Unmarshal(content, &data)); err != nil {
		t.Error(err)
		return http.StatusBadRequest
	}
	for _, resource := range data.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
	return http.StatusOK
}

// traced returns traces that are sent to a URL.
func traced(t *testing.T, cfg Config) (*Traces, *counts, *bytes.Buffer) {
	t.Helper()
	counted, log := &counts{}, &bytes.Buffer{}
	cfg.Timeout, cfg.Service, cfg.Parents = time.Second, "gatefold", true
	if cfg.Sampler == (Sampler{}) {
		cfg.Sampler = Sampler{Ratio: 1, ParentBased: true}
	}
	traces := New(cfg, counted, slog.New(slog.NewTextHandler(log, nil)))
	require.NoError(t, traces.Start(t.Context()))
	return traces, counted, log
}

// close stops the traces, which have to have done with what they have.
func closeSoon(t *testing.T, traces *Traces) {
	t.Helper()
	require.NoError(t, traces.Close(context.WithoutCancel(t.Context())))
}

// TestOffIsNothing: what is not traced is as it was, so that it costs what it did.
func TestOffIsNothing(t *testing.T) {
	traces := New(Config{}, nil, nil)
	require.Nil(t, traces)
	cache, store := memory.NoCache{}, memory.NewStore(1)
	require.Equal(t, artwork.ImageCache(cache), traces.Cache(cache))
	require.Same(t, store, traces.Images(store))
	require.Same(t, http.DefaultTransport, traces.Transport(http.DefaultTransport))
	require.Nil(t, traces.Downloader(nil))
	require.Nil(t, traces.Renderer(nil))
	require.Nil(t, traces.Renditions(nil))
	require.Nil(t, traces.Providers(nil))
	require.Equal(t, t.Context(), traces.Recorded(t.Context()))
	require.NoError(t, traces.Start(t.Context()))
	require.NoError(t, traces.Close(t.Context()))
	require.Zero(t, testing.AllocsPerRun(100, func() {
		traces.Command(t.Context(), "get", 1, time.Time{}, nil)
		_, end := tracing.Step(t.Context(), "step")
		end(nil)
	}))
}

// TestWhatEndsIsSent at the latest by a stop, with the headers of the configuration.
func TestWhatEndsIsSent(t *testing.T) {
	t.Parallel()
	for _, compress := range []bool{false, true} {
		c := newCollector(t)
		traces, counted, log := traced(t, Config{Endpoint: c.URL + "/v1/traces", Compress: compress, Headers: map[string]string{"api-key": "hunter2"}})
		_, end := traces.Work(t.Context(), "work", "", []slog.Attr{slog.Int("n", 1), slog.Bool("b", true), slog.Float64("f", .5), slog.String("s", "t")})
		end(nil)
		closeSoon(t, traces)
		require.Len(t, c.spans, 1)
		require.Len(t, c.spans[0].Attributes, 4)
		require.Equal(t, "hunter2", c.requests[0].Header.Get("Api-Key"))
		require.Equal(t, "application/x-protobuf", c.requests[0].Header.Get("Content-Type"))
		require.Equal(t, "/v1/traces", c.requests[0].URL.Path)
		require.Equal(t, 1, counted.get(Exported))
		require.Empty(t, log.String())
	}
}

// TestACollectorThatIsBusyIsAskedAgain, and one that refuses is not.
func TestACollectorThatIsBusyIsAskedAgain(t *testing.T) {
	t.Parallel()
	for answer, requests := range map[int]int{http.StatusServiceUnavailable: 2, http.StatusTooManyRequests: 2, http.StatusBadRequest: 1, http.StatusUnauthorized: 1, http.StatusFound: 1} {
		c := newCollector(t)
		c.answers = []int{answer}
		s := newSender(Config{Endpoint: c.URL})
		s.pause = time.Millisecond
		err := s.UploadTraces(t.Context(), []*tracepb.ResourceSpans{{}})
		require.Equal(t, requests == 2, err == nil, answer)
		require.Len(t, c.requests, requests, answer)
	}
}

// stalled is an exporter that waits to be told how a batch ends.
type stalled struct{ ends chan error }

func (stalled) Start(context.Context) error    { return nil }
func (stalled) Shutdown(context.Context) error { return nil }

// ExportSpans waits.
func (s stalled) ExportSpans(ctx context.Context, _ []sdk.ReadOnlySpan) error {
	select {
	case err := <-s.ends:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// onStalled returns traces whose collector does not answer.
func onStalled(t *testing.T) (*Traces, stalled, *counts, *bytes.Buffer) {
	t.Helper()
	counted, log := &counts{}, &bytes.Buffer{}
	exporter := stalled{make(chan error)}
	q := newQueue(exporter, counted, slog.New(slog.NewTextHandler(log, nil)))
	provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(q), sdk.WithSampler(sdk.AlwaysSample()))
	traces := &Traces{provider: provider, tracer: provider.Tracer("test"), queue: q}
	require.NoError(t, traces.Start(t.Context()))
	return traces, exporter, counted, log
}

// TestNobodyWaitsForACollector: what it does not take is dropped and counted, and a stop
// waits no longer than it may.
func TestNobodyWaitsForACollector(t *testing.T) {
	t.Parallel()
	traces, _, counted, _ := onStalled(t)
	const spans = 2*queueLength + 10
	for range spans {
		_, end := traces.Work(t.Context(), "work", "", nil)
		end(nil)
	}
	require.Positive(t, counted.get(Dropped))
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Millisecond)
	defer cancel()
	require.NoError(t, traces.Close(ctx))
	require.Equal(t, spans, counted.get(Dropped)+counted.get(Failed), "each is counted")
	require.Zero(t, counted.get(Exported))
	_, end := traces.Work(t.Context(), "too late", "", nil)
	end(nil)
}

// TestAFailureIsToldOnce, and its end.
func TestAFailureIsToldOnce(t *testing.T) {
	t.Parallel()
	traces, exporter, counted, log := onStalled(t)
	for i, err := range []error{nil, errors.New("refused"), errors.New("refused"), errors.New("refused"), nil, nil} {
		_, end := traces.Work(t.Context(), "work", "", nil)
		end(nil)
		flushed := make(chan error)
		go func() { flushed <- traces.queue.ForceFlush(t.Context()) }()
		exporter.ends <- err
		require.NoError(t, <-flushed, i)
	}
	closeSoon(t, traces)
	require.Equal(t, 1, strings.Count(log.String(), "Traces cannot be sent"))
	require.Equal(t, 1, strings.Count(log.String(), "Traces are sent again"))
	require.Contains(t, log.String(), "lostSpans=3")
	require.Equal(t, 3, counted.get(Failed))
	require.Equal(t, 3, counted.get(Exported))
}

// TestParents: a caller says whether a request is recorded if the sampler lets it, and if
// callers are believed at all.
func TestParents(t *testing.T) {
	t.Parallel()
	const id = "4bf92f3577b34da6a3ce929d0e0e4736"
	for _, c := range []struct {
		sampler  Sampler
		believed bool
		flags    string
		recorded bool
	}{
		{Sampler{Ratio: 0, ParentBased: true}, true, "01", true},
		{Sampler{Ratio: 1, ParentBased: true}, true, "00", false},
		{Sampler{Ratio: 0, ParentBased: true}, false, "01", false},
		{Sampler{Ratio: 1, ParentBased: true}, false, "00", true},
		{Sampler{Ratio: 1}, true, "00", true},
		{Sampler{Ratio: 1e-12}, true, "01", false},
		{Sampler{Ratio: 1, ParentBased: true}, true, "", true},
	} {
		collected := newCollector(t)
		traces, _, _ := traced(t, Config{Endpoint: collected.URL, Sampler: c.sampler})
		traces.parents = c.believed
		req := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		if c.flags != "" {
			req.Header.Set("Traceparent", "00-"+id+"-00f067aa0ba902b7-"+c.flags)
		}
		ctx, end := traces.Request(req, "/", "request")
		require.Equal(t, c.recorded, end != nil, c)
		trace, _, ok := IDs(ctx)
		require.Equal(t, c.recorded, ok)
		if c.recorded {
			require.Equal(t, c.believed && c.flags != "", trace == id, c)
			end(http.StatusOK)
		}
		closeSoon(t, traces)
	}
}

// TestWorksLinkToTheirCause, and are traces by themselves.
func TestWorksLinkToTheirCause(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	traces, _, _ := traced(t, Config{Endpoint: c.URL})
	asked, end := traces.Work(t.Context(), "request", "", nil)
	var causes tracing.Causes
	causes.Keep(asked, "job")
	causes.Keep(t.Context(), "other")
	require.Empty(t, causes.Of("other"))
	for range 2 {
		_, endJob := tracing.Work(traces.Recorded(t.Context()), "job", causes.Of("job"))
		endJob(artwork.Errorf(artwork.Conflict, "of Ana"))
	}
	_, endInside := tracing.Work(asked, "inside", "")
	endInside(nil)
	end(nil)
	closeSoon(t, traces)
	require.Len(t, c.spans, 4)
	request := c.spans[3]
	for _, span := range c.spans[:3] {
		require.Empty(t, span.ParentSpanId)
		require.NotEqual(t, request.TraceId, span.TraceId)
		require.Equal(t, request.SpanId, span.Links[0].SpanId)
		require.Equal(t, request.TraceId, span.Links[0].TraceId)
	}
	require.Equal(t, "conflict", c.spans[0].Status.Message, "the kind alone")
	require.Empty(t, request.Links)
	for range 2 * 256 {
		causes.Keep(asked, "another")
	}
	require.Empty(t, causes.Of("job"), "not for ever")
}

// TestATraceIsBounded: what is too much is left out and counted.
func TestATraceIsBounded(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	traces, counted, _ := traced(t, Config{Endpoint: c.URL})
	ctx, end := traces.Work(t.Context(), "work", "", nil)
	for range mostSpans + 5 {
		in, endStep := tracing.Step(ctx, "step")
		traces.Command(in, "get", 1, time.Now(), nil)
		endStep(nil)
	}
	end(nil)
	closeSoon(t, traces)
	require.Len(t, c.spans, mostSpans)
	require.Equal(t, 2*(mostSpans+5)-(mostSpans-1), counted.get(LeftOut))
}

// TestErrorsAreToldByKind: what is not there, and what was given up, is no failure.
func TestErrorsAreToldByKind(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		err    error
		kind   string
		failed bool
	}{
		{nil, "", false},
		{artwork.Errorf(artwork.NotFound, "no artist Ana"), "not_found", false},
		{context.Canceled, cancelled, false},
		{context.DeadlineExceeded, "timeout", true},
		{errors.New("password of Ana"), "internal", true},
		{artwork.Errorf(artwork.CacheUnreachable, "at 10.0.0.1"), "cache_unreachable", true},
	} {
		recorder := tracetest.NewSpanRecorder()
		_, span := sdk.NewTracerProvider(sdk.WithSpanProcessor(recorder)).Tracer("").Start(t.Context(), "span")
		fail(span, c.err)
		span.End()
		ended := recorder.Ended()[0]
		require.Equal(t, c.failed, ended.Status().Code == codes.Error, c.kind)
		for _, fact := range ended.Attributes() {
			require.Equal(t, c.kind, fact.Value.AsString())
		}
		require.Equal(t, c.kind != "", len(ended.Attributes()) == 1)
	}
}

// TestUsersAreNotNamed, others are.
func TestUsersAreNotNamed(t *testing.T) {
	t.Parallel()
	id := artwork.NewID()
	require.NotContains(t, fmt.Sprint(factsOf(artwork.Key{Subject: artwork.User(id), Type: artwork.TypeAvatar})), id.String())
	require.Contains(t, fmt.Sprint(factsOf(artwork.Key{Subject: artwork.Album(id), Type: artwork.TypeCover})), id.String())
}

// TestTheOtherSideIsToldNothing: neither of the trace, nor by the name of a span.
func TestTheOtherSideIsToldNothing(t *testing.T) {
	t.Parallel()
	c := newCollector(t)
	var got http.Header
	provider := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer provider.Close()
	traces, _, _ := traced(t, Config{Endpoint: c.URL})
	ctx, end := traces.Work(t.Context(), "work", "", nil)
	client := http.Client{Transport: traces.Transport(http.DefaultTransport)}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, provider.URL+"/secret-path?api_key=secret-key", nil)
	require.NoError(t, err)
	res, err := client.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	end(nil)
	closeSoon(t, traces)
	require.NotContains(t, got, "Traceparent")
	require.NotContains(t, got, "Baggage")
	require.Len(t, c.spans, 2)
	require.NotContains(t, c.spans[0].String(), "secret")
	require.Contains(t, c.spans[0].String(), "127.0.0.1")
}

// BenchmarkRequest is what recording adds to a request, with six spans as that of an image
// that the shared cache answers, and to one that is not recorded.
func BenchmarkRequest(b *testing.B) {
	for name, ratio := range map[string]float64{"recorded": 1, "not recorded": 0} {
		b.Run(name, func(b *testing.B) {
			provider := sdk.NewTracerProvider(sdk.WithSpanProcessor(newQueue(stalled{}, &counts{}, slog.New(slog.DiscardHandler))), sdk.WithSampler(Sampler{Ratio: ratio}.sdk()))
			traces := &Traces{provider: provider, tracer: provider.Tracer("test"), queue: newQueue(stalled{}, &counts{}, nil)}
			req := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "/", http.NoBody)
			b.ReportAllocs()
			for b.Loop() {
				ctx, end := traces.Request(req, "/api/images/albums/:id/cover", "0123456789abcdef")
				for range 4 {
					_, endStep := tracing.Step(ctx, "step", slog.String("fact", "value"))
					endStep(nil)
				}
				traces.Command(ctx, "get", 1, time.Now(), nil)
				if end != nil {
					end(http.StatusOK)
				}
			}
		})
	}
}
