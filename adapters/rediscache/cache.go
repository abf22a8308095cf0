package rediscache

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"errors"
	"log/slog"
	mathrand "math/rand/v2"
	"net"
	"time"

	"github.com/redis/go-redis/v9"

	"gatefold/application/managecache"
	"gatefold/application/tracing"
	"gatefold/application/wait"
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
	// readBudget bounds each operation of a reader unless the options say
	// otherwise: the database answers sooner than a Redis that is slower.
	readBudget = 50 * time.Millisecond
	// followPatience is for how many times its patience a reader waits for
	// another's fill.
	followPatience = 2
	// changeBudget bounds each pipeline of a writer.
	changeBudget = 500 * time.Millisecond
	// unfenceBudget is how long a writer tries to tell the cache of its commit.
	unfenceBudget = 3 * time.Second
	// finishBudget bounds the last step of a change, which may be left out.
	finishBudget = 2 * time.Second
)

// Cache is the ImageCache on Redis.
type Cache struct {
	rdb         redis.UniversalClient
	terms       artwork.CacheTerms
	patience    time.Duration // of readers
	compression Compression
	changes     artwork.ChangeLog
	events      managecache.Recorder
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
		return c.fallBack(ctx, managecache.FallbackBreaker, load)
	}
	held, err := c.get(ctx, name)
	c.breaker.note(err, ctx.Err() != nil)
	if errors.Is(err, redis.Nil) {
		c.events.Count(managecache.Miss, 1)
		return c.fetchMissing(ctx, name, load)
	}
	return c.answer(ctx, name, held, err, load)
}

// answer turns the state a key was found in into an answer.
func (c *Cache) answer(ctx context.Context, name, held string, err error, load artwork.Load) (artwork.Answer, error) {
	if err != nil {
		return c.fallBack(ctx, reason(err), load)
	}
	switch stateOf(held) {
	case holdsValue:
		img, err := decode(held)
		if err != nil {
			return c.fallBack(ctx, managecache.FallbackUnreadable, load)
		}
		return artwork.Answer{Image: img, Level: artwork.Shared}, nil
	case holdsLease:
		return c.follow(ctx, name, load)
	case holdsFence:
		c.events.Count(managecache.FenceMet, 1)
		return c.fallBack(ctx, managecache.FallbackFence, load)
	default:
		return c.fallBack(ctx, managecache.FallbackUnreadable, load)
	}
}

// reason tells why an operation of a reader failed.
func reason(err error) managecache.Event {
	var network net.Error
	switch {
	case errors.Is(err, errUntrusted), errors.Is(err, errReplica):
		return managecache.FallbackUntrusted
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, redis.ErrPoolTimeout), errors.As(err, &network) && network.Timeout():
		return managecache.FallbackTimeout
	default:
		return managecache.FallbackError
	}
}

// reasons are the names of why the database answers and why nothing was stored, as metrics
// have them.
var reasons = map[managecache.Event]string{
	managecache.FallbackError: "error", managecache.FallbackTimeout: "timeout", managecache.FallbackBreaker: "breaker_open", managecache.FallbackUntrusted: "untrusted",
	managecache.FallbackUnreadable: "unreadable", managecache.FallbackFence: "fence", managecache.FallbackGaveUp: "gave_up",
	managecache.RefusedExpired: "expired", managecache.RefusedFenced: "fenced", managecache.RefusedGone: "gone",
	managecache.RefusedTakenOver: "taken_over", managecache.RefusedUnreachable: "unreachable",
}

// note counts the reason, and tells it of the read that met it.
func (c *Cache) note(ctx context.Context, fact string, why managecache.Event) {
	c.events.Count(why, 1)
	if tracing.Of(ctx) != nil {
		tracing.Note(ctx, slog.String(fact, reasons[why]))
	}
}

// fallBack answers from the database and caches nothing.
func (c *Cache) fallBack(ctx context.Context, why managecache.Event, load artwork.Load) (artwork.Answer, error) {
	if err := ctx.Err(); err != nil {
		return artwork.Answer{}, err
	}
	c.note(ctx, "gatefold.cache.fallback", why)
	img, err := load(ctx)
	return artwork.Answer{Image: img, Level: artwork.Loaded}, err
}

// fetchMissing takes the lease of a key that holds nothing, or answers with
// what somebody else has put there in the meantime.
func (c *Cache) fetchMissing(ctx context.Context, name string, load artwork.Load) (artwork.Answer, error) {
	lease := string(leaseMark) + newToken()
	asked := time.Now()
	held, err := c.takeLease(ctx, name, lease)
	// A command that was sent twice finds the lease of its first sending.
	if errors.Is(err, redis.Nil) || held == lease {
		return c.fill(ctx, name, lease, asked.Add(leaseTerm), load)
	}
	return c.answer(ctx, name, held, err, load)
}

// fill loads, and stores what was loaded if the key still holds the lease, which
// expires by itself soon after the time.
func (c *Cache) fill(ctx context.Context, name, lease string, expiry time.Time, load artwork.Load) (artwork.Answer, error) {
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
	if why, refused := c.store(ctx, name, lease, value, c.terms.EntryTTL(img), expiry); refused {
		c.note(ctx, "gatefold.cache.refused_fill", why)
		return answer, nil
	}
	answer.Level = artwork.Filled
	return answer, nil
}

// What the script fill answers.
const (
	fillStored = 1 - iota
	fillGone
	fillFenced
	fillTakenOver
)

// store replaces the lease by the value, or tells why that was refused. Others
// may wait for it, so that it does not end with the caller.
func (c *Cache) store(ctx context.Context, name, lease, value string, ttl time.Duration, expiry time.Time) (why managecache.Event, refused bool) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.patience)
	defer cancel()
	result, err := c.rdb.Eval(ctx, fillScript, []string{name}, lease, c.compression.compress(value), ttl.Milliseconds()).Int()
	switch {
	case err != nil:
		return managecache.RefusedUnreachable, true
	case result == fillStored:
		return 0, false
	case result == fillFenced:
		return managecache.RefusedFenced, true
	case time.Now().After(expiry):
		return managecache.RefusedExpired, true
	case result == fillTakenOver:
		return managecache.RefusedTakenOver, true
	default:
		return managecache.RefusedGone, true
	}
}

// release gives the lease back, so that nobody waits for a reader whose load
// failed or who hung up.
func (c *Cache) release(ctx context.Context, name, lease string) {
	budget, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.patience)
	defer cancel()
	if err := c.rdb.Eval(budget, releaseScript, []string{name}, lease).Err(); err != nil {
		c.log.DebugContext(ctx, "A lease is left to expire", "key", name, "error", err.Error())
	}
}

// follow waits for the reader that holds the lease, but not for long.
func (c *Cache) follow(ctx context.Context, name string, load artwork.Load) (artwork.Answer, error) {
	c.events.Count(managecache.LeaseWait, 1)
	giveUp := time.Now().Add(followPatience * c.patience)
	pause := time.Millisecond
	for time.Now().Before(giveUp) {
		if err := wait.For(ctx, pause+mathrand.N(pause)); err != nil { //nolint:gosec // jitter, not a secret
			c.events.Count(managecache.WaitLeft, 1)
			return artwork.Answer{}, err
		}
		pause = min(2*pause, 20*time.Millisecond)
		held, err := c.get(ctx, name)
		if errors.Is(err, redis.Nil) {
			c.events.Count(managecache.WaitAbandoned, 1)
			return c.fetchMissing(ctx, name, load)
		}
		if err != nil || stateOf(held) != holdsLease {
			c.events.Count(waitEnded(ctx, held, err), 1)
			return c.answer(ctx, name, held, err, load)
		}
	}
	c.events.Count(managecache.WaitGaveUp, 1)
	return c.fallBack(ctx, managecache.FallbackGaveUp, load)
}

// waitEnded tells how a wait for another's fill has ended.
func waitEnded(ctx context.Context, held string, err error) managecache.Event {
	switch {
	case ctx.Err() != nil:
		return managecache.WaitLeft
	case err == nil && stateOf(held) == holdsValue:
		return managecache.WaitFilled
	case err == nil && stateOf(held) == holdsFence:
		return managecache.WaitFenced
	default:
		return managecache.WaitFailed
	}
}

func (c *Cache) get(ctx context.Context, name string) (string, error) {
	return c.reads.get(ctx, c.rdb, name)
}

// takeLease puts the lease into an empty key and fails with redis.Nil, or
// returns what the key holds.
func (c *Cache) takeLease(ctx context.Context, name, lease string) (string, error) {
	budget, cancel := context.WithTimeout(ctx, c.patience)
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
