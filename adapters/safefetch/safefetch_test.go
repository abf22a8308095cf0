package safefetch

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"code.dny.dev/ssrf"
	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/test/testenv"
)

const (
	agent = "Gatefold/test (+https://gatefold.example)"
	limit = 1000
	// plenty is a deadline that no test reaches.
	plenty = time.Minute
)

// serve starts a server on 127.0.0.1 and returns its host:port.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

// fetcherTo returns a fetcher that may connect to the hosts.
func fetcherTo(t *testing.T, hosts ...string) *Fetcher {
	t.Helper()
	return fetcherWith(t, settings{deadline: plenty}, hosts...)
}

func fetcherWith(t *testing.T, s settings, hosts ...string) *Fetcher {
	t.Helper()
	f := newFetcher(hosts, agent, s)
	t.Cleanup(f.client.CloseIdleConnections)
	return f
}

func requireKind(t *testing.T, want artwork.ErrorKind, err error, message string) {
	t.Helper()
	require.Error(t, err)
	require.Equal(t, want, artwork.KindOf(err), "%v", err)
	require.Contains(t, err.(*artwork.Error).Msg, message) //nolint:errorlint // the outermost is what people read
}

// hijack answers with raw bytes, and then closes the connection.
func hijack(raw string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		_, _ = io.WriteString(conn, raw)
		_ = conn.Close()
	}
}

func status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}

func TestDownload(t *testing.T) {
	t.Parallel()
	image := bytes.Repeat([]byte("image"), limit/5)
	write := func(content []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) }
	}
	chunked := func(content []byte) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for _, b := range content {
				_, _ = w.Write([]byte{b})
				_ = http.NewResponseController(w).Flush()
			}
		}
	}
	endless := func(w http.ResponseWriter, _ *http.Request) {
		for {
			if _, err := w.Write(image); err != nil {
				return
			}
		}
	}
	encoded := func(encoding string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", encoding)
			_, _ = w.Write(image)
		}
	}
	const ok = artwork.ErrorKind(255)
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		want    artwork.ErrorKind
		message string
	}{
		"as many bytes as the limit":       {write(image), ok, ""},
		"chunks as many as the limit":      {chunked(image), ok, ""},
		"encoded as itself":                {encoded("identity"), ok, ""},
		"one byte more than the limit":     {write(append(bytes.Clone(image), 'x')), artwork.TooLarge, "more than 1000 bytes"},
		"one byte more in chunks":          {chunked(append(bytes.Clone(image), 'x')), artwork.TooLarge, "more than 1000 bytes"},
		"an endless answer":                {endless, artwork.TooLarge, "more than 1000 bytes"},
		"more announced than the limit":    {hijack("HTTP/1.1 200 OK\r\nContent-Length: 9999999\r\n\r\nimage"), artwork.TooLarge, "more than 1000 bytes"},
		"more sent than announced":         {hijack("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + string(image) + "and more"), ok, ""},
		"fewer bytes than announced":       {hijack("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\nimage"), artwork.DownloadFailed, "ends too early"},
		"chunks without an end":            {hijack("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nimage\r\n"), artwork.DownloadFailed, "ends too early"},
		"compressed without being asked":   {encoded("gzip"), artwork.DownloadFailed, "content encoding"},
		"404":                              {status(404), artwork.NotFound, "the URL answers 404"},
		"410":                              {status(410), artwork.NotFound, "the URL answers 410"},
		"204":                              {status(204), artwork.DownloadFailed, "the URL answers 204"},
		"206 unasked":                      {status(206), artwork.DownloadFailed, "the URL answers 206"},
		"302 without a location":           {status(302), artwork.DownloadFailed, "the URL answers 302"},
		"304 unasked":                      {status(304), artwork.DownloadFailed, "the URL answers 304"},
		"400":                              {status(400), artwork.DownloadFailed, "the URL answers 400"},
		"401":                              {status(401), artwork.DownloadFailed, "the URL answers 401"},
		"403":                              {status(403), artwork.DownloadFailed, "the URL answers 403"},
		"407":                              {status(407), artwork.DownloadFailed, "the URL answers 407"},
		"429":                              {status(429), artwork.DownloadFailed, "the URL answers 429"},
		"500":                              {status(500), artwork.DownloadFailed, "the URL answers 500"},
		"503":                              {status(503), artwork.DownloadFailed, "the URL answers 503"},
		"no answer":                        {hijack(""), artwork.DownloadFailed, "does not answer as HTTP does"},
		"an answer that is no HTTP":        {hijack("220 mail.example ESMTP\r\n"), artwork.DownloadFailed, "does not answer as HTTP does"},
		"a header larger than is accepted": {hijack("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 2*maxHeaderBytes) + "\r\n\r\n"), artwork.DownloadFailed, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host := serve(t, c.handler)
			content, err := fetcherTo(t, host).Download(t.Context(), "http://"+host+"/image.jpg", limit)
			if c.want != ok {
				requireKind(t, c.want, err, c.message)
				require.Nil(t, content)
				return
			}
			require.NoError(t, err)
			require.Equal(t, image, content)
		})
	}
}

func TestEmptyAnswerAndLimitOfNothing(t *testing.T) {
	t.Parallel()
	host := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.RawQuery) })
	fetcher := fetcherTo(t, host)
	content, err := fetcher.Download(t.Context(), "http://"+host, 0)
	require.NoError(t, err)
	require.Empty(t, content)
	_, err = fetcher.Download(t.Context(), "http://"+host+"?x", 0)
	requireKind(t, artwork.TooLarge, err, "more than 0 bytes")
}

func TestRequest(t *testing.T) {
	// Whatever the environment says, no proxy learns of a download.
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "ALL_PROXY"} {
		t.Setenv(name, "http://127.0.0.1:1")
	}
	var got *http.Request
	host := serve(t, func(_ http.ResponseWriter, r *http.Request) { got = r })
	_, err := fetcherTo(t, host).Download(t.Context(), "http://"+host+"/a/b?size=large#part", limit)
	require.NoError(t, err)
	require.Equal(t, http.MethodGet, got.Method)
	require.Equal(t, "/a/b?size=large", got.RequestURI)
	require.Equal(t, host, got.Host)
	require.Equal(t, agent, got.UserAgent())
	require.Contains(t, got.Header.Get("Accept"), "image/jpeg")
	require.NotContains(t, got.Header, "Accept-Encoding")
	require.NotContains(t, got.Header, "Cookie")
}

func TestForbiddenURLs(t *testing.T) {
	t.Parallel()
	fetcher := fetcherWith(t, settings{deadline: plenty, resolver: testenv.Resolver(func(name string) []netip.Addr {
		t.Errorf("%s was looked up", name)
		return nil
	})})
	for why, urls := range map[string][]string{
		"http:// or https://": {
			"", "image.jpg", "/etc/passwd", "//example.com/a.jpg", "ftp://example.com/a.jpg", "file:///etc/passwd",
			"gopher://127.0.0.1:6379/_FLUSHALL", "data:image/png;base64,AAAA", "javascript:alert(1)", "unix:/run/a.sock",
		},
		"user name": {
			"http://user:secret@example.com/", "https://user@example.com/", "http://@example.com/", "http://example.com@127.0.0.1/",
		},
		"no host": {"http://", "http:///a.jpg", "https:example.com", "http://:80/"},
		"malformed": {
			"http://[::1", "http://exa mple.com/", "http://example.com:port/", "http://example.com/%zz", "http://%31%32%37.0.0.1/",
			" http://example.com/", "http://example.com\r\nHost: internal/", `http://example.com\@127.0.0.1/`,
		},
		"port":         {"http://example.com:0/", "http://example.com:65536/", "http://example.com:99999999999999999999/"},
		"a valid name": {"http://xn--\u00fc.example/", "http://\u00ad/", "http://a\u2488.example/"},
		"number": {
			"http://2130706433/", "http://0/", "http://127.1/", "http://127.0.1/", "http://0x7f000001/", "http://0X7F000001/",
			"http://0x7f.0.0.1/", "http://127.0.0.0x1/", "http://0x/", "http://0177.0.0.1/", "http://017700000001/",
			"http://127.0.0.01/", "http://08.8.8.8/", "http://256.0.0.1/", "http://1.2.3.4.5/", "http://127.0.0.1./",
			"http://host.7/", "http://①②⑦.1/", "http://０x7f.1/", "http://127。1/", "https://99999999999/",
		},
		"not a public one": {
			"http://127.0.0.1/", "http://127.0.0.1:8080/", "http://127.8.8.8/", "http://0.0.0.0/", "http://10.1.2.3/",
			"http://172.16.0.1/", "http://192.168.1.1/", "http://169.254.169.254/latest/meta-data/", "http://100.64.0.1/",
			"http://100.100.100.200/", "http://168.63.129.16/", "http://224.0.0.1/", "http://255.255.255.255/", "http://240.0.0.1/",
			"http://[::1]/", "http://[::]/", "http://[fe80::1]/", "http://[fe80::1%25eth0]/", "http://[2606:4700::1%25eth0]/",
			"http://[fd00:ec2::254]/", "http://[ff02::1]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:8.8.8.8]/",
			"http://[::127.0.0.1]/", "http://[64:ff9b::7f00:1]/", "http://[64:ff9b:1::7f00:1]/", "http://[2002:7f00:1::]/",
			"http://[2001:0:7f00:1::]/", "http://[2001:db8::1]/", "http://①②⑦.⓪.⓪.①/", "http://１２７．０．０．１/", "https://127.0.0.1/",
		},
	} {
		for _, url := range urls {
			t.Run(why+" "+url, func(t *testing.T) {
				t.Parallel()
				_, err := fetcher.Download(t.Context(), url, limit)
				requireKind(t, artwork.ForbiddenURL, err, why)
				require.NotContains(t, err.Error(), "secret")
			})
		}
	}
}

func TestGuardedRanges(t *testing.T) {
	t.Parallel()
	guard := newGuard()
	for what, addresses := range map[string][]string{
		"this network":            {"0.0.0.0", "0.255.255.255"},
		"private":                 {"10.0.0.0", "10.255.255.255", "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255"},
		"shared by carriers":      {"100.64.0.0", "100.127.255.255"},
		"loopback":                {"127.0.0.0", "127.255.255.255", "::1"},
		"link-local":              {"169.254.0.0", "169.254.255.255", "fe80::", "febf:ffff::1"},
		"protocol assignments":    {"192.0.0.0", "192.0.0.192", "192.0.0.255"},
		"documentation":           {"192.0.2.1", "198.51.100.1", "203.0.113.1", "2001:db8::", "2001:db8:ffff::1", "3fff::1", "3fff:fff::1"},
		"6to4 relays":             {"192.88.99.1"},
		"benchmarks":              {"198.18.0.0", "198.19.255.255", "2001:2::1"},
		"multicast":               {"224.0.0.0", "239.255.255.255", "ff02::1", "ffff::1"},
		"reserved":                {"240.0.0.0", "255.255.255.254", "100::1", "4000::1", "5f00::1", "8000::1"},
		"broadcast":               {"255.255.255.255"},
		"unspecified":             {"::"},
		"unique local":            {"fc00::", "fd00:ec2::254", "fdff:ffff::1"},
		"site-local":              {"fec0::1"},
		"IPv4-mapped":             {"::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8"},
		"IPv4-compatible":         {"::7f00:1", "::808:808"},
		"IPv4-translated":         {"::ffff:0:7f00:1"},
		"NAT64":                   {"64:ff9b::7f00:1", "64:ff9b::808:808", "64:ff9b:1::7f00:1"},
		"Teredo":                  {"2001::1", "2001:0:ffff::1"},
		"ORCHID":                  {"2001:10::1", "2001:20::1"},
		"6to4":                    {"2002::", "2002:7f00:1::1", "2002:808:808::1"},
		"a cloud's host":          {"168.63.129.16"},
		"a cloud's metadata":      {"169.254.169.254", "100.100.100.200"},
		"delegated to no network": {"192.31.196.1", "192.175.48.1", "2620:4f:8000::1"},
	} {
		for _, address := range addresses {
			require.ErrorIs(t, guard.SafeAddr(netip.MustParseAddr(address)), ssrf.ErrProhibitedIP, "%s: %s", what, address)
		}
	}
	for _, address := range []string{
		"1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
		"168.63.129.15", "168.63.129.17", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "223.255.255.255",
		"2606:4700::1111", "2a00:1450:4001::1", "2001:4860:4860::8888", "2003::1",
	} {
		require.NoError(t, guard.SafeAddr(netip.MustParseAddr(address)), address)
		for _, port := range []uint16{1, 80, 443, 8080, 65535} {
			require.NoError(t, guard.SafeAddrPort(netip.AddrPortFrom(netip.MustParseAddr(address), port)))
		}
	}
}

func TestAllowedHosts(t *testing.T) {
	t.Parallel()
	host := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "image") })
	_, port, err := net.SplitHostPort(host)
	require.NoError(t, err)
	home := testenv.Resolver(func(string) []netip.Addr { return []netip.Addr{netip.MustParseAddr("127.0.0.1")} })
	for name, c := range map[string]struct {
		allow string
		url   string
		ok    bool
	}{
		"an address":          {host, "http://" + host, true},
		"a name":              {"minio.test:" + port, "http://minio.test:" + port, true},
		"in another case":     {"MinIO.test:" + port, "http://minIO.TEST:" + port, true},
		"with spaces around":  {" " + host + " ", "http://" + host, true},
		"another port":        {"127.0.0.1:1", "http://" + host, false},
		"another name":        {"minio.test:" + port, "http://other.test:" + port, false},
		"the name's address":  {"minio.test:" + port, "http://" + host, false},
		"no port":             {"127.0.0.1", "http://" + host, false},
		"no host":             {":" + port, "http://" + host, false},
		"nothing":             {"", "http://" + host, false},
		"as a number":         {host, "http://2130706433:" + port, false},
		"with a user name":    {host, "http://user@" + host, false},
		"IPv4 mapped to IPv6": {host, "http://[::ffff:127.0.0.1]:" + port, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fetcher := fetcherWith(t, settings{deadline: plenty, resolver: home}, c.allow)
			content, err := fetcher.Download(t.Context(), c.url, limit)
			if !c.ok {
				requireKind(t, artwork.ForbiddenURL, err, "")
				return
			}
			require.NoError(t, err)
			require.Equal(t, "image", string(content))
		})
	}
}

func TestDefaultPortsAreAllowedByNumber(t *testing.T) {
	t.Parallel()
	fetcher := fetcherTo(t, "10.0.0.1:80", "10.0.0.1:443", "[fd00::1]:80")
	for raw, host := range map[string]string{
		"http://10.0.0.1/":      "10.0.0.1",
		"http://10.0.0.1:80/":   "10.0.0.1",
		"http://10.0.0.1:0080/": "10.0.0.1",
		"https://10.0.0.1/":     "10.0.0.1",
		"http://10.0.0.1:443/":  "10.0.0.1:443",
		"http://[FD00::1]/":     "[fd00::1]",
	} {
		u, err := parse(raw)
		require.NoError(t, err)
		require.NoError(t, fetcher.check(u), raw)
		require.Equal(t, host, u.Host, raw)
	}
}

// unreachable is a port of 127.0.0.1 that nobody listens on.
func unreachable(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, l.Close())
	return l.Addr().String()
}

func TestLongURLs(t *testing.T) {
	t.Parallel()
	host := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "image") })
	longest := "http://" + host + "/" + strings.Repeat("a", maxURL)
	_, err := fetcherTo(t, host).Download(t.Context(), longest[:maxURL], limit)
	require.NoError(t, err)
	_, err = fetcherTo(t, host).Download(t.Context(), longest[:maxURL+1], limit)
	requireKind(t, artwork.ForbiddenURL, err, "longer than 8192 bytes")
}

// TestOptions: what an option does not name stays as it is.
func TestOptions(t *testing.T) {
	t.Parallel()
	plain := New(nil, agent)
	require.Equal(t, deadline, plain.deadline)
	require.Error(t, plain.guard.SafeAddr(netip.MustParseAddr("10.1.2.3")))
	optional := New(nil, agent, WithDeadline(time.Second), WithPublic(netip.MustParsePrefix("10.1.0.0/16")), WithResolver(testenv.Resolver(nil)))
	require.Equal(t, time.Second, optional.deadline)
	require.NoError(t, optional.guard.SafeAddr(netip.MustParseAddr("10.1.2.3")))
	for _, address := range []string{"10.2.0.1", "127.0.0.1", "::ffff:10.1.2.3", "169.254.169.254"} {
		require.Error(t, optional.guard.SafeAddr(netip.MustParseAddr(address)), address)
	}
}

func TestUnreachableHost(t *testing.T) {
	t.Parallel()
	host := unreachable(t)
	_, err := fetcherTo(t, host).Download(t.Context(), "http://"+host+"/?token=secret", limit)
	requireKind(t, artwork.DownloadFailed, err, "cannot be reached")
	require.NotContains(t, err.Error(), "secret")
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/image", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "image"+r.Header.Get("Referer")+r.Header.Get("Authorization"))
	})
	mux.HandleFunc("/gone", status(http.StatusGone))
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/loop", http.StatusFound) })
	mux.HandleFunc("/hops/{n}", func(w http.ResponseWriter, r *http.Request) {
		target := map[string]string{"1": "/image", "2": "/hops/1", "3": "/hops/2", "4": "/hops/3"}[r.PathValue("n")]
		http.Redirect(w, r, target, http.StatusMovedPermanently)
	})
	mux.HandleFunc("/to", func(w http.ResponseWriter, r *http.Request) {
		w.Header()["Location"] = []string{r.URL.Query().Get("url")}
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	host := serve(t, mux.ServeHTTP)
	private := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the private server was reached") })
	_, privatePort, err := net.SplitHostPort(private)
	require.NoError(t, err)
	const ok = artwork.ErrorKind(255)
	for target, c := range map[string]struct {
		want    artwork.ErrorKind
		message string
	}{
		"/hops/1":                           {ok, ""},
		"/hops/3":                           {ok, ""},
		"/hops/4":                           {artwork.DownloadFailed, "more than 3 times"},
		"/loop":                             {artwork.DownloadFailed, "more than 3 times"},
		"/to?url=/image":                    {ok, ""},
		"/to?url=http://" + host + "/image": {ok, ""},
		"/to?url=/gone":                     {artwork.NotFound, "the URL answers 410"},
		"/to?url=/nothing":                  {artwork.NotFound, "the URL answers 404"},
		"/to?url=http://" + private:         {artwork.ForbiddenURL, "not a public one"},
		"/to?url=//" + private:              {artwork.ForbiddenURL, "not a public one"},
		"/to?url=http://localhost:" + privatePort:          {artwork.ForbiddenURL, "not a public one"},
		"/to?url=http://2130706433:" + privatePort:         {artwork.ForbiddenURL, "number"},
		"/to?url=http://0x7f.1:" + privatePort:             {artwork.ForbiddenURL, "number"},
		"/to?url=http://[::ffff:127.0.0.1]:" + privatePort: {artwork.ForbiddenURL, "not a public one"},
		"/to?url=http://169.254.169.254/latest/meta-data":  {artwork.ForbiddenURL, "not a public one"},
		"/to?url=http://user:secret@" + host + "/image":    {artwork.ForbiddenURL, "user name"},
		"/to?url=file:///etc/passwd":                       {artwork.ForbiddenURL, "http:// or https://"},
		"/to?url=gopher://" + private:                      {artwork.ForbiddenURL, "http:// or https://"},
		"/to?url=http://%2500secret":                       {artwork.DownloadFailed, ""},
		"/to?url=http://[::1?token=secret":                 {artwork.DownloadFailed, ""},
	} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			fetcher := fetcherWith(t, settings{deadline: plenty, resolver: testenv.Resolver(func(string) []netip.Addr {
				return []netip.Addr{netip.MustParseAddr("127.0.0.1")}
			})}, host)
			content, err := fetcher.Download(t.Context(), "http://"+host+target, limit)
			if c.want == ok {
				require.NoError(t, err)
				require.Equal(t, "image", string(content), "it says where it came from")
				return
			}
			requireKind(t, c.want, err, c.message)
			require.NotContains(t, err.Error(), "secret")
		})
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	plainHost := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "plain") })
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/down" {
			http.Redirect(w, r, "http://"+plainHost+"/?token=secret", http.StatusFound)
			return
		}
		_, _ = io.WriteString(w, "image over "+r.Proto)
	}))
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(secure.Close)
	host := secure.Listener.Addr().String()
	up := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, secure.URL+"/", http.StatusFound) })
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	fetcher := fetcherWith(t, settings{deadline: plenty, roots: roots}, host, plainHost, up)

	for _, url := range []string{secure.URL, "http://" + up} {
		content, err := fetcher.Download(t.Context(), url, limit)
		require.NoError(t, err)
		require.Equal(t, "image over HTTP/2.0", string(content))
	}
	_, err := fetcher.Download(t.Context(), secure.URL+"/down", limit)
	requireKind(t, artwork.ForbiddenURL, err, "from https to http")
	require.NotContains(t, err.Error(), "secret")
	_, err = fetcher.Download(t.Context(), "https://"+plainHost, limit)
	requireKind(t, artwork.DownloadFailed, err, "")
	_, err = fetcherTo(t, host).Download(t.Context(), secure.URL+"/?token=secret", limit)
	requireKind(t, artwork.DownloadFailed, err, "no valid certificate")
	require.NotContains(t, err.Error(), "secret")
}

// silence answers nothing, or only the beginning, until the client has gone.
func silence(t *testing.T, beginning string) (host string, asked <-chan struct{}) {
	t.Helper()
	begun := make(chan struct{}, 1)
	host = serve(t, func(w http.ResponseWriter, r *http.Request) {
		if beginning != "" {
			_, _ = io.WriteString(w, beginning)
			_ = http.NewResponseController(w).Flush()
		}
		begun <- struct{}{}
		<-r.Context().Done()
	})
	return host, begun
}

func TestDeadline(t *testing.T) {
	t.Parallel()
	for name, beginning := range map[string]string{"no answer": "", "a part of the answer": "ima"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host, _ := silence(t, beginning)
			fetcher := fetcherWith(t, settings{deadline: 50 * time.Millisecond}, host)
			_, err := fetcher.Download(t.Context(), "http://"+host+"/?token=secret", limit)
			requireKind(t, artwork.DownloadFailed, err, "within 50ms")
			require.NotErrorIs(t, err, context.DeadlineExceeded, "it is not the caller's deadline")
			require.NotContains(t, err.Error(), "secret")
		})
	}
	require.Equal(t, 10*time.Second, New(nil, agent).deadline)
}

func TestDeadlineCoversRedirects(t *testing.T) {
	t.Parallel()
	slow, _ := silence(t, "")
	host := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "http://"+slow, http.StatusFound) })
	fetcher := fetcherWith(t, settings{deadline: 100 * time.Millisecond}, host, slow)
	_, err := fetcher.Download(t.Context(), "http://"+host, limit)
	requireKind(t, artwork.DownloadFailed, err, "within 100ms")
}

func TestCallersContext(t *testing.T) {
	t.Parallel()
	for name, beginning := range map[string]string{"no answer": "", "a part of the answer": "ima"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			host, asked := silence(t, beginning)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-asked
				cancel()
			}()
			_, err := fetcherTo(t, host).Download(ctx, "http://"+host, limit)
			require.ErrorIs(t, err, context.Canceled)

			ctx, cancel = context.WithTimeout(t.Context(), 30*time.Millisecond)
			defer cancel()
			_, err = fetcherTo(t, host).Download(ctx, "http://"+host, limit)
			require.ErrorIs(t, err, context.DeadlineExceeded)
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := New(nil, agent).Download(ctx, "http://127.0.0.1/", limit)
	require.ErrorIs(t, err, context.Canceled)
}

func TestCredentialsNeverShow(t *testing.T) {
	t.Parallel()
	secret := base64.RawURLEncoding.EncodeToString([]byte("credentials"))
	host := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/500":
			w.WriteHeader(http.StatusInternalServerError)
		case "/large":
			_, _ = w.Write(make([]byte, 2*limit))
		default:
			hijack("no HTTP "+secret)(w, r)
		}
	})
	fetcher := fetcherTo(t, host)
	for _, url := range []string{
		"http://user:%s@" + host, "http://" + host + "/500?token=%s", "http://" + host + "/large?token=%s", "http://" + host + "/?token=%s",
		"http://" + host + "/%%zz?token=%s", "http://127.0.0.1:1/?token=%s", "ftp://host/?token=%s", "http://[::1?token=%s",
	} {
		_, err := fetcher.Download(t.Context(), fmt.Sprintf(url, secret), limit)
		require.Error(t, err)
		require.NotContains(t, err.Error(), secret, url)
	}
}

func TestConcurrentDownloads(t *testing.T) {
	t.Parallel()
	host := serve(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.URL.Path) })
	fetcher := fetcherTo(t, host)
	var wg sync.WaitGroup
	errs := make([]error, 20)
	for i := range errs {
		wg.Go(func() {
			want := fmt.Sprintf("/%d", i)
			content, err := fetcher.Download(t.Context(), "http://"+host+want, limit)
			if err == nil && string(content) != want {
				err = fmt.Errorf("%s answers %s", want, content)
			}
			errs[i] = err
		})
	}
	wg.Wait()
	for _, err := range errs {
		require.NoError(t, err)
	}
}
