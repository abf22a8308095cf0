package oteltraces

import (
	"context"
	"net/http"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"
)

// What is told beside what OpenTelemetry has names for.
const (
	requestID = attribute.Key("gatefold.request.id")
	keys      = attribute.Key("gatefold.cache.keys")
	level     = attribute.Key("gatefold.cache.level")
	subject   = attribute.Key("gatefold.subject.kind")
	subjectID = attribute.Key("gatefold.subject.id")
	imageType = attribute.Key("gatefold.image.type")
	size      = attribute.Key("gatefold.bytes")
	provider  = attribute.Key("gatefold.provider")
	found     = attribute.Key("gatefold.candidates")
	made      = attribute.Key("gatefold.renditions")
)

var methods = []string{
	http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions, http.MethodConnect, http.MethodTrace,
}

// methodOf returns a method as spans name it: there are few of them, whatever clients send.
func methodOf(method string) (attributeValue, spanName string) {
	if slices.Contains(methods, method) {
		return method, method
	}
	return "_OTHER", "HTTP"
}

// Request records a request of a route, which is the pattern of its path; "" if there is
// none. end is to be called with the status of its answer. A request that is not recorded
// has a nil end, and keeps its context.
func (t *Traces) Request(req *http.Request, route, id string) (ctx context.Context, end func(status int)) {
	ctx = req.Context()
	if t.parents && len(req.Header["Traceparent"]) == 1 {
		ctx = propagation.TraceContext{}.Extract(ctx, propagation.HeaderCarrier(req.Header))
	}
	method, name := methodOf(req.Method)
	if route != "" {
		name += " " + route
	}
	_, span := t.tracer.Start(ctx, name, trace.WithSpanKind(trace.SpanKindServer))
	if !span.IsRecording() {
		return req.Context(), nil
	}
	scheme := "http"
	if req.TLS != nil {
		scheme = "https"
	}
	span.SetAttributes(semconv.HTTPRequestMethodKey.String(method), semconv.URLScheme(scheme), requestID.String(id))
	if route != "" {
		span.SetAttributes(semconv.HTTPRoute(route))
	}
	return t.within(ctx, span), func(status int) {
		span.SetAttributes(semconv.HTTPResponseStatusCode(status))
		if status >= http.StatusInternalServerError {
			span.SetStatus(codes.Error, "")
		}
		span.End()
	}
}

// Transport records the requests that go through a transport: to whom they went, and by
// which status they were answered. Paths and queries, which may have keys in them, are left
// out, and nothing is added to what is sent: to whom this server talks is told of none of
// its traces.
func (t *Traces) Transport(inner http.RoundTripper) http.RoundTripper {
	if t == nil {
		return inner
	}
	return transport{inner}
}

type transport struct{ inner http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(req *http.Request) (*http.Response, error) {
	s := scopeOf(req.Context())
	if s == nil {
		return t.inner.RoundTrip(req)
	}
	method, name := methodOf(req.Method)
	_, span := s.begin(req.Context(), name, trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(
		semconv.HTTPRequestMethodKey.String(method), semconv.URLScheme(req.URL.Scheme), semconv.ServerAddress(req.URL.Hostname())))
	res, err := t.inner.RoundTrip(req)
	if span == nil {
		return res, err
	}
	if err != nil {
		fail(span, err)
	} else {
		span.SetAttributes(semconv.HTTPResponseStatusCode(res.StatusCode))
		if res.StatusCode >= http.StatusBadRequest {
			span.SetStatus(codes.Error, "")
		}
	}
	span.End()
	return res, err
}

// CloseIdleConnections has http.Client close those of the transport.
func (t transport) CloseIdleConnections() {
	if closer, ok := t.inner.(interface{ CloseIdleConnections() }); ok {
		closer.CloseIdleConnections()
	}
}
