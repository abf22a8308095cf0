package consistency

import (
	"context"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"time"

	"gatefold/domain/artwork"
)

// dice is a source of chance that several goroutines may share. Equal seeds and
// names give equal rolls; who gets which of them is up to the scheduler.
type dice struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func newDice(seed uint64, name string) *dice {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name))
	return &dice{rng: rand.New(rand.NewPCG(seed, h.Sum64()))}
}

// hits is true with the given probability.
func (d *dice) hits(probability float64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.Float64() < probability
}

// below returns a number in 0..n-1.
func (d *dice) below(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rng.IntN(n)
}

// between returns a duration in least..most.
func (d *dice) between(least, most time.Duration) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return least + time.Duration(d.rng.Int64N(int64(most-least)+1))
}

// stalls hold a goroutine up between two steps: often a little, and seldom for
// longer than copies in processes live.
type stalls struct {
	dice   *dice
	often  float64 // the chance of a stall of up to 3 ms
	seldom float64 // the chance of one of 100 to 400 ms
}

// here is a place between two steps.
func (s *stalls) here(ctx context.Context) {
	switch {
	case s.seldom > 0 && s.dice.hits(s.seldom):
		pause(ctx, s.dice.between(100*time.Millisecond, 400*time.Millisecond))
	case s.often > 0 && s.dice.hits(s.often):
		pause(ctx, s.dice.between(0, 3*time.Millisecond))
	}
}

// pause waits for a while or until ctx ends.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// stalledCache stands between the two levels of a cache: what the shared level
// says is held up on its way.
type stalledCache struct {
	artwork.ImageCache
	stalls *stalls
}

func (c stalledCache) Fetch(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
	c.stalls.here(ctx)
	answer, err := c.ImageCache.Fetch(ctx, key, load)
	c.stalls.here(ctx)
	return answer, err
}

// stalledImages holds up whoever reads the truth or changes it, also between the
// last look at the fence and COMMIT.
type stalledImages struct {
	artwork.ImageRepository
	stalls *stalls
}

func (i stalledImages) InForce(ctx context.Context, place artwork.Place) (*artwork.Image, error) {
	i.stalls.here(ctx)
	image, err := i.ImageRepository.InForce(ctx, place)
	i.stalls.here(ctx)
	return image, err
}

func (i stalledImages) Apply(ctx context.Context, fence artwork.Fence, applications []artwork.Application) ([]artwork.Outcome, error) {
	held := fence.StillHeld
	fence.StillHeld = func(ctx context.Context) error {
		i.stalls.here(ctx)
		err := held(ctx)
		i.stalls.here(ctx)
		return err
	}
	i.stalls.here(ctx)
	outcomes, err := i.ImageRepository.Apply(ctx, fence, applications)
	i.stalls.here(ctx)
	return outcomes, err
}

// stalledLog holds up what a cache asks of the log of changes.
type stalledLog struct {
	artwork.ChangeLog
	stalls *stalls
}

func (l stalledLog) ChangedWithin(ctx context.Context, past time.Duration, visit func(artwork.Place) error) error {
	l.stalls.here(ctx)
	err := l.ChangeLog.ChangedWithin(ctx, past, visit)
	l.stalls.here(ctx)
	return err
}

func (l stalledLog) Overdue(ctx context.Context, limit int) ([]artwork.PendingChange, error) {
	l.stalls.here(ctx)
	overdue, err := l.ChangeLog.Overdue(ctx, limit)
	l.stalls.here(ctx)
	return overdue, err
}

func (l stalledLog) Finish(ctx context.Context, token string) error {
	l.stalls.here(ctx)
	err := l.ChangeLog.Finish(ctx, token)
	l.stalls.here(ctx)
	return err
}
