package rest

import (
	"context"
	"log/slog"
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"gatefold/application/tracing"
)

// Tracer records requests. Its methods may be called concurrently.
type Tracer interface {
	// Request begins to record a request. Route is the pattern of its path, "" if there is
	// none. What is done with the returned context belongs to the request. end is called
	// with the status of the answer, or of the problem that a stream has ended with; it is nil
	// if this request is not recorded.
	Request(req *http.Request, route, requestID string) (ctx context.Context, end func(status int))
}

// WithTracer has requests recorded.
func WithTracer(tracer Tracer) Option { return func(r *Router) { r.tracer = tracer } }

// untraced are asked for all the time, by machines, or go on for hours.
var untraced = []string{"/health", "/health/live", "/health/ready", "/api/health", "/metrics", "/api/events/stream"}

// trace has the tracer record a request.
func (r *Router) trace(c *gin.Context) {
	if r.tracer == nil || slices.Contains(untraced, c.FullPath()) {
		return
	}
	ctx, end := r.tracer.Request(c.Request, c.FullPath(), requestID(c))
	if end == nil {
		return
	}
	c.Request = c.Request.WithContext(withID(ctx, requestID(c)))
	defer func() { end(outcome(c)) }()
	c.Next()
}

// act runs a handler as the step that the contract names the operation.
func (r *Router) act(c *gin.Context, h handler) (err error) {
	if r.tracer == nil || tracing.Of(c.Request.Context()) == nil {
		return h(c)
	}
	request := c.Request
	ctx, end := tracing.Step(request.Context(), r.contract.operationID(c))
	defer func() {
		c.Request = request
		end(err)
	}()
	c.Request = request.WithContext(ctx)
	return h(c)
}

// operationID returns what the contract calls what a request asks for.
func (k *contract) operationID(c *gin.Context) string {
	method := c.Request.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	if op := k.operations[c.FullPath()][method]; op != nil {
		return op.route.Operation.OperationID
	}
	return "handle"
}

// noteFailure says of the request by which kind of error it has failed.
func noteFailure(c *gin.Context, kind string) {
	tracing.Note(c.Request.Context(), slog.String("error.type", kind))
}
