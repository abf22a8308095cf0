// Package rest is the HTTP API: handlers on gin, and the only place that knows
// status codes.
package rest

import (
	"cmp"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"golang.org/x/sync/semaphore"

	"gatefold/application/limitrequests"
	"gatefold/application/signimages"
	"gatefold/domain/artwork"
)

// maxJSON bounds the body of a JSON request.
const maxJSON = 1 << 20

// Routes registers the routes of one capability.
type Routes interface{ Register(*Router) }

// Router is the HTTP handler of all routes. Who may call a route is stated where
// the route is registered, and decided before anything else of the request is
// looked at.
type Router struct {
	engine       *gin.Engine
	handler      http.Handler // the engine, and what is before it
	authenticate Authenticator
	proxies      []netip.Prefix
	limiter      *limitrequests.Limiter // nil: there are no limits
	uploadRoom   *semaphore.Weighted    // nil: there is no limit
	signer       *signimages.Signer     // nil: images are public
	patience     Patience
	transport    string // what Strict-Transport-Security says; "": nothing
	log          *slog.Logger
	contract     *contract
	documents    *documents
	meter        Meter           // nil: nobody counts
	tracer       Tracer          // nil: nobody records
	images       map[string]bool // the patterns of paths that are answered with images
}

// NewRouter returns a router with the given routes.
//
// The address of a client is the one that connects. If that is one of the proxies,
// X-Forwarded-For says who is behind it: the last of its addresses that is no proxy
// itself. Nobody else's word is taken.
func NewRouter(authenticate Authenticator, proxies []netip.Prefix, log *slog.Logger, routes []Routes, options ...Option) *Router {
	gin.SetMode(gin.ReleaseMode)
	r := &Router{engine: gin.New(), authenticate: authenticate, proxies: proxies, patience: DefaultPatience, log: log}
	r.handler = r.engine
	for _, option := range options {
		option(r)
	}
	r.engine.HandleMethodNotAllowed = true
	r.engine.RedirectTrailingSlash = false
	r.trust(proxies)
	r.engine.Use(r.measure, r.protectRoute, r.identify, r.trace, r.logRequest, r.recover)
	r.engine.NoRoute(func(c *gin.Context) {
		r.writeProblem(c, http.StatusNotFound, artwork.NotFound.String(), "there is nothing at this path")
	})
	r.engine.NoMethod(func(c *gin.Context) {
		r.writeProblem(c, http.StatusMethodNotAllowed, "method_not_allowed", "this path does not answer "+c.Request.Method)
	})
	r.contract, r.documents = load()
	r.images = r.contract.images()
	r.documents.Register(r)
	for _, routes := range routes {
		routes.Register(r)
	}
	return r
}

func (r *Router) trust(proxies []netip.Prefix) {
	var networks []string
	for _, network := range proxies {
		networks = append(networks, network.String())
	}
	r.engine.RemoteIPHeaders = []string{"X-Forwarded-For"} // others are passed on by proxies that do not know them
	if err := r.engine.SetTrustedProxies(networks); err != nil {
		panic(err) // a network that was parsed is one
	}
}

// Endpoint is a method and the pattern of a path.
type Endpoint struct{ Method, Path string }

// Endpoints returns all that the router answers, in no order.
func (r *Router) Endpoints() []Endpoint {
	var endpoints []Endpoint
	for _, route := range r.engine.Routes() {
		endpoints = append(endpoints, Endpoint{route.Method, route.Path})
	}
	return endpoints
}

// Contracted returns what the contract says that the router answers, in no order. HEAD
// is there wherever GET is.
func (r *Router) Contracted() []Endpoint {
	var endpoints []Endpoint
	for pattern, methods := range r.contract.operations {
		for method := range methods {
			endpoints = append(endpoints, Endpoint{method, pattern})
			if method == http.MethodGet {
				endpoints = append(endpoints, Endpoint{http.MethodHead, pattern})
			}
		}
	}
	return endpoints
}

// ServeHTTP implements http.Handler.
func (r *Router) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if r.transport != "" && r.cameByTLS(req) {
		w.Header()["Strict-Transport-Security"] = []string{r.transport}
	}
	if req.Method == http.MethodOptions { // some are answered before there is a route
		protect(w.Header(), req)
	}
	r.handler.ServeHTTP(r.patience.with(w, req), req)
}

// handler answers a request, or returns the error to answer with.
type handler func(c *gin.Context) error

// public registers a GET route, and its HEAD, that everybody may call, unless images
// are private: then it needs a token too, if it is not one of alwaysPublic.
func (r *Router) public(path string, h handler) {
	run := r.run(h)
	if servesImage(path) {
		run = r.runImage(h)
	}
	handlers := chain(r.open(path), r.limit(http.MethodGet, path), run)
	r.engine.GET(path, handlers...)
	r.engine.HEAD(path, handlers...)
}

// chain returns the handlers that there are.
func chain(handlers ...gin.HandlerFunc) []gin.HandlerFunc {
	return slices.DeleteFunc(handlers, func(h gin.HandlerFunc) bool { return h == nil })
}

// run answers a request that may be made, if the contract allows it as it is. Answers
// are not kept by caches unless the handler says that they may be.
func (r *Router) run(h handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		c.Writer.Header()["Cache-Control"] = notStored
		err := r.contract.check(c)
		if err == nil {
			err = r.act(c, h)
		}
		if err != nil {
			r.fail(c, err)
		}
	}
}

// runImage is run for what is asked for most: its handlers check the little that can be
// asked themselves, and say how long their answers may be kept.
func (r *Router) runImage(h handler) gin.HandlerFunc {
	return func(c *gin.Context) {
		if err := r.act(c, h); err != nil {
			r.fail(c, err)
		}
	}
}

const requestIDHeader = "X-Request-Id"

// address returns where the request comes from, as an address is usually written.
func address(c *gin.Context) string {
	told := cmp.Or(c.ClientIP(), c.RemoteIP()) // of an address with a zone, gin knows the latter only
	addr, err := netip.ParseAddr(told)
	if err != nil {
		return told
	}
	return addr.Unmap().String()
}

var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// identify gives the request an id that runs through logs and problem
// documents: the one a proxy in front gave it, if it is harmless.
func (r *Router) identify(c *gin.Context) {
	id := c.Request.Header[requestIDHeader]
	if len(id) == 0 || !requestIDPattern.MatchString(id[0]) {
		id = []string{newRequestID()}
	}
	c.Writer.Header()[requestIDHeader] = id[:1]
	if !r.images[c.FullPath()] || r.log.Enabled(c, slog.LevelDebug) {
		c.Request = c.Request.WithContext(identified(c))
	}
}

// identified returns the context of the request, which knows the request's id. That of a
// request for an image does not by itself, because nearly all requests are such, and what
// is logged of them is logged by who has asked for this.
func identified(c *gin.Context) context.Context { return withID(c.Request.Context(), requestID(c)) }

func withID(ctx context.Context, id string) context.Context {
	if RequestID(ctx) != "" {
		return ctx
	}
	return &requestContext{ctx, id}
}

// requestContext is the context of a request with its id.
type requestContext struct {
	context.Context
	id string
}

type requestIDKey struct{}

// Value implements context.Context.
func (c *requestContext) Value(key any) any {
	if key == (requestIDKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// RequestID returns the id of the request that ctx belongs to, for logs; "" if that is none.
func RequestID(ctx context.Context) string {
	if c, ok := ctx.Value(requestIDKey{}).(*requestContext); ok {
		return c.id
	}
	return ""
}

// newRequestID returns what tells a request apart from all others. Nothing is guarded by
// it, so it need not be hard to guess.
func newRequestID() string {
	var random [8]byte
	var digits [2 * len(random)]byte
	binary.BigEndian.PutUint64(random[:], rand.Uint64()) //nolint:gosec // see above
	hex.Encode(digits[:], random[:])
	return string(digits[:])
}

// requestID returns the id that identify gave, until an answer has begun.
func requestID(c *gin.Context) string {
	if id := c.Writer.Header()[requestIDHeader]; len(id) > 0 {
		return id[0]
	}
	return ""
}

func (r *Router) logRequest(c *gin.Context) {
	if !r.log.Enabled(c, slog.LevelDebug) {
		return // what nobody reads need not be measured
	}
	begin, id := time.Now(), requestID(c)
	c.Next()
	r.log.LogAttrs(withID(c.Request.Context(), id), slog.LevelDebug, "Request", slog.String("method", c.Request.Method), slog.String("path", c.Request.URL.Path),
		slog.Int("status", outcome(c)), slog.Int64("bytes", max(int64(c.Writer.Size()), 0)+c.GetInt64(sentKey)),
		slog.Duration("took", time.Since(begin)))
}

// recover answers a request whose handler panicked, unless an answer has begun.
func (r *Router) recover(c *gin.Context) {
	id := requestID(c) // of an answer that has begun the header is gone
	defer func() {
		p := recover()
		if p == nil {
			return
		}
		if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(p)
		}
		r.log.ErrorContext(withID(c.Request.Context(), id), "Panic", "value", p, "stack", string(debug.Stack()))
		c.Abort()
		if !c.Writer.Written() || begunStream(c) != nil {
			r.writeProblem(c, http.StatusInternalServerError, artwork.Internal.String(), "something went wrong inside Gatefold")
		}
	}()
	c.Next()
}

// id reads a UUID from the path.
func id(c *gin.Context, param string) (artwork.ID, error) { return artwork.ParseID(c.Param(param)) }

// byID is a handler of a path that names a subject by the parameter "id".
func byID(h func(c *gin.Context, subject artwork.ID) error) handler {
	return func(c *gin.Context) error {
		subject, err := id(c, "id")
		if err != nil {
			return err
		}
		return h(c, subject)
	}
}

// decodeJSON reads the body into v: one JSON object without unknown fields.
func decodeJSON(c *gin.Context, v any) error { return decodeJSONUpTo(c, maxJSON, v) }

// decodeJSONUpTo is decodeJSON for bodies of another size.
func decodeJSONUpTo(c *gin.Context, limit int64, v any) error {
	body := http.MaxBytesReader(c.Writer, c.Request.Body, limit)
	decoder := json.NewDecoder(body)
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		return badJSON("the body", err)
	}
	if v == nil {
		return artwork.Errorf(artwork.InvalidInput, "the body must be a JSON object, not null")
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return artwork.Errorf(artwork.InvalidInput, "the body has more than one JSON value")
	}
	return nil
}

// badJSON says what is wrong with something that was to be a JSON object.
func badJSON(what string, err error) error {
	if e, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return artwork.Errorf(artwork.TooLarge, "%s has more than %d bytes", what, e.Limit)
	}
	if e, ok := errors.AsType[*artwork.Error](err); ok {
		return e
	}
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		if e.Field == "" {
			return artwork.Errorf(artwork.InvalidInput, "%s must be a JSON object, not a JSON %s", what, e.Value)
		}
		return artwork.Errorf(artwork.InvalidInput, "the field %q cannot be a JSON %s", e.Field, e.Value)
	}
	if errors.Is(err, io.EOF) {
		return artwork.Errorf(artwork.InvalidInput, "%s is empty: a JSON object is expected", what)
	}
	// What is left are syntax errors and unknown fields, which encoding/json
	// describes well.
	return artwork.Errorf(artwork.InvalidInput, "%s is not what is expected: %s", what, strings.TrimPrefix(err.Error(), "json: "))
}

// onlyQuery returns an InvalidInput error if the query is malformed, or has another
// parameter than those allowed, or one of them twice.
func onlyQuery(c *gin.Context, allowed ...string) error {
	_, err := queryOf(c, allowed...)
	return err
}

// queryOf returns the query, if onlyQuery finds nothing wrong with it.
func queryOf(c *gin.Context, allowed ...string) (url.Values, error) {
	if c.Request.URL.RawQuery == "" {
		return nil, nil
	}
	query, err := url.ParseQuery(c.Request.URL.RawQuery)
	if err != nil {
		return nil, errMalformedQuery
	}
	for name, values := range query {
		if !slices.Contains(allowed, name) {
			return nil, unknownParameter(name)
		}
		if len(values) > 1 {
			return nil, repeatedParameter(name)
		}
	}
	return query, nil
}

var errMalformedQuery = artwork.Errorf(artwork.InvalidInput, "the query is not name=value&name=value, with escapes where they are needed")

func unknownParameter(name string) error {
	return artwork.Errorf(artwork.InvalidInput, "unknown query parameter %q", name)
}

func repeatedParameter(name string) error {
	return artwork.Errorf(artwork.InvalidInput, "the query parameter %q is given twice", name)
}

// readFlag reads a query parameter that is true or false; it is false if it is not
// given.
func readFlag(c *gin.Context, name string) (bool, error) {
	switch text := c.DefaultQuery(name, "false"); text {
	case "true", "false":
		return text == "true", nil
	default:
		return false, artwork.Errorf(artwork.InvalidInput, "%s must be true or false", name)
	}
}

// ifMatch reads the tag that the caller wants to be in force; "" if any may be.
func ifMatch(c *gin.Context) (artwork.Tag, error) {
	header := strings.TrimSpace(c.GetHeader("If-Match"))
	if header == "" || header == "*" {
		return "", nil
	}
	tag, ok := strings.CutPrefix(header, `"`)
	tag, ok2 := strings.CutSuffix(tag, `"`)
	if !ok || !ok2 || tag == "" || strings.Contains(tag, `"`) {
		return "", artwork.Errorf(artwork.InvalidInput, `If-Match must be one tag in quotes, as in "0123456789abcdef"`)
	}
	return artwork.Tag(tag), nil
}
