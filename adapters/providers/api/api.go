// Package api is how every provider of images is asked: JSON over HTTP, within the
// provider's rate, with retries, a breaker, and errors for the person who searches.
package api

import (
	"net/http"
	"net/url"
	"strings"
	"time"

	"gatefold/application/findimages"
	"gatefold/domain/artwork"
)

// Client is what all services share. It is safe for concurrent use.
type Client struct {
	userAgent string
	limiter   findimages.Limiter
	terms     terms
	through   func(http.RoundTripper) http.RoundTripper
	within    map[string]bool // where base URLs may be beside public addresses; nil: anywhere
}

// New returns a client that says it is this version of Gatefold, run by whom contact
// tells: a URL or an e-mail address, which MusicBrainz and Wikimedia demand. Before
// each request it waits for its turn with the limiter.
func New(version, contact string, limiter findimages.Limiter, options ...Option) *Client {
	if contact == "" {
		contact = "no contact is configured"
	}
	c := &Client{
		userAgent: "Gatefold/" + version + " ( " + contact + " )",
		through:   func(transport http.RoundTripper) http.RoundTripper { return transport },
		limiter:   limiter,
		terms:     terms{patience: 10 * time.Second, backoff: 200 * time.Millisecond, breakFor: 30 * time.Second, slow: time.Second},
	}
	for _, option := range options {
		option(c)
	}
	return c
}

// Option changes a client that is being made.
type Option func(*Client)

// Backoff sets how long is waited before the first retry, in place of 200 ms; before
// the second it is twice that.
func Backoff(d time.Duration) Option { return func(c *Client) { c.terms.backoff = d } }

// Through has every request go through what wrap returns of the transport.
func Through(wrap func(http.RoundTripper) http.RoundTripper) Option {
	return func(c *Client) { c.through = wrap }
}

// Within has base URLs reached at public addresses only, but for the hosts, each written
// host:port: for base URLs that were named by others than who runs the machine. Without
// it they may be anywhere.
func Within(hosts []string) Option {
	return func(c *Client) {
		c.within = make(map[string]bool, len(hosts))
		for _, host := range hosts {
			c.within[strings.ToLower(host)] = true
		}
	}
}

// HostOf returns the host of a base URL as Within takes it; "" if it is none.
func HostOf(baseURL string) string {
	u, err := url.Parse(baseURL)
	if err != nil {
		return ""
	}
	return strings.ToLower(hostPort(u))
}

// terms are how patient a client is.
type terms struct {
	patience time.Duration // how long a question may take, with everything
	backoff  time.Duration // before the first retry; then twice as long
	breakFor time.Duration // how long a service that fails is left alone
	slow     time.Duration // who does not answer for so long has failed, whoever gave up
}

// Service is a web API, as its provider documents it.
type Service struct {
	Provider string // its ID, under which its requests are counted
	Name     string // for people
	BaseURL  string
	Rate     findimages.Rate
	// Header is sent with every request to the service, and to nobody else.
	Header http.Header
	// Keyed: a key is sent along, in whatever way, and 401 and 403 refuse it. Of a
	// service without keys they say that it wants to be left alone.
	Keyed bool
	// AbsentAs404: 404 means that what was asked for is not there. Of another service
	// it means that the question went to the wrong address.
	AbsentAs404 bool
	// OverLimitAs is a status with which the service says that it is asked too often,
	// beside 429; 0: none.
	OverLimitAs int
	// Secure are the domains that serve their images over https, although answers
	// give http URLs.
	Secure []string
}

// Open returns the endpoint of a service. InvalidInput: its base URL is none
// (CheckBaseURL).
func (c *Client) Open(service Service) (*Endpoint, error) {
	if err := CheckBaseURL(service.BaseURL); err != nil {
		return nil, err
	}
	base, err := url.Parse(service.BaseURL)
	if err != nil {
		return nil, artwork.Wrap(artwork.InvalidInput, "api.Open", err)
	}
	return newEndpoint(c, service, base), nil
}

// CheckBaseURL returns an InvalidInput error unless raw can be where an API is: http
// or https, a host, perhaps a path. The message does not repeat it.
func CheckBaseURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return artwork.Errorf(artwork.InvalidInput, "it is not a URL such as https://example.org")
	case u.Scheme != "http" && u.Scheme != "https":
		return artwork.Errorf(artwork.InvalidInput, "it does not begin with http:// or https://")
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return artwork.Errorf(artwork.InvalidInput, "it has more than a host and a path")
	}
	return nil
}

const maxURL = 2048 // bytes; what browsers and proxies take without fail

// ImageURL returns the URL of an image in an answer as it can be offered, and "" for
// what is none: another scheme, no host, credentials, control characters.
func (e *Endpoint) ImageURL(raw string) string {
	u, err := url.Parse(strings.TrimSpace(raw))
	if err != nil || len(raw) > maxURL || u.Hostname() == "" || u.User != nil || u.Opaque != "" {
		return ""
	}
	switch u.Scheme {
	case "https":
	case "http":
		if u.Port() == "" && under(u.Hostname(), e.service.Secure) {
			u.Scheme = "https"
		}
	default:
		return ""
	}
	return u.String()
}

// under reports whether a host is one of the domains or in one.
func under(host string, domains []string) bool {
	host = strings.ToLower(host)
	for _, domain := range domains {
		if host == domain || strings.HasSuffix(host, "."+domain) {
			return true
		}
	}
	return false
}
