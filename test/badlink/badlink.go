// Package badlink is the network between a program and a server, which tests have
// break, be slow, and swallow what is sent.
package badlink

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

// Link is the network between one client and one server. All methods may be called
// concurrently.
type Link struct {
	mu    sync.Mutex // the proxy is changed in several steps
	proxy *toxiproxy.Proxy
}

// New returns a link to the server, HOST:PORT, which ends with the test.
func New(t *testing.T, server string) *Link {
	t.Helper()
	proxies := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	// An address of its own: while the proxy does not listen, nobody is given its
	// port for a connection to 127.0.0.1.
	l := &Link{proxy: toxiproxy.NewProxy(proxies, "link", "127.0.0.2:0", server)}
	require.NoError(t, l.proxy.Start())
	t.Cleanup(l.proxy.Stop)
	return l
}

// Addr returns where the client is to connect, HOST:PORT; it stays the same.
func (l *Link) Addr() string { return l.proxy.Listen }

// Cut breaks every connection; new ones are refused until Join.
func (l *Link) Cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.proxy.Stop()
}

// Join ends a Cut. From now on the link leads to the server.
func (l *Link) Join(server string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.proxy.Update(&toxiproxy.Proxy{Listen: l.proxy.Listen, Upstream: server, Enabled: true})
}

// Interrupt breaks every connection; new ones are possible at once.
func (l *Link) Interrupt() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.proxy.Enabled {
		return nil
	}
	l.proxy.Stop()
	return l.proxy.Start()
}

// Way is which of what is sent is meant.
type Way string

// The ways.
const (
	Questions Way = "questions" // what the client sends
	Answers   Way = "answers"   // what the server sends
	BothWays  Way = "both ways"
)

// streams are the names that toxiproxy has for them.
func (w Way) streams() []string {
	switch w {
	case Questions:
		return []string{"upstream"}
	case Answers:
		return []string{"downstream"}
	default:
		return []string{"upstream", "downstream"}
	}
}

// Slow delays everything that is sent by about the latency, until Heal.
func (l *Link) Slow(latency time.Duration) error {
	ms := latency.Milliseconds()
	return l.poison(fmt.Sprintf(`"type":"latency","attributes":{"latency":%d,"jitter":%d}`, ms, ms/2), BothWays)
}

// Swallow takes in what is sent that way, and lets nothing of it arrive, until Heal.
func (l *Link) Swallow(way Way) error {
	return l.poison(`"type":"timeout","attributes":{"timeout":0}`, way)
}

// Reset answers what is sent that way with RST, until Heal.
func (l *Link) Reset(way Way) error {
	return l.poison(`"type":"reset_peer","attributes":{"timeout":0}`, way)
}

// Heal ends what Slow, Swallow and Reset began. Connections of which something was
// swallowed break.
func (l *Link) Heal() { l.proxy.Toxics.ResetToxics(context.Background()) }

func (l *Link) poison(toxic string, way Way) error {
	for _, stream := range way.streams() {
		_, err := l.proxy.Toxics.AddToxicJson(strings.NewReader(fmt.Sprintf(`{"stream":%q,%s}`, stream, toxic)))
		if err != nil && !errors.Is(err, toxiproxy.ErrToxicAlreadyExists) {
			return err
		}
	}
	return nil
}
