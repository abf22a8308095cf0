package rediscache

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/test/testenv"
)

// scripted is a Redis that answers each script of a change as it is told, at
// once, and 1 when it was told nothing more.
type scripted map[string][]int64

func (scripted) DialHook(next redis.DialHook) redis.DialHook { return next }

func (scripted) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (s scripted) ProcessPipelineHook(redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(_ context.Context, cmds []redis.Cmder) error {
		for _, cmd := range cmds {
			script, answer := cmd.Args()[1].(string), int64(1)
			if told := s[script]; len(told) > 0 {
				answer, s[script] = told[0], told[1:]
			}
			cmd.(*redis.Cmd).SetVal(answer)
		}
		return nil
	}
}

// TestAWriterWaitsForCopies: before COMMIT until every copy has expired that was
// made before the fence, and before the answer until those have that were made
// while it was lost. The clock is moved by waiting only.
func TestAWriterWaitsForCopies(t *testing.T) {
	policy := artwork.CachePolicy{TTL: time.Minute, CopyTerm: time.Second}
	for name, c := range map[string]struct {
		answers scripted
		commit  int // waits until StillHeld has answered
		answer  int // waits until the change is answered
	}{
		"the fence is held":               {scripted{}, 1, 1},
		"the fence is lost before COMMIT": {scripted{heldScript: {0}}, 2, 2},
		"the fence is lost during COMMIT": {scripted{unfenceScript: {0}}, 1, 2},
		"the fence is lost all the time":  {scripted{heldScript: {0, 0}, unfenceScript: {0}}, 3, 4},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cache, err := Open(Options{Host: "redis", Port: 6379}, policy, quiet{}, managecache.NewCounters(), slog.New(slog.DiscardHandler))
				require.NoError(t, err)
				defer func() { require.NoError(t, cache.Close()) }()
				cache.rdb.AddHook(c.answers)
				begin := time.Now()
				waits := func(n int) time.Duration { return time.Duration(n) * policy.CopyWait() }
				require.NoError(t, cache.Change(t.Context(), []artwork.Key{key}, func(ctx context.Context, fence artwork.Fence) error {
					require.Equal(t, begin.Add(commitTerm), fence.Deadline, "it counts from before the fence")
					require.NoError(t, fence.StillHeld(ctx))
					require.Equal(t, waits(c.commit), time.Since(begin))
					return nil
				}))
				require.Equal(t, waits(c.answer), time.Since(begin))
			})
		})
	}
}

// TestAFenceThatIsLostAgainAndAgainEndsTheChange: the wait must not outlast the
// deadline.
func TestAFenceThatIsLostAgainAndAgainEndsTheChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache, err := Open(Options{Host: "redis", Port: 6379}, artwork.CachePolicy{TTL: time.Minute, CopyTerm: time.Second}, quiet{}, managecache.NewCounters(), slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		defer func() { require.NoError(t, cache.Close()) }()
		cache.rdb.AddHook(scripted{heldScript: make([]int64, 100)})
		err = cache.Change(t.Context(), []artwork.Key{key}, func(ctx context.Context, fence artwork.Fence) error {
			err := fence.StillHeld(ctx)
			require.True(t, time.Now().Before(fence.Deadline))
			return err
		})
		require.Equal(t, artwork.CacheUnreachable, artwork.KindOf(err))
	})
}

// TestEveryStateIsFenced: whatever a key holds, nobody can be answered by it
// during a change.
func TestEveryStateIsFenced(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	admin := operatorOf(t, server.Addr)
	cache := openOn(t, server.Addr, &changeLog{})
	require.NoError(t, cache.Ready(t.Context()))
	value, err := encode(coverNumber(1))
	require.NoError(t, err)
	for name, held := range map[string]string{
		"a value": value, "absent": absentValue, "a lease": "Lsomebody", "an expired fence": "Fsomebody@1|", "something else": "?",
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, admin.Set(t.Context(), key.String(), held, time.Minute).Err())
			require.NoError(t, cache.Change(t.Context(), []artwork.Key{key}, func(_ context.Context, fence artwork.Fence) error {
				require.Regexp(t, "^F"+fence.Token+`@\d{13}\|$`, admin.Get(t.Context(), key.String()).Val())
				return nil
			}))
			require.Zero(t, admin.Exists(t.Context(), key.String()).Val())
		})
	}
}

var errCut = errors.New("the connection was cut")

// cutOnce loses the answer to the first pipeline of scripts. What a connection
// begins with passes.
type cutOnce struct{ cut *bool }

func (cutOnce) DialHook(next redis.DialHook) redis.DialHook { return next }

func (cutOnce) ProcessHook(next redis.ProcessHook) redis.ProcessHook { return next }

func (c cutOnce) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		err := next(ctx, cmds)
		if cmds[0].Name() == "eval" && !*c.cut {
			*c.cut, err = true, errCut
		}
		return err
	}
}

// TestAFenceThatFailsIsTakenAway: the server has set it and only the answer was
// lost. Left alone it would keep readers on the database for nothing.
func TestAFenceThatFailsIsTakenAway(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	cache := openOn(t, server.Addr, &changeLog{})
	require.NoError(t, cache.Ready(t.Context()))
	cache.rdb.AddHook(cutOnce{new(bool)})
	keys := artwork.Artist(artwork.NewID()).Keys()
	err := cache.Change(t.Context(), keys, func(context.Context, artwork.Fence) error {
		t.Error("commit was called")
		return nil
	})
	require.Equal(t, artwork.CacheUnreachable, artwork.KindOf(err))
	require.ErrorIs(t, err, errCut)
	require.Zero(t, operatorOf(t, server.Addr).DBSize(t.Context()).Val())
}

// beforeSet does something before the first SET is sent.
type beforeSet struct{ do func() }

func (beforeSet) DialHook(next redis.DialHook) redis.DialHook { return next }

func (b beforeSet) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if cmd.Name() == "set" {
			b.do()
		}
		return next(ctx, cmd)
	}
}

func (beforeSet) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return next
}

// TestALeaseNeverReplacesAFence: a reader has found nothing, a writer sets its
// fence, and then the reader wants its lease.
func TestALeaseNeverReplacesAFence(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	admin := operatorOf(t, server.Addr)
	reader, writer := openOn(t, server.Addr, &changeLog{}), openOn(t, server.Addr, &changeLog{})
	require.NoError(t, reader.Ready(t.Context()))
	require.NoError(t, writer.Ready(t.Context()))
	fenced, proceed, changed := make(chan artwork.Fence, 1), make(chan struct{}), make(chan error, 1)
	var fence artwork.Fence
	reader.rdb.AddHook(beforeSet{sync.OnceFunc(func() {
		go func() {
			changed <- writer.Change(context.WithoutCancel(t.Context()), []artwork.Key{key}, func(_ context.Context, fence artwork.Fence) error {
				fenced <- fence
				<-proceed
				return nil
			})
		}()
		select {
		case fence = <-fenced:
		case err := <-changed:
			changed <- err // there is no fence
		}
	})})
	_, err := reader.Fetch(t.Context(), key, loadCover(1))
	require.NoError(t, err)
	require.NotEmpty(t, fence.Token)
	requireFenced(t, admin, fence)
	close(proceed)
	require.NoError(t, <-changed)
	require.Zero(t, admin.Exists(t.Context(), key.String()).Val())
}

// TestAFenceOutlivesItsDeadline: what the database commits at the last moment is
// still fenced.
func TestAFenceOutlivesItsDeadline(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	cache := openOn(t, server.Addr, &changeLog{})
	require.NoError(t, cache.Ready(t.Context()))
	require.NoError(t, cache.Change(t.Context(), []artwork.Key{key}, func(ctx context.Context, fence artwork.Fence) error {
		ends := operatorOf(t, server.Addr).PExpireTime(ctx, key.String()).Val()
		require.Greater(t, ends.Milliseconds(), fence.Deadline.UnixMilli())
		return nil
	}))
}

// TestOneLostFenceAmongManyIsNoticed, whichever it is.
func TestOneLostFenceAmongManyIsNoticed(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	admin := operatorOf(t, server.Addr)
	cache := openOn(t, server.Addr, &changeLog{})
	require.NoError(t, cache.Ready(t.Context()))
	keys := artwork.Artist(artwork.NewID()).Keys()
	require.NoError(t, cache.Change(t.Context(), keys, func(ctx context.Context, fence artwork.Fence) error {
		for _, lost := range keys {
			require.NoError(t, admin.Del(ctx, lost.String()).Err())
			require.NoError(t, fence.StillHeld(ctx))
			require.Regexp(t, "^F"+fence.Token, admin.Get(ctx, lost.String()).Val())
		}
		return nil
	}))
}

// TestALostTokenAmongOthersIsNoticed: while it was gone, readers may have stored
// and copied what the other change will not wait for.
func TestALostTokenAmongOthersIsNoticed(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	admin := operatorOf(t, server.Addr)
	cache := openOn(t, server.Addr, &changeLog{})
	require.NoError(t, cache.Ready(t.Context()))
	others := fmt.Sprintf("Fother@%d|", time.Now().Add(time.Minute).UnixMilli())
	require.NoError(t, admin.Set(t.Context(), key.String(), others, time.Minute).Err())
	ch := &change{cache: cache, names: []string{key.String()}, token: newToken()}
	held, err := ch.eval(t.Context(), unfenceScript, ch.token)
	require.NoError(t, err)
	require.Equal(t, []int{0}, held)
	require.Equal(t, others, admin.Get(t.Context(), key.String()).Val())
}

// TestAFlushSparesFences, and takes everything else.
func TestAFlushSparesFences(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	admin := operatorOf(t, server.Addr)
	cache := openOn(t, server.Addr, &changeLog{})
	require.NoError(t, cache.Ready(t.Context()))
	for _, name := range []string{"image:artist:a:logo", "image:artist:b:logo"} {
		require.NoError(t, admin.Set(t.Context(), name, absentValue, 0).Err())
	}
	require.NoError(t, admin.Set(t.Context(), "session:of:somebody", "else", 0).Err())
	require.NoError(t, cache.Change(t.Context(), []artwork.Key{key}, func(ctx context.Context, fence artwork.Fence) error {
		removed, err := cache.Flush(ctx)
		require.NoError(t, err)
		requireFenced(t, admin, fence)
		require.Equal(t, 2, removed)
		return nil
	}))
	require.Equal(t, []string{"session:of:somebody"}, admin.Keys(t.Context(), "*").Val())
}

// TestTheReplayReachesBackToTheOldestValue: a value lives for the TTL, and the
// fence of the change that it missed may have been older than that.
func TestTheReplayReachesBackToTheOldestValue(t *testing.T) {
	t.Parallel()
	server := testenv.RedisServer(t)
	log := &changeLog{}
	cache := openOn(t, server.Addr, log)
	require.NoError(t, cache.trust.replay(t.Context(), server.Addr))
	require.Greater(t, log.past, testPolicy.TTL+fenceTerm)
}

// TestAServerThatBecomesAnotherDuringItsReplayIsNotTrusted: what was evicted from
// it may have come back from the server that it followed meanwhile.
func TestAServerThatBecomesAnotherDuringItsReplayIsNotTrusted(t *testing.T) {
	t.Parallel()
	server, other := testenv.RedisServer(t), testenv.RedisServer(t)
	log := &changeLog{places: []artwork.Place{place}}
	log.visited = func() {
		plant(t, other.Addr, 1)
		server.ReplicaOf(t, other)
		server.Promote(t)
		log.set(func(l *changeLog) { l.visited = nil })
	}
	cache := openOn(t, server.Addr, log)
	require.ErrorIs(t, cache.trust.replay(t.Context(), server.Addr), errUntrusted)
	require.Empty(t, cache.trust.known)
	require.NoError(t, cache.Ready(t.Context()))
	require.EqualValues(t, 2, sees(t, cache, 2))
}
