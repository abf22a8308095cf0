package safefetch

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"

	"code.dny.dev/ssrf"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"gatefold/domain/artwork"
)

// resolver returns a resolver that asks nobody but lookup, which is told each
// name and answers no address for a name that there is not.
func resolver(lookup func(name string) []netip.Addr) *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer func() { _ = server.Close() }()
			answerDNS(server, lookup)
		}()
		return client, nil
	}}
}

// answerDNS answers the queries of one connection, framed as over TCP.
func answerDNS(conn net.Conn, lookup func(string) []netip.Addr) {
	for {
		var length uint16
		if err := binary.Read(conn, binary.BigEndian, &length); err != nil {
			return
		}
		query := make([]byte, length)
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		answer := dnsAnswer(query, lookup)
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

func dnsAnswer(query []byte, lookup func(string) []netip.Addr) []byte {
	var m dnsmessage.Message
	if err := m.Unpack(query); err != nil {
		panic(err)
	}
	m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
	question := m.Questions[0]
	addresses := lookup(strings.TrimSuffix(question.Name.String(), "."))
	if len(addresses) == 0 {
		m.RCode = dnsmessage.RCodeNameError
	}
	for _, address := range addresses {
		header := dnsmessage.ResourceHeader{Name: question.Name, Type: question.Type, Class: question.Class}
		switch {
		case question.Type == dnsmessage.TypeA && address.Is4():
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: address.As4()}})
		case question.Type == dnsmessage.TypeAAAA && address.Is6():
			m.Answers = append(m.Answers, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: address.As16()}})
		}
	}
	packed, err := m.Pack()
	if err != nil {
		panic(err)
	}
	return packed
}

func TestNamesOfPrivateAddresses(t *testing.T) {
	t.Parallel()
	host := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the private server was reached") })
	_, port, err := net.SplitHostPort(host)
	require.NoError(t, err)
	for name, addresses := range map[string][]string{
		"loopback.test":    {"127.0.0.1"},
		"loopback6.test":   {"::1"},
		"mapped.test":      {"::ffff:127.0.0.1"},
		"private.test":     {"10.0.0.1"},
		"metadata.test":    {"169.254.169.254"},
		"nat64.test":       {"64:ff9b::7f00:1"},
		"6to4.test":        {"2002:7f00:1::"},
		"unspecified":      {"0.0.0.0"},
		"all-of-them":      {"127.0.0.1", "127.0.0.2", "::1"},
		"BÜCHER.example":   {"127.0.0.1"},
		"trailing.test.":   {"127.0.0.1"},
		"0x7f.test":        {"127.0.0.1"},
		"under_score.test": {"127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			fetcher := fetcherWith(t, settings{deadline: plenty, resolver: resolver(func(string) []netip.Addr {
				var all []netip.Addr
				for _, address := range addresses {
					all = append(all, netip.MustParseAddr(address))
				}
				return all
			})})
			_, err := fetcher.Download(t.Context(), "http://"+name+":"+port+"/", limit)
			requireKind(t, artwork.ForbiddenURL, err, "not a public one")
			require.NotContains(t, err.(*artwork.Error).Msg, "127.0.0.1", "it tells what the network looks like inside") //nolint:errorlint // see requireKind
		})
	}
}

func TestNameThatThereIsNot(t *testing.T) {
	t.Parallel()
	fetcher := fetcherWith(t, settings{deadline: plenty, resolver: resolver(func(string) []netip.Addr { return nil })})
	_, err := fetcher.Download(t.Context(), "http://nothing.test/?token=secret", limit)
	requireKind(t, artwork.DownloadFailed, err, "cannot be found")
	require.NotContains(t, err.Error(), "secret")
}

// publicServer is on 127.0.0.2, which the guard it returns takes for public.
func publicServer(t *testing.T, handler http.HandlerFunc) (port string, guard []ssrf.Option) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.2:0")
	require.NoError(t, err)
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: handler}}
	server.Start()
	t.Cleanup(server.Close)
	_, port, err = net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return port, []ssrf.Option{ssrf.WithAllowedV4Prefixes(netip.MustParsePrefix("127.0.0.2/32"))}
}

func TestNameOfPublicAddress(t *testing.T) {
	t.Parallel()
	port, guard := publicServer(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) })
	fetcher := fetcherWith(t, settings{deadline: plenty, guard: guard, resolver: resolver(func(string) []netip.Addr {
		return []netip.Addr{netip.MustParseAddr("127.0.0.2")}
	})})
	for url, host := range map[string]string{"http://Public.test:": "public.test:", "http://bücher.example:": "xn--bcher-kva.example:"} {
		content, err := fetcher.Download(t.Context(), url+port, limit)
		require.NoError(t, err)
		require.Equal(t, host+port, string(content))
	}
}

// A name that is public when it is looked at, and private when it is used.
func TestRebinding(t *testing.T) {
	t.Parallel()
	port, guard := publicServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		_, _ = io.WriteString(w, "image")
	})
	var rebound atomic.Bool
	fetcher := fetcherWith(t, settings{deadline: plenty, guard: guard, resolver: resolver(func(string) []netip.Addr {
		if rebound.Load() {
			return []netip.Addr{netip.MustParseAddr("127.0.0.1")}
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.2")}
	})})
	url := "http://rebinding.test:" + port
	_, err := fetcher.Download(t.Context(), url, limit)
	require.NoError(t, err)
	rebound.Store(true)
	_, err = fetcher.Download(t.Context(), url, limit)
	requireKind(t, artwork.ForbiddenURL, err, "not a public one")
}

func TestRebindingBetweenRedirects(t *testing.T) {
	t.Parallel()
	var rebound atomic.Bool
	port, guard := publicServer(t, func(w http.ResponseWriter, r *http.Request) {
		rebound.Store(true)
		w.Header().Set("Connection", "close")
		http.Redirect(w, r, "/again", http.StatusFound)
	})
	fetcher := fetcherWith(t, settings{deadline: plenty, guard: guard, resolver: resolver(func(string) []netip.Addr {
		if rebound.Load() {
			return []netip.Addr{netip.MustParseAddr("10.0.0.1")}
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.2")}
	})})
	_, err := fetcher.Download(t.Context(), "http://rebinding.test:"+port, limit)
	requireKind(t, artwork.ForbiddenURL, err, "not a public one")
}
