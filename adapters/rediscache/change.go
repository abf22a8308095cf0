package rediscache

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"gatefold/application/managecache"
	"gatefold/application/tracing"
	"gatefold/application/wait"
	"gatefold/domain/artwork"
)

// change is one run of Change: its token stands in the fence of every key.
type change struct {
	cache    *Cache
	names    []string
	token    string
	deadline time.Time
}

// Change implements artwork.ImageCache.
func (c *Cache) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	keys, err := artwork.DistinctKeys(keys)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	// A change that began must end: half of it would be a fence that makes
	// every reader go to the database until it expires.
	ctx = context.WithoutCancel(ctx)
	ch := &change{cache: c, token: newToken(), deadline: time.Now().Add(commitTerm)}
	for _, key := range keys {
		ch.names = append(ch.names, key.String())
	}
	if err := ch.fence(ctx); err != nil {
		_, _ = ch.eval(ctx, unfenceScript, ch.token)
		return err
	}
	begin := time.Now()
	err = commit(ctx, artwork.Fence{Keys: keys, Deadline: ch.deadline, Token: ch.token, StillHeld: ch.stillHeld})
	c.events.Took(managecache.StepCommit, time.Since(begin))
	if artwork.KindOf(err) == artwork.OutcomeUnknown {
		// The commit may still land. The fences keep readers on the database
		// until the database itself refuses it.
		return err
	}
	unfenced := ch.unfence(ctx)
	if err != nil {
		// Only the commit's own error matters: fences that could not be taken
		// away expire by themselves.
		return err
	}
	if unfenced == nil {
		ch.finish(ctx)
	}
	return unfenced
}

// finish forgets the record of the change. If that fails, the sweep finds it
// later and evicts keys that hold nothing older: it costs a little and harms
// nobody.
func (ch *change) finish(ctx context.Context) {
	if len(ch.names) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, finishBudget)
	defer cancel()
	if err := ch.cache.changes.Finish(ctx, ch.token); err != nil {
		ch.cache.log.DebugContext(ctx, "A finished change is left to the sweep", "error", err.Error())
	}
}

// fence puts the token into every key's fence and waits until the copies that
// processes made before have expired.
func (ch *change) fence(ctx context.Context) error {
	begin := time.Now()
	step, end := tracing.Step(ctx, "cache.fence")
	_, err := ch.eval(step, fenceScript, ch.token, fenceTerm.Milliseconds())
	end(err)
	ch.cache.events.Took(managecache.StepFence, time.Since(begin))
	if err != nil {
		return unreachable("rediscache.fence", err)
	}
	return ch.waitForCopies(ctx)
}

func (ch *change) waitForCopies(ctx context.Context) error {
	if len(ch.names) == 0 {
		return nil
	}
	begin := time.Now()
	_, end := tracing.Step(ctx, "cache.wait_for_copies")
	defer func() { ch.cache.events.Took(managecache.StepCopyWait, time.Since(begin)) }()
	err := wait.For(ctx, ch.cache.terms.CopyWait())
	end(err)
	return err
}

// stillHeld is the last look before COMMIT. A fence that was lost (evicted, or
// the server was replaced) is set again as long as there is time.
func (ch *change) stillHeld(ctx context.Context) error {
	for {
		held, err := ch.eval(ctx, heldScript, ch.token)
		if err != nil {
			return unreachable("rediscache.stillHeld", err)
		}
		lost := countLost(held)
		if lost == 0 {
			return nil
		}
		ch.cache.events.Count(managecache.FenceLostBeforeCommit, lost)
		if time.Until(ch.deadline) < ch.cache.terms.CopyWait()+changeBudget {
			return unreachable("rediscache.stillHeld", errors.New("the fence was lost"))
		}
		if err := ch.fence(ctx); err != nil {
			return err
		}
		ch.cache.events.Count(managecache.FenceSetAgain, lost)
	}
}

// unfence takes the token out of every fence. If one was lost meanwhile, an
// older value may have been stored and copied: it is deleted, and the copies
// expire before the change is reported.
func (ch *change) unfence(ctx context.Context) error {
	begin := time.Now()
	step, end := tracing.Step(ctx, "cache.unfence")
	held, err := ch.tellEnd(step)
	end(err)
	ch.cache.events.Took(managecache.StepUnfence, time.Since(begin))
	if err != nil {
		return err
	}
	if lost := countLost(held); lost > 0 {
		ch.cache.events.Count(managecache.FenceLostDuringCommit, lost)
		return ch.waitForCopies(ctx)
	}
	return nil
}

// tellEnd has the token taken out of every fence, trying for a while, and
// returns where it was.
func (ch *change) tellEnd(ctx context.Context) (held []int, err error) {
	giveUp := time.Now().Add(unfenceBudget)
	pause := 10 * time.Millisecond
	for {
		held, err := ch.eval(ctx, unfenceScript, ch.token)
		if err == nil {
			return held, nil
		}
		if time.Now().After(giveUp) {
			return nil, &artwork.Error{
				Kind: artwork.NotConfirmed, Op: "rediscache.unfence", Err: err,
				Msg: "the change is made, but the cache could not be told; it is visible everywhere within seconds",
			}
		}
		if err := wait.For(ctx, pause); err != nil {
			return nil, err
		}
		pause = min(2*pause, 200*time.Millisecond)
	}
}

// eval runs a script on every key in one pipeline and returns what it returned
// for each.
func (ch *change) eval(ctx context.Context, script string, args ...any) ([]int, error) {
	if len(ch.names) == 0 {
		return nil, nil
	}
	budget, cancel := context.WithTimeout(ctx, changeBudget)
	defer cancel()
	cmds := make([]*redis.Cmd, len(ch.names))
	_, err := ch.cache.rdb.Pipelined(budget, func(pipe redis.Pipeliner) error {
		for i, name := range ch.names {
			cmds[i] = pipe.Eval(budget, script, []string{name}, args...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	results := make([]int, len(cmds))
	for i, cmd := range cmds {
		if results[i], err = cmd.Int(); err != nil {
			return nil, fmt.Errorf("%s: %w", ch.names[i], err)
		}
	}
	return results, nil
}

// countLost returns how many keys did not hold the token.
func countLost(results []int) (lost int) {
	for _, r := range results {
		if r != 1 {
			lost++
		}
	}
	return lost
}

func unreachable(op string, err error) error {
	return &artwork.Error{
		Kind: artwork.CacheUnreachable, Op: op, Err: err,
		Msg: "the image cache cannot be reached; nothing has changed",
	}
}
