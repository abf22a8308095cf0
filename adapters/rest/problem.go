package rest

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"gatefold/adapters/rest/api"
	"gatefold/domain/artwork"
)

// statuses is the only table from error kinds to HTTP.
var statuses = map[artwork.ErrorKind]int{
	artwork.Internal:           http.StatusInternalServerError,
	artwork.InvalidInput:       http.StatusBadRequest,
	artwork.NotFound:           http.StatusNotFound,
	artwork.Conflict:           http.StatusConflict,
	artwork.PreconditionFailed: http.StatusPreconditionFailed,
	artwork.Unauthenticated:    http.StatusUnauthorized,
	artwork.Forbidden:          http.StatusForbidden,
	artwork.TooLarge:           http.StatusRequestEntityTooLarge,
	artwork.UnsupportedImage:   http.StatusUnprocessableEntity,
	artwork.CorruptImage:       http.StatusUnprocessableEntity,
	artwork.ImageTooLarge:      http.StatusUnprocessableEntity,
	artwork.ForbiddenURL:       http.StatusUnprocessableEntity,
	artwork.DownloadFailed:     http.StatusBadGateway,
	artwork.CacheUnreachable:   http.StatusServiceUnavailable,
	artwork.OutcomeUnknown:     http.StatusServiceUnavailable,
	artwork.NotConfirmed:       http.StatusServiceUnavailable,
	artwork.Unavailable:        http.StatusServiceUnavailable,
	artwork.StorageFull:        http.StatusInsufficientStorage,
	artwork.TooManyRequests:    http.StatusTooManyRequests,
	artwork.RequestTimeout:     http.StatusRequestTimeout,
}

// statusClientClosedRequest is what proxies log for a client that has gone. No
// specification has it.
const statusClientClosedRequest = 499

// challenge says what a credential looks like (RFC 6750).
const challenge = `Bearer realm="gatefold"`

// retryAfter is when a part that was lost is worth another try, in seconds:
// applies work again within 5 s of its return.
const retryAfter = "5"

// fail answers with a problem and ends the request. What is internal is logged here, once, and not sent.
func (r *Router) fail(c *gin.Context, err error) {
	c.Abort()
	if e, ok := errors.AsType[*rangeError](err); ok {
		r.writeProblem(c, http.StatusRequestedRangeNotSatisfiable, "range_not_satisfiable", e.Error())
		return
	}
	if errors.Is(err, context.Canceled) && c.Request.Context().Err() != nil {
		// Hardly anybody is there to read an answer. One who is, with a line that
		// is closed in the other direction only, must not take it for a success.
		if stream := begunStream(c); stream != nil {
			stream.status = statusClientClosedRequest // it ends without "complete"
			return
		}
		protect(c.Writer.Header(), c.Request)
		c.Status(statusClientClosedRequest)
		c.Writer.WriteHeaderNow()
		return
	}
	if artwork.KindOf(err) == artwork.Unauthenticated {
		err = r.countFailure(c, err)
	}
	kind := artwork.KindOf(err)
	status := statuses[kind]
	detail := messageOf(err)
	if status >= http.StatusInternalServerError {
		noteFailure(c, kind.String())
		r.log.LogAttrs(identified(c), levelOf(kind), "Request failed", slog.String("kind", kind.String()), slog.String("error", err.Error()),
			slog.String("method", c.Request.Method), slog.String("path", c.Request.URL.Path))
	}
	if kind == artwork.Internal {
		detail = "something went wrong inside Gatefold; its log has the details under this request id"
	}
	if status == http.StatusServiceUnavailable {
		c.Header("Retry-After", retryAfter)
	}
	if e, ok := errors.AsType[*artwork.Error](err); ok && kind == artwork.TooManyRequests {
		c.Header("Retry-After", strconv.FormatInt(int64(math.Ceil(max(e.RetryAfter, time.Second).Seconds())), 10))
	}
	if status == http.StatusUnauthorized {
		c.Header("WWW-Authenticate", challenge)
	}
	r.writeProblem(c, status, kind.String(), detail)
}

// levelOf tells what needs a developer from what needs an operator.
func levelOf(kind artwork.ErrorKind) slog.Level {
	if kind == artwork.Internal {
		return slog.LevelError
	}
	return slog.LevelWarn
}

// messageOf returns what the error says to the person who asked.
func messageOf(err error) string {
	return cmp.Or(artwork.MessageOf(err), http.StatusText(statuses[artwork.KindOf(err)]))
}

// problemType is the URI that names a kind of problem.
func problemType(kind string) string { return "urn:gatefold:problem:" + kind }

// writeProblem answers with a problem document, or ends the stream that the answer is
// already with the same as an event.
func (r *Router) writeProblem(c *gin.Context, status int, kind, detail string) {
	problem := api.Problem{
		Type: problemType(kind), Title: http.StatusText(status), Status: status, Detail: detail,
		Instance: c.Request.URL.Path, RequestID: requestID(c),
		StatusCode: status, Message: detail, Error: http.StatusText(status),
		Timestamp: time.Now().UTC(), Path: c.Request.URL.Path,
	}
	if stream := begunStream(c); stream != nil {
		stream.end(status, problem)
		return
	}
	body, err := json.Marshal(problem)
	if err != nil { // only strings, numbers and a time are in it
		panic(err)
	}
	protect(c.Writer.Header(), c.Request) // on a route that serves images, nobody has yet
	c.Header("Cache-Control", "no-store")
	c.Data(status, "application/problem+json", body)
}
