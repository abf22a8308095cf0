package memory_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

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

// TestWhatIsLoadedWhileAllIsDroppedIsNotStored: somebody may have changed it
// without this cache.
func TestWhatIsLoadedWhileAllIsDroppedIsNotStored(t *testing.T) {
	cache := memory.NewCache(policy, 10, managecache.NewCounters())
	key := artwork.Key{Subject: artwork.User(artwork.NewID()), Type: artwork.TypeAvatar}
	for _, want := range []artwork.Level{artwork.Loaded, artwork.Filled, artwork.Process} {
		answer, err := cache.Fetch(t.Context(), key, func(context.Context) (*artwork.Image, error) {
			if want == artwork.Loaded {
				cache.Drop()
			}
			return nil, nil
		})
		require.NoError(t, err)
		require.Equal(t, want, answer.Level)
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

// brokenCache is a cache with some of its methods replaced by wrong ones.
type brokenCache struct {
	artwork.ImageCache
	fetch  func(context.Context, artwork.Key, artwork.Load) (artwork.Answer, error)
	change func(context.Context, []artwork.Key, artwork.Commit) error
}

func (b *brokenCache) Fetch(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
	if b.fetch != nil {
		return b.fetch(ctx, key, load)
	}
	return b.ImageCache.Fetch(ctx, key, load)
}

func (b *brokenCache) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	if b.change != nil {
		return b.change(ctx, keys, commit)
	}
	return b.ImageCache.Change(ctx, keys, commit)
}

// cacheTwins breaks each clause of the contract once.
var cacheTwins = map[string]func(*brokenCache){
	"a miss is answered by load":                              cachesNothing,
	"a hit does not load, on any instance":                    cachesNothing,
	"a load from before a change fills nothing after it":      isOriginal,
	"a load during a change fills nothing":                    isOriginal,
	"the end of one change does not end the fence of another": isOriginal,
	"commit is not cancelled with the caller":                 isOriginal,
	"too many keys are refused":                               isOriginal,
	"after a change nobody gets the older image":              keepsWhatItHolds,
	"after a change an empty slot is not remembered":          keepsWhatItHolds,
	"after a change the keys hold nothing":                    fillsAfterAChange,
	"racing writers and readers never step back":              keepsWhatItReadFirst,
	"after a failed commit the key is filled again": func(b *brokenCache) {
		leavesFences(b, func(_ []artwork.Key, err error) bool { return err != nil })
	},
	"duplicate keys count once": func(b *brokenCache) {
		leavesFences(b, func(keys []artwork.Key, _ error) bool {
			distinct, _ := artwork.DistinctKeys(keys)
			return len(distinct) < len(keys)
		})
	},
	"an image comes back as it was, to the last field": func(b *brokenCache) {
		b.fetch = func(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
			answer, err := b.ImageCache.Fetch(ctx, key, load)
			if answer.Image != nil && answer.Level != artwork.Filled {
				img := *answer.Image
				img.FocalPoint = nil
				answer.Image = &img
			}
			return answer, err
		}
	},
	"an empty slot is remembered": func(b *brokenCache) {
		none := errors.New("no image")
		b.fetch = func(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
			answer, err := b.ImageCache.Fetch(ctx, key, func(ctx context.Context) (*artwork.Image, error) {
				img, err := load(ctx)
				if img == nil && err == nil {
					err = none
				}
				return img, err
			})
			if errors.Is(err, none) {
				err = nil
			}
			return answer, err
		}
	},
	"an error of load is returned and not cached": func(b *brokenCache) {
		b.fetch = func(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
			var failed error
			answer, err := b.ImageCache.Fetch(ctx, key, func(ctx context.Context) (*artwork.Image, error) {
				var img *artwork.Image
				img, failed = load(ctx)
				return img, nil
			})
			return answer, errors.Join(err, failed)
		}
	},
	"keys are independent": func(b *brokenCache) {
		b.fetch = func(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
			return b.ImageCache.Fetch(ctx, artwork.Key{Subject: key.Subject}, load)
		}
	},
	"an error of commit is returned as it is": func(b *brokenCache) {
		b.change = func(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
			return artwork.Wrap(artwork.Internal, "broken.Change", b.ImageCache.Change(ctx, keys, commit))
		}
	},
	"commit gets a deadline in the future or none": func(b *brokenCache) {
		b.change = func(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
			return b.ImageCache.Change(ctx, keys, func(ctx context.Context, fence artwork.Fence) error {
				fence.Deadline = time.Now()
				return commit(ctx, fence)
			})
		}
	},
	"a cancelled caller gets its context's error": func(b *brokenCache) {
		b.fetch = func(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
			return b.ImageCache.Fetch(context.WithoutCancel(ctx), key, load)
		}
	},
	"many keys change together": func(b *brokenCache) {
		b.change = func(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
			return b.ImageCache.Change(ctx, keys[:min(len(keys), 100)], commit)
		}
	},
	"no keys is a call of commit": func(b *brokenCache) {
		b.change = func(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
			if len(keys) == 0 {
				return nil
			}
			return b.ImageCache.Change(ctx, keys, commit)
		}
	},
}

func cachesNothing(b *brokenCache) { b.ImageCache = memory.NoCache{} }

func isOriginal(b *brokenCache) {
	b.ImageCache = &original{entries: map[artwork.Key]*artwork.Image{}}
}

// keepsWhatItHolds commits without a fence.
func keepsWhatItHolds(b *brokenCache) {
	b.change = func(ctx context.Context, _ []artwork.Key, commit artwork.Commit) error {
		return b.ImageCache.Change(ctx, nil, commit)
	}
}

// keepsWhatItReadFirst lets nobody change anything before somebody has read: then
// every later answer is older than a change.
func keepsWhatItReadFirst(b *brokenCache) {
	read, once := make(chan struct{}), sync.Once{}
	b.fetch = func(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
		defer once.Do(func() { close(read) })
		return b.ImageCache.Fetch(ctx, key, load)
	}
	b.change = func(ctx context.Context, _ []artwork.Key, commit artwork.Commit) error {
		<-read
		return b.ImageCache.Change(ctx, nil, commit)
	}
}

// fillsAfterAChange reads, unasked, what the last reader read.
func fillsAfterAChange(b *brokenCache) {
	loads := map[artwork.Key]artwork.Load{}
	b.fetch = func(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
		loads[key] = load
		return b.ImageCache.Fetch(ctx, key, load)
	}
	b.change = func(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
		err := b.ImageCache.Change(ctx, keys, commit)
		for _, key := range keys {
			_, loadErr := b.ImageCache.Fetch(ctx, key, loads[key])
			err = errors.Join(err, loadErr)
		}
		return err
	}
}

// leavesFences forgets to end the fences of the changes for which forgets says so.
func leavesFences(b *brokenCache, forgets func(keys []artwork.Key, err error) bool) {
	fenced := map[artwork.Key]bool{}
	b.fetch = func(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
		if fenced[key] {
			return memory.NoCache{}.Fetch(ctx, key, load)
		}
		return b.ImageCache.Fetch(ctx, key, load)
	}
	b.change = func(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
		err := b.ImageCache.Change(ctx, keys, commit)
		for _, key := range keys {
			fenced[key] = forgets(keys, err)
		}
		return err
	}
}

func TestCacheSuiteCatchesBrokenTwins(t *testing.T) {
	for _, c := range conformance.ImageCacheCases() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			breakIt := cacheTwins[c.Name]
			require.NotNil(t, breakIt, "the case has no broken twin")
			conformance.Rejects(t, conformance.ImageCacheCases(), c.Name, func(conformance.TB) conformance.Fleet {
				twin := &brokenCache{ImageCache: memory.NewCache(policy, 10_000, managecache.NewCounters())}
				breakIt(twin)
				return conformance.Fleet{twin}
			})
		})
	}
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
