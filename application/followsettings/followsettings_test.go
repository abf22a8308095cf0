package followsettings_test

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/adapters/memory"
	"gatefold/application/followsettings"
	"gatefold/application/keepactivity"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
	"gatefold/domain/deployment"
)

var key = artwork.Album(artwork.MustParseID("0b0e7a3c-6f0e-4a54-9e0d-2f4c6c1f6a10")).Keys()[0]

func settings(mode artwork.CacheMode) artwork.CacheSettings {
	return artwork.CacheSettings{Mode: mode, TTL: 300 * time.Second, L1TTL: time.Second}
}

// level is a cache that answers everything, and says who it is by its level.
type level struct {
	artwork.Level
	changes  atomic.Int32
	drops    atomic.Int32
	refusing atomic.Bool   // Refresh fails
	hold     chan struct{} // if not nil, Fetch and Refresh wait for it
}

func (l *level) Fetch(context.Context, artwork.Key, artwork.Load) (artwork.Answer, error) {
	if l.hold != nil {
		<-l.hold
	}
	return artwork.Answer{Level: l.Level}, nil
}

func (l *level) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	l.changes.Add(1)
	return commit(ctx, artwork.Fence{Keys: keys, StillHeld: func(context.Context) error { return nil }})
}

func (l *level) Refresh(context.Context) error {
	if l.hold != nil {
		<-l.hold
	}
	if l.refusing.Load() {
		return artwork.Errorf(artwork.Unavailable, "no Redis")
	}
	l.drops.Add(1)
	return nil
}

func (l *level) Drop() { l.drops.Add(1) }

// registry is one that can be out of reach.
type registry struct {
	followsettings.Registry
	down atomic.Bool
}

func (r *registry) Renew(ctx context.Context, id artwork.ID, revision int64) (deployment.State, error) {
	if r.down.Load() {
		return deployment.State{}, artwork.Errorf(artwork.Unavailable, "no database")
	}
	return r.Registry.Renew(ctx, id, revision)
}

func (r *registry) Look(ctx context.Context) (deployment.State, error) {
	if r.down.Load() {
		return deployment.State{}, artwork.Errorf(artwork.Unavailable, "no database")
	}
	return r.Registry.Look(ctx)
}

// process is one instance with caches that only say who they are.
type process struct {
	*followsettings.Cache
	*followsettings.Membership
	terms           *followsettings.Terms
	registry        *registry
	redis, copies   *level
	local, database *level
	stop            func()
}

// start has a process join the deployment and stay in it until the test ends.
func start(t *testing.T, shared followsettings.Registry, mode artwork.CacheMode) *process {
	t.Helper()
	p := &process{
		terms: followsettings.NewTerms(), registry: &registry{Registry: shared},
		redis: &level{Level: artwork.Shared}, copies: &level{Level: artwork.Process},
		local: &level{Level: artwork.Process}, database: &level{Level: artwork.Loaded},
	}
	self := deployment.Member{ID: artwork.NewID(), Name: "instance", HasRedis: true}
	wish := deployment.Wish{Settings: settings(mode), Mode: true}
	p.Membership = followsettings.NewMembership(p.registry, p.terms, self, wish, slog.New(slog.DiscardHandler))
	p.Watch(p.redis, p.local)
	p.Cache = followsettings.NewCache(p.Membership, followsettings.Caches{None: p.database, Memory: p.local, Redis: p.redis, TwoLevel: p.copies})
	require.NoError(t, p.Join(t.Context()))
	ctx, stop := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	ended.Go(func() { p.Run(ctx) })
	p.stop = sync.OnceFunc(func() { stop(); ended.Wait() })
	t.Cleanup(p.stop)
	return p
}

func (p *process) fetch(t *testing.T) artwork.Level {
	t.Helper()
	answer, err := p.Fetch(t.Context(), key, nil)
	require.NoError(t, err)
	return answer.Level
}

// requireRecorded checks that the move is in the activity log, unless it was none.
func requireRecorded(t *testing.T, activities activity.Log, before, after artwork.CacheSettings) {
	t.Helper()
	page, err := activities.List(t.Context(), activity.Query{Action: string(activity.CacheMode), Limit: 10})
	require.NoError(t, err)
	if before == after {
		require.Empty(t, page.Items)
		return
	}
	require.Len(t, page.Items, 1)
	for settings, facts := range map[artwork.CacheSettings]activity.Facts{before: page.Items[0].Before, after: page.Items[0].After} {
		require.Contains(t, string(facts), `"mode":"`+string(settings.Mode)+`"`)
		require.Contains(t, string(facts), `"cacheTtl":"`+artwork.FormatTerm(settings.TTL)+`"`)
	}
}

// move has the deployment move and waits until it has.
func (p *process) move(t *testing.T, to followsettings.SwitchIn) deployment.State {
	t.Helper()
	log, activities := slog.New(slog.DiscardHandler), memory.NewRepository().Activity()
	s := followsettings.NewSwitch(p.registry, p.Membership, keepactivity.NewRecorder(activities, log), log)
	before, err := s.Look(t.Context())
	require.NoError(t, err)
	begun, err := s.Begin(t.Context(), artwork.Actor{Name: "test"}, to)
	require.NoError(t, err)
	requireRecorded(t, activities, before.Target(), begun.Target())
	state, err := s.Await(t.Context())
	require.NoError(t, err)
	return state
}

func commitNothing(context.Context, artwork.Fence) error { return nil }

func TestEveryModeHasItsCaches(t *testing.T) {
	for mode, c := range map[artwork.CacheMode]struct {
		level  artwork.Level
		writer func(*process) *level
	}{
		artwork.CacheMemory:   {artwork.Process, func(p *process) *level { return p.local }},
		artwork.CacheRedis:    {artwork.Shared, func(p *process) *level { return p.redis }},
		artwork.CacheTwoLevel: {artwork.Process, func(p *process) *level { return p.redis }},
		artwork.CacheOff:      {artwork.Loaded, func(p *process) *level { return p.database }},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := start(t, memory.NewRepository().Deployment(), mode)
			require.Equal(t, c.level, p.fetch(t), mode)
			require.NoError(t, p.Change(t.Context(), []artwork.Key{key}, func(_ context.Context, fence artwork.Fence) error {
				require.EqualValues(t, 1, fence.Revision)
				return nil
			}))
			require.EqualValues(t, 1, c.writer(p).changes.Load(), mode)
			p.stop()
		})
	}
}

func TestTheFleetMovesTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := memory.NewRepository().Deployment()
		fleet := []*process{start(t, shared, artwork.CacheTwoLevel), start(t, shared, artwork.CacheTwoLevel), start(t, shared, artwork.CacheTwoLevel)}
		for _, c := range []struct {
			to    artwork.CacheMode
			level artwork.Level
		}{{artwork.CacheOff, artwork.Loaded}, {artwork.CacheRedis, artwork.Shared}, {artwork.CacheTwoLevel, artwork.Process}} {
			state := fleet[0].move(t, followsettings.SwitchIn{Mode: c.to})
			require.Equal(t, settings(c.to), state.Read)
			time.Sleep(time.Second) // the others hear of it
			for _, p := range fleet {
				require.Equal(t, c.level, p.fetch(t), c.to)
			}
		}
		require.EqualValues(t, 10, fleet[0].move(t, followsettings.SwitchIn{Mode: artwork.CacheTwoLevel}).Revision, "it is there already")
		state := fleet[0].move(t, followsettings.SwitchIn{TTL: time.Minute, L1TTL: 100 * time.Millisecond})
		require.Equal(t, artwork.CacheSettings{Mode: artwork.CacheTwoLevel, TTL: time.Minute, L1TTL: 100 * time.Millisecond}, state.Read)
		for _, p := range fleet {
			p.stop()
		}
	})
}

// TestAChangeFromBeforeIsWaitedFor: as long as one is under way that began under
// former rules, nobody goes on to read what it may not have fenced.
func TestAChangeFromBeforeIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := memory.NewRepository().Deployment()
		mover, writer := start(t, shared, artwork.CacheOff), start(t, shared, artwork.CacheOff)
		proceed, ended := make(chan struct{}), make(chan error, 1)
		go func() {
			ended <- writer.Change(t.Context(), []artwork.Key{key}, func(context.Context, artwork.Fence) error {
				<-proceed
				return nil
			})
		}()
		synctest.Wait()
		moved := make(chan struct{})
		go func() {
			defer close(moved)
			mover.move(t, followsettings.SwitchIn{Mode: artwork.CacheRedis})
		}()
		time.Sleep(20 * time.Second)
		meanwhile := mover.fetch(t)
		close(proceed)
		require.NoError(t, <-ended)
		<-moved
		require.Equal(t, artwork.Loaded, meanwhile, "readers moved before the writer had")
		require.Equal(t, artwork.Shared, mover.fetch(t))
		mover.stop()
		writer.stop()
	})
}

// TestCopiesFromBeforeAreWaitedFor: writers stop waiting for copies only when the
// last copy has expired.
func TestCopiesFromBeforeAreWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, memory.NewRepository().Deployment(), artwork.CacheTwoLevel)
		begin := time.Now()
		p.move(t, followsettings.SwitchIn{Mode: artwork.CacheRedis})
		require.GreaterOrEqual(t, time.Since(begin), settings(artwork.CacheTwoLevel).Policy().CopyWait())
		require.Zero(t, p.terms.CopyWait())
		p.stop()
	})
}

// TestASharedCacheIsRefreshedBeforeItIsBelieved: nobody fenced it while it was off.
func TestASharedCacheIsRefreshedBeforeItIsBelieved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, memory.NewRepository().Deployment(), artwork.CacheOff)
		p.redis.refusing.Store(true)
		p.move(t, followsettings.SwitchIn{Mode: artwork.CacheTwoLevel})
		time.Sleep(time.Minute)
		require.Equal(t, artwork.Loaded, p.fetch(t))
		p.redis.refusing.Store(false)
		time.Sleep(2 * time.Second)
		require.Equal(t, artwork.Process, p.fetch(t))
		require.EqualValues(t, 1, p.redis.drops.Load())
		p.stop()
	})
}

// TestWhoLosesTouchBelievesNothing: others may have gone on to settings by which
// the cache is not looked after.
func TestWhoLosesTouchBelievesNothing(t *testing.T) {
	for mode, before := range map[artwork.CacheMode]artwork.Level{artwork.CacheRedis: artwork.Shared, artwork.CacheMemory: artwork.Process} {
		synctest.Test(t, func(t *testing.T) {
			p := start(t, memory.NewRepository().Deployment(), mode)
			p.registry.down.Store(true)
			time.Sleep(15 * time.Second)
			require.Equal(t, before, p.fetch(t), "a short outage changes nothing")
			time.Sleep(deployment.MemberTerm)
			require.Equal(t, artwork.Loaded, p.fetch(t))
			require.LessOrEqual(t, p.terms.CopyLife(), time.Duration(0))
			err := p.Change(t.Context(), []artwork.Key{key}, commitNothing)
			require.Equal(t, artwork.NotConfirmed, artwork.KindOf(err))

			p.registry.down.Store(false)
			time.Sleep(3 * time.Second)
			require.Equal(t, before, p.fetch(t))
			require.NoError(t, p.Change(t.Context(), []artwork.Key{key}, commitNothing))
			require.EqualValues(t, 1, p.local.drops.Load(), "what it holds may be older")
			if mode.Shared() {
				require.EqualValues(t, 1, p.redis.drops.Load())
			}
			p.stop()
		})
	}
}

// TestAnAnswerThatTookTooLong was asked for while the process followed the rules,
// and arrives when others may follow other ones.
func TestAnAnswerThatTookTooLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := start(t, memory.NewRepository().Deployment(), artwork.CacheRedis)
		p.redis.hold = make(chan struct{})
		answered := make(chan artwork.Level, 1)
		go func() {
			answer, _ := p.Fetch(t.Context(), key, nil)
			answered <- answer.Level
		}()
		time.Sleep(deployment.MemberTerm + time.Second) // it is renewed meanwhile
		close(p.redis.hold)
		require.Equal(t, artwork.Loaded, <-answered)
		p.stop()
	})
}

// TestAMoveDoesNotWaitForTheDead for longer than they count as alive.
func TestAMoveDoesNotWaitForTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := memory.NewRepository().Deployment()
		p, lost := start(t, shared, artwork.CacheTwoLevel), start(t, shared, artwork.CacheTwoLevel)
		lost.registry.down.Store(true)
		begin := time.Now()
		p.move(t, followsettings.SwitchIn{Mode: artwork.CacheOff})
		require.LessOrEqual(t, time.Since(begin), deployment.MemberTerm+5*time.Second)
		require.Equal(t, artwork.Loaded, lost.believed(t), "who was not waited for believes nothing any more")
		lost.registry.down.Store(false)
		time.Sleep(3 * time.Second)
		require.Equal(t, artwork.Loaded, lost.fetch(t), "it follows where the others have gone")
		p.stop()
		lost.stop()
	})
}

// believed is fetch in the mode with copies, whose own term ends what they answer.
func (p *process) believed(t *testing.T) artwork.Level {
	t.Helper()
	if p.terms.CopyLife() <= 0 {
		return artwork.Loaded
	}
	return p.fetch(t)
}

// TestAChangeIsRepeatedUnderTheNewRules when the database says that they have
// changed.
func TestAChangeIsRepeatedUnderTheNewRules(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		repository := memory.NewRepository()
		p := start(t, repository.Deployment(), artwork.CacheOff)
		var revisions []int64
		require.NoError(t, p.Change(t.Context(), []artwork.Key{key}, func(_ context.Context, fence artwork.Fence) error {
			revisions = append(revisions, fence.Revision)
			if len(revisions) > 1 {
				return nil
			}
			_, err := p.registry.Update(t.Context(), func(state *deployment.State) error { return state.Move(settings(artwork.CacheRedis)) })
			require.NoError(t, err)
			return artwork.Wrap(artwork.Unavailable, "test", artwork.ErrSettingsChanged)
		}))
		require.Equal(t, []int64{1, 2}, revisions)
		require.EqualValues(t, 1, p.redis.changes.Load(), "the second time it is fenced")
		p.stop()
	})
}

func TestWhoHasNotJoinedChangesNothing(t *testing.T) {
	registry := memory.NewRepository().Deployment()
	terms := followsettings.NewTerms()
	member := followsettings.NewMembership(registry, terms, deployment.Member{ID: artwork.NewID()}, deployment.Wish{}, slog.New(slog.DiscardHandler))
	cache := followsettings.NewCache(member, followsettings.Caches{None: &level{}})
	err := cache.Change(t.Context(), []artwork.Key{key}, commitNothing)
	require.Equal(t, artwork.CacheUnreachable, artwork.KindOf(err))
	require.Equal(t, artwork.MaxCacheTTL, terms.LongestTTL())
}

func TestWhoLeavesIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := memory.NewRepository().Deployment()
		p, leaving := start(t, shared, artwork.CacheTwoLevel), start(t, shared, artwork.CacheTwoLevel)
		leaving.stop()
		require.NoError(t, leaving.Leave(t.Context()))
		begin := time.Now()
		require.Len(t, p.move(t, followsettings.SwitchIn{Mode: artwork.CacheOff}).Members, 1)
		require.Less(t, time.Since(begin), 5*time.Second)
		p.stop()
	})
}
