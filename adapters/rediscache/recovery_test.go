package rediscache

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/test/testenv"
)

func TestMain(m *testing.M) { os.Exit(testenv.Main(m)) }

// changeLog is the log of a database as a test wants it.
type changeLog struct {
	mu       sync.Mutex
	places   []artwork.Place
	err      error
	hold     chan struct{} // if not nil, ChangedWithin waits for it
	overdue  []artwork.PendingChange
	finished []string
}

func (l *changeLog) ChangedWithin(ctx context.Context, _ time.Duration, visit func(artwork.Place) error) error {
	l.mu.Lock()
	hold, places, err := l.hold, l.places, l.err
	l.mu.Unlock()
	if hold != nil {
		select {
		case <-hold:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, place := range places {
		if err := visit(place); err != nil {
			return err
		}
	}
	return err
}

func (l *changeLog) Overdue(context.Context, int) ([]artwork.PendingChange, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.overdue, l.err
}

func (l *changeLog) Finish(_ context.Context, token string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.finished = append(l.finished, token)
	return l.err
}

func (l *changeLog) set(change func(*changeLog)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change(l)
}

var (
	testPolicy = artwork.CachePolicy{TTL: 300 * time.Second}
	place      = artwork.Place{Subject: artwork.Album(artwork.MustParseID("0b0e7a3c-6f0e-4a54-9e0d-2f4c6c1f6a10")), Slot: artwork.SlotCover}
	key        = place.Keys()[0]
)

func openOn(t *testing.T, addr string, changes artwork.ChangeLog) *Cache {
	t.Helper()
	cache, err := Open(Options{URL: "redis://" + addr}, testPolicy, changes, managecache.NewCounters(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, cache.Close()) })
	return cache
}

// operatorOf returns a plain client.
func operatorOf(t *testing.T, addr string) *redis.Client {
	t.Helper()
	rdb := redis.NewClient(&redis.Options{Addr: addr})
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

func coverNumber(n int) *artwork.Image {
	hash := artwork.HashOf([]byte{byte(n)})
	return &artwork.Image{
		Content: artwork.Content{Hash: hash, Size: int64(n), MIMEType: "image/png", Width: 1, Height: 1},
		Tag:     artwork.TagOf(hash, nil), Source: artwork.Local, LastModified: time.Unix(int64(n), 0).UTC(),
	}
}

func loadCover(n int) artwork.Load {
	return func(context.Context) (*artwork.Image, error) { return coverNumber(n), nil }
}

// plant stores an older value, as a server has it that missed a change.
func plant(t *testing.T, addr string, n int) {
	t.Helper()
	value, err := encode(coverNumber(n))
	require.NoError(t, err)
	require.NoError(t, operatorOf(t, addr).Set(t.Context(), key.String(), value, time.Minute).Err())
}

// sees fetches until the shared cache answers, and returns the newest and
// oldest image seen on the way.
func sees(t *testing.T, cache *Cache, truth int) (oldest int64) {
	t.Helper()
	oldest = int64(truth)
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		answer, err := cache.Fetch(t.Context(), key, loadCover(truth))
		require.NoError(t, err)
		oldest = min(oldest, answer.Image.Size)
		if answer.Level == artwork.Shared {
			return oldest
		}
	}
	t.Fatal("the shared cache never answered")
	return 0
}

// TestAServerWithAnOlderFileIsNotBelieved restarts Redis with a value from
// before a change. The control shows that the replay is what protects: without
// the change in the log the older value is believed.
func TestAServerWithAnOlderFileIsNotBelieved(t *testing.T) {
	for name, c := range map[string]struct {
		changed []artwork.Place
		oldest  int64
	}{
		"replayed":             {[]artwork.Place{place}, 2},
		"control: no replay":   {nil, 1},
		"control: other place": {[]artwork.Place{{Subject: artwork.Artist(artwork.NewID()), Slot: artwork.SlotLogo}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := testenv.RedisServer(t)
			cache := openOn(t, server.Addr, &changeLog{places: c.changed})
			require.NoError(t, cache.Ready(t.Context()))
			require.EqualValues(t, 2, sees(t, cache, 2))
			server.Stop()
			server.Start(t)
			plant(t, server.Addr, 1)
			require.Equal(t, c.oldest, sees(t, cache, 2))
		})
	}
}

// TestADeposedMasterThatCameBackIsNotBelieved: its run_id is the same, its
// replication id is not.
func TestADeposedMasterThatCameBackIsNotBelieved(t *testing.T) {
	t.Parallel()
	first, second := testenv.RedisServer(t), testenv.RedisServer(t)
	cache := openOn(t, first.Addr, &changeLog{places: []artwork.Place{place}})
	require.NoError(t, cache.Ready(t.Context()))
	admin := operatorOf(t, first.Addr)
	first.ReplicaOf(t, second)
	plant(t, second.Addr, 1)
	require.Eventually(t, func() bool { return admin.Exists(t.Context(), key.String()).Val() == 1 }, 10*time.Second, 5*time.Millisecond)
	first.Promote(t)
	require.NoError(t, admin.ClientKillByFilter(t.Context(), "TYPE", "normal", "SKIPME", "yes").Err())
	require.EqualValues(t, 2, sees(t, cache, 2))
}

func TestUntilItIsReplayedAServerIsNotUsed(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	plant(t, server.Addr, 1)
	log := &changeLog{places: []artwork.Place{place}, hold: make(chan struct{})}
	cache := openOn(t, server.Addr, log)
	for range 20 {
		answer, err := cache.Fetch(t.Context(), key, loadCover(2))
		require.NoError(t, err)
		require.Equal(t, artwork.Loaded, answer.Level)
		require.EqualValues(t, 2, answer.Image.Size)
	}
	err := cache.Change(t.Context(), []artwork.Key{key}, func(context.Context, artwork.Fence) error {
		t.Error("commit was called")
		return nil
	})
	require.Equal(t, artwork.CacheUnreachable, artwork.KindOf(err))

	close(log.hold)
	require.NoError(t, cache.Ready(t.Context()))
	require.EqualValues(t, 2, sees(t, cache, 2))
}

func TestAReplayThatFailsIsTriedAgain(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	plant(t, server.Addr, 1)
	log := &changeLog{err: errors.New("no database")}
	cache := openOn(t, server.Addr, log)
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	require.Equal(t, artwork.Unavailable, artwork.KindOf(cache.Ready(ctx)))
	log.set(func(l *changeLog) { l.err, l.places = nil, []artwork.Place{place} })
	require.NoError(t, cache.Ready(t.Context()))
	require.EqualValues(t, 2, sees(t, cache, 2))
}

// TestAReplaySparesFences: a change under way on a server that is new to this
// instance keeps its fence.
func TestAReplaySparesFences(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	admin := operatorOf(t, server.Addr)
	other := openOn(t, server.Addr, &changeLog{})
	require.NoError(t, other.Ready(t.Context()))
	require.NoError(t, other.Change(t.Context(), []artwork.Key{key}, func(ctx context.Context, fence artwork.Fence) error {
		newcomer := openOn(t, server.Addr, &changeLog{places: []artwork.Place{place}})
		require.NoError(t, newcomer.Ready(ctx))
		require.Equal(t, byte(fenceMark), admin.Get(ctx, key.String()).Val()[0])
		return fence.StillHeld(ctx)
	}))
	require.Zero(t, admin.Exists(t.Context(), key.String()).Val())
}

func TestAReplicaIsNotBelieved(t *testing.T) {
	t.Parallel()
	master, replica := testenv.RedisServer(t), testenv.RedisServer(t)
	replica.ReplicaOf(t, master)
	plant(t, master.Addr, 1)
	cache := openOn(t, replica.Addr, &changeLog{})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	require.Error(t, cache.Ready(ctx))
	answer, err := cache.Fetch(t.Context(), key, loadCover(2))
	require.NoError(t, err)
	require.EqualValues(t, 2, answer.Image.Size)
}

// TestTheSweepFinishesWhatADeadWriterLeft: a value from before its commit was
// stored because its fence was lost.
func TestTheSweepFinishesWhatADeadWriterLeft(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	log := &changeLog{overdue: []artwork.PendingChange{{Token: "dead", Keys: []artwork.Key{key}}}}
	cache := openOn(t, server.Addr, log)
	require.NoError(t, cache.Ready(t.Context()))
	plant(t, server.Addr, 1)
	finished, err := cache.sweepOnce(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, finished)
	require.Equal(t, []string{"dead"}, log.finished)
	require.EqualValues(t, 2, sees(t, cache, 2))
}

func TestTheSweepSparesFences(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	log := &changeLog{overdue: []artwork.PendingChange{{Token: "dead", Keys: []artwork.Key{key}}}}
	cache := openOn(t, server.Addr, log)
	require.NoError(t, cache.Ready(t.Context()))
	require.NoError(t, cache.Change(t.Context(), []artwork.Key{key}, func(ctx context.Context, fence artwork.Fence) error {
		_, err := cache.sweepOnce(ctx)
		require.NoError(t, err)
		return fence.StillHeld(ctx)
	}))
}

func TestTheSweepForgetsNothingItCouldNotEvict(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	log := &changeLog{overdue: []artwork.PendingChange{{Token: "dead", Keys: []artwork.Key{key}}}}
	cache := openOn(t, server.Addr, log)
	require.NoError(t, cache.Ready(t.Context()))
	server.Stop()
	_, err := cache.sweepOnce(t.Context())
	require.Error(t, err)
	require.Empty(t, log.finished)
}

func TestAFinishedChangeIsForgottenAndAnUnfinishedOneIsNot(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	log := &changeLog{}
	cache := openOn(t, server.Addr, log)
	require.NoError(t, cache.Ready(t.Context()))
	var token string
	commit := func(_ context.Context, fence artwork.Fence) error {
		token = fence.Token
		return nil
	}
	require.NoError(t, cache.Change(t.Context(), []artwork.Key{key}, commit))
	require.Equal(t, []string{token}, log.finished)

	err := cache.Change(t.Context(), []artwork.Key{key}, func(context.Context, artwork.Fence) error {
		server.Stop()
		return nil
	})
	require.Equal(t, artwork.NotConfirmed, artwork.KindOf(err))
	require.Len(t, log.finished, 1, "the sweep has to find it")
}

func TestBreaker(t *testing.T) {
	now := time.Now()
	b := newBreaker(managecache.NewCounters())
	b.base, b.now = now, func() time.Time { return now }
	failed := errors.New("timeout")
	for range breakAfter - 1 {
		b.note(failed, false)
	}
	b.note(failed, true) // the caller left: that says nothing about Redis
	require.True(t, b.allow())
	b.note(redis.Nil, false)
	for range breakAfter {
		require.True(t, b.allow())
		b.note(failed, false)
	}
	require.False(t, b.allow())
	now = now.Add(breakFor)
	require.True(t, b.allow(), "one may try")
	require.False(t, b.allow(), "and only one")
	b.note(failed, false)
	require.False(t, b.allow())
	now = now.Add(breakFor)
	require.True(t, b.allow())
	b.note(nil, false)
	require.True(t, b.allow())
	require.True(t, b.allow(), "it is whole again")
}

// TestABlackHoleCostsLittle: with Redis silent, most reads do not wait for it.
func TestABlackHoleCostsLittle(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	cache := openOn(t, server.Addr, &changeLog{})
	require.NoError(t, cache.Ready(t.Context()))
	server.Pause()
	defer server.Resume()
	for cache.breaker.failures.Load() < breakAfter {
		_, err := cache.Fetch(t.Context(), key, loadCover(2))
		require.NoError(t, err)
	}
	asked := 0
	for range 1000 {
		if cache.breaker.allow() {
			asked++
		}
	}
	require.LessOrEqual(t, asked, 2)
}
