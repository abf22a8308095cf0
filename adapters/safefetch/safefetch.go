// Package safefetch downloads from URLs that strangers name, without letting
// them reach what only this machine can reach.
package safefetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"code.dny.dev/ssrf"

	"gatefold/application/applyimage"
	"gatefold/domain/artwork"
)

const (
	deadline       = 10 * time.Second
	maxRedirects   = 3
	maxHeaderBytes = 64 << 10
	// accept asks for what Gatefold can store, and takes the rest only from
	// servers that have nothing better: its bytes are checked by the caller.
	accept = "image/jpeg, image/png, image/webp, image/gif, image/avif, */*;q=0.1"
)

// Fetcher downloads over HTTP and HTTPS from public addresses. It uses no
// proxy, keeps no cookies and logs nothing; its errors name neither credentials
// nor queries. It is safe for concurrent use.
type Fetcher struct {
	client    *http.Client
	guard     *ssrf.Guardian
	exempt    map[string]bool // host:port
	userAgent string
	deadline  time.Duration
}

var _ applyimage.Downloader = (*Fetcher)(nil)

// settings are what options change.
type settings struct {
	deadline time.Duration
	resolver *net.Resolver  // nil: the system's
	roots    *x509.CertPool // nil: the system's
	guard    []ssrf.Option
	through  func(http.RoundTripper) http.RoundTripper // nil: nothing
}

// Option changes how a Fetcher reaches the world, and none of the rules for what
// it may reach but the one that it names.
type Option func(*settings)

// WithDeadline bounds a download, redirects and all, in place of 10 seconds.
func WithDeadline(d time.Duration) Option { return func(s *settings) { s.deadline = d } }

// WithResolver asks the resolver for names in place of the system's. What it
// answers is checked like any answer.
func WithResolver(r *net.Resolver) Option { return func(s *settings) { s.resolver = r } }

// Through has every request go through what wrap returns of the transport.
func Through(wrap func(http.RoundTripper) http.RoundTripper) Option {
	return func(s *settings) { s.through = wrap }
}

// WithPublic counts the IPv4 addresses of the prefix as public ones, for a network
// that has no others.
func WithPublic(prefix netip.Prefix) Option {
	return func(s *settings) { s.guard = append(s.guard, ssrf.WithAllowedV4Prefixes(prefix)) }
}

// New returns a Fetcher that says it is userAgent. The hosts in allowHosts, each
// written host:port, may have any address; an entry of another form allows
// nothing. Every other rule holds for them too.
func New(allowHosts []string, userAgent string, options ...Option) *Fetcher {
	s := settings{deadline: deadline}
	for _, option := range options {
		option(&s)
	}
	return newFetcher(allowHosts, userAgent, s)
}

func newFetcher(allowHosts []string, userAgent string, s settings) *Fetcher {
	f := &Fetcher{
		guard:     newGuard(s.guard...),
		exempt:    exemptions(allowHosts),
		userAgent: userAgent,
		deadline:  s.deadline,
	}
	var transport http.RoundTripper = &http.Transport{
		DialContext:            f.dialer(s.resolver),
		TLSClientConfig:        &tls.Config{RootCAs: s.roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // images are compressed, and a small answer must not grow
		MaxResponseHeaderBytes: maxHeaderBytes,
		MaxIdleConns:           20,
		IdleConnTimeout:        30 * time.Second,
	}
	if s.through != nil {
		transport = s.through(transport)
	}
	f.client = &http.Client{CheckRedirect: f.checkRedirect, Transport: transport}
	return f
}

// dialer checks every address it connects to, after the name was resolved: what
// a name meant a moment before the connection is no promise.
func (f *Fetcher) dialer(resolver *net.Resolver) func(context.Context, string, string) (net.Conn, error) {
	guarded := &net.Dialer{Resolver: resolver, Control: func(network, address string, c syscall.RawConn) error {
		if err := f.guard.Safe(network, address, c); err != nil {
			return notPublic(err)
		}
		return nil
	}}
	free := &net.Dialer{Resolver: resolver}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		if f.exempt[address] {
			return free.DialContext(ctx, network, address)
		}
		return guarded.DialContext(ctx, network, address)
	}
}

// Download returns what the URL answers, at most limit bytes, within 10 seconds
// or what WithDeadline says.
//
// The context's applyimage.Receiver is told of the bytes as they come.
//
// ForbiddenURL: Gatefold does not download from this address. NotFound: the URL
// answers 404 or 410. TooLarge: there are more bytes. DownloadFailed: anything
// else. The end of ctx is returned as ctx's error.
func (f *Fetcher) Download(ctx context.Context, rawURL string, limit int64) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	u, err := parse(rawURL)
	if err != nil {
		return nil, err
	}
	if err = f.check(u); err != nil {
		return nil, err
	}
	within, cancel := context.WithTimeout(ctx, f.deadline)
	defer cancel()
	content, err := f.get(within, u, limit)
	if err != nil {
		return nil, f.explain(ctx, within, err)
	}
	return content, nil
}

func (f *Fetcher) get(ctx context.Context, u *url.URL, limit int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", accept)
	req.Header.Set("User-Agent", f.userAgent)
	res, err := f.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	if err := acceptable(res); err != nil {
		return nil, err
	}
	if res.ContentLength > limit {
		return nil, &http.MaxBytesError{Limit: limit}
	}
	// What was announced need not be what comes.
	return io.ReadAll(told(ctx, http.MaxBytesReader(nil, res.Body, limit), res.ContentLength))
}

// told returns the content such that the context's receiver, if there is one, hears how
// much of it has come. An announced length of less than 0 is none.
func told(ctx context.Context, content io.Reader, announced int64) io.Reader {
	tell := applyimage.Receiver(ctx)
	if tell == nil {
		return content
	}
	r := &receipts{content: content, tell: tell, announced: max(0, announced)}
	tell(0, r.announced)
	return r
}

// receipts tells of content as it is read.
type receipts struct {
	content             io.Reader
	tell                func(received, announced int64)
	received, announced int64
}

// Read implements io.Reader.
func (r *receipts) Read(p []byte) (int, error) {
	n, err := r.content.Read(p)
	if n > 0 {
		r.received += int64(n)
		r.tell(r.received, r.announced)
	}
	return n, err
}

// acceptable returns an error unless the answer is the content that was asked
// for.
func acceptable(res *http.Response) error {
	switch res.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return artwork.Errorf(artwork.NotFound, "the URL answers %d", res.StatusCode)
	default:
		return artwork.Errorf(artwork.DownloadFailed, "the URL answers %d", res.StatusCode)
	}
	if encoding := res.Header.Get("Content-Encoding"); encoding != "" && encoding != "identity" {
		return artwork.Errorf(artwork.DownloadFailed, "the URL answers in a content encoding that was not asked for")
	}
	return nil
}

// checkRedirect applies to every target the rules of the first URL.
func (f *Fetcher) checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return artwork.Errorf(artwork.DownloadFailed, "the URL redirects more than %d times", maxRedirects)
	}
	if err := f.check(req.URL); err != nil {
		return err
	}
	if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return artwork.Errorf(artwork.ForbiddenURL, "the URL redirects from https to http")
	}
	// It would tell the query of one server's URL to another server.
	req.Header.Del("Referer")
	return nil
}
