package consistency

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	toxiproxy "github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
)

// link is the network between one instance and one server. All methods may be
// called concurrently.
type link struct {
	mu    sync.Mutex // the proxy is changed in several steps
	proxy *toxiproxy.Proxy
}

// newLink returns a link to the server, which ends with the test.
func newLink(t *testing.T, server string) *link {
	t.Helper()
	proxies := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	// An address of its own: while the proxy does not listen, nobody is given its
	// port for a connection to 127.0.0.1.
	l := &link{proxy: toxiproxy.NewProxy(proxies, "link", "127.0.0.2:0", server)}
	require.NoError(t, l.proxy.Start())
	t.Cleanup(l.proxy.Stop)
	return l
}

func (l *link) addr() string { return l.proxy.Listen }

// cut breaks every connection; new ones are refused until join.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.proxy.Stop()
}

// join ends a cut. From now on the link leads to the server.
func (l *link) join(server string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.proxy.Update(&toxiproxy.Proxy{Listen: l.proxy.Listen, Upstream: server, Enabled: true})
}

// interrupt breaks every connection; new ones are possible at once.
func (l *link) interrupt() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.proxy.Enabled {
		return nil
	}
	l.proxy.Stop()
	return l.proxy.Start()
}

// slow delays everything that is sent and received, until heal.
func (l *link) slow(latency time.Duration) error {
	ms := latency.Milliseconds()
	return l.poison(fmt.Sprintf(`"type":"latency","attributes":{"latency":%d,"jitter":%d}`, ms, ms/2), "upstream", "downstream")
}

// swallow takes in everything that is sent and received, and lets nothing
// arrive, until heal.
func (l *link) swallow() error {
	return l.poison(`"type":"timeout","attributes":{"timeout":0}`, "upstream", "downstream")
}

// swallowAnswers lets everything arrive, but no answer to it, until heal.
func (l *link) swallowAnswers() error {
	return l.poison(`"type":"timeout","attributes":{"timeout":0}`, "downstream")
}

// heal ends what slow, swallow and swallowAnswers began. Connections of which
// something was swallowed break.
func (l *link) heal() { l.proxy.Toxics.ResetToxics(context.Background()) }

func (l *link) poison(toxic string, streams ...string) error {
	for _, stream := range streams {
		_, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"stream":%q,%s}`, stream, toxic)))
		if err != nil && !errors.Is(err, toxiproxy.ErrToxicAlreadyExists) {
			return err
		}
	}
	return nil
}
