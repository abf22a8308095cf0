package rest

import (
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// Meter counts and times requests. Its methods may be called concurrently.
type Meter interface {
	// RequestBegun is told of a request when its headers have been read.
	RequestBegun()
	// RequestEnded is told of the same request when it was answered. Route is the pattern
	// of its path, "" if there is none; stream: it was answered by events, and code is that of
	// the problem that they ended with, if they did.
	RequestEnded(method, route string, code int, took time.Duration, stream bool)
}

// WithMeter has a meter told of every request.
func WithMeter(meter Meter) Option { return func(r *Router) { r.meter = meter } }

// measure tells the meter of a request.
func (r *Router) measure(c *gin.Context) {
	if r.meter == nil {
		return
	}
	begin := time.Now()
	r.meter.RequestBegun()
	defer func() {
		content := c.Writer.Header()["Content-Type"]
		stream := len(content) == 1 && strings.HasPrefix(content[0], "text/event-stream")
		code := c.Writer.Status()
		if stream {
			code = outcome(c)
		}
		r.meter.RequestEnded(c.Request.Method, c.FullPath(), code, time.Since(begin), stream)
	}()
	c.Next()
}

// Codes returns the status codes that the contract says a method of a route answers with, in no
// order; none if it is not in the contract.
func (r *Router) Codes(e Endpoint) []int {
	method := e.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	return r.contract.codes(e.Path, method)
}

// Metrics tells Prometheus what the program does.
type Metrics struct{ handler http.Handler }

// NewMetrics returns the route /metrics, which the handler answers.
func NewMetrics(handler http.Handler) *Metrics { return &Metrics{handler} }

// Register implements Routes.
func (m *Metrics) Register(r *Router) {
	r.public("/metrics", func(c *gin.Context) error {
		m.handler.ServeHTTP(c.Writer, c.Request)
		return nil
	})
}
