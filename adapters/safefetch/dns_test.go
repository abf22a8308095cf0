package safefetch

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/test/testenv"
)

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
			fetcher := fetcherWith(t, settings{deadline: plenty, resolver: testenv.Resolver(func(string) []netip.Addr {
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
	fetcher := fetcherWith(t, settings{deadline: plenty, resolver: testenv.Resolver(func(string) []netip.Addr { return nil })})
	_, err := fetcher.Download(t.Context(), "http://nothing.test/?token=secret", limit)
	requireKind(t, artwork.DownloadFailed, err, "cannot be found")
	require.NotContains(t, err.Error(), "secret")
}

// publicServer is on 127.0.0.2, which the settings it returns take for public.
func publicServer(t *testing.T, handler http.HandlerFunc) (port string, s settings) {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.2:0")
	require.NoError(t, err)
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: handler}}
	server.Start()
	t.Cleanup(server.Close)
	_, port, err = net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	s = settings{deadline: plenty}
	WithPublic(netip.MustParsePrefix("127.0.0.2/32"))(&s)
	return port, s
}

func TestNameOfPublicAddress(t *testing.T) {
	t.Parallel()
	port, public := publicServer(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Host) })
	fetcher := fetcherWith(t, settings{deadline: plenty, guard: public.guard, resolver: testenv.Resolver(func(string) []netip.Addr {
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
	port, public := publicServer(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Connection", "close")
		_, _ = io.WriteString(w, "image")
	})
	var rebound atomic.Bool
	fetcher := fetcherWith(t, settings{deadline: plenty, guard: public.guard, resolver: testenv.Resolver(func(string) []netip.Addr {
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
	port, public := publicServer(t, func(w http.ResponseWriter, r *http.Request) {
		rebound.Store(true)
		w.Header().Set("Connection", "close")
		http.Redirect(w, r, "/again", http.StatusFound)
	})
	fetcher := fetcherWith(t, settings{deadline: plenty, guard: public.guard, resolver: testenv.Resolver(func(string) []netip.Addr {
		if rebound.Load() {
			return []netip.Addr{netip.MustParseAddr("10.0.0.1")}
		}
		return []netip.Addr{netip.MustParseAddr("127.0.0.2")}
	})})
	_, err := fetcher.Download(t.Context(), "http://rebinding.test:"+port, limit)
	requireKind(t, artwork.ForbiddenURL, err, "not a public one")
}
