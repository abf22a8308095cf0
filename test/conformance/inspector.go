package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/application/managecache"
	"gatefold/domain/artwork"
)

// Inspected is a cache, and one of its levels to look into.
type Inspected struct {
	Cache artwork.ImageCache
	Level managecache.Inspector
}

// RunInspector runs the suite of managecache.Inspector for a level that keeps answers.
func RunInspector(t *testing.T, open func(TB) Inspected) {
	t.Helper()
	run(t, InspectorCases(), open)
}

// RunKeeper runs, besides, what is asked of a level that keeps leases and fences.
func RunKeeper(t *testing.T, open func(TB) Inspected) {
	t.Helper()
	RunInspector(t, open)
	run(t, KeeperCases(), open)
}

// InspectorCases are the clauses of managecache.Inspector's contract.
func InspectorCases() []Case[Inspected] {
	return []Case[Inspected]{
		{"what nobody has asked for is nothing", unaskedIsNothing},
		{"an image is told as it was stored, with its term", imageIsTold},
		{"an empty slot is told", emptySlotIsTold},
		{"each key is told in its place", keysInTheirOrder},
		{"looking fills nothing", lookingFillsNothing},
		{"looking prolongs nothing", lookingProlongsNothing},
		{"after a change nothing is held", nothingAfterAChange},
		{"a cancelled caller gets its context's error, looking", cancelledLook},
	}
}

// KeeperCases are the clauses about leases and fences.
func KeeperCases() []Case[Inspected] {
	return []Case[Inspected]{
		{"a fill under way is a lease", fillIsALease},
		{"changes under way are a fence, and counted", changesAreAFence},
		{"looking takes no lease", lookingTakesNoLease},
	}
}

func inspect(t TB, level managecache.Inspector, keys ...artwork.Key) []managecache.Held {
	t.Helper()
	held, err := level.Inspect(t.Context(), keys)
	require.NoError(t, err)
	require.Len(t, held, len(keys))
	return held
}

func unaskedIsNothing(t TB, open func(TB) Inspected) {
	key := artistKey(artwork.TypeLogo)
	require.Equal(t, managecache.Held{Holding: managecache.HoldsNothing}, inspect(t, open(t).Level, key)[0])
}

func imageIsTold(t TB, open func(TB) Inspected) {
	in, key := open(t), artistKey(artwork.TypeBanner)
	img := image(7)
	img.Provider, img.ThumbHash, img.FocalPoint = "fanart", []byte{1, 2}, &artwork.FocalPoint{X: 0.5, Y: 0.25}
	fetch(t, in.Cache, key, (&database{image: img}).load)
	held := inspect(t, in.Level, key)[0]
	require.Equal(t, managecache.HoldsImage, held.Holding)
	require.Equal(t, img, held.Image)
	require.Positive(t, held.ExpiresIn)
	require.LessOrEqual(t, held.ExpiresIn, time.Hour)
	require.Positive(t, held.Bytes)
}

func emptySlotIsTold(t TB, open func(TB) Inspected) {
	in, key := open(t), artistKey(artwork.TypeProfile)
	fetch(t, in.Cache, key, (&database{}).load)
	held := inspect(t, in.Level, key)[0]
	require.Equal(t, managecache.HoldsEmpty, held.Holding)
	require.Nil(t, held.Image)
	require.Positive(t, held.ExpiresIn)
	require.LessOrEqual(t, held.ExpiresIn, 30*time.Second)
}

func keysInTheirOrder(t TB, open func(TB) Inspected) {
	in, subject := open(t), artwork.Artist(artwork.NewID())
	keys := subject.Keys()
	for i, key := range keys {
		if i%2 == 0 {
			fetch(t, in.Cache, key, (&database{image: image(i)}).load)
		}
	}
	for i, held := range inspect(t, in.Level, keys...) {
		if i%2 == 1 {
			require.Equal(t, managecache.HoldsNothing, held.Holding, keys[i].String())
			continue
		}
		require.NotNil(t, held.Image, keys[i].String())
		require.Equal(t, image(i).Tag, held.Image.Tag, keys[i].String())
	}
	require.Empty(t, inspect(t, in.Level))
}

func lookingFillsNothing(t TB, open func(TB) Inspected) {
	in, key, db := open(t), artistKey(artwork.TypeProfile), &database{image: image(1)}
	for range 3 {
		require.Equal(t, managecache.HoldsNothing, inspect(t, in.Level, key)[0].Holding)
	}
	require.Equal(t, artwork.Filled, fetch(t, in.Cache, key, db.load).Level)
}

// lookingProlongsNothing waits for a moment that every clock shows.
func lookingProlongsNothing(t TB, open func(TB) Inspected) {
	in, key := open(t), artistKey(artwork.TypeProfile)
	fetch(t, in.Cache, key, (&database{image: image(1)}).load)
	first := inspect(t, in.Level, key)[0]
	time.Sleep(20 * time.Millisecond)
	second := inspect(t, in.Level, key)[0]
	require.Equal(t, first.Holding, second.Holding)
	require.Positive(t, first.ExpiresIn)
	require.LessOrEqual(t, second.ExpiresIn, first.ExpiresIn-15*time.Millisecond)
}

func nothingAfterAChange(t TB, open func(TB) Inspected) {
	in, key, db := open(t), artistKey(artwork.TypeProfile), &database{image: image(1)}
	fetch(t, in.Cache, key, db.load)
	require.NoError(t, in.Cache.Change(t.Context(), []artwork.Key{key}, db.set(image(2))))
	require.Equal(t, managecache.HoldsNothing, inspect(t, in.Level, key)[0].Holding)
}

func cancelledLook(t TB, open func(TB) Inspected) {
	level := open(t).Level
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := level.Inspect(ctx, []artwork.Key{artistKey(artwork.TypeProfile)})
	require.ErrorIs(t, err, context.Canceled)
}

func fillIsALease(t TB, open func(TB) Inspected) {
	in, key := open(t), artistKey(artwork.TypeProfile)
	answer, err := in.Cache.Fetch(t.Context(), key, func(context.Context) (*artwork.Image, error) {
		require.Equal(t, managecache.HoldsLease, inspect(t, in.Level, key)[0].Holding)
		return image(1), nil
	})
	require.NoError(t, err)
	require.Equal(t, artwork.Filled, answer.Level, "who looked did not take the lease away")
}

func changesAreAFence(t TB, open func(TB) Inspected) {
	in, key := open(t), artistKey(artwork.TypeProfile)
	fetch(t, in.Cache, key, (&database{image: image(1)}).load)
	change := func(commit func()) {
		require.NoError(t, in.Cache.Change(t.Context(), []artwork.Key{key}, func(ctx context.Context, fence artwork.Fence) error {
			commit()
			return fence.StillHeld(ctx)
		}))
	}
	changes := func() int {
		held := inspect(t, in.Level, key)[0]
		require.Equal(t, managecache.HoldsFence, held.Holding)
		require.Nil(t, held.Image)
		return held.Changes
	}
	change(func() {
		require.Equal(t, 1, changes())
		change(func() { require.Equal(t, 2, changes()) })
		require.Equal(t, 1, changes())
	})
	require.Equal(t, managecache.HoldsNothing, inspect(t, in.Level, key)[0].Holding)
}

func lookingTakesNoLease(t TB, open func(TB) Inspected) {
	in, key := open(t), artistKey(artwork.TypeProfile)
	inspect(t, in.Level, key)
	require.Equal(t, managecache.HoldsNothing, inspect(t, in.Level, key)[0].Holding)
	require.Equal(t, artwork.Filled, fetch(t, in.Cache, key, (&database{}).load).Level)
}
