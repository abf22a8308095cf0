package samplehits

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

var key = artwork.Album(artwork.MustParseID("9f1d2c3b-4a5e-4d6f-8a7b-0c1d2e3f4a5b")).Keys()[0]

// fixture is a cache and a database that say what they are told to.
type fixture struct {
	artwork.ImageRepository
	artwork.ImageCache
	mu       sync.Mutex
	cached   *artwork.Image
	level    artwork.Level
	stored   []*artwork.Image // one for each look; the last one stays
	err      error
	results  chan string
	messages strings.Builder
}

func (f *fixture) InForce(context.Context, artwork.Place) (*artwork.Image, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.stored[0]
	if len(f.stored) > 1 {
		f.stored = f.stored[1:]
	}
	return now, f.err
}

func (f *fixture) Fetch(context.Context, artwork.Key, artwork.Load) (artwork.Answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return artwork.Answer{Image: f.cached, Level: f.level}, nil
}

func (f *fixture) Sampled(result string) { f.results <- result }

func img(tag string, age time.Duration) *artwork.Image {
	return &artwork.Image{Tag: artwork.Tag(tag), LastModified: time.Now().Add(-age)}
}

// TestResults: only what cannot be explained by a change is stale.
func TestResults(t *testing.T) {
	lately, longAgo := time.Second, 2*Margin
	old, current := img("old", longAgo), img("new", longAgo)
	justNow := img("new", lately)
	for name, test := range map[string]struct {
		cached *artwork.Image
		stored []*artwork.Image
		err    error
		want   Result
	}{
		"the same":         {current, []*artwork.Image{current}, nil, Match},
		"both empty":       {nil, []*artwork.Image{nil}, nil, Match},
		"another for long": {old, []*artwork.Image{current}, nil, Stale},
		"changed lately, and the cache stays behind": {old, []*artwork.Image{justNow}, nil, Stale},
		"emptied, and the cache stays behind":        {old, []*artwork.Image{nil}, nil, Stale},
		"filled, and the cache stays empty":          {nil, []*artwork.Image{justNow}, nil, Stale},
		"changed again while it is confirmed":        {old, []*artwork.Image{justNow, img("newer", 0)}, nil, Changed},
		"changed and back while it is confirmed":     {old, []*artwork.Image{justNow, img("new", 0)}, nil, Changed},
		"the database cannot be asked":               {old, []*artwork.Image{nil}, errors.New("broken"), Failed},
		"the subject is gone, and the cache knows":   {nil, []*artwork.Image{nil}, artwork.Errorf(artwork.NotFound, "gone"), Match},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fixture{cached: test.cached, level: artwork.Shared, stored: test.stored, err: test.err, results: make(chan string, 1)}
			sampler := New(f, 1, f, slog.New(slog.NewTextHandler(&f.messages, nil)))
			got := sampler.compare(t.Context(), sample{f, key, test.cached, artwork.Shared, time.Now()})
			require.Equal(t, test.want, got)
			require.Equal(t, test.want == Stale, strings.Contains(f.messages.String(), "A stale image was served"))
		})
	}
}

// TestACacheThatHasCaughtUp: the answer was overtaken by a change, as it may be.
func TestACacheThatHasCaughtUp(t *testing.T) {
	f := &fixture{cached: img("new", 0), level: artwork.Shared, stored: []*artwork.Image{img("new", 0)}}
	sampler := New(f, 1, f, slog.New(slog.DiscardHandler))
	require.Equal(t, Changed, sampler.compare(t.Context(), sample{f, key, img("old", time.Hour), artwork.Shared, time.Now()}))
}

// TestOnlyHitsAreSampled, by the share, and nobody waits for a comparison.
func TestOnlyHitsAreSampled(t *testing.T) {
	f := &fixture{cached: img("a", time.Hour), stored: []*artwork.Image{img("a", time.Hour)}, results: make(chan string, 2*waiting)}
	sampler := New(f, 1, f, slog.New(slog.DiscardHandler))
	sampler.pause = 0
	cache := sampler.Observe(f)
	for level, want := range map[artwork.Level]int{artwork.Loaded: 0, artwork.Filled: 0, artwork.Shared: 1, artwork.Process: 1} {
		f.level = level
		_, err := cache.Fetch(t.Context(), key, nil)
		require.NoError(t, err)
		require.Len(t, sampler.samples, want)
		for len(sampler.samples) > 0 {
			<-sampler.samples
		}
	}
	f.level = artwork.Shared
	for range waiting + 1 {
		_, err := cache.Fetch(t.Context(), key, nil)
		require.NoError(t, err)
	}
	require.Equal(t, "skipped", <-f.results)
	ctx, cancel := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { sampler.Run(ctx) })
	for range waiting {
		require.Equal(t, "match", <-f.results)
	}
	cancel()
	running.Wait()
	require.Equal(t, artwork.ImageCache(f), New(f, 0, f, nil).Observe(f), "none are taken")
}
