package integration

import (
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/fx"

	"gatefold/adapters/safefetch"
	"gatefold/application/applyimage"
	"gatefold/test/testenv"
)

// impatience is the deadline of downloads whose URL says /slow/.
const impatience = 300 * time.Millisecond

// stranger is a provider that means no good: some servers, and what names lead to.
type stranger struct {
	t       *testing.T
	mux     *http.ServeMux
	allowed string // host:port that DOWNLOAD_ALLOW_HOSTS would name
	private string // of a server that nobody may reach
	public  string // the port of a server whose address counts as a public one
	secure  string // of a server that speaks TLS

	mu      sync.Mutex
	lookups map[string]int
	pages   int
}

// newStranger starts the servers. They end with the test.
func newStranger(t *testing.T) *stranger {
	t.Helper()
	s := &stranger{t: t, mux: http.NewServeMux(), lookups: map[string]int{}}
	s.allowed = s.listen("127.0.0.1", s.mux)
	s.private = s.listen("127.0.0.1", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the private server was reached")
	}))
	_, s.public, _ = net.SplitHostPort(s.listen("127.0.0.2", s.mux))
	secure := httptest.NewUnstartedServer(s.mux)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that fail, as they must
	secure.StartTLS()
	t.Cleanup(secure.Close)
	s.secure = secure.Listener.Addr().String()
	return s
}

// listen serves at a port of the address.
func (s *stranger) listen(address string, handler http.Handler) (host string) {
	l, err := (&net.ListenConfig{}).Listen(s.t.Context(), "tcp4", address+":0")
	require.NoError(s.t, err)
	server := &httptest.Server{Listener: l, Config: &http.Server{Handler: handler}}
	server.Start()
	s.t.Cleanup(server.Close)
	return l.Addr().String()
}

// page returns the URL of a new page of the allowed server.
func (s *stranger) page(handler http.HandlerFunc) string { return s.pageIn("page", handler) }

// slow is page for what takes so long that the download is given up.
func (s *stranger) slow(handler http.HandlerFunc) string { return s.pageIn("slow", handler) }

func (s *stranger) pageIn(folder string, handler http.HandlerFunc) string {
	s.pages++
	path := fmt.Sprintf("/%s/%d/cover.jpg", folder, s.pages)
	s.mux.HandleFunc(path, handler)
	return "http://" + s.allowed + path
}

// resolve answers for every name that the cases use. Those under rebinding.test
// lead to a public address when they are looked up first, and to a private one
// from then on.
func (s *stranger) resolve(name string) []netip.Addr {
	addresses := map[string][]string{
		"public.test":    {"127.0.0.2"},
		"loopback.test":  {"127.0.0.1"},
		"loopback6.test": {"::1"},
		"private.test":   {"10.0.0.1"},
		"metadata.test":  {"169.254.169.254"},
		"mapped.test":    {"::ffff:127.0.0.1"},
		"nat64.test":     {"64:ff9b::7f00:1"},
		"several.test":   {"10.0.0.1", "127.0.0.1", "fd00::1"},
		"mixed.test":     {"127.0.0.1", "127.0.0.2"},
		"localhost":      {"127.0.0.1"},
		"sub.localhost":  {"127.0.0.1"},
	}[name]
	if strings.HasSuffix(name, ".rebinding.test") {
		addresses = []string{"127.0.0.2"}
		if s.askedBefore(name) {
			addresses = []string{"127.0.0.1"}
		}
	}
	var parsed []netip.Addr
	for _, address := range addresses {
		parsed = append(parsed, netip.MustParseAddr(address))
	}
	return parsed
}

// askedBefore reports whether the name was looked up before; a look is one
// question for each of the two kinds of addresses.
func (s *stranger) askedBefore(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lookups[name]++
	return s.lookups[name] > 2
}

// downloader gives up soon what is slow on purpose, and nothing else.
type downloader struct{ patient, impatient *safefetch.Fetcher }

func (d downloader) Download(ctx context.Context, url string, limit int64) ([]byte, error) {
	if strings.Contains(url, "/slow/") {
		return d.impatient.Download(ctx, url, limit)
	}
	return d.patient.Download(ctx, url, limit)
}

// between has an instance download from the stranger's world: by the rules that
// it has in production, but for its names, and one address that counts as public.
func (s *stranger) between() fx.Option {
	fetcher := func(deadline time.Duration) *safefetch.Fetcher {
		return safefetch.New([]string{s.allowed, s.secure}, "Gatefold/test", safefetch.WithDeadline(deadline),
			safefetch.WithResolver(testenv.Resolver(s.resolve)), safefetch.WithPublic(netip.MustParsePrefix("127.0.0.2/32")))
	}
	return fx.Decorate(func(applyimage.Downloader) applyimage.Downloader {
		return downloader{patient: fetcher(time.Minute), impatient: fetcher(impatience)}
	})
}

// sends answers with the content.
func sends(content []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(content) }
}

// sendsAs answers with the content and a header.
func sendsAs(content []byte, name, value string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set(name, value)
		_, _ = w.Write(content)
	}
}

// says answers with a status alone.
func says(status int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }
}

// redirects sends elsewhere, word for word.
func redirects(location string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header()["Location"] = []string{location}
		w.WriteHeader(http.StatusFound)
	}
}

// writes answers with bytes that need not be HTTP, and hangs up.
func writes(raw string) http.HandlerFunc {
	return onTheWire(func(_ context.Context, conn net.Conn) { _, _ = io.WriteString(conn, raw) })
}

// floods writes a beginning, and then the same over and over until the client has
// gone.
func floods(beginning, over string) http.HandlerFunc {
	return onTheWire(func(_ context.Context, conn net.Conn) {
		_, err := io.WriteString(conn, beginning)
		for err == nil {
			_, err = io.WriteString(conn, over)
		}
	})
}

// trickles is floods, a piece every now and then.
func trickles(beginning, over string) http.HandlerFunc {
	return onTheWire(func(ctx context.Context, conn net.Conn) {
		_, err := io.WriteString(conn, beginning)
		for err == nil && ctx.Err() == nil {
			time.Sleep(impatience / 20)
			_, err = io.WriteString(conn, over)
		}
	})
}

// hangs answers nothing until the client has gone.
func hangs(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func onTheWire(talk func(context.Context, net.Conn)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			panic(err)
		}
		defer func() { _ = conn.Close() }()
		talk(r.Context(), conn)
	}
}

// gzipped answers compressed, which was not asked for.
func gzipped(size int64) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = io.CopyN(z, nothing{}, size)
		_ = z.Close()
	}
}
