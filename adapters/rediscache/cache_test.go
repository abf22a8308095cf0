package rediscache_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"gatefold/adapters/rediscache"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/test/conformance"
	"gatefold/test/testenv"
)

var policy = artwork.CachePolicy{TTL: 300 * time.Second}

// noChanges is the log of a database in which nothing has changed.
type noChanges struct{}

func (noChanges) ChangedWithin(context.Context, time.Duration, func(artwork.Place) error) error {
	return nil
}
func (noChanges) Overdue(context.Context, int) ([]artwork.PendingChange, error) { return nil, nil }
func (noChanges) Finish(context.Context, string) error                          { return nil }

// connect opens a cache and waits until it is trusted.
func connect(t conformance.TB, url string, changes artwork.ChangeLog) *rediscache.Cache {
	t.Helper()
	cache, err := rediscache.Open(rediscache.Options{URL: url}, policy, changes, managecache.NewCounters(), slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	t.Cleanup(func() { _ = cache.Close() })
	require.NoError(t, cache.Ready(t.Context()))
	return cache
}

// operator returns what an operator has: a plain client.
func operator(t conformance.TB, url string) *redis.Client {
	t.Helper()
	options, err := redis.ParseURL(url)
	require.NoError(t, err)
	rdb := redis.NewClient(options)
	t.Cleanup(func() { _ = rdb.Close() })
	return rdb
}

// open returns a cache on a database of its own, and the operator's view of it.
func open(t *testing.T) (*rediscache.Cache, *redis.Client) {
	t.Helper()
	url := testenv.Redis(t)
	return connect(t, url, noChanges{}), operator(t, url)
}

func openFleet(t conformance.TB) conformance.Fleet {
	url := testenv.Redis(t)
	return conformance.Fleet{
		connect(t, url, noChanges{}), connect(t, url, noChanges{}), connect(t, url, noChanges{}),
	}
}

func TestCache(t *testing.T) { conformance.RunImageCache(t, openFleet) }

// original is the design the project replaces, on Redis: GET, else load and
// SET; DEL after the change.
type original struct{ rdb redis.UniversalClient }

func (o original) Fetch(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
	if held, err := o.rdb.Get(ctx, key.String()).Int64(); err == nil {
		img := &artwork.Image{Content: artwork.Content{Size: held}}
		return artwork.Answer{Image: img, Level: artwork.Shared}, nil
	}
	img, err := load(ctx)
	if err == nil {
		err = o.rdb.Set(ctx, key.String(), img.Size, policy.TTL).Err()
	}
	return artwork.Answer{Image: img, Level: artwork.Filled}, err
}

func (o original) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	if err := commit(ctx, artwork.Unfenced()); err != nil {
		return err
	}
	for _, key := range keys {
		if err := o.rdb.Del(ctx, key.String()).Err(); err != nil {
			return err
		}
	}
	return nil
}

func TestSuiteNoticesTheOriginalDesign(t *testing.T) {
	openOriginal := func(t conformance.TB) conformance.Fleet {
		url := testenv.Redis(t)
		return conformance.Fleet{original{operator(t, url)}, original{operator(t, url)}}
	}
	for _, name := range []string{
		"a load from before a change fills nothing after it",
		"a load during a change fills nothing",
		"the end of one change does not end the fence of another",
	} {
		conformance.Rejects(t, conformance.ImageCacheCases(), name, openOriginal)
	}
}

var coverKey = artwork.Key{
	Subject: artwork.Album(artwork.MustParseID("0b0e7a3c-6f0e-4a54-9e0d-2f4c6c1f6a10")),
	Type:    artwork.TypeCover,
}

func cover() *artwork.Image {
	hash := artwork.HashOf([]byte("cover"))
	return &artwork.Image{
		Content: artwork.Content{Hash: hash, Size: 5, MIMEType: "image/png", Width: 1, Height: 1},
		Tag:     artwork.TagOf(hash, nil), Source: artwork.Local, LastModified: time.Unix(1700000000, 0).UTC(),
	}
}

func loadCover(context.Context) (*artwork.Image, error) { return cover(), nil }

// TestWhatAnOperatorSees holds the states of a key to what redis-cli shows.
func TestWhatAnOperatorSees(t *testing.T) {
	cache, rdb := open(t)
	name := "image:album:0b0e7a3c-6f0e-4a54-9e0d-2f4c6c1f6a10:cover"

	_, err := cache.Fetch(t.Context(), coverKey, func(ctx context.Context) (*artwork.Image, error) {
		held := rdb.Get(ctx, name).Val()
		require.True(t, strings.HasPrefix(held, "L"), held)
		require.LessOrEqual(t, rdb.PTTL(ctx, name).Val(), 3*time.Second)
		return cover(), nil
	})
	require.NoError(t, err)

	require.EqualValues(t, 1, rdb.Exists(t.Context(), name).Val())
	require.JSONEq(t, `{"filePath":"`+cover().Hash.Path()+`","mimeType":"image/png","size":5,
		"lastModified":"2023-11-14T22:13:20Z","source":"local","tag":"`+string(cover().Tag)+`",
		"hash":"`+cover().Hash.String()+`","recordId":"","width":1,"height":1}`, rdb.Get(t.Context(), name).Val())
	ttl := rdb.PTTL(t.Context(), name).Val()
	require.Greater(t, ttl, 269*time.Second)
	require.LessOrEqual(t, ttl, 300*time.Second)

	require.NoError(t, cache.Change(t.Context(), []artwork.Key{coverKey}, func(ctx context.Context, fence artwork.Fence) error {
		held := rdb.Get(ctx, name).Val()
		require.Regexp(t, `^F[0-9a-f]{32}@\d{13}\|$`, held)
		require.LessOrEqual(t, rdb.PTTL(ctx, name).Val(), 10*time.Second)
		return fence.StillHeld(ctx)
	}))
	require.Zero(t, rdb.Exists(t.Context(), name).Val())

	_, err = cache.Fetch(t.Context(), coverKey, func(context.Context) (*artwork.Image, error) { return nil, nil })
	require.NoError(t, err)
	require.Equal(t, "A", rdb.Get(t.Context(), name).Val())
	require.LessOrEqual(t, rdb.PTTL(t.Context(), name).Val(), 30*time.Second)
}

func TestLostFenceIsSetAgainBeforeCommit(t *testing.T) {
	cache, rdb := open(t)
	require.NoError(t, cache.Change(t.Context(), []artwork.Key{coverKey}, func(ctx context.Context, fence artwork.Fence) error {
		require.NoError(t, rdb.Del(ctx, coverKey.String()).Err()) // evicted
		require.NoError(t, fence.StillHeld(ctx))
		require.True(t, strings.HasPrefix(rdb.Get(ctx, coverKey.String()).Val(), "F"))
		return nil
	}))
}

func TestValueStoredAfterALostFenceIsDeleted(t *testing.T) {
	cache, rdb := open(t)
	require.NoError(t, cache.Change(t.Context(), []artwork.Key{coverKey}, func(ctx context.Context, fence artwork.Fence) error {
		require.NoError(t, fence.StillHeld(ctx))
		require.NoError(t, rdb.Del(ctx, coverKey.String()).Err()) // evicted during COMMIT
		answer, err := cache.Fetch(ctx, coverKey, loadCover)
		require.NoError(t, err)
		require.Equal(t, artwork.Filled, answer.Level)
		return nil
	}))
	require.Zero(t, rdb.Exists(t.Context(), coverKey.String()).Val())
}

func TestUnknownStoredValueIsIgnored(t *testing.T) {
	cache, rdb := open(t)
	for _, stored := range []string{`{"format":9}`, `{`, `Zq\x00`, `{"hash":"zz"}`, ``, `?`} {
		require.NoError(t, rdb.Set(t.Context(), coverKey.String(), stored, 0).Err())
		answer, err := cache.Fetch(t.Context(), coverKey, loadCover)
		require.NoError(t, err)
		require.Equal(t, cover().Tag, answer.Image.Tag)
	}
}

func TestReadersFollowTheLease(t *testing.T) {
	url := testenv.Redis(t)
	first, second := connect(t, url, noChanges{}), connect(t, url, noChanges{})
	leased := make(chan struct{})
	go func() {
		_, _ = first.Fetch(t.Context(), coverKey, func(context.Context) (*artwork.Image, error) {
			close(leased)
			time.Sleep(10 * time.Millisecond)
			return cover(), nil
		})
	}()
	<-leased
	answer, err := second.Fetch(t.Context(), coverKey, loadCover)
	require.NoError(t, err)
	require.Equal(t, artwork.Shared, answer.Level, "the follower waits instead of loading")
}

func TestAbandonedLeaseDelaysNobodyForLong(t *testing.T) {
	cache, rdb := open(t)
	require.NoError(t, rdb.Set(t.Context(), coverKey.String(), "Lsomebody", time.Minute).Err())
	begin := time.Now()
	answer, err := cache.Fetch(t.Context(), coverKey, loadCover)
	require.NoError(t, err)
	require.Equal(t, artwork.Loaded, answer.Level)
	require.Less(t, time.Since(begin), time.Second)
	require.Equal(t, "Lsomebody", rdb.Get(t.Context(), coverKey.String()).Val())
}

// TestAFailedLoadGivesItsLeaseBack: else all others would wait for nobody. What
// somebody else put there in the meantime is not touched.
func TestAFailedLoadGivesItsLeaseBack(t *testing.T) {
	cache, rdb := open(t)
	for name, fail := range map[string]func(hangUp func()) error{
		"the database fails":  func(func()) error { return artwork.Errorf(artwork.Unavailable, "no database") },
		"the caller hangs up": func(hangUp func()) error { hangUp(); return context.Canceled },
	} {
		ctx, hangUp := context.WithCancel(t.Context())
		_, err := cache.Fetch(ctx, coverKey, func(context.Context) (*artwork.Image, error) {
			require.True(t, strings.HasPrefix(rdb.Get(t.Context(), coverKey.String()).Val(), "L"), name)
			return nil, fail(hangUp)
		})
		hangUp()
		require.Error(t, err, name)
		require.Zero(t, rdb.Exists(t.Context(), coverKey.String()).Val(), name)
	}
	_, err := cache.Fetch(t.Context(), coverKey, func(ctx context.Context) (*artwork.Image, error) {
		require.NoError(t, rdb.Set(ctx, coverKey.String(), "Lanother", time.Minute).Err())
		return nil, artwork.Errorf(artwork.Unavailable, "no database")
	})
	require.Error(t, err)
	require.Equal(t, "Lanother", rdb.Get(t.Context(), coverKey.String()).Val())
}

func TestWithoutRedis(t *testing.T) {
	server := testenv.RedisServer(t)
	cache := connect(t, "redis://"+server.Addr, noChanges{})
	_, err := cache.Fetch(t.Context(), coverKey, loadCover)
	require.NoError(t, err)
	never := func(context.Context, artwork.Fence) error {
		t.Error("commit was called")
		return nil
	}
	for name, breakIt := range map[string]func(){"paused": server.Pause, "stopped": server.Stop} {
		breakIt()
		begin := time.Now()
		answer, err := cache.Fetch(t.Context(), coverKey, loadCover)
		require.NoError(t, err, name)
		require.Equal(t, artwork.Loaded, answer.Level, name)
		require.Less(t, time.Since(begin), 2*time.Second, name)
		err = cache.Change(t.Context(), []artwork.Key{coverKey}, never)
		require.Equal(t, artwork.CacheUnreachable, artwork.KindOf(err), name)
		server.Resume()
	}
	server.Start(t)
	require.Eventually(t, func() bool {
		return cache.Change(t.Context(), []artwork.Key{coverKey}, func(ctx context.Context, fence artwork.Fence) error {
			return fence.StillHeld(ctx)
		}) == nil
	}, 10*time.Second, 50*time.Millisecond, "applies work again after Redis has returned")
}

func TestRedisLostWhileCommitting(t *testing.T) {
	server := testenv.RedisServer(t)
	cache := connect(t, "redis://"+server.Addr, noChanges{})
	err := cache.Change(t.Context(), []artwork.Key{coverKey}, func(ctx context.Context, fence artwork.Fence) error {
		require.NoError(t, fence.StillHeld(ctx))
		server.Stop()
		return nil
	})
	require.Equal(t, artwork.NotConfirmed, artwork.KindOf(err))

	server.Start(t)
	err = cache.Change(t.Context(), []artwork.Key{coverKey}, func(ctx context.Context, fence artwork.Fence) error {
		server.Stop()
		return fence.StillHeld(ctx)
	})
	require.Equal(t, artwork.CacheUnreachable, artwork.KindOf(err))
}

func TestUnknownOutcomeKeepsTheFence(t *testing.T) {
	cache, rdb := open(t)
	err := cache.Change(t.Context(), []artwork.Key{coverKey}, func(context.Context, artwork.Fence) error {
		return artwork.Errorf(artwork.OutcomeUnknown, "the connection broke")
	})
	require.Equal(t, artwork.OutcomeUnknown, artwork.KindOf(err))
	require.True(t, strings.HasPrefix(rdb.Get(t.Context(), coverKey.String()).Val(), "F"))
}

func TestCheck(t *testing.T) {
	server := testenv.RedisServer(t)
	client := connect(t, "redis://"+server.Addr, noChanges{})
	require.NoError(t, client.Check(t.Context()))
	server.Stop()
	require.Equal(t, artwork.Unavailable, artwork.KindOf(client.Check(t.Context())))
}

func TestErrorsDoNotRepeatThePassword(t *testing.T) {
	err := rediscache.Options{URL: "http://user:hunter2@host"}.Check()
	require.Equal(t, artwork.InvalidInput, artwork.KindOf(err))
	require.NotContains(t, err.Error(), "hunter2")
}
