package rediscache

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"errors"
	"log/slog"
	mathrand "math/rand/v2"
	"time"

	"github.com/redis/go-redis/v9"

	"gatefold/domain/artwork"
	"gatefold/domain/generations"
)

// The scripts. They are sent whole: a server that took over has not seen them,
// and a pipeline cannot fall back from EVALSHA.
var (
	//go:embed lua/fence.lua
	fenceScript string
	//go:embed lua/unfence.lua
	unfenceScript string
	//go:embed lua/held.lua
	heldScript string
	//go:embed lua/fill.lua
	fillScript string
	//go:embed lua/release.lua
	releaseScript string
)

const (
	// leaseTerm is how long one reader may take to fill a key before another
	// may try.
	leaseTerm = 3 * time.Second
	// fenceTerm is how long a change may take. If its writer dies, readers go
	// to the database for that long.
	fenceTerm = 10 * time.Second
	// commitTerm is when the database must have committed, counted from before
	// the fence was sent; the rest of fenceTerm is for clocks that differ.
	commitTerm = fenceTerm * 9 / 10
	// readBudget bounds each operation of a reader: the database answers
	// sooner than a Redis that is slower than this.
	readBudget = 50 * time.Millisecond
	// changeBudget bounds each pipeline of a writer.
	changeBudget = 500 * time.Millisecond
	// unfenceBudget is how long a writer tries to tell the cache of its commit.
	unfenceBudget = 3 * time.Second
	// finishBudget bounds the last step of a change, which may be left out.
	finishBudget = 2 * time.Second
	// followBudget is how long a reader waits for another's fill.
	followBudget = 100 * time.Millisecond
)

// Cache is the ImageCache on Redis.
type Cache struct {
	rdb         redis.UniversalClient
	terms       artwork.CacheTerms
	compression Compression
	changes     artwork.ChangeLog
	trust       *trust
	breaker     *breaker
	reads       reader
	looks       generations.Group[artwork.Key, artwork.Answer]
	log         *slog.Logger
}

var _ artwork.ImageCache = (*Cache)(nil)

// Fetch implements artwork.ImageCache. Callers in this process share a look into
// Redis that begins after they asked, with all that follows from it.
func (c *Cache) Fetch(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
	if err := ctx.Err(); err != nil {
		return artwork.Answer{}, err
	}
	return c.looks.Do(ctx, key, func(ctx context.Context) (artwork.Answer, error) { return c.look(ctx, key.String(), load) })
}

// look asks Redis, and the database if Redis has no answer.
func (c *Cache) look(ctx context.Context, name string, load artwork.Load) (artwork.Answer, error) {
	if !c.breaker.allow() {
		return loaded(ctx, load)
	}
	held, err := c.get(ctx, name)
	c.breaker.note(err, ctx.Err() != nil)
	if errors.Is(err, redis.Nil) {
		return c.fetchMissing(ctx, name, load)
	}
	return c.answer(ctx, name, held, err, load)
}

// answer turns the state a key was found in into an answer.
func (c *Cache) answer(ctx context.Context, name, held string, err error, load artwork.Load) (artwork.Answer, error) {
	if err != nil || held == "" {
		return loaded(ctx, load)
	}
	switch {
	case isValue(held), held == absentValue:
		img, err := decode(held)
		if err != nil {
			return loaded(ctx, load)
		}
		return artwork.Answer{Image: img, Level: artwork.Shared}, nil
	case held[0] == leaseMark:
		return c.follow(ctx, name, load)
	default:
		return loaded(ctx, load)
	}
}

// loaded answers from the database and caches nothing.
func loaded(ctx context.Context, load artwork.Load) (artwork.Answer, error) {
	if err := ctx.Err(); err != nil {
		return artwork.Answer{}, err
	}
	img, err := load(ctx)
	return artwork.Answer{Image: img, Level: artwork.Loaded}, err
}

// fetchMissing takes the lease of a key that holds nothing, or answers with
// what somebody else has put there in the meantime.
func (c *Cache) fetchMissing(ctx context.Context, name string, load artwork.Load) (artwork.Answer, error) {
	lease := string(leaseMark) + newToken()
	held, err := c.takeLease(ctx, name, lease)
	// A command that was sent twice finds the lease of its first sending.
	if errors.Is(err, redis.Nil) || held == lease {
		return c.fill(ctx, name, lease, load)
	}
	return c.answer(ctx, name, held, err, load)
}

// fill loads, and stores what was loaded if the key still holds the lease.
func (c *Cache) fill(ctx context.Context, name, lease string, load artwork.Load) (artwork.Answer, error) {
	img, err := load(ctx)
	if err != nil {
		c.release(ctx, name, lease)
		return artwork.Answer{}, err
	}
	value, err := encode(img)
	if err != nil {
		c.release(ctx, name, lease)
		return artwork.Answer{}, artwork.Wrap(artwork.Internal, "rediscache.fill", err)
	}
	answer := artwork.Answer{Image: img, Level: artwork.Loaded}
	budget, cancel := context.WithTimeout(ctx, readBudget)
	defer cancel()
	ttl := c.terms.EntryTTL(img).Milliseconds()
	stored, err := c.rdb.Eval(budget, fillScript, []string{name}, lease, c.compression.compress(value), ttl).Int()
	if err == nil && stored == 1 {
		answer.Level = artwork.Filled
	}
	return answer, nil
}

// release gives the lease back, so that nobody waits for a reader whose load
// failed or who hung up.
func (c *Cache) release(ctx context.Context, name, lease string) {
	budget, cancel := context.WithTimeout(context.WithoutCancel(ctx), readBudget)
	defer cancel()
	if err := c.rdb.Eval(budget, releaseScript, []string{name}, lease).Err(); err != nil {
		c.log.DebugContext(ctx, "A lease is left to expire", "key", name, "error", err.Error())
	}
}

// follow waits for the reader that holds the lease, but not for long.
func (c *Cache) follow(ctx context.Context, name string, load artwork.Load) (artwork.Answer, error) {
	giveUp := time.Now().Add(followBudget)
	pause := time.Millisecond
	for time.Now().Before(giveUp) {
		if err := sleep(ctx, pause+mathrand.N(pause)); err != nil { //nolint:gosec // jitter, not a secret
			return artwork.Answer{}, err
		}
		pause = min(2*pause, 20*time.Millisecond)
		held, err := c.get(ctx, name)
		if errors.Is(err, redis.Nil) {
			return c.fetchMissing(ctx, name, load)
		}
		if err != nil || held == "" || held[0] != leaseMark {
			return c.answer(ctx, name, held, err, load)
		}
	}
	return loaded(ctx, load)
}

func (c *Cache) get(ctx context.Context, name string) (string, error) {
	return c.reads.get(ctx, c.rdb, name)
}

// takeLease puts the lease into an empty key and fails with redis.Nil, or
// returns what the key holds.
func (c *Cache) takeLease(ctx context.Context, name, lease string) (string, error) {
	budget, cancel := context.WithTimeout(ctx, readBudget)
	defer cancel()
	return c.rdb.SetArgs(budget, name, lease, redis.SetArgs{Mode: "NX", Get: true, TTL: leaseTerm}).Result()
}

// newToken returns a token that no other acquisition, of this process or any
// other, will ever have.
func newToken() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails, see crypto/rand
	return hex.EncodeToString(b[:])
}

func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
