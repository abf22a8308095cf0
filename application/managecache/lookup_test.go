package managecache_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
)

// truth is a database; asked counts the statements.
type truth struct {
	image *artwork.Image
	err   error
	asked int
}

func (d *truth) InForce(context.Context, artwork.Place) (*artwork.Image, error) {
	d.asked++
	return d.image, d.err
}

func (d *truth) load(context.Context) (*artwork.Image, error) { return d.image, d.err }

// shared is a level that all instances share: the state and connection of none, and
// what another level holds.
type shared struct {
	managecache.Inspector
	err    error
	before func() // the level is looked at
}

func (s *shared) Inspect(ctx context.Context, keys []artwork.Key) ([]managecache.Held, error) {
	if s.before != nil {
		s.before()
	}
	if s.err != nil {
		return nil, s.err
	}
	return s.Inspector.Inspect(ctx, keys)
}
func (*shared) State(context.Context) managecache.SharedState { return managecache.SharedState{} }
func (*shared) Connection() managecache.Connection            { return managecache.Connection{} }

func numbered(n byte) *artwork.Image {
	hash := artwork.HashOf([]byte{n})
	return &artwork.Image{Content: artwork.Content{Hash: hash}, RecordID: artwork.NewID(), Tag: artwork.TagOf(hash, nil)}
}

func TestLookup(t *testing.T) {
	level := func() *memory.Cache {
		return memory.NewCache(artwork.CachePolicy{TTL: time.Hour}, 100, managecache.NewCounters())
	}
	inner, copies := level(), level()
	redis, database := &shared{Inspector: inner}, &truth{image: numbered(1)}
	lookup := managecache.NewLookup(modeOf(artwork.CacheTwoLevel), managecache.Levels{Memory: inner, Copies: copies, Shared: redis}, database)
	subject := artwork.Artist(artwork.NewID())
	key := subject.Keys()[0]
	look := func() managecache.FoundKey {
		found, err := lookup.Run(t.Context(), subject)
		require.NoError(t, err)
		require.Len(t, found.Keys, len(subject.Keys()))
		require.Equal(t, []managecache.FoundLevel{{Name: "process"}, {Name: "shared"}}, found.Levels)
		require.Equal(t, key, found.Keys[0].Key)
		return found.Keys[0]
	}

	require.Equal(t, managecache.NotHeld, look().Verdict)
	for _, level := range []*memory.Cache{inner, copies} {
		_, err := level.Fetch(t.Context(), key, database.load)
		require.NoError(t, err)
	}
	k := look()
	require.Equal(t, managecache.Agrees, k.Verdict)
	require.Equal(t, database.image, k.InForce)
	require.Equal(t, managecache.HoldsImage, k.Held["process"].Holding)
	require.Equal(t, managecache.HoldsImage, k.Held["shared"].Holding)

	database.image = numbered(2)
	require.Equal(t, managecache.Differs, look().Verdict, "somebody changed a row by hand")
	database.image = nil
	require.Equal(t, managecache.Differs, look().Verdict)
	database.image = k.InForce

	require.NoError(t, inner.Change(t.Context(), []artwork.Key{key}, func(context.Context, artwork.Fence) error {
		require.Equal(t, managecache.Changing, look().Verdict)
		return nil
	}))
	require.Equal(t, managecache.Agrees, look().Verdict, "the copy is left")
	copies.Drop()
	require.Equal(t, managecache.NotHeld, look().Verdict)
}

// TestWhatChangesMeanwhileDoesNotDiffer: the levels are looked at, then a change comes,
// then the database is asked. A second look decides.
func TestWhatChangesMeanwhileDoesNotDiffer(t *testing.T) {
	inner := memory.NewCache(artwork.CachePolicy{TTL: time.Hour}, 100, managecache.NewCounters())
	redis, database := &shared{Inspector: inner}, &truth{image: numbered(1)}
	lookup := managecache.NewLookup(modeOf(artwork.CacheRedis), managecache.Levels{Shared: redis}, database)
	subject := artwork.Album(artwork.NewID())
	_, err := inner.Fetch(t.Context(), subject.Keys()[0], database.load)
	require.NoError(t, err)
	database.image = numbered(2) // is committed as the level is looked at for the first time,
	looks := 0
	redis.before = func() {
		if looks++; looks == 2 { // and the key holds nothing by the second
			inner.Drop()
		}
	}
	found, err := lookup.Run(t.Context(), subject)
	require.NoError(t, err)
	require.Equal(t, managecache.NotHeld, found.Keys[0].Verdict)
	require.Equal(t, 2, looks)
}

func TestLookupWithoutRedisOrDatabase(t *testing.T) {
	inner := memory.NewCache(artwork.CachePolicy{TTL: time.Hour}, 100, managecache.NewCounters())
	redis, database := &shared{err: errAway}, &truth{}
	levels := managecache.Levels{Memory: inner, Copies: inner, Shared: redis}
	subject := artwork.User(artwork.NewID())
	found, err := managecache.NewLookup(modeOf(artwork.CacheTwoLevel), levels, database).Run(t.Context(), subject)
	require.NoError(t, err)
	require.Equal(t, []managecache.FoundLevel{{Name: "process"}, {Name: "shared", Problem: "Redis does not answer"}}, found.Levels)
	require.Equal(t, managecache.NotHeld, found.Keys[0].Verdict)
	require.NotContains(t, found.Keys[0].Held, "shared")

	for mode, names := range map[artwork.CacheMode][]string{
		artwork.CacheOff: nil, artwork.CacheMemory: {"process"}, artwork.CacheRedis: {"shared"},
	} {
		found, err := managecache.NewLookup(modeOf(mode), levels, database).Run(t.Context(), subject)
		require.NoError(t, err)
		var got []string
		for _, level := range found.Levels {
			got = append(got, level.Name)
		}
		require.Equal(t, names, got, mode)
	}
	database.err = artwork.Errorf(artwork.NotFound, "no such user")
	_, err = managecache.NewLookup(modeOf(artwork.CacheMemory), levels, database).Run(t.Context(), subject)
	require.Equal(t, artwork.NotFound, artwork.KindOf(err))
}
