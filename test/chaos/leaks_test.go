package chaos

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// usage is what an instance has of what could leak.
type usage struct {
	goroutines, sockets, connections int
	files                            int   // and whatever else has a descriptor
	heap                             int64 // bytes that were alive after the latest collection
}

func (u usage) String() string {
	return fmt.Sprintf("%d goroutines, %d sockets, %d other files, %d connections to servers, %.1f MB of heap", u.goroutines, u.sockets, u.files, u.connections, float64(u.heap)/(1<<20))
}

// usage asks the instance.
func (in *instance) usage(ctx context.Context) (u usage, err error) {
	a, err := in.ask(ctx, http.MethodGet, "/metrics", "", nil)
	if err != nil || a.status != http.StatusOK {
		return u, fmt.Errorf("metrics: %d, %w", a.status, err)
	}
	for name, value := range samples(a.body) {
		switch {
		case name == "go_goroutines":
			u.goroutines = int(value)
		case name == "go_memstats_next_gc_bytes":
			u.heap = int64(value) / 2 // the next collection is when what lives has doubled
		case strings.HasPrefix(name, "gatefold_redis_pool_connections{"), strings.HasPrefix(name, "gatefold_database_pool_connections{"):
			u.connections += int(value)
		}
	}
	open := fmt.Sprintf("/proc/%d/fd", in.running().Pid())
	descriptors, err := os.ReadDir(open)
	for _, d := range descriptors {
		what, err := os.Readlink(filepath.Join(open, d.Name()))
		if err != nil {
			continue // it was closed meanwhile
		}
		if strings.HasPrefix(what, "socket:") {
			u.sockets++
		} else {
			u.files++
		}
	}
	return u, err
}

// watch notes what an instance uses, until stop is closed.
type watch struct {
	in     *instance
	stop   chan struct{}
	ended  sync.WaitGroup
	mu     sync.Mutex
	usages []usage
}

// watchInterval is the time between two looks.
const watchInterval = time.Second

func startWatch(in *instance) *watch {
	w := &watch{in: in, stop: make(chan struct{})}
	w.ended.Go(func() {
		for {
			select {
			case <-w.stop:
				return
			case <-time.After(watchInterval):
			}
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			u, err := in.usage(ctx)
			cancel()
			if err == nil {
				w.mu.Lock()
				w.usages = append(w.usages, u)
				w.mu.Unlock()
			}
		}
	})
	return w
}

func (w *watch) end() []usage {
	close(w.stop)
	w.ended.Wait()
	return w.usages
}

// least is the least that was used of each.
func least(usages []usage) usage {
	l := usages[0]
	for _, u := range usages {
		l = usage{min(l.goroutines, u.goroutines), min(l.sockets, u.sockets), min(l.connections, u.connections), min(l.files, u.files), min(l.heap, u.heap)}
	}
	return l
}

// What may be more at the end than in the middle, by chance. What leaks with every
// request, change or fault is far more after two minutes.
const (
	slackOfCounts = 60
	slackOfHeap   = 4 << 20
	// keptOpen is how many files of images an instance keeps open on purpose.
	keptOpen = 256
)

// requireFlat requires that the least of what was used under load is no more in the last
// third of the time than in the second, and after the load no more than before.
func requireFlat(t *testing.T, before usage, under []usage, after usage) {
	t.Helper()
	require.GreaterOrEqual(t, len(under), 6, "too short a time to tell")
	third := len(under) / 3
	middle, last := least(under[third:2*third]), least(under[2*third:])
	t.Logf("before: %s\nsecond third: %s\nlast third: %s\nafter: %s", before, middle, last, after)
	for _, pair := range [][2]usage{{middle, last}, {before, after}} {
		from, to := pair[0], pair[1]
		require.LessOrEqual(t, to.goroutines, from.goroutines+slackOfCounts, "goroutines")
		require.LessOrEqual(t, to.sockets, from.sockets+slackOfCounts, "sockets")
		require.LessOrEqual(t, to.connections, from.connections+slackOfCounts, "connections")
	}
	require.LessOrEqual(t, after.files, before.files+keptOpen+slackOfCounts, "files")
	require.LessOrEqual(t, last.heap, middle.heap+slackOfHeap, "heap")
}

// samples are the numbers that /metrics tells, with their labels in their names.
func samples(body []byte) iter.Seq2[string, float64] {
	return func(yield func(string, float64) bool) {
		for lines := bufio.NewScanner(bytes.NewReader(body)); lines.Scan(); {
			name, text, _ := strings.Cut(lines.Text(), " ")
			if value, err := strconv.ParseFloat(text, 64); err == nil && !yield(name, value) {
				return
			}
		}
	}
}
