package rediscache

import (
	"context"
	"log/slog"
	"time"

	"github.com/go-redis/redis_rate/v10"
	"github.com/redis/go-redis/v9"

	"gatefold/application/findimages"
)

// Keys of what is kept beside the cache of images. None begins with "image:", so that
// a flush of the images leaves them.
const (
	gatePrefix   = "gatefold:" // after "rate:", which the library puts first
	answerPrefix = "gatefold:answer:"
)

// Gate gives turns to all instances together.
type Gate struct {
	limiter *redis_rate.Limiter
}

var _ findimages.Gate = (*Gate)(nil)

// Gate returns a gate on the cache's Redis.
func (c *Cache) Gate() *Gate { return &Gate{redis_rate.NewLimiter(c.rdb)} }

// Take implements findimages.Gate.
func (g *Gate) Take(ctx context.Context, name string, pace findimages.Pace) (time.Duration, error) {
	budget, cancel := context.WithTimeout(ctx, changeBudget)
	defer cancel()
	turn, err := g.limiter.Allow(budget, gatePrefix+name, redis_rate.Limit{Rate: 1, Period: pace.Every, Burst: pace.Burst})
	if err != nil || turn.Allowed > 0 {
		return 0, err
	}
	return max(turn.RetryAfter, time.Millisecond), nil
}

// Answers keeps what providers answered for all instances.
type Answers struct {
	rdb      redis.UniversalClient
	patience time.Duration
	log      *slog.Logger
}

var _ findimages.AnswerCache = (*Answers)(nil)

// Answers returns the answers that are kept on the cache's Redis. How many are kept is
// bounded by its memory: they expire, and may be evicted.
func (c *Cache) Answers() *Answers { return &Answers{c.rdb, c.patience, c.log} }

// Get implements findimages.AnswerCache.
func (a *Answers) Get(ctx context.Context, key string) ([]byte, bool) {
	budget, cancel := context.WithTimeout(ctx, a.patience)
	defer cancel()
	value, err := a.rdb.Get(budget, answerPrefix+key).Bytes()
	return value, err == nil
}

// Put implements findimages.AnswerCache.
func (a *Answers) Put(ctx context.Context, key string, value []byte, term time.Duration) {
	budget, cancel := context.WithTimeout(context.WithoutCancel(ctx), changeBudget)
	defer cancel()
	if err := a.rdb.Set(budget, answerPrefix+key, value, term).Err(); err != nil {
		a.log.DebugContext(ctx, "A provider's answer is not kept", "error", err.Error())
	}
}
