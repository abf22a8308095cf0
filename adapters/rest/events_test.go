package rest_test

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/adapters/rest"
	"gatefold/application/accesstoken"
	"gatefold/application/announce"
	"gatefold/application/signin"
	"gatefold/domain/artwork"
	"gatefold/test/sse"
)

// streaming is a server whose only route is the stream of events.
type streaming struct {
	url, token string
	feed       *announce.Feed
	log        *logged
	tokens     accesstoken.Repository
}

type logged struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// serverReadTimeout is what requests have on a busy machine, too.
const serverReadTimeout = 2 * time.Second

func serveEvents(t *testing.T, limits rest.StreamLimits) streaming {
	t.Helper()
	tokens := memory.NewRepository().Tokens()
	token, err := accesstoken.NewCreate(tokens).Run(t.Context(), artwork.Actor{Name: "test"}, accesstoken.CreateIn{Name: "reader", Scope: accesstoken.Read})
	require.NoError(t, err)
	s := streaming{token: token, log: &logged{}, tokens: tokens}
	log := slog.New(slog.NewTextHandler(s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	s.feed = announce.NewFeed(memory.NewEventLog(), log)
	var running sync.WaitGroup
	running.Go(func() { s.feed.Run(t.Context()) })
	t.Cleanup(running.Wait)
	router := rest.NewRouter(signin.NewAuthenticate(accesstoken.NewAuthenticate(tokens, log), nil, nil), nil, log, []rest.Routes{rest.NewEvents(s.feed, limits)})
	server := httptest.NewUnstartedServer(router)
	server.Config.ReadTimeout = serverReadTimeout
	server.Config.RegisterOnShutdown(s.feed.Close)
	server.Start()
	t.Cleanup(func() {
		s.feed.Close()
		server.Close()
	})
	s.url = server.URL + "/api/events/stream"
	return s
}

func (s streaming) get(t *testing.T, method, url string) (status int, header http.Header, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	require.NoError(t, err)
	response, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	content, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response.StatusCode, response.Header, string(content)
}

func publish(t *testing.T, feed *announce.Feed, name string, data any) {
	t.Helper()
	event, err := announce.NewEvent(name, data)
	require.NoError(t, err)
	feed.Publish(t.Context(), event)
}

func TestAStreamOfEvents(t *testing.T) {
	t.Parallel()
	s := serveEvents(t, rest.StreamLimits{Streams: 10, KeepAlive: time.Hour, Patience: time.Minute})
	stream := sse.Open(t, s.url, "Authorization", "Bearer "+s.token)
	require.Equal(t, "text/event-stream", stream.Response.Header.Get("Content-Type"))
	require.Equal(t, "no-store", stream.Response.Header.Get("Cache-Control"))
	require.Equal(t, "no", stream.Response.Header.Get("X-Accel-Buffering"))
	require.Regexp(t, `^[1-4]\d{3}$`, stream.Retry)
	connected := stream.Next()
	require.Equal(t, "connected", connected.Name)
	require.NotEmpty(t, connected.ID)
	require.Equal(t, false, connected.Data["resumed"])

	publish(t, s.feed, "bulk:progress", map[string]any{"note": "a\nb", "html": "<&>"})
	event := stream.Next()
	require.Equal(t, sse.Event{ID: event.ID, Name: "bulk:progress", Data: map[string]any{"note": "a\nb", "html": "<&>"}}, event)
	stream.Close()
	publish(t, s.feed, "next", map[string]any{})

	again := sse.Open(t, s.url, "Authorization", "Bearer "+s.token, "Last-Event-ID", event.ID)
	connected = again.Next()
	require.Equal(t, event.ID, connected.ID)
	require.Equal(t, true, connected.Data["resumed"])
	require.Equal(t, "next", again.Next().Name)

	unknown := sse.Open(t, s.url, "Authorization", "Bearer "+s.token, "Last-Event-ID", "unknown")
	require.Equal(t, false, unknown.Next().Data["resumed"])
	require.Equal(t, announce.Reload, unknown.Next().Name)
	s.feed.Close()
	require.Empty(t, again.RequireEnd())
	require.Empty(t, unknown.RequireEnd())
}

// TestAStreamOutlivesTheTimeForARequest, and gives signs of life.
func TestAStreamOutlivesTheTimeForARequest(t *testing.T) {
	t.Parallel()
	s := serveEvents(t, rest.StreamLimits{Streams: 10, KeepAlive: serverReadTimeout / 2, Patience: time.Minute})
	stream := sse.Open(t, s.url, "Authorization", "Bearer "+s.token)
	position := stream.Next().ID
	for range 3 {
		event := stream.Next()
		require.Equal(t, "keepalive", event.Name)
		require.Empty(t, event.ID)
	}
	require.Equal(t, position, stream.LastID)
	publish(t, s.feed, "event", map[string]any{})
	stream.Skip("event")
}

func TestWhoMayListen(t *testing.T) {
	t.Parallel()
	s := serveEvents(t, rest.StreamLimits{Streams: 10, KeepAlive: time.Hour, Patience: time.Minute})
	for query, status := range map[string]int{
		"":                   http.StatusUnauthorized,
		"?token=":            http.StatusUnauthorized,
		"?token=gf_nonsense": http.StatusUnauthorized,
		"?token=" + s.token + "&token=" + s.token: http.StatusUnauthorized,
		"?token=" + s.token + "&since=5":          http.StatusBadRequest,
	} {
		got, header, body := s.get(t, http.MethodGet, s.url+query)
		require.Equal(t, status, got, query)
		require.Equal(t, "application/problem+json", header.Get("Content-Type"))
		require.NotContains(t, body, s.token)
		require.NotContains(t, body, "nonsense")
	}
	stream := sse.Open(t, s.url+"?token="+s.token)
	require.Equal(t, "connected", stream.Next().Name)
	require.NotContains(t, stream.Response.Header, "Location")
	// The header decides if there are both.
	require.Equal(t, "connected", sse.Open(t, s.url+"?token=gf_nonsense", "Authorization", "Bearer "+s.token).Next().Name)
	status, header, body := s.get(t, http.MethodHead, s.url+"?token="+s.token)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "text/event-stream", header.Get("Content-Type"))
	require.Empty(t, body)
	s.feed.Close()
	stream.RequireEnd()
	require.Eventually(t, func() bool { return bytes.Contains([]byte(s.log.String()), []byte("status=200")) }, 10*time.Second, time.Millisecond)
	require.Contains(t, s.log.String(), "/api/events/stream")
	require.NotContains(t, s.log.String(), s.token)
	require.NotContains(t, s.log.String(), "nonsense")
}

func TestStreamsAreBounded(t *testing.T) {
	t.Parallel()
	s := serveEvents(t, rest.StreamLimits{Streams: 2, KeepAlive: time.Millisecond, Patience: time.Minute})
	first, second := sse.Open(t, s.url+"?token="+s.token), sse.Open(t, s.url+"?token="+s.token)
	status, header, body := s.get(t, http.MethodGet, s.url+"?token="+s.token)
	require.Equal(t, http.StatusServiceUnavailable, status)
	require.NotEmpty(t, header.Get("Retry-After"))
	require.Contains(t, body, "2 streams are open")
	first.Close()
	require.Eventually(t, func() bool {
		status, _, _ := s.get(t, http.MethodHead, s.url+"?token="+s.token)
		return status == http.StatusOK
	}, 10*time.Second, time.Millisecond, "who leaves makes room")
	sse.Open(t, s.url+"?token="+s.token).Skip("keepalive")
	second.Skip("keepalive")
}

// TestAStreamEndsWithItsCredential, and says so.
func TestAStreamEndsWithItsCredential(t *testing.T) {
	t.Parallel()
	s := serveEvents(t, rest.StreamLimits{Streams: 2, KeepAlive: time.Hour, Patience: time.Minute, Recheck: 10 * time.Millisecond})
	stream := sse.Open(t, s.url+"?token="+s.token)
	require.Equal(t, "connected", stream.Next().Name)
	publish(t, s.feed, "news", map[string]any{})
	require.Equal(t, "news", stream.Next().Name)
	known, err := s.tokens.ListTokens(t.Context())
	require.NoError(t, err)
	require.NoError(t, s.tokens.RevokeToken(t.Context(), artwork.Actor{Name: "test"}, known[0].ID))
	end := stream.Next()
	require.Equal(t, "end", end.Name)
	require.Equal(t, "session-ended", end.Data["reason"])
	require.NotEmpty(t, end.Data["message"])
	require.Empty(t, stream.RequireEnd())
}

// TestAClientThatDoesNotReadIsDropped, so that it makes room for others.
func TestAClientThatDoesNotReadIsDropped(t *testing.T) {
	t.Parallel()
	s := serveEvents(t, rest.StreamLimits{Streams: 1, KeepAlive: time.Hour, Patience: 2 * time.Second})
	address, err := url.Parse(s.url)
	require.NoError(t, err)
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address.Host)
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	_, err = fmt.Fprintf(conn, "GET %s?token=%s HTTP/1.1\r\nHost: %s\r\n\r\n", address.Path, s.token, address.Host)
	require.NoError(t, err)
	status := func() int {
		status, _, _ := s.get(t, http.MethodHead, s.url+"?token="+s.token)
		return status
	}
	require.Eventually(t, func() bool { return status() == http.StatusServiceUnavailable }, 10*time.Second, time.Millisecond)
	require.Eventually(t, func() bool {
		publish(t, s.feed, "large", strings.Repeat("x", announce.MaxData-2))
		return status() == http.StatusOK
	}, time.Minute, time.Millisecond)
}
