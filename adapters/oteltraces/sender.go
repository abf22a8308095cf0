package oteltraces

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"gatefold/application/wait"
)

const (
	// attempts is how often a batch is sent that the collector cannot take now.
	attempts = 3
	// firstPause is how long is waited before it is sent again; then twice as long. A
	// collector may ask for more, up to mostPause.
	firstPause = 200 * time.Millisecond
	mostPause  = 5 * time.Second
	// maxAnswer bounds what is read of an answer.
	maxAnswer = 64 << 10
)

// sender is OTLP over HTTP with protobuf
// (https://opentelemetry.io/docs/specs/otlp/#otlphttp). The one that comes with
// OpenTelemetry brings gRPC along, which is 5 MB of program, and reads the environment by
// itself.
type sender struct {
	url      string
	headers  map[string]string
	compress bool
	pause    time.Duration
	client   *http.Client
}

var _ otlptrace.Client = (*sender)(nil)

func newSender(cfg Config) *sender {
	transport := &http.Transport{
		Proxy:           http.ProxyFromEnvironment,
		TLSClientConfig: &tls.Config{RootCAs: cfg.CAs, MinVersion: tls.VersionTLS12},
		MaxIdleConns:    1, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: maxAnswer, ForceAttemptHTTP2: true,
	}
	return &sender{
		url: cfg.Endpoint, headers: cfg.Headers, compress: cfg.Compress, pause: firstPause,
		client: &http.Client{Transport: transport, Timeout: cfg.Timeout, CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse // the headers are for nobody else
		}},
	}
}

// Start implements otlptrace.Client.
func (s *sender) Start(context.Context) error { return nil }

// Stop implements otlptrace.Client.
func (s *sender) Stop(context.Context) error {
	s.client.CloseIdleConnections()
	return nil
}

// UploadTraces implements otlptrace.Client.
func (s *sender) UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error {
	body, err := s.encode(spans)
	if err != nil {
		return err
	}
	pause := s.pause
	for attempt := 1; ; attempt++ {
		err := s.post(ctx, body)
		again, ok := errors.AsType[*busyError](err)
		if !ok || attempt == attempts {
			return err
		}
		if wait.For(ctx, min(max(pause, again.after), mostPause)) != nil {
			return err
		}
		pause *= 2
	}
}

// encode returns the request. On the wire TracesData is the same as what the protocol calls
// ExportTraceServiceRequest.
func (s *sender) encode(spans []*tracepb.ResourceSpans) ([]byte, error) {
	plain, err := proto.Marshal(&tracepb.TracesData{ResourceSpans: spans})
	if err != nil || !s.compress {
		return plain, err
	}
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	if _, err := writer.Write(plain); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// busyError is that of a collector that may take the same a little later.
type busyError struct {
	err   error
	after time.Duration
}

// Error implements error.
func (e *busyError) Error() string { return e.err.Error() }

// Unwrap returns what went wrong.
func (e *busyError) Unwrap() error { return e.err }

func (s *sender) post(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	for name, value := range s.headers {
		req.Header.Set(name, value)
	}
	req.Header.Set("Content-Type", "application/x-protobuf")
	req.Header.Set("User-Agent", "gatefold")
	if s.compress {
		req.Header.Set("Content-Encoding", "gzip")
	}
	res, err := s.client.Do(req)
	if err != nil {
		// Where it is, is for who has configured it.
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return &busyError{err: err}
	}
	defer func() { _ = res.Body.Close() }() // only read
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, maxAnswer))
	return judge(res)
}

// judge returns the error that an answer is.
func judge(res *http.Response) error {
	if res.StatusCode/100 == 2 {
		return nil
	}
	err := fmt.Errorf("the collector answers %d", res.StatusCode)
	switch res.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		return &busyError{err: err, after: time.Duration(seconds) * time.Second}
	default:
		return err
	}
}
