package chaos

import (
	"cmp"
	"context"
	"net/http"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/test/crashpoint"
	"gatefold/test/disturb"
	"gatefold/test/testenv"
)

// stageTerm is the term of copies on a stage: long enough that a copy that should not be
// there is still there when it is asked for, on a busy machine as well.
const stageTerm = 2 * time.Second

// stage is a fleet on which schedules are played, one after the other, each in a place of
// its own: who does what after whom, by holding instances up.
type stage struct {
	t        *testing.T
	fleet    *fleet
	breaks   string // the file that has the rule that is not kept
	operator *redis.Client
	a, b, c  *instance

	load   *workload
	place  *place
	others sync.WaitGroup
}

func newStage(t *testing.T) *stage {
	t.Helper()
	path, err := program()
	require.NoError(t, err)
	server := testenv.RedisServer(t)
	breaks := filepath.Join(t.TempDir(), "broken")
	f := newFleet(t, path, t.TempDir(), servers{database: testenv.Postgres(t), redis: server}, disturb.BrokenVariable+"="+breaks,
		// Readers have time: else the database answers on a busy machine, which is right,
		// and the twin does nothing wrong.
		"L1_TTL="+stageTerm.String(), "REDIS_READ_TIMEOUT=5s")
	return &stage{t: t, fleet: f, breaks: breaks, operator: server.Client(t), a: f.instances[0], b: f.instances[1], c: f.instances[2]}
}

// open begins a schedule: with a place in which an image is in force, that nobody has
// asked for.
func (s *stage) open() {
	s.load = newWorkload(s.fleet, 1, 0)
	s.load.pictures.Store(time.Now().UnixNano())
	artist, album := artwork.NewID(), artwork.NewID()
	s.a.order(http.MethodPut, "/api/artists/"+artist.String(), map[string]any{"name": "Artist " + artist.String()})
	s.a.order(http.MethodPut, "/api/albums/"+album.String(), map[string]any{"name": "Album", "artistId": artist.String()})
	s.load.addPlace(artwork.AlbumSubject, album, artwork.SlotCover)
	s.place = s.load.places[0]
	require.Equal(s.t, acknowledged, s.load.change(s.a, s.place))
}

// closeAll lets everybody go on and waits for them.
func (s *stage) closeAll() {
	s.fleet.forgetOrders()
	s.others.Wait()
}

// register is what has happened in the place, when nothing is left to be done.
func (s *stage) register() *register {
	s.t.Helper()
	s.awaitSwept()
	order, err := committed(s.t.Context(), s.fleet.truth)
	require.NoError(s.t, err)
	return newRegister(s.place.name, order[s.place.name], &s.place.record, cmp.Or(s.load.settled, s.load.now()), nil)
}

func (s *stage) awaitSwept() {
	s.t.Helper()
	s.await("the end of all changes", func(ctx context.Context) bool {
		var pending int
		require.NoError(s.t, s.fleet.truth.QueryRow(ctx, "SELECT count(*) FROM cache_pending").Scan(&pending))
		return pending == 0
	})
}

// await waits until something is so.
func (s *stage) await(what string, is func(ctx context.Context) bool) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	for !is(ctx) {
		require.NoError(s.t, ctx.Err(), what)
		time.Sleep(2 * time.Millisecond)
	}
}

// read asks an instance for the place.
func (s *stage) read(in *instance) {
	r := newReader(s.load, in, nil)
	defer r.hangUp()
	for !r.ask([]question{{place: s.place, method: http.MethodGet, path: s.place.image()}}) {
		if s.t.Context().Err() != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// goRead is read, and returns what is closed when it has ended.
func (s *stage) goRead(in *instance) <-chan struct{} {
	done := make(chan struct{})
	s.others.Go(func() {
		defer close(done)
		s.read(in)
	})
	return done
}

// apply puts another image in force and requires that it is acknowledged.
func (s *stage) apply() {
	s.t.Helper()
	require.Equal(s.t, acknowledged, s.load.change(s.a, s.place))
}

// goApply is apply, and returns what is closed when it has ended, in whatever way.
func (s *stage) goApply() <-chan struct{} {
	done := make(chan struct{})
	s.others.Go(func() {
		defer close(done)
		s.load.change(s.a, s.place)
	})
	return done
}

// hold has the next one who comes to the point of an instance wait there; who returns
// when somebody does, after f has sent them on their way.
func (s *stage) hold(in *instance, point string, f func() <-chan struct{}) <-chan struct{} {
	s.t.Helper()
	require.NoError(s.t, crashpoint.OrderHold(in.orders, point))
	done := f()
	s.await("somebody at "+point, func(context.Context) bool { return crashpoint.Held(in.orders, point) })
	return done
}

func (s *stage) release(in *instance, point string) {
	s.t.Helper()
	require.NoError(s.t, crashpoint.Release(in.orders, point))
}

// evict has Redis hold nothing for the place.
func (s *stage) evict() {
	s.t.Helper()
	require.NoError(s.t, s.operator.Del(s.t.Context(), s.place.key()).Err())
}

// holds returns what Redis holds for the place.
func (s *stage) holds(ctx context.Context) string {
	return s.operator.Get(ctx, s.place.key()).Val()
}

// fill has Redis hold what is in force, by a reader of the instance.
func (s *stage) fill(in *instance) {
	s.t.Helper()
	s.await("a value in Redis", func(ctx context.Context) bool {
		s.read(in)
		return s.holds(ctx) != "" && s.holds(ctx)[0] == '{'
	})
}

// invalidate is a change of nothing.
func (s *stage) invalidate() {
	s.t.Helper()
	s.b.order(http.MethodPost, "/api/admin/cache/invalidate", map[string]any{"albumId": s.place.id.String()})
}

// replay has every instance meet a Redis that it does not know, with all that it holds,
// and waits until they trust it.
func (s *stage) replay() {
	s.t.Helper()
	before := s.replays()
	ctx := s.t.Context()
	require.NoError(s.t, s.operator.ReplicaOf(ctx, "127.0.0.1", "1").Err()) // nobody is there
	require.NoError(s.t, s.operator.ReplicaOf(ctx, "NO", "ONE").Err())
	require.NoError(s.t, s.operator.Do(ctx, "CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes").Err())
	s.awaitReplays(before)
}

// replays returns how often each instance has replayed changes.
func (s *stage) replays() map[*instance]float64 {
	s.t.Helper()
	counted := map[*instance]float64{}
	for _, in := range s.fleet.instances {
		counted[in] = s.metric(in, "gatefold_cache_replays_total")
	}
	return counted
}

// awaitReplays waits until every instance has done so again: until then it trusts no Redis.
func (s *stage) awaitReplays(before map[*instance]float64) {
	s.t.Helper()
	for in, n := range before {
		s.await("a replay by "+in.String(), func(context.Context) bool { return s.metric(in, "gatefold_cache_replays_total") > n })
	}
}

// metric returns a number that an instance counts.
func (s *stage) metric(in *instance, name string) float64 {
	s.t.Helper()
	a, err := in.ask(s.t.Context(), http.MethodGet, "/metrics", "", nil)
	require.NoError(s.t, err)
	for sample, value := range samples(a.body) {
		if sample == name {
			return value
		}
	}
	require.Fail(s.t, "it does not count "+name)
	return 0
}

// lateFill: a reader loads, a change goes by, the reader stores.
func (s *stage) lateFill() {
	reader := s.hold(s.b, loaded, func() <-chan struct{} { return s.goRead(s.b) })
	s.apply()
	s.release(s.b, loaded)
	<-reader
	s.read(s.c)
}

// sharedLoad: a reader loads, a change goes by, another one asks the same instance.
func (s *stage) sharedLoad() {
	const looks = "gatefold_cache_shared_looks_total"
	first := s.hold(s.b, loaded, func() <-chan struct{} { return s.goRead(s.b) })
	s.apply()
	before := s.metric(s.b, looks)
	second := s.goRead(s.b)
	s.await("somebody who shares", func(context.Context) bool { return s.metric(s.b, looks) > before })
	s.release(s.b, loaded)
	<-first
	<-second
}

// lateCopy: a reader is told by Redis, a change goes by, the reader keeps a copy.
func (s *stage) lateCopy() {
	s.fill(s.c)
	reader := s.hold(s.b, answered, func() <-chan struct{} { return s.goRead(s.b) })
	s.apply()
	s.release(s.b, answered)
	<-reader
	s.read(s.b)
}

// copyUnderFence: a reader asks while a change is fenced and not committed.
func (s *stage) copyUnderFence() {
	writer := s.hold(s.a, crashpoint.Fenced.Name, s.goApply)
	s.read(s.b)
	s.release(s.a, crashpoint.Fenced.Name)
	<-writer
	s.read(s.b)
}

// copyLeft: an instance has a copy when a change begins.
func (s *stage) copyLeft() {
	s.fill(s.c)
	s.read(s.b)
	s.apply()
	s.read(s.b)
}

// overtaken: while a change is between its last look at the fence and COMMIT, something
// happens that must leave its fence alone, and a reader asks. Another reader gets the new
// image, and then the first one asks again.
func (s *stage) overtaken(happens func()) {
	writer := s.hold(s.a, crashpoint.BeforeCommit.Name, s.goApply)
	happens()
	s.read(s.c)
	s.release(s.a, crashpoint.BeforeCommit.Name)
	s.stepBack(writer)
}

// stepBack: when Redis holds nothing any more, an instance gets the new image, and
// another one that may have a copy of the old one is asked.
func (s *stage) stepBack(writer <-chan struct{}) {
	s.await("the end of what Redis holds", func(ctx context.Context) bool { return s.holds(ctx) == "" })
	s.read(s.b)
	s.read(s.c)
	<-writer
}

// fenceLost: the fence is evicted between the last look at it and COMMIT, and a reader
// stores what it finds.
func (s *stage) fenceLost() {
	writer := s.hold(s.a, crashpoint.BeforeCommit.Name, s.goApply)
	s.evict()
	s.read(s.c)
	s.release(s.a, crashpoint.BeforeCommit.Name)
	<-writer
	s.read(s.c)
}

// fenceLostEarly: the fence is evicted before the last look at it.
func (s *stage) fenceLostEarly() {
	writer := s.hold(s.a, crashpoint.Fenced.Name, s.goApply)
	s.evict()
	s.read(s.c)
	s.release(s.a, crashpoint.Fenced.Name)
	s.stepBack(writer)
}

// olderFile: Redis comes back with what it held before a change.
func (s *stage) olderFile() {
	s.fill(s.b)
	redis := s.fleet.redis
	older := redis.Snapshot(s.t)
	s.apply()
	before := s.replays()
	redis.Stop()
	redis.StartFrom(s.t, older)
	s.awaitReplays(before)
	s.read(s.b)
}

// deadWriter: the fence is lost during COMMIT, a reader stores what it finds, and the
// writer dies when it has committed. The others finish its change. It is started again
// only afterwards: who starts has the recent changes replayed, which helps, too.
func (s *stage) deadWriter() {
	process := s.a.running()
	writer := s.hold(s.a, crashpoint.BeforeCommit.Name, s.goApply)
	s.evict()
	s.fill(s.c)
	require.NoError(s.t, crashpoint.Order(s.a.orders, crashpoint.AfterCommit.Name))
	s.release(s.a, crashpoint.BeforeCommit.Name)
	<-process.Done()
	<-writer
	s.awaitSwept()
	time.Sleep(stageTerm + stageTerm/10) // until no copy is left
	s.load.settle()
	s.read(s.b)
	require.NoError(s.t, s.a.start())
}
