package prommetrics

import (
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// methods are those that can be told apart; a client may send any word.
var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// unmatched is the route of a path that there is not.
const unmatched = "unmatched"

// requests counts and times HTTP requests.
type requests struct {
	total    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	inFlight prometheus.Gauge

	// known has the series of what was told of before, because to look them up by their labels
	// takes longer than to count. It is replaced and never changed, so that nobody waits.
	known  atomic.Pointer[map[outcome]series]
	adding sync.Mutex
}

// outcome is what is told of an answered request, but for the time it took. There are not
// many: the method is one of methods or other, and the route a pattern or unmatched.
type outcome struct {
	method, route string
	code          int
	stream        bool
}

// series is what counts an outcome.
type series struct {
	total    prometheus.Counter
	duration prometheus.Observer // nil: the times say nothing
}

func newRequests(m *Metrics) *requests {
	r := &requests{
		total:    m.counters("http_requests_total", "Answered requests, by the pattern of their path and the status code.", "method", "route", "code"),
		duration: m.histograms("http_request_duration_seconds", "From a request's headers to the end of its answer, by the class of its status code. Event streams are not in it.", web, "method", "route", "class"),
		inFlight: m.gauges("http_requests_in_flight", "Requests that are being answered.").WithLabelValues(),
	}
	r.known.Store(&map[outcome]series{})
	return r
}

// of returns the series of an outcome.
func (r *requests) of(o outcome) series {
	if s, ok := (*r.known.Load())[o]; ok {
		return s
	}
	s := series{total: r.total.WithLabelValues(o.method, o.route, strconv.Itoa(o.code))}
	if !o.stream {
		s.duration = r.duration.WithLabelValues(o.method, o.route, class(o.code))
	}
	r.adding.Lock()
	defer r.adding.Unlock()
	more := maps.Clone(*r.known.Load())
	more[o] = s
	r.known.Store(&more)
	return s
}

// ExpectRoute makes the series of a route and the codes that it is known to answer, as far as
// their first increase tells something: successes, and what went wrong here. Refusals, HEAD and
// times come with the first that there is: there are some two hundred routes.
func (m *Metrics) ExpectRoute(method, route string, codes []int) {
	for _, code := range codes {
		if method != "HEAD" && (code < 400 || code >= 500) {
			m.http.total.WithLabelValues(method, route, strconv.Itoa(code))
		}
	}
}

// RequestBegun counts a request that has begun.
func (m *Metrics) RequestBegun() { m.http.inFlight.Inc() }

// RequestEnded counts a request that was answered. Route is the pattern of its path, "" if there
// is none; stream says that it was answered by events for as long as the client wanted.
func (m *Metrics) RequestEnded(method, route string, code int, took time.Duration, stream bool) {
	m.http.inFlight.Dec()
	if !slices.Contains(methods, method) {
		method = other
	}
	if route == "" {
		route = unmatched
	}
	s := m.http.of(outcome{method, route, code, stream})
	s.total.Inc()
	if s.duration != nil {
		s.duration.Observe(took.Seconds())
	}
}

func class(code int) string {
	classes := [...]string{"1xx", "2xx", "3xx", "4xx", "5xx"}
	if i := code/100 - 1; i >= 0 && i < len(classes) {
		return classes[i]
	}
	return other
}
