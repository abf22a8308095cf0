package integration

import (
	"compress/gzip"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"gatefold/test/musicfixture"
	"gatefold/test/providerfixture"
)

// collector takes traces as a collector does.
type collector struct {
	*httptest.Server
	key string // that it asks for

	mu    sync.Mutex
	data  []*tracepb.ResourceSpans
	spans map[string]*tracepb.Span // by ID
}

func newCollector(t *testing.T, key string) *collector {
	t.Helper()
	c := &collector{key: key, spans: map[string]*tracepb.Span{}}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := c.take(r); err != nil {
			t.Error(err)
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) take(r *http.Request) error {
	if r.Header.Get("X-Key") != c.key || r.URL.Path != "/v1/traces" {
		return fmt.Errorf("it was sent to %s, with the key %q", r.URL.Path, r.Header.Get("X-Key"))
	}
	unpacked, err := gzip.NewReader(r.Body)
	if err != nil {
		return err
	}
	content, err := io.ReadAll(unpacked)
	if err != nil {
		return err
	}
	var data tracepb.TracesData
	if err := proto.Unmarshal(content, &data); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.data = append(c.data, data.ResourceSpans...)
	for _, resource := range data.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				c.spans[hex.EncodeToString(span.SpanId)] = span
			}
		}
	}
	return nil
}

// fact returns what a span has under a name; "" if that is nothing.
func fact(span *tracepb.Span, name string) string {
	for _, attribute := range span.Attributes {
		if attribute.Key == name {
			if n := attribute.Value.GetIntValue(); n != 0 {
				return strconv.FormatInt(n, 10)
			}
			return attribute.Value.GetStringValue()
		}
	}
	return ""
}

// trace returns the spans of the request with the ID, when the last of them has come: by
// the names that lead to each, from the first one on.
func (c *collector) trace(t *testing.T, requestID string) map[string][]*tracepb.Span {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var first *tracepb.Span
	for _, span := range c.spans {
		if fact(span, "gatefold.request.id") == requestID {
			first = span
		}
	}
	require.NotNil(t, first, "nothing was recorded of the request")
	paths := map[string][]*tracepb.Span{}
	for _, span := range c.spans {
		path, up := span.Name, span
		for len(up.ParentSpanId) > 0 && hex.EncodeToString(up.ParentSpanId) != callersSpan {
			parent, known := c.spans[hex.EncodeToString(up.ParentSpanId)]
			require.True(t, known, "%s has a parent that nobody knows", path)
			require.Equal(t, parent.TraceId, up.TraceId)
			path, up = parent.Name+" > "+path, parent
		}
		if up == first {
			paths[path] = append(paths[path], span)
		}
	}
	return paths
}

// requireSpans checks that each of the paths is there, and what is.
func requireSpans(t *testing.T, found map[string][]*tracepb.Span, paths ...string) {
	t.Helper()
	var all []string
	for path := range found {
		all = append(all, path)
	}
	for _, path := range paths {
		require.Contains(t, found, path, strings.Join(all, "\n"))
	}
}

const (
	applyRoute  = "POST /api/admin/metadata/album/covers/apply"
	coverRoute  = "GET /api/images/albums/:id/cover"
	searchRoute = "GET /api/admin/metadata/album/:id/covers/search"

	callersTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	callersSpan  = "00f067aa0ba902b7"
)

// TestTraces: what one request does is one tree, from HTTP to Redis, the database and the
// providers; who asks can have it in a trace of their own; and nothing in it is secret.
func TestTraces(t *testing.T) {
	t.Parallel()
	const collectorsKey, password, username = "the key of the collector", "a password that nobody guesses", "ana-the-secret-listener"
	c := newCollector(t, collectorsKey)
	d, fixture := searching(t, combinations["two-level and Postgres"](t))
	in := d.start(t, "OTEL_EXPORTER_OTLP_ENDPOINT="+c.URL, "OTEL_EXPORTER_OTLP_COMPRESSION=gzip", "OTEL_EXPORTER_OTLP_HEADERS=X-Key="+url.PathEscape(collectorsKey),
		"OTEL_TRACES_SAMPLER=parentbased_always_off", "OTEL_SERVICE_NAME=gatefold-test", "OTEL_RESOURCE_ATTRIBUTES=deployment.environment.name=test")
	in.putFindable()
	in.putUser(userID, username)
	traced := []string{"Traceparent", "00-" + callersTrace + "-" + callersSpan + "-01", "Baggage", "who=ana"}

	search := in.send(http.MethodGet, searchCovers, nil, traced...)
	require.Equal(t, http.StatusOK, search.StatusCode, string(search.body))
	best := search.json(t)["covers"].([]any)[0].(map[string]any)
	apply := in.send(http.MethodPost, "/api/admin/metadata/album/covers/apply", map[string]any{"albumId": albumID, "coverUrl": best["url"], "provider": best["provider"]}, traced...)
	require.Equal(t, http.StatusCreated, apply.StatusCode, string(apply.body))
	cold, warm := in.get(coverPath, traced...), in.get(coverPath, traced...)
	unasked := in.get(coverPath)
	missing := in.get("/api/images/albums/"+artistID+"/cover", traced...)
	require.Equal(t, http.StatusNotFound, missing.StatusCode)
	avatar := in.upload("/api/users/avatar", musicfixture.Picture(60, 60, 1), "userId", userID)
	require.Equal(t, http.StatusOK, avatar.StatusCode, string(avatar.body))
	in.send(http.MethodPost, "/api/auth/login", map[string]any{"username": username, "password": password}, traced...)
	last := in.get("/api/images/users/"+userID+"/avatar", traced...)

	id := func(a answer) string { return a.Header.Get("X-Request-Id") }
	require.Eventually(t, func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, span := range c.spans {
			if fact(span, "gatefold.request.id") == id(last) {
				return true
			}
		}
		return false
	}, 20*time.Second, 10*time.Millisecond)

	spans := c.trace(t, id(search))
	const searching = searchRoute + " > searchAlbumCovers"
	requireSpans(t, spans, searchRoute, searching, searching+" > SELECT", searching+" > provider.search", searching+" > provider.search > GET")
	require.Equal(t, callersTrace, hex.EncodeToString(spans[searchRoute][0].TraceId))
	require.Equal(t, callersSpan, hex.EncodeToString(spans[searchRoute][0].ParentSpanId))
	require.NotEmpty(t, fact(spans[searching+" > provider.search > GET"][0], "server.address"))
	for _, provider := range []string{providerfixture.Deezer, providerfixture.FanartTV} {
		for _, request := range fixture.Requests(provider) {
			require.NotContains(t, request.Header, "Traceparent")
			require.NotContains(t, request.Header, "Baggage")
		}
	}

	spans = c.trace(t, id(apply))
	const applying = applyRoute + " > applyAlbumCover"
	const changing = applying + " > cache.change"
	requireSpans(t, spans, applying+" > SELECT", applying+" > image.download", applying+" > image.download > GET", applying+" > store.put",
		changing+" > cache.fence > PIPELINE", changing+" > cache.wait_for_copies", changing+" > cache.commit > BEGIN", changing+" > cache.commit > cache.still_held > PIPELINE",
		changing+" > cache.commit > COMMIT", changing+" > cache.unfence > PIPELINE")
	require.Equal(t, "201", fact(spans[applyRoute][0], "http.response.status_code"))
	require.Equal(t, "/api/admin/metadata/album/covers/apply", fact(spans[applyRoute][0], "http.route"))
	require.Equal(t, tracepb.Span_SPAN_KIND_SERVER, spans[applyRoute][0].Kind)
	requireSpans(t, spans, changing+" > cache.commit > INSERT")
	require.NotContains(t, spans, changing+" > cache.commit > ROLLBACK", "which is not sent when there is nothing to roll back")
	require.Contains(t, fact(spans[changing+" > cache.commit > INSERT"][0], "db.query.text"), "?")

	const fetching = coverRoute + " > getAlbumCover > cache.fetch"
	spans = c.trace(t, id(cold))
	requireSpans(t, spans, fetching+" > GET", fetching+" > SET", fetching+" > SELECT", fetching+" > EVAL", coverRoute+" > getAlbumCover > store.open")
	require.Equal(t, "filled", fact(spans[fetching][0], "gatefold.cache.level"))
	spans = c.trace(t, id(warm))
	require.Equal(t, "process", fact(spans[fetching][0], "gatefold.cache.level"))
	require.Len(t, spans, 3, "memory has all of it")
	spans = c.trace(t, id(missing))
	require.Equal(t, "404", fact(spans[coverRoute][0], "http.response.status_code"))
	require.Equal(t, "not_found", fact(spans[fetching][0], "error.type"))
	require.Equal(t, tracepb.Status_STATUS_CODE_UNSET, spans[coverRoute][0].GetStatus().GetCode())

	c.mu.Lock()
	defer c.mu.Unlock()
	for _, span := range c.spans {
		require.NotEqual(t, id(unasked), fact(span, "gatefold.request.id"), "nobody wanted it")
	}
	everything := fmt.Sprint(c.data)
	require.Contains(t, everything, "gatefold-test")
	require.Contains(t, everything, "deployment.environment.name")
	secrets := append(in.secrets(), collectorsKey, password, username, userID, providerfixture.Key, "who=ana")
	for _, secret := range secrets {
		require.NotContains(t, everything, secret)
	}
	requireLogs(t, in, id(apply), secrets[:len(secrets)-3])
}

// secrets are those of every instance.
func (in *instance) secrets() []string {
	return []string{in.token, "of-the-tests-and-of-no-deployment"}
}

// requireLogs checks that every line of a request says so, and that none has a secret.
func requireLogs(t *testing.T, in *instance, requestID string, secrets []string) {
	t.Helper()
	log := in.log.String()
	for _, line := range []string{"Invalidated image cache for album " + albumID, "Album cache invalidated for " + albumID, "path=/api/admin/metadata/album/covers/apply"} {
		found := false
		for said := range strings.Lines(log) {
			found = found || strings.Contains(said, line) && strings.Contains(said, "requestId="+requestID) && strings.Contains(said, "traceId="+callersTrace) && strings.Contains(said, "spanId=")
		}
		require.True(t, found, "%s\n%s", line, log)
	}
	for _, secret := range secrets {
		require.NotContains(t, log, secret)
	}
}

// TestACollectorThatIsGone fails no request, and is told once.
func TestACollectorThatIsGone(t *testing.T) {
	t.Parallel()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0") // it never answers
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	in := combinations["memory and SQLite"](t).start(t, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+listener.Addr().String(), "OTEL_EXPORTER_OTLP_TIMEOUT=50")
	in.putArtist(artistID, "Traced")
	in.putAlbum(albumID, artistID, "In vain")
	require.Eventually(t, func() bool {
		require.Equal(t, http.StatusOK, in.get(coverPath).StatusCode)
		return counted(t, in.metrics(), "gatefold_trace_spans_total", "result", "failed") > 0
	}, 20*time.Second, 10*time.Millisecond)
	require.Equal(t, 1, strings.Count(in.log.String(), "Traces cannot be sent"))
	require.Zero(t, counted(t, in.metrics(), "gatefold_trace_spans_total", "result", "exported"))
}
