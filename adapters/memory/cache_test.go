package memory_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"gatefold/adapters/memory"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
)

var policy = artwork.CachePolicy{TTL: time.Minute}

func TestCache(t *testing.T) {
	conformance.RunImageCache(t, func(conformance.TB) conformance.Fleet {
		return conformance.Fleet{memory.NewCache(policy, 10_000, managecache.NewCounters())}
	})
}

func TestCacheIsBounded(t *testing.T) {
	cache := memory.NewCache(policy, 100, managecache.NewCounters())
	keys := make([]artwork.Key, 10_000)
	for i := range keys {
		keys[i] = artwork.Key{Subject: artwork.Artist(artwork.NewID()), Type: artwork.TypeProfile}
	}
	kept := 0
	for round := range 2 {
		for _, key := range keys {
			answer, err := cache.Fetch(t.Context(), key, func(context.Context) (*artwork.Image, error) { return nil, nil })
			if err != nil {
				t.Fatal(err)
			}
			if round == 1 && answer.Level == artwork.Process {
				kept++
			}
		}
	}
	if kept > 200 {
		t.Errorf("%d of 10000 entries were kept, want about 100", kept)
	}
}

func TestEntriesExpire(t *testing.T) {
	cache := memory.NewCache(artwork.CachePolicy{TTL: 10 * time.Millisecond}, 10, managecache.NewCounters())
	key := artwork.Key{Subject: artwork.User(artwork.NewID()), Type: artwork.TypeAvatar}
	load := func(context.Context) (*artwork.Image, error) { return nil, nil }
	if _, err := cache.Fetch(t.Context(), key, load); err != nil {
		t.Fatal(err)
	}
	time.Sleep(11 * time.Millisecond)
	answer, err := cache.Fetch(t.Context(), key, load)
	if err != nil || answer.Level != artwork.Filled {
		t.Errorf("after the TTL the answer comes from %s (%v), want filled", answer.Level, err)
	}
}

// TestWhatIsCounted: a miss, a fill that a change forbids, a fence that a reader
// meets, and the steps of the change.
func TestWhatIsCounted(t *testing.T) {
	counters := managecache.NewCounters()
	cache := memory.NewCache(policy, 10, counters)
	key := artwork.Key{Subject: artwork.User(artwork.NewID()), Type: artwork.TypeAvatar}
	load := func(context.Context) (*artwork.Image, error) { return nil, nil }
	fetch := func(load artwork.Load) {
		if _, err := cache.Fetch(t.Context(), key, load); err != nil {
			t.Fatal(err)
		}
	}
	fetch(func(ctx context.Context) (*artwork.Image, error) {
		return nil, cache.Change(ctx, []artwork.Key{key}, func(context.Context, artwork.Fence) error {
			fetch(load)
			time.Sleep(time.Millisecond)
			return nil
		})
	})
	fetch(load)
	fetch(load)
	stats := counters.Stats()
	if stats.ChangeTime.Commit.Count != 1 || stats.ChangeTime.Commit.SumMs < 1 || stats.ChangeTime.CopyWait.Count != 1 {
		t.Errorf("the change took %+v", stats.ChangeTime)
	}
	stats.ChangeTime = managecache.ChangeTime{}
	want := managecache.Stats{
		Misses: 2, FencesMet: 1,
		RefusedFills: managecache.RefusedFills{Fenced: 1}, Fallbacks: managecache.Fallbacks{Fence: 1},
	}
	if stats != want {
		t.Errorf("counted %+v, want %+v", stats, want)
	}
}

// original is the cache the project replaces: look, else load and store; delete
// after a change.
type original struct {
	mu      sync.Mutex
	entries map[artwork.Key]*artwork.Image
}

func (o *original) Fetch(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
	if err := ctx.Err(); err != nil {
		return artwork.Answer{}, err
	}
	o.mu.Lock()
	img, ok := o.entries[key]
	o.mu.Unlock()
	if ok {
		return artwork.Answer{Image: img, Level: artwork.Process}, nil
	}
	img, err := load(ctx)
	if err == nil {
		o.mu.Lock()
		o.entries[key] = img
		o.mu.Unlock()
	}
	return artwork.Answer{Image: img, Level: artwork.Filled}, err
}

func (o *original) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	if err := commit(ctx, artwork.Fence{Keys: keys, StillHeld: func(context.Context) error { return nil }}); err != nil {
		return err
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, key := range keys {
		delete(o.entries, key)
	}
	return nil
}

// forgetful commits without touching what is cached.
type forgetful struct{ *memory.Cache }

func (f forgetful) Change(ctx context.Context, _ []artwork.Key, commit artwork.Commit) error {
	return f.Cache.Change(ctx, nil, commit)
}

func TestSuiteNoticesBrokenCaches(t *testing.T) {
	openOriginal := func(conformance.TB) conformance.Fleet {
		return conformance.Fleet{&original{entries: map[artwork.Key]*artwork.Image{}}}
	}
	openForgetful := func(conformance.TB) conformance.Fleet {
		return conformance.Fleet{forgetful{memory.NewCache(policy, 100, managecache.NewCounters())}}
	}
	openNone := func(conformance.TB) conformance.Fleet { return conformance.Fleet{memory.NoCache{}} }
	cases := conformance.ImageCacheCases()
	conformance.Rejects(t, cases, "a load from before a change fills nothing after it", openOriginal)
	conformance.Rejects(t, cases, "a load during a change fills nothing", openOriginal)
	conformance.Rejects(t, cases, "the end of one change does not end the fence of another", openOriginal)
	conformance.Rejects(t, cases, "commit is not cancelled with the caller", openOriginal)
	conformance.Rejects(t, cases, "too many keys are refused", openOriginal)
	conformance.Rejects(t, cases, "after a change nobody gets the older image", openForgetful)
	conformance.Rejects(t, cases, "after a change an empty slot is not remembered", openForgetful)
	conformance.Rejects(t, cases, "a hit does not load, on any instance", openNone)
}

func TestNoCacheIsNeverStale(t *testing.T) {
	cache := memory.NoCache{}
	key := artwork.Key{Subject: artwork.Album(artwork.NewID()), Type: artwork.TypeCover}
	version := int64(1)
	load := func(context.Context) (*artwork.Image, error) {
		return &artwork.Image{Content: artwork.Content{Size: version}}, nil
	}
	for range 3 {
		answer, err := cache.Fetch(t.Context(), key, load)
		if err != nil || answer.Image.Size != version || answer.Level != artwork.Loaded {
			t.Fatalf("got %+v, %v", answer, err)
		}
		if err := cache.Change(t.Context(), []artwork.Key{key}, func(ctx context.Context, fence artwork.Fence) error {
			version++
			return fence.StillHeld(ctx)
		}); err != nil {
			t.Fatal(err)
		}
	}
}
