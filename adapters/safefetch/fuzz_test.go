package safefetch

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// private are the addresses that must never be reached, written down apart from
// the library that refuses them.
var private = func() (prefixes []netip.Prefix) {
	for _, prefix := range strings.Fields(`0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 168.63.129.16/32 172.16.0.0/12 192.0.0.0/24
		192.0.2.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4 255.255.255.255/32 ::/8 64:ff9b::/96
		64:ff9b:1::/48 100::/64 2001::/32 2001:db8::/32 2002::/16 3fff::/20 fc00::/7 fe80::/10 fec0::/10 ff00::/8`) {
		prefixes = append(prefixes, netip.MustParsePrefix(prefix))
	}
	return prefixes
}()

// isPublic is what the guard must imply.
func isPublic(addr netip.Addr) bool {
	if !addr.IsValid() || addr.Zone() != "" || addr.Is4In6() {
		return false
	}
	for _, prefix := range private {
		if prefix.Contains(addr) {
			return false
		}
	}
	return true
}

// FuzzGuard: the guard lets nothing through to an address that is not public.
func FuzzGuard(f *testing.F) {
	for _, prefix := range private {
		f.Add(prefix.Addr().AsSlice(), uint16(80))
	}
	for _, addr := range []string{"8.8.8.8", "2606:4700::1111", "::ffff:10.0.0.1", "2001:4860::8888", "1.1.1.1"} {
		f.Add(netip.MustParseAddr(addr).AsSlice(), uint16(443))
	}
	guard := newGuard()
	f.Fuzz(func(t *testing.T, raw []byte, port uint16) {
		addr, ok := netip.AddrFromSlice(raw)
		if !ok {
			return
		}
		network := "tcp6"
		if addr.Is4() {
			network = "tcp4"
		}
		err := guard.Safe(network, netip.AddrPortFrom(addr, port).String(), nil)
		require.False(t, err == nil && !isPublic(addr), "%s was let through", addr)
		require.Equal(t, err == nil, guard.SafeAddr(addr) == nil)
	})
}

// FuzzCheckURL: a URL that passes has a host that is written as it is connected
// to, which is a public address or something that no resolver takes for an
// address; and checking it again changes nothing.
func FuzzCheckURL(f *testing.F) {
	for _, seed := range []string{
		"http://example.com/cover.jpg", "https://EXAMPLE.com:443/?q=1#f", "http://8.8.8.8:8080/", "http://[2606:4700::1111]/", "http://127.0.0.1/", "http://2130706433/",
		"http://0x7f.1/", "http://0177.0.0.1/", "http://127.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://[fe80::1%25eth0]/", "http://user@example.com/",
		"http://①②⑦.0.0.1/", "http://127。0。0。1/", "http://bücher.example/", "http://example.com./", "http://example.com:0/", "http://example.com:99999/", "file:///etc/passwd",
		"//example.com", "http:opaque", "http://", "http://a..b/", "http://1.2.3.4.5/", "http://0x/", "http://a.0x1f/", "http://%31%32%37.0.0.1/", "http://example.com:080/",
	} {
		f.Add(seed)
	}
	fetcher := New(nil, agent)
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := parse(raw)
		if err == nil {
			err = fetcher.check(u)
		}
		if err != nil {
			require.Equal(t, artwork.ForbiddenURL, artwork.KindOf(err))
			return
		}
		require.Contains(t, defaultPorts, u.Scheme)
		require.Nil(t, u.User)
		requireHarmless(t, u.Hostname())
		once := u.String()
		again, err := url.Parse(once)
		require.NoError(t, err)
		require.NoError(t, fetcher.check(again))
		require.Equal(t, once, again.String())
		require.Equal(t, u.Host, again.Host)
	})
}

// requireHarmless checks a host that was let through.
func requireHarmless(t *testing.T, host string) {
	t.Helper()
	require.NotEmpty(t, host)
	require.Equal(t, strings.ToLower(host), host)
	for _, r := range host {
		require.Less(t, r, rune(0x80))
	}
	if addr, err := netip.ParseAddr(host); err == nil {
		require.True(t, isPublic(addr), host)
		return
	}
	require.Nil(t, net.ParseIP(host), host)
	require.False(t, isNumbers(host), "%s is an address to inet_aton(3)", host)
}

// isNumbers reports whether inet_aton(3) reads an address: one to four numbers,
// decimal, octal or hexadecimal.
func isNumbers(host string) bool {
	parts := strings.Split(strings.TrimSuffix(host, "."), ".")
	if len(parts) > 4 {
		return false
	}
	for _, part := range parts {
		if _, err := strconv.ParseUint(part, 0, 32); err != nil {
			return false
		}
	}
	return true
}
