package conformance

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

// Fleet is the cache of one or more instances that share what they cache. A
// cache for a single process is a fleet of one.
type Fleet []artwork.ImageCache

func (f Fleet) first() artwork.ImageCache { return f[0] }
func (f Fleet) last() artwork.ImageCache  { return f[len(f)-1] }

// RunImageCache runs the suite of artwork.ImageCache. open returns a fleet on an
// empty cache.
func RunImageCache(t *testing.T, open func(TB) Fleet) {
	t.Helper()
	run(t, ImageCacheCases(), open)
}

// ImageCacheCases are the clauses of artwork.ImageCache's contract.
func ImageCacheCases() []Case[Fleet] {
	return []Case[Fleet]{
		{"a miss is answered by load", missLoads},
		{"a hit does not load, on any instance", hitDoesNotLoad},
		{"an image comes back as it was, to the last field", imageSurvives},
		{"an empty slot is remembered", emptySlotRemembered},
		{"an error of load is returned and not cached", loadErrorNotCached},
		{"keys are independent", keysAreIndependent},
		{"after a change nobody gets the older image", changeIsVisible},
		{"after a change an empty slot is not remembered", changeEndsEmptySlot},
		{"after a change the keys hold nothing", changeLeavesNothing},
		{"a load from before a change fills nothing after it", lateLoadFillsNothing},
		{"a load during a change fills nothing", fenceForbidsFill},
		{"the end of one change does not end the fence of another", overlappingChanges},
		{"an error of commit is returned as it is", commitErrorReturned},
		{"after a failed commit the key is filled again", failedCommitReleases},
		{"commit gets a deadline in the future or none", deadlineInFuture},
		{"commit is not cancelled with the caller", commitOutlivesCaller},
		{"a cancelled caller gets its context's error", cancelledCaller},
		{"many keys change together", manyKeys},
		{"duplicate keys count once", duplicateKeys},
		{"no keys is a call of commit", noKeys},
		{"too many keys are refused", tooManyKeys},
		{"racing writers and readers never step back", racingWriters},
	}
}

func artistKey(typ artwork.Type) artwork.Key {
	return artwork.Key{Subject: artwork.Artist(artwork.NewID()), Type: typ}
}

// image returns an image that differs from those of other numbers.
func image(n int) *artwork.Image {
	hash := artwork.HashOf(fmt.Append(nil, "image ", n))
	return &artwork.Image{
		Content:  artwork.Content{Hash: hash, Size: int64(n), MIMEType: "image/jpeg", Width: 10, Height: 20},
		RecordID: artwork.NewID(), Tag: artwork.TagOf(hash, nil), Source: artwork.Custom,
		LastModified: time.Date(2024, 2, 29, 23, 59, 59, 0, time.UTC),
	}
}

// database is the truth that a case loads from.
type database struct {
	mu    sync.Mutex
	image *artwork.Image
	loads atomic.Int32
}

func (d *database) load(context.Context) (*artwork.Image, error) {
	d.loads.Add(1)
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.image, nil
}

func (d *database) set(img *artwork.Image) artwork.Commit {
	return func(ctx context.Context, fence artwork.Fence) error {
		if err := fence.StillHeld(ctx); err != nil {
			return err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.image = img
		return nil
	}
}

func fetch(t TB, cache artwork.ImageCache, key artwork.Key, load artwork.Load) artwork.Answer {
	t.Helper()
	answer, err := cache.Fetch(t.Context(), key, load)
	require.NoError(t, err)
	return answer
}

func missLoads(t TB, open func(TB) Fleet) {
	db := &database{image: image(1)}
	answer := fetch(t, open(t).first(), artistKey(artwork.TypeProfile), db.load)
	require.Equal(t, image(1).Tag, answer.Image.Tag)
	require.Equal(t, artwork.Filled, answer.Level)
	require.EqualValues(t, 1, db.loads.Load())
}

func hitDoesNotLoad(t TB, open func(TB) Fleet) {
	fleet, key, db := open(t), artistKey(artwork.TypeBanner), &database{image: image(1)}
	fetch(t, fleet.first(), key, db.load)
	for _, instance := range fleet {
		for range 3 {
			answer := fetch(t, instance, key, db.load)
			require.Equal(t, image(1).Tag, answer.Image.Tag)
			require.Contains(t, []artwork.Level{artwork.Shared, artwork.Process}, answer.Level)
		}
	}
	require.EqualValues(t, 1, db.loads.Load())
}

func imageSurvives(t TB, open func(TB) Fleet) {
	fleet, key := open(t), artistKey(artwork.TypeLogo)
	img := image(7)
	img.Provider = "fanart \"tv\" – Ñandú 🎷 e\u0301"
	img.ThumbHash = []byte{0, 1, 0xff, 0x7b}
	img.DominantColor = "#0a7bff"
	img.FocalPoint = &artwork.FocalPoint{X: 0.1, Y: 1.0 / 3}
	img.Locked = true
	img.Source = artwork.External
	fetch(t, fleet.first(), key, (&database{image: img}).load)
	answer := fetch(t, fleet.last(), key, (&database{}).load)
	require.Equal(t, img, answer.Image)
}

func emptySlotRemembered(t TB, open func(TB) Fleet) {
	fleet, key, db := open(t), artistKey(artwork.TypeProfile), &database{}
	require.Nil(t, fetch(t, fleet.first(), key, db.load).Image)
	require.Nil(t, fetch(t, fleet.last(), key, db.load).Image)
	require.EqualValues(t, 1, db.loads.Load())
}

func loadErrorNotCached(t TB, open func(TB) Fleet) {
	cache, key := open(t).first(), artistKey(artwork.TypeProfile)
	broken := errors.New("no database")
	_, err := cache.Fetch(t.Context(), key, func(context.Context) (*artwork.Image, error) { return nil, broken })
	require.ErrorIs(t, err, broken)
	answer := fetch(t, cache, key, (&database{image: image(2)}).load)
	require.NotNil(t, answer.Image)
	require.Equal(t, image(2).Tag, answer.Image.Tag)
}

func keysAreIndependent(t TB, open func(TB) Fleet) {
	cache := open(t).first()
	id := artwork.NewID()
	keys := append(artwork.Artist(id).Keys(), artwork.Album(id).Keys()...)
	keys = append(keys, artwork.User(id).Keys()...)
	keys = append(keys, artistKey(artwork.TypeProfile))
	for i, key := range keys {
		fetch(t, cache, key, (&database{image: image(i + 1)}).load)
	}
	require.NoError(t, cache.Change(t.Context(), keys[:1], (&database{}).set(nil)))
	for i, key := range keys[1:] {
		answer := fetch(t, cache, key, (&database{}).load)
		require.NotNil(t, answer.Image, key.String())
		require.Equal(t, image(i+2).Tag, answer.Image.Tag, key.String())
	}
}

func changeIsVisible(t TB, open func(TB) Fleet) {
	fleet, key, db := open(t), artistKey(artwork.TypeProfile), &database{image: image(1)}
	for _, instance := range fleet {
		fetch(t, instance, key, db.load)
	}
	for n := 2; n < 5; n++ {
		require.NoError(t, fleet.first().Change(t.Context(), []artwork.Key{key}, db.set(image(n))))
		for _, instance := range fleet {
			require.Equal(t, image(n).Tag, fetch(t, instance, key, db.load).Image.Tag)
		}
	}
}

func changeEndsEmptySlot(t TB, open func(TB) Fleet) {
	fleet, key, db := open(t), artistKey(artwork.TypeProfile), &database{}
	for _, instance := range fleet {
		fetch(t, instance, key, db.load)
	}
	require.NoError(t, fleet.first().Change(t.Context(), []artwork.Key{key}, db.set(image(1))))
	require.NotNil(t, fetch(t, fleet.last(), key, db.load).Image)
}

func changeLeavesNothing(t TB, open func(TB) Fleet) {
	fleet, key, db := open(t), artistKey(artwork.TypeProfile), &database{image: image(1)}
	fetch(t, fleet.first(), key, db.load)
	before := db.loads.Load()
	require.NoError(t, fleet.first().Change(t.Context(), []artwork.Key{key}, func(context.Context, artwork.Fence) error { return nil }))
	require.Equal(t, before, db.loads.Load())
	require.Equal(t, artwork.Filled, fetch(t, fleet.last(), key, db.load).Level)
}

// lateLoadFillsNothing is the schedule that the plain GET, miss, SET loses: the
// reader has read the old image, the change happens, the reader stores.
func lateLoadFillsNothing(t TB, open func(TB) Fleet) {
	fleet, key, db := open(t), artistKey(artwork.TypeProfile), &database{image: image(1)}
	loaded, proceed, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_, _ = fleet.last().Fetch(t.Context(), key, func(ctx context.Context) (*artwork.Image, error) {
			img, err := db.load(ctx)
			close(loaded)
			<-proceed
			return img, err
		})
	}()
	<-loaded
	require.NoError(t, fleet.first().Change(t.Context(), []artwork.Key{key}, db.set(image(2))))
	close(proceed)
	<-done
	for _, instance := range fleet {
		require.Equal(t, image(2).Tag, fetch(t, instance, key, db.load).Image.Tag)
	}
}

func fenceForbidsFill(t TB, open func(TB) Fleet) {
	fleet, key, db := open(t), artistKey(artwork.TypeProfile), &database{image: image(1)}
	fetch(t, fleet.last(), key, db.load)
	err := fleet.first().Change(t.Context(), []artwork.Key{key}, func(ctx context.Context, fence artwork.Fence) error {
		for _, instance := range fleet {
			for range 2 {
				answer := fetch(t, instance, key, db.load)
				require.Equal(t, artwork.Loaded, answer.Level)
				require.Equal(t, image(1).Tag, answer.Image.Tag)
			}
		}
		return db.set(image(2))(ctx, fence)
	})
	require.NoError(t, err)
	require.Equal(t, image(2).Tag, fetch(t, fleet.last(), key, db.load).Image.Tag)
}

func overlappingChanges(t TB, open func(TB) Fleet) {
	fleet, key, db := open(t), artistKey(artwork.TypeProfile), &database{image: image(1)}
	fenced, proceed, slow := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		slow <- fleet.last().Change(t.Context(), []artwork.Key{key}, func(ctx context.Context, fence artwork.Fence) error {
			close(fenced)
			<-proceed
			return db.set(image(3))(ctx, fence)
		})
	}()
	<-fenced
	require.NoError(t, fleet.first().Change(t.Context(), []artwork.Key{key}, db.set(image(2))))
	for _, instance := range fleet {
		answer := fetch(t, instance, key, db.load)
		require.Equal(t, image(2).Tag, answer.Image.Tag)
		require.Equal(t, artwork.Loaded, answer.Level)
	}
	close(proceed)
	require.NoError(t, <-slow)
	for _, instance := range fleet {
		require.Equal(t, image(3).Tag, fetch(t, instance, key, db.load).Image.Tag)
	}
}

func commitErrorReturned(t TB, open func(TB) Fleet) {
	broken := artwork.Errorf(artwork.PreconditionFailed, "another image is in force")
	err := open(t).first().Change(t.Context(), []artwork.Key{artistKey(artwork.TypeProfile)},
		func(context.Context, artwork.Fence) error { return broken })
	require.Equal(t, broken, err)
}

func failedCommitReleases(t TB, open func(TB) Fleet) {
	fleet, key, db := open(t), artistKey(artwork.TypeProfile), &database{image: image(1)}
	require.Error(t, fleet.first().Change(t.Context(), []artwork.Key{key},
		func(context.Context, artwork.Fence) error { return errors.New("disk on fire") }))
	answer := fetch(t, fleet.last(), key, db.load)
	require.Equal(t, image(1).Tag, answer.Image.Tag)
	require.Equal(t, artwork.Filled, answer.Level)
}

func deadlineInFuture(t TB, open func(TB) Fleet) {
	key := artistKey(artwork.TypeProfile)
	require.NoError(t, open(t).first().Change(t.Context(), []artwork.Key{key}, func(ctx context.Context, fence artwork.Fence) error {
		require.True(t, fence.Deadline.IsZero() || time.Until(fence.Deadline) > time.Second)
		require.Equal(t, []artwork.Key{key}, fence.Keys)
		return fence.StillHeld(ctx)
	}))
}

type contextKey struct{}

func commitOutlivesCaller(t TB, open func(TB) Fleet) {
	fleet, key, db := open(t), artistKey(artwork.TypeProfile), &database{image: image(1)}
	fetch(t, fleet.last(), key, db.load)
	ctx, cancel := context.WithCancel(context.WithValue(t.Context(), contextKey{}, "request 7"))
	err := fleet.first().Change(ctx, []artwork.Key{key}, func(ctx context.Context, fence artwork.Fence) error {
		cancel()
		require.NoError(t, ctx.Err())
		require.Equal(t, "request 7", ctx.Value(contextKey{}))
		return db.set(image(2))(ctx, fence)
	})
	require.NoError(t, err)
	require.Equal(t, image(2).Tag, fetch(t, fleet.last(), key, db.load).Image.Tag)
}

func cancelledCaller(t TB, open func(TB) Fleet) {
	cache, key, db := open(t).first(), artistKey(artwork.TypeProfile), &database{image: image(1)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := cache.Fetch(ctx, key, db.load)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, cache.Change(ctx, []artwork.Key{key}, db.set(image(2))), context.Canceled)
	require.Equal(t, image(1).Tag, fetch(t, cache, key, db.load).Image.Tag, "a change that was never begun")
}

func manyKeys(t TB, open func(TB) Fleet) {
	fleet, db := open(t), &database{image: image(1)}
	var keys []artwork.Key
	for len(keys) < artwork.MaxKeysPerChange {
		keys = append(keys, artistKey(artwork.TypeProfile))
	}
	for _, key := range keys {
		fetch(t, fleet.last(), key, db.load)
	}
	require.NoError(t, fleet.first().Change(t.Context(), keys, db.set(image(2))))
	for _, key := range keys {
		require.Equal(t, image(2).Tag, fetch(t, fleet.last(), key, db.load).Image.Tag)
	}
}

func duplicateKeys(t TB, open func(TB) Fleet) {
	fleet, key, db := open(t), artistKey(artwork.TypeProfile), &database{image: image(1)}
	require.NoError(t, fleet.first().Change(t.Context(), []artwork.Key{key, key, key}, db.set(image(2))))
	require.Equal(t, artwork.Filled, fetch(t, fleet.last(), key, db.load).Level, "the key is not fenced any more")
}

func noKeys(t TB, open func(TB) Fleet) {
	called := false
	require.NoError(t, open(t).first().Change(t.Context(), nil, func(ctx context.Context, fence artwork.Fence) error {
		called = true
		return fence.StillHeld(ctx)
	}))
	require.True(t, called)
}

func tooManyKeys(t TB, open func(TB) Fleet) {
	var keys []artwork.Key
	for len(keys) <= artwork.MaxKeysPerChange {
		keys = append(keys, artistKey(artwork.TypeProfile))
	}
	err := open(t).first().Change(t.Context(), keys, func(context.Context, artwork.Fence) error {
		t.Errorf("commit was called")
		return nil
	})
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(err))
}

// racingWriters counts exactly: a read that starts after a change was answered
// must see that change or a later one. It proves little by itself (it needs
// luck to catch a fault); the schedules above are what turns red.
func racingWriters(t TB, open func(TB) Fleet) {
	const writers, readers, changes = 20, 20, 3
	fleet, key, db := open(t), artistKey(artwork.TypeProfile), &database{image: image(0)}
	var answered atomic.Int64 // the newest version that a change has answered
	var next, stale atomic.Int64
	var writing, reading sync.WaitGroup
	stop := make(chan struct{})
	for i := range writers {
		writing.Go(func() {
			for range changes {
				var version int64
				err := fleet[i%len(fleet)].Change(t.Context(), []artwork.Key{key}, func(ctx context.Context, fence artwork.Fence) error {
					if err := fence.StillHeld(ctx); err != nil {
						return err
					}
					db.mu.Lock()
					defer db.mu.Unlock()
					version = next.Add(1)
					db.image = image(int(version))
					return nil
				})
				if err != nil {
					t.Errorf("change: %v", err)
					return
				}
				for seen := answered.Load(); seen < version && !answered.CompareAndSwap(seen, version); seen = answered.Load() {
				}
			}
		})
	}
	for i := range readers {
		reading.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				floor := answered.Load()
				answer, err := fleet[i%len(fleet)].Fetch(t.Context(), key, db.load)
				if err != nil {
					t.Errorf("fetch: %v", err)
					return
				}
				if answer.Image.Size < floor {
					stale.Add(1)
				}
			}
		})
	}
	writing.Wait()
	close(stop)
	reading.Wait()
	require.Zero(t, stale.Load(), "stale answers")
	require.EqualValues(t, writers*changes, fetch(t, fleet.last(), key, db.load).Image.Size)
}
