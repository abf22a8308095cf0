package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"

	"gatefold/application/accesstoken"
	"gatefold/application/announce"
	"gatefold/domain/artwork"
)

// StreamLimits bound the streams of events of one instance.
type StreamLimits struct {
	Streams   int           // open at the same time
	KeepAlive time.Duration // between two signs of life
	// Patience is how long a client may take to accept an event.
	Patience time.Duration
	// Recheck is how often it is asked whether the client may still be told; 0: never.
	Recheck time.Duration
}

// DefaultStreamLimits are those of a server.
var DefaultStreamLimits = StreamLimits{Streams: 1000, KeepAlive: 30 * time.Second, Patience: 10 * time.Second, Recheck: 2 * time.Second}

const (
	// retryLeast and retryMost are how long a client waits before it connects again:
	// not all do at the same moment when an instance stops.
	retryLeast = time.Second
	retryMost  = 4 * time.Second
)

// Events is the stream of live events, as server-sent events
// (html.spec.whatwg.org/multipage/server-sent-events.html).
type Events struct {
	feed   *announce.Feed
	limits StreamLimits
	open   atomic.Int64
}

// NewEvents returns the route of the feed.
func NewEvents(feed *announce.Feed, limits StreamLimits) *Events {
	return &Events{feed: feed, limits: limits}
}

// Open returns how many streams are open.
func (h *Events) Open() int64 { return h.open.Load() }

// Register implements Routes.
func (h *Events) Register(r *Router) {
	const path = "/api/events/stream"
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		r.engine.Handle(method, path, chain(tokenFromQuery, r.suspect, r.require(accesstoken.Read), r.limit(method, path), r.run(h.streamBy(r)))...)
	}
}

// tokenFromQuery takes the token out of the query, so that nobody can log it, and
// makes it the credential unless there is one: browsers cannot send a header with
// a stream.
func tokenFromQuery(c *gin.Context) {
	query := c.Request.URL.Query()
	if !query.Has("token") {
		return
	}
	if c.GetHeader("Authorization") == "" && len(query["token"]) == 1 {
		c.Request.Header.Set("Authorization", "Bearer "+query.Get("token"))
	}
	query.Del("token")
	rewriteQuery(c, query)
}

// streamBy answers until the client leaves, may not be told any more, or the instance
// stops.
func (h *Events) streamBy(r *Router) handler {
	return func(c *gin.Context) error {
		return h.stream(c, func() error { return r.stillMay(c, accesstoken.Read) })
	}
}

// stillMay returns nil for as long as the credential of a request that goes on is good
// for the scope. A database that cannot be asked takes nothing away.
func (r *Router) stillMay(c *gin.Context, scope accesstoken.Scope) error {
	who, _, err := r.authenticated(c)
	if err == nil {
		err = scoped(scope)(c, who)
	}
	switch artwork.KindOf(err) {
	case artwork.Unauthenticated, artwork.Forbidden:
		return err
	default:
		return nil
	}
}

func (h *Events) stream(c *gin.Context, may func() error) error {
	if h.open.Add(1) > int64(h.limits.Streams) {
		h.open.Add(-1)
		return artwork.Errorf(artwork.Unavailable, "%d streams are open already", h.limits.Streams)
	}
	defer h.open.Add(-1)
	c.Header("Content-Type", "text/event-stream")
	c.Header("Cache-Control", "no-store")
	c.Header("X-Accel-Buffering", "no")
	c.Status(http.StatusOK)
	if c.Request.Method == http.MethodHead {
		return nil
	}
	ctx := c.Request.Context()
	subscription, resumed := h.feed.Subscribe(ctx, c.GetHeader("Last-Event-ID"))
	s := &eventStream{http.NewResponseController(c.Writer), c.Writer, h.limits, may}
	if err := s.begin(subscription.Position(), resumed); err != nil {
		return nil // the client has left
	}
	s.pump(ctx, subscription)
	return nil
}

// eventStream writes events to one client.
type eventStream struct {
	control *http.ResponseController
	out     gin.ResponseWriter
	limits  StreamLimits
	may     func() error // whether the client may still be told
}

// begin answers at once, so that the client knows that it is heard.
func (s *eventStream) begin(position string, resumed bool) error {
	retry := retryLeast + rand.N(retryMost-retryLeast) //nolint:gosec // jitter, not a secret
	return s.write(fmt.Sprintf("retry: %d\n", retry.Milliseconds()) + format(position, "connected", struct {
		At      time.Time `json:"at"`
		Resumed bool      `json:"resumed"`
	}{time.Now().UTC(), resumed}))
}

// pump writes what the subscription tells, and signs of life, until the client or
// the subscription has ended, or the client may not be told any more.
func (s *eventStream) pump(ctx context.Context, subscription *announce.Subscription) {
	due, check := time.Now().Add(s.limits.KeepAlive), s.nextCheck(time.Now())
	for {
		if now := time.Now(); !now.Before(check) {
			if err := s.may(); err != nil {
				_ = s.write(farewell(err)) // it ends either way
				return
			}
			check = s.nextCheck(now)
		}
		waiting, stop := context.WithDeadline(ctx, earliest(due, check))
		entry, err := subscription.Next(waiting)
		stop()
		text := ""
		switch {
		case err == nil:
			text = format(entry.ID, entry.Name, entry.Data)
		case ctx.Err() != nil, !errors.Is(err, context.DeadlineExceeded):
			return
		}
		if now := time.Now(); !now.Before(due) {
			due = now.Add(s.limits.KeepAlive)
			text += format("", "keepalive", struct {
				At time.Time `json:"at"`
			}{now.UTC()})
		}
		if text != "" && s.write(text) != nil {
			return
		}
	}
}

// never is later than any stream lasts.
const never = 100 * 365 * 24 * time.Hour

func (s *eventStream) nextCheck(now time.Time) time.Time {
	if s.limits.Recheck == 0 {
		return now.Add(never)
	}
	return now.Add(s.limits.Recheck)
}

func earliest(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// farewell is the last event of a stream whose client may not be told any more, and why.
func farewell(err error) string {
	reason := "session-ended"
	if artwork.KindOf(err) == artwork.Forbidden {
		reason = "not-allowed"
	}
	return format("", "end", struct {
		Reason  string `json:"reason"`
		Message string `json:"message"`
	}{reason, messageOf(err)})
}

// write sends the text now, or fails when the client does not accept it in time.
func (s *eventStream) write(text string) error {
	if err := s.control.SetWriteDeadline(time.Now().Add(s.limits.Patience)); err != nil {
		return err
	}
	if _, err := s.out.WriteString(text); err != nil {
		return err
	}
	return s.control.Flush()
}

// format returns the event as it is sent. Without an ID the client's position stays
// what it was.
func format(id, name string, data any) string {
	text, err := json.Marshal(data)
	if err != nil { // it is JSON already, or only times and flags are in it
		panic(err)
	}
	event := "event: " + name + "\ndata: " + string(text) + "\n\n"
	if id == "" {
		return event
	}
	return "id: " + id + "\n" + event
}
