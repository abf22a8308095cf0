package api

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"code.dny.dev/ssrf"
	"github.com/failsafe-go/failsafe-go"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
	"github.com/failsafe-go/failsafe-go/retrypolicy"

	"gatefold/domain/artwork"
)

const (
	maxAnswer      = 4 << 20  // bytes; the largest documented answers have some 300 kB
	maxRefusal     = 64 << 10 // bytes of an answer that is not 200
	maxHeaderBytes = 64 << 10
	maxRedirects   = 3
	maxRetries     = 2
	maxPause       = 15 * time.Minute // however long a service wants to be left alone
)

// Endpoint is a service as it is asked. It is safe for concurrent use.
type Endpoint struct {
	client  *Client
	service Service
	base    *url.URL
	http    *http.Client
	asking  failsafe.Executor[bool]
	breaker circuitbreaker.CircuitBreaker[bool]
	// pausedUntil is when a service that was over its limit may be asked again, in
	// nanoseconds since the epoch.
	pausedUntil atomic.Int64
}

func newEndpoint(c *Client, service Service, base *url.URL) *Endpoint {
	e := &Endpoint{client: c, service: service, base: base}
	e.http = &http.Client{CheckRedirect: e.checkRedirect, Transport: c.through(newTransport(base, c.within))}
	e.breaker = e.newBreaker()
	e.asking = failsafe.With[bool](e.newRetries(), e.breaker)
	return e
}

// newBreaker returns what leaves a service alone while at least half of the requests
// of a minute fail.
func (e *Endpoint) newBreaker() circuitbreaker.CircuitBreaker[bool] {
	return circuitbreaker.NewBuilder[bool]().
		HandleIf(func(_ bool, err error) bool {
			f, ok := errors.AsType[*failure](err)
			// One request tries whether a service works again. If it was given up
			// before anything was heard, the next one has to wait again.
			return ok && (f.counts || !f.learned && e.breaker.IsHalfOpen())
		}).
		WithFailureRateThreshold(0.5, 6, time.Minute).
		WithSuccessThreshold(1).
		WithDelay(e.client.terms.breakFor).
		Build()
}

// newRetries returns what asks again when a failure may pass. How long it waits then
// was decided when the failure was seen, with the deadline in view.
func (e *Endpoint) newRetries() retrypolicy.RetryPolicy[bool] {
	return retrypolicy.NewBuilder[bool]().
		HandleIf(func(_ bool, err error) bool {
			f, ok := errors.AsType[*failure](err)
			return ok && f.passing
		}).
		WithMaxRetries(maxRetries).
		WithDelayFunc(func(exec failsafe.ExecutionAttempt[bool]) time.Duration {
			f, _ := errors.AsType[*failure](exec.LastError())
			return f.after
		}).
		ReturnLastFailure().
		Build()
}

// platformHost is where a virtual machine on Azure reaches its host: an address that
// looks public and answers with the machine's secrets.
var platformHost = netip.MustParsePrefix("168.63.129.16/32")

// errNotPublic is a connection that was not made.
var errNotPublic = errors.New("the address is not a public one")

// newTransport connects to the base URL wherever it is, if the operator named it or
// its host, and to others, where redirects lead too, at public addresses.
func newTransport(base *url.URL, within map[string]bool) *http.Transport {
	guard := ssrf.New(ssrf.WithAnyPort(), ssrf.WithDeniedV4Prefixes(platformHost))
	guarded := &net.Dialer{Control: func(network, address string, c syscall.RawConn) error {
		if err := guard.Safe(network, address, c); err != nil {
			return errNotPublic
		}
		return nil
	}}
	free, named := &net.Dialer{}, hostPort(base)
	if within != nil && !within[strings.ToLower(named)] {
		named = ""
	}
	return &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			if address == named {
				return free.DialContext(ctx, network, address)
			}
			return guarded.DialContext(ctx, network, address)
		},
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxIdleConnsPerHost:    4,
		IdleConnTimeout:        30 * time.Second,
	}
}

// hostPort returns the address that a URL is dialled at.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// Get asks for a path below the base URL and decodes the answer, an object of JSON,
// into a T; fields that T does not have are ignored. found is false if the service
// does not know what was asked for. If *T is a Verdict, it is asked first.
//
// Errors are those of findimages.ArtworkProvider.
func Get[T any](ctx context.Context, e *Endpoint, path string, query url.Values) (answer T, found bool, err error) {
	found, err = e.get(ctx, path, query, func(body []byte) (Reason, error) {
		answer = *new(T) // of an attempt before
		if err := Decode(body, &answer); err != nil {
			return 0, err
		}
		if v, ok := any(&answer).(Verdict); ok {
			return v.Verdict(), nil
		}
		return 0, nil
	})
	if !found {
		answer = *new(T)
	}
	return answer, found, err
}

// Decode reads exactly one object, as Get does.
func Decode(body []byte, into any) error {
	body = bytes.TrimSpace(bytes.TrimPrefix(body, []byte("\ufeff")))
	if !bytes.HasPrefix(body, []byte("{")) {
		return errors.New("no object of JSON")
	}
	return json.Unmarshal(body, into)
}

// read is how Get takes in a body.
type read func(body []byte) (Reason, error)

func (e *Endpoint) get(ctx context.Context, path string, query url.Values, read read) (bool, error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	within, cancel := context.WithTimeout(ctx, e.client.terms.patience)
	defer cancel()
	u := e.base.JoinPath(path)
	u.RawQuery = query.Encode()
	found, err := e.asking.WithContext(within).GetWithExecution(func(exec failsafe.Execution[bool]) (bool, error) {
		found, f := e.attempt(within, u.String(), read)
		if f == nil {
			return found, nil
		}
		e.plan(within, f, exec.Retries())
		return false, f
	})
	if err == nil {
		return found, nil
	}
	if ended := ended(ctx); ended != nil {
		return false, ended
	}
	return false, e.explain(within, err)
}

// explain returns the error for the caller, whose ctx has not ended.
func (e *Endpoint) explain(within context.Context, err error) error {
	if errors.Is(err, circuitbreaker.ErrOpen) {
		left := max(e.breaker.RemainingDelay().Round(time.Second), time.Second)
		return e.say(artwork.Unavailable, nil, "has failed too often lately and is left alone for another %s", left)
	}
	if ended(within) != nil {
		return e.say(artwork.Unavailable, nil, "did not answer within %s", e.client.terms.patience)
	}
	if f, ok := errors.AsType[*failure](err); ok {
		return f.err
	}
	return artwork.Wrap(artwork.Internal, "providers."+e.service.Provider, err)
}

// plan decides whether and when to ask again, and remembers to leave alone a service
// that wants to be left alone for longer than anybody waits.
func (e *Endpoint) plan(ctx context.Context, f *failure, retries int) {
	if !f.passing {
		return
	}
	asked := f.after
	if asked == 0 {
		f.after = e.client.terms.backoff << retries
		f.after += rand.N(f.after/4 + 1) //nolint:gosec // it spreads requests, and guards nothing
	}
	deadline, _ := ctx.Deadline()
	if time.Until(deadline) > f.after {
		return
	}
	f.passing = false
	if asked > 0 {
		e.pausedUntil.Store(time.Now().Add(min(asked, maxPause)).UnixNano())
	}
}

// attempt asks once.
func (e *Endpoint) attempt(ctx context.Context, u string, read read) (bool, *failure) {
	if left := time.Until(time.Unix(0, e.pausedUntil.Load())); left > 0 {
		return false, unsent(e.say(artwork.Unavailable, nil, "is over its limit and is left alone for another %s", max(left.Round(time.Second), time.Second)))
	}
	if err := e.client.limiter.Wait(ctx, e.service.Provider, e.service.Rate); err != nil {
		return false, unsent(err)
	}
	began := time.Now()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return false, unsent(e.say(artwork.DownloadFailed, nil, "cannot be asked this"))
	}
	for name, values := range e.service.Header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", e.client.userAgent)
	req.Header.Set("Accept", "application/json")
	res, err := e.http.Do(req)
	if err != nil {
		return false, e.broken(ctx, began, err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode != http.StatusOK {
		return e.refusal(res, read)
	}
	body, err := io.ReadAll(http.MaxBytesReader(nil, res.Body, maxAnswer))
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return false, e.misunderstood(nil, "answers with more than %d MB", large.Limit>>20)
	}
	if err != nil {
		return false, e.broken(ctx, began, err)
	}
	return e.answer(res, body, read)
}

// answer takes in an answer with status 200.
func (e *Endpoint) answer(res *http.Response, body []byte, read read) (bool, *failure) {
	if kind, _, err := mime.ParseMediaType(res.Header.Get("Content-Type")); err == nil && kind == "text/html" {
		return false, e.misunderstood(nil, "answers with a web page in place of data")
	}
	reason, err := read(body)
	switch {
	case err != nil:
		return false, e.misunderstood(err, "answers with data that are not understood")
	case reason == Absent:
		return false, nil
	case reason != 0:
		return false, e.because(reason, res.StatusCode)
	}
	return true, nil
}

// refusal takes in an answer with another status.
func (e *Endpoint) refusal(res *http.Response, read read) (bool, *failure) {
	reason := e.byStatus(res.StatusCode)
	body, _ := io.ReadAll(io.LimitReader(res.Body, maxRefusal))
	if told, err := read(body); err == nil && told != 0 && reason != OverLimit {
		reason = told
	}
	if reason == Absent {
		return false, nil
	}
	f := e.because(reason, res.StatusCode)
	if f.passing {
		f.after = retryAfter(res.Header.Get("Retry-After"), time.Now())
	}
	return false, f
}

// byStatus returns what a status other than 200 says.
func (e *Endpoint) byStatus(status int) Reason {
	switch {
	case status == http.StatusTooManyRequests || status == e.service.OverLimitAs:
		return OverLimit
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return KeyRefused
	case (status == http.StatusNotFound || status == http.StatusGone) && e.service.AbsentAs404:
		return Absent
	case status >= 500:
		return Failing
	}
	return Refused
}

// retryAfter reads the header of RFC 9110, section 10.2.3; 0: it says nothing.
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(strings.TrimSpace(value)); err == nil {
		return time.Duration(min(max(seconds, 0), 1<<20)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}

// checkRedirect follows within the rate, and tells no other host the key.
func (e *Endpoint) checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return e.misunderstood(nil, "redirects more than %d times", maxRedirects)
	}
	if via[0].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return e.misunderstood(nil, "redirects from https to http")
	}
	req.Header.Del("Referer") // it repeats the URL before
	if req.URL.Host != e.base.Host {
		for name := range e.service.Header {
			req.Header.Del(name)
		}
		return nil
	}
	if err := e.client.limiter.Wait(req.Context(), e.service.Provider, e.service.Rate); err != nil {
		return unsent(err)
	}
	return nil
}
