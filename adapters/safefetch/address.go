package safefetch

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"code.dny.dev/ssrf"
	"golang.org/x/net/idna"

	"gatefold/domain/artwork"
)

// platformHost is where a virtual machine on Azure reaches its host: an address
// that looks public and answers with the machine's secrets.
var platformHost = netip.MustParsePrefix("168.63.129.16/32")

var defaultPorts = map[string]string{"http": "80", "https": "443"}

// newGuard returns a guard that lets connections through to any port of public
// addresses only. The ranges it refuses are IANA's special ones; of IPv6 it
// refuses everything outside of 2000::/3, and within it the ranges that carry
// IPv4 addresses.
func newGuard(options ...ssrf.Option) *ssrf.Guardian {
	return ssrf.New(append([]ssrf.Option{ssrf.WithAnyPort(), ssrf.WithDeniedV4Prefixes(platformHost)}, options...)...)
}

// exemptions returns the set of the entries written host:port, in lower case.
func exemptions(allowHosts []string) map[string]bool {
	exempt := make(map[string]bool, len(allowHosts))
	for _, entry := range allowHosts {
		if host, port, err := net.SplitHostPort(strings.TrimSpace(entry)); err == nil && host != "" && port != "" {
			exempt[net.JoinHostPort(strings.ToLower(host), port)] = true
		}
	}
	return exempt
}

// maxURL is the longest URL, in bytes, that servers commonly accept.
const maxURL = 8 << 10

// parse reads a URL. The cause of an error would repeat the URL, and with it
// what is secret in it.
func parse(rawURL string) (*url.URL, error) {
	if len(rawURL) > maxURL {
		return nil, forbidden("it is longer than 8192 bytes")
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, forbidden("it is malformed")
	}
	return u, nil
}

// check returns a ForbiddenURL error if the URL can be refused as it stands.
// Otherwise it writes the host as it will be looked up and dialled. The address
// behind a name is checked when it is dialled.
func (f *Fetcher) check(u *url.URL) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return forbidden("it does not begin with http:// or https://")
	case u.User != nil:
		return forbidden("it contains a user name")
	case u.Hostname() == "":
		return forbidden("it names no host")
	}
	host, err := asciiHost(u.Hostname())
	if err != nil {
		return err
	}
	port, err := portOf(u)
	if err != nil {
		return err
	}
	address := net.JoinHostPort(host, port)
	u.Host = address
	if port == defaultPorts[u.Scheme] {
		// Servers that compare the Host header do not expect it there.
		u.Host = strings.TrimSuffix(address, ":"+port)
	}
	if f.exempt[address] {
		return nil
	}
	return f.checkHost(host)
}

// asciiHost returns the host in lower case and in the form that DNS knows.
// Mapping comes before every check, because it makes digits of characters that
// are none.
func asciiHost(host string) (string, error) {
	ascii := strings.ToLower(host)
	if strings.ContainsFunc(host, func(r rune) bool { return r >= 0x80 }) {
		var err error
		if ascii, err = idna.Lookup.ToASCII(host); err != nil || ascii == "" {
			return "", forbidden("its host is not a valid name")
		}
	}
	return ascii, nil
}

// portOf returns the URL's port or, if it has none, that of its scheme.
func portOf(u *url.URL) (string, error) {
	port := u.Port()
	if port == "" {
		return defaultPorts[u.Scheme], nil
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", forbidden("its port is not in 1..65535")
	}
	return strconv.FormatUint(n, 10), nil
}

// checkHost refuses addresses that are not public, and hosts that some resolvers
// take for an address though they are not written as one.
func (f *Fetcher) checkHost(host string) error {
	addr, err := netip.ParseAddr(host)
	if err == nil {
		if cause := f.guard.SafeAddr(addr); cause != nil {
			return notPublic(cause)
		}
		return nil
	}
	if endsInNumber(host) {
		return forbidden("its host is a number, but not an IPv4 address written as four decimal numbers")
	}
	return nil
}

// endsInNumber is how browsers tell that a host is meant as an IPv4 address
// (url.spec.whatwg.org, "ends in a number"): a top-level domain is never a
// number.
func endsInNumber(host string) bool {
	host = strings.TrimSuffix(host, ".")
	last := host[strings.LastIndexByte(host, '.')+1:]
	if digits, ok := strings.CutPrefix(last, "0x"); ok {
		return strings.Trim(digits, "0123456789abcdef") == ""
	}
	return last != "" && strings.Trim(last, "0123456789") == ""
}

func forbidden(why string) error {
	return artwork.Errorf(artwork.ForbiddenURL, "Gatefold does not download from this URL: %s", why)
}

// notPublic keeps the address for the log: where a name leads inside the network
// is none of a stranger's business.
func notPublic(cause error) error {
	return &artwork.Error{
		Kind: artwork.ForbiddenURL, Op: "safefetch.Download", Err: cause,
		Msg: "Gatefold does not download from this URL: its address is not a public one",
	}
}
