package consistency

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"gatefold/adapters/twolevelcache"
	"gatefold/domain/artwork"
)

// twinTries is how often a twin may pass: where chance has a part, it has a small
// one.
const twinTries = 10

// TestTheHarnessNotices runs caches that break one rule each, and requires that
// the broken promise is counted.
func TestTheHarnessNotices(t *testing.T) {
	seed := chosenSeed(t)
	stale := func(sum total) bool { return sum.stale > 0 && sum.verdict == porcupine.Illegal }
	back := func(sum total) bool { return sum.back > 0 && sum.verdict == porcupine.Illegal }
	for _, twin := range []struct {
		scenario
		operations int // of each instance; some twins are slow
		notices    func(total) bool
	}{
		{scenario{name: "GET, miss, SET, and DEL after a change", caches: original}, 500, stale},
		{scenario{name: "writers do not wait for copies", caches: impatient}, 2000, stale},
		{scenario{name: "copies count from their arrival", stallsSeldom: 0.05, caches: fromArrival}, 800, stale},
		{scenario{name: "reads under way are shared", caches: sharing}, 500, stale},
		{scenario{name: "an older file is believed", faults: olderFiles, caches: forgetful}, 2000, stale},
		{scenario{name: "nobody looks at the fence again", caches: blind, fates: []odds{{0.5, losesFenceEarly}}}, 2000, back},
	} {
		t.Run(twin.name, func(t *testing.T) {
			t.Parallel()
			for i := range twinTries {
				var sum total
				t.Run(fmt.Sprint("try ", i+1), func(t *testing.T) {
					sum = run(t, twin.completed(), seed+uint64(i), twin.operations)
				})
				t.Log(sum)
				if twin.notices(sum) {
					return
				}
			}
			require.Fail(t, "the harness did not notice")
		})
	}
}

// original is the design that the project replaces. A reader that has read the
// database is held up until a change has gone by.
func original(tr *trial, in *instance) {
	rdb := redis.NewClient(&redis.Options{Addr: in.redis.Addr()})
	tr.t.Cleanup(func() { _ = rdb.Close() })
	in.cache = &originalCache{rdb: rdb, changes: &tr.changes}
	in.shared = in.cache
}

type originalCache struct {
	rdb     *redis.Client
	changes *bells
}

func (o *originalCache) Fetch(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
	if held, err := o.rdb.Get(ctx, key.String()).Result(); err == nil {
		return artwork.Answer{Image: &artwork.Image{RecordID: artwork.MustParseID(held)}, Level: artwork.Shared}, nil
	}
	image, err := load(ctx)
	if err != nil || image == nil {
		return artwork.Answer{}, err
	}
	o.changes.await(ctx, key)
	_ = o.rdb.Set(ctx, key.String(), image.RecordID.String(), policy.TTL).Err() // or the next reader does it
	return artwork.Answer{Image: image, Level: artwork.Filled}, nil
}

func (o *originalCache) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	if err := commit(ctx, artwork.Unfenced()); err != nil {
		return err
	}
	for _, key := range keys {
		if err := o.rdb.Del(ctx, key.String()).Err(); err != nil {
			return artwork.Wrap(artwork.NotConfirmed, "originalCache.Change", err)
		}
	}
	o.changes.ring(keys)
	return nil
}

// bells tell, for each key, that a change of it has answered.
type bells struct {
	mu    sync.Mutex
	rings map[artwork.Key]chan struct{}
}

// await holds a goroutine up until just after the next change of the key has
// answered, but not for long.
func (b *bells) await(ctx context.Context, key artwork.Key) {
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	select {
	case <-b.next(key):
		pause(ctx, 10*time.Millisecond)
	case <-ctx.Done():
	}
}

func (b *bells) next(key artwork.Key) <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.rings == nil {
		b.rings = map[artwork.Key]chan struct{}{}
	}
	if b.rings[key] == nil {
		b.rings[key] = make(chan struct{})
	}
	return b.rings[key]
}

func (b *bells) ring(keys []artwork.Key) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range keys {
		if b.rings[key] != nil {
			close(b.rings[key])
			delete(b.rings, key)
		}
	}
}

// impatient has writers that do not know of copies in processes.
func impatient(tr *trial, in *instance) {
	in.shared = tr.openRedis(in, artwork.CachePolicy{TTL: policy.TTL}, in.log)
	in.cache = twolevelcache.New(in.shared, policy, copiesKept)
}

// fromArrival has copies whose term counts from when they were received.
func fromArrival(tr *trial, in *instance) {
	in.shared = stalledCache{tr.openRedis(in, policy, in.log), in.stalls}
	in.cache = &lateCopies{ImageCache: in.shared, copies: map[artwork.Key]lateCopy{}}
}

type lateCopies struct {
	artwork.ImageCache
	mu     sync.Mutex
	copies map[artwork.Key]lateCopy
}

type lateCopy struct {
	image *artwork.Image
	until time.Time
}

func (l *lateCopies) Fetch(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
	l.mu.Lock()
	held, ok := l.copies[key]
	l.mu.Unlock()
	if ok && time.Now().Before(held.until) {
		return artwork.Answer{Image: held.image, Level: artwork.Process}, nil
	}
	answer, err := l.ImageCache.Fetch(ctx, key, load)
	if err == nil && answer.Level != artwork.Loaded {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.copies[key] = lateCopy{answer.Image, time.Now().Add(policy.CopyTerm)}
	}
	return answer, err
}

// sharing lets readers share what is under way when they come. Some of it is held
// up until a change has gone by.
func sharing(tr *trial, in *instance) {
	in.shared = &sharedReads{
		ImageCache: tr.openRedis(in, policy, in.log), dice: in.stalls.dice, changes: &tr.changes,
		running: map[artwork.Key]*sharedRead{},
	}
	in.cache = twolevelcache.New(in.shared, policy, copiesKept)
}

type sharedReads struct {
	artwork.ImageCache
	dice    *dice
	changes *bells
	mu      sync.Mutex
	running map[artwork.Key]*sharedRead
}

type sharedRead struct {
	done   chan struct{}
	answer artwork.Answer
	err    error
}

func (s *sharedReads) Fetch(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
	s.mu.Lock()
	read := s.running[key]
	if read != nil {
		s.mu.Unlock()
		<-read.done
		return read.answer, read.err
	}
	read = &sharedRead{done: make(chan struct{})}
	s.running[key] = read
	s.mu.Unlock()
	read.answer, read.err = s.ImageCache.Fetch(context.WithoutCancel(ctx), key, load)
	if s.dice.hits(0.3) {
		s.changes.await(context.WithoutCancel(ctx), key)
	}
	s.mu.Lock()
	delete(s.running, key)
	s.mu.Unlock()
	close(read.done)
	return read.answer, read.err
}

func (s *sharedReads) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	err := s.ImageCache.Change(ctx, keys, commit)
	s.changes.ring(keys)
	return err
}

// forgetful has a log in which nothing has changed.
func forgetful(tr *trial, in *instance) {
	in.log = forgetfulLog{in.log}
	asProduced(tr, in)
}

type forgetfulLog struct{ artwork.ChangeLog }

func (forgetfulLog) ChangedWithin(context.Context, time.Duration, func(artwork.Place) error) error {
	return nil
}

// blind has a database that commits without the last look at the fence.
func blind(tr *trial, in *instance) {
	asProduced(tr, in)
	in.images = blindImages{in.images}
}

type blindImages struct{ artwork.ImageRepository }

func (b blindImages) Apply(ctx context.Context, fence artwork.Fence, applications []artwork.Application) ([]artwork.Outcome, error) {
	fence.StillHeld = nothing
	return b.ImageRepository.Apply(ctx, fence, applications)
}
