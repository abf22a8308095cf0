package managecache_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/keepactivity"
	"gatefold/application/managecache"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

func TestInvalidateAndFlush(t *testing.T) {
	counters := managecache.NewCounters()
	cache := memory.NewCache(artwork.CachePolicy{TTL: time.Minute}, 100, counters)
	log, activities, ana := slog.New(slog.DiscardHandler), memory.NewRepository().Activity(), artwork.Actor{Name: "ana"}
	manage := managecache.New(cache, counters, cache, keepactivity.NewRecorder(activities, log), log)
	one, other := artwork.Artist(artwork.NewID()), artwork.Album(artwork.NewID())
	fill := func() (filled int) {
		for _, key := range append(one.Keys(), other.Keys()...) {
			answer, err := cache.Fetch(t.Context(), key, func(context.Context) (*artwork.Image, error) { return nil, nil })
			require.NoError(t, err)
			if answer.Level == artwork.Filled {
				filled++
			}
		}
		return filled
	}
	require.Equal(t, 8, fill())
	require.NoError(t, manage.Invalidate(t.Context(), ana, one))
	require.Equal(t, 7, fill(), "all types of the artist, and nothing else")
	removed, err := manage.Flush(t.Context(), ana)
	require.NoError(t, err)
	require.Equal(t, 8, removed)
	require.Equal(t, 8, fill())
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(manage.Invalidate(t.Context(), ana, artwork.Subject{Kind: artwork.UserSubject})))

	page, err := activities.List(t.Context(), activity.Query{Limit: 10})
	require.NoError(t, err)
	require.Len(t, page.Items, 2, "what is refused is no activity")
	require.Equal(t, activity.CacheFlush, page.Items[0].Action)
	require.JSONEq(t, `{"removed":8}`, string(page.Items[0].After))
	require.Equal(t, activity.CacheInvalidate, page.Items[1].Action)
	require.Equal(t, activity.SubjectOf(one, ""), page.Items[1].Subject)
	require.Equal(t, ana, page.Items[1].Actor)
}

func TestStats(t *testing.T) {
	require.Zero(t, managecache.Stats{}.HitRate())
	require.Zero(t, managecache.Stats{}.MeanChange())
	stats := managecache.Stats{
		ProcessHits: 60, SharedHits: 20, Fills: 15, Bypasses: 5,
		ChangeTime: managecache.ChangeTime{All: managecache.Timing{Count: 4, SumMs: 1000}},
	}
	require.InDelta(t, 0.8, stats.HitRate(), 1e-9)
	require.Equal(t, 250*time.Millisecond, stats.MeanChange())
}

// TestEveryEventHasACounterOfItsOwn counts each event a different number of
// times, so that no two can be mixed up: the sum of all that is shown would not
// come out, nor would that of the squares.
func TestEveryEventHasACounterOfItsOwn(t *testing.T) {
	counters := managecache.NewCounters()
	var want []float64
	for e := managecache.ProcessHit; e <= managecache.LoadRefusedLate; e++ {
		n := 1000 + 7*int(e)*int(e)
		counters.Count(e, n)
		switch e {
		case managecache.LoadEnded, managecache.LoadDequeued: // shown as what is under way
			want = append(want, float64(1000+7*(int(e)-1)*(int(e)-1)-n))
		default:
			want = append(want, float64(n))
		}
	}
	for step := managecache.StepAll; step <= managecache.StepLoadWait; step++ {
		took := time.Duration(step+1) * time.Second
		counters.Took(step, took)
		counters.Took(step, took/4)
		want = append(want, 2, 1250*float64(step+1), 1000*float64(step+1))
	}
	text, err := json.Marshal(counters.Stats())
	require.NoError(t, err)
	var shown any
	require.NoError(t, json.Unmarshal(text, &shown))
	require.ElementsMatch(t, want, numbers(shown))
}

// numbers returns all that are in a JSON value.
func numbers(v any) (all []float64) {
	switch v := v.(type) {
	case float64:
		return []float64{v}
	case map[string]any:
		for _, field := range v {
			all = append(all, numbers(field)...)
		}
	}
	return all
}

// TestEveryCounterIsDocumented holds the names to those in the documentation,
// which people and dashboards rely on: each group is a row, with its counters.
func TestEveryCounterIsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../docs/caching.md")
	require.NoError(t, err)
	_, section, found := strings.Cut(string(text), "### What is counted")
	require.True(t, found)
	fields := reflect.TypeFor[managecache.Stats]()
	for i := range fields.NumField() {
		group := fields.Field(i)
		row := section
		if group.Type.Kind() == reflect.Struct {
			_, row, found = strings.Cut(section, "\n| `"+group.Tag.Get("json")+"` |")
			require.True(t, found, group.Name)
			row, _, _ = strings.Cut(row, "\n")
			for j := range group.Type.NumField() {
				require.Contains(t, row, "`"+group.Type.Field(j).Tag.Get("json")+"`", group.Name)
			}
			continue
		}
		require.Contains(t, row, "`"+group.Tag.Get("json")+"`")
	}
}

func TestCountersAreSafeForConcurrentUse(t *testing.T) {
	counters := managecache.NewCounters()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for n := range 1000 {
				counters.Count(managecache.Fill, 1)
				counters.Took(managecache.StepAll, time.Duration(i*1000+n)*time.Millisecond)
				_ = counters.Stats()
			}
		})
	}
	all.Wait()
	stats := counters.Stats()
	require.EqualValues(t, 8000, stats.Fills)
	timing := stats.ChangeTime.All
	require.EqualValues(t, 8000, timing.Buckets.Count())
	timing.Buckets = managecache.Distribution{}
	require.Equal(t, managecache.Timing{Count: 8000, SumMs: 7999 * 8000 / 2, MaxMs: 7999}, timing)
}
