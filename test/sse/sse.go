// Package sse reads streams of server-sent events in tests.
package sse

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// patience is how long a stream may keep a test waiting.
const patience = 30 * time.Second

// Event is one event of a stream.
type Event struct {
	ID   string // empty: it leaves the client's position as it was
	Name string
	Data map[string]any
}

// Stream is an open stream. Its methods are for one goroutine.
type Stream struct {
	Response *http.Response
	LastID   string // of the last event that had one
	Retry    string // what the server says of when to connect again
	// Check, if it is set, fails the test for an event that should not be.
	Check func(Event) error

	t      testing.TB
	events chan Event // closed when the stream has ended
	cancel context.CancelFunc
}

// Open opens the stream; header is a list of names and values. It ends with the test.
func Open(t testing.TB, url string, header ...string) *Stream {
	t.Helper()
	s := begin(t, http.MethodGet, url, "", header)
	retry := make(chan string, 1)
	go s.read(retry)
	select {
	case s.Retry = <-retry:
	case <-time.After(patience):
		require.FailNow(t, "the stream does not begin")
	}
	return s
}

// Post opens the stream that a request with a body is answered with.
func Post(t testing.TB, url, body string, header ...string) *Stream {
	t.Helper()
	s := begin(t, http.MethodPost, url, body, header)
	go s.read(make(chan string, 1))
	return s
}

func begin(t testing.TB, method, url, body string, header []string) *Stream {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	request, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	require.NoError(t, err)
	for i := 0; i < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(request)
	require.NoError(t, err)
	t.Cleanup(func() { _ = response.Body.Close() })
	require.Equal(t, http.StatusOK, response.StatusCode)
	return &Stream{Response: response, t: t, events: make(chan Event, 100_000), cancel: cancel}
}

func (s *Stream) read(retry chan<- string) {
	defer close(s.events)
	var e Event
	var data strings.Builder
	for lines := bufio.NewScanner(s.Response.Body); lines.Scan(); {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "retry":
			retry <- value
		case "id":
			e.ID = value
		case "event":
			e.Name = value
		case "data":
			data.WriteString(value)
		case "":
			if json.Unmarshal([]byte(data.String()), &e.Data) != nil {
				return
			}
			s.events <- e
			e = Event{}
			data.Reset()
		}
	}
}

// Next returns the next event.
func (s *Stream) Next() Event {
	s.t.Helper()
	select {
	case e, ok := <-s.events:
		require.True(s.t, ok, "the stream has ended")
		s.check(e)
		if e.ID != "" {
			s.LastID = e.ID
		}
		return e
	case <-time.After(patience):
		require.FailNow(s.t, "no event")
		return Event{}
	}
}

func (s *Stream) check(e Event) {
	s.t.Helper()
	if s.Check != nil {
		require.NoError(s.t, s.Check(e))
	}
}

// Skip passes over events until one has the name, and returns it.
func (s *Stream) Skip(name string) Event {
	s.t.Helper()
	for {
		if e := s.Next(); e.Name == name {
			return e
		}
	}
}

// RequireEnd requires that the server ends the stream, and returns what came before.
func (s *Stream) RequireEnd() (rest []Event) {
	s.t.Helper()
	timeout := time.After(patience)
	for {
		select {
		case e, ok := <-s.events:
			if !ok {
				return rest
			}
			s.check(e)
			rest = append(rest, e)
		case <-timeout:
			require.FailNow(s.t, "the stream goes on")
		}
	}
}

// Close hangs up.
func (s *Stream) Close() { s.cancel() }
