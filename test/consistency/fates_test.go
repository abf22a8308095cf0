package consistency

import (
	"context"
	"sync"
	"time"

	"gatefold/domain/artwork"
	"gatefold/test/badlink"
)

// commit is the middle of a change: its keys are fenced.
type commit struct {
	tr           *trial
	in           *instance
	dice         *dice
	places       []int
	applications []artwork.Application
	fence        artwork.Fence
	window       window // from the last look at the fence until the database answered
}

// fate is what becomes of a commit.
type fate func(ctx context.Context, c *commit) error

// odds is how often a fate strikes.
type odds struct {
	probability float64
	fate        fate
}

// errRefused is the error of a commit that a use case called off.
var errRefused = artwork.Errorf(artwork.Conflict, "called off")

// errDied is what the cache hears from a writer that has died: it leaves its
// fences and its record of the change as they are.
var errDied = artwork.Errorf(artwork.OutcomeUnknown, "the writer has died")

// apply commits. atLast is called between the last look at the fence and COMMIT.
func (c *commit) apply(ctx context.Context, atLast func(ctx context.Context) error) error {
	fence := c.fence
	held, looked := fence.StillHeld, false
	fence.StillHeld = func(ctx context.Context) error {
		c.window.from, looked = c.tr.now(), true
		if err := held(ctx); err != nil {
			return err
		}
		return atLast(ctx)
	}
	_, err := c.in.images.Apply(ctx, fence, c.applications)
	c.window.to = c.tr.now()
	if !looked {
		c.window.from = c.window.to
	}
	if artwork.KindOf(err) == artwork.OutcomeUnknown {
		c.window.to += time.Second // a COMMIT that was sent may still be carried out
	}
	return err
}

func nothing(context.Context) error { return nil }

// succeeds: nothing special.
func succeeds(ctx context.Context, c *commit) error { return c.apply(ctx, nothing) }

// hurries: others may soon finish what this writer leaves if it cannot.
func hurries(ctx context.Context, c *commit) error {
	c.hurry()
	return succeeds(ctx, c)
}

// refuses: the use case calls the change off, before or after the last look.
func refuses(ctx context.Context, c *commit) error {
	if c.dice.hits(0.5) {
		return errRefused
	}
	return c.apply(ctx, func(context.Context) error { return errRefused })
}

// diesFenced: the writer dies with its fence set.
func diesFenced(context.Context, *commit) error { return errDied }

// diesCommitted: the writer dies between the commit and the end of its fence,
// which in half of the cases was lost before.
func diesCommitted(ctx context.Context, c *commit) error {
	c.hurry()
	atLast := nothing
	if c.tr.operator.Load() != nil && c.dice.hits(0.5) {
		atLast = c.loseFence
	}
	if err := c.apply(ctx, atLast); err != nil {
		return err
	}
	return errDied
}

// isCutOff: after its commit the instance loses Redis, for longer than it tries to
// tell it of the change.
func isCutOff(ctx context.Context, c *commit) error {
	c.hurry()
	if err := c.apply(ctx, nothing); err != nil {
		return err
	}
	c.in.redis.Cut()
	c.tr.late.Go(func() {
		time.Sleep(3500 * time.Millisecond)
		if err := c.in.redis.Join(c.tr.master.Addr); err != nil {
			c.tr.surprise(err)
		}
	})
	return nil
}

// hurry sets a nearer deadline, after which others may finish what this writer
// leaves: a trial is not to wait for the usual one.
func (c *commit) hurry() { c.fence.Deadline = soonest(c.fence.Deadline, 1500*time.Millisecond) }

func soonest(deadline time.Time, ahead time.Duration) time.Time {
	if other := time.Now().Add(ahead); other.Before(deadline) {
		return other
	}
	return deadline
}

// isOverlapped: while it commits, another change of the same places begins and
// ends, and readers have time to find that. This one's fence must survive it.
func isOverlapped(ctx context.Context, c *commit) error {
	return c.apply(ctx, func(ctx context.Context) error {
		c.tr.told(c.tr.anyone().cache.Change(ctx, c.tr.keys(c.places), invalidates))
		pause(ctx, c.dice.between(0, 30*time.Millisecond))
		return nil
	})
}

// invalidates is a commit of nothing.
func invalidates(context.Context, artwork.Fence) error { return nil }

// isJoined: while it commits, another instance starts and replays what has
// changed lately, and readers have time to find that.
func isJoined(ctx context.Context, c *commit) error {
	return c.apply(ctx, func(ctx context.Context) error {
		newcomer, err := openRedis(c.in.options, policy, c.in.log)
		if err != nil {
			return err
		}
		defer func() { _ = newcomer.Close() }()
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		_ = newcomer.Ready(ctx) // or not in time
		pause(ctx, c.dice.between(0, 30*time.Millisecond))
		return nil
	})
}

// losesFence: an operator deletes the key that is being changed, and readers have
// time to find that.
func losesFence(ctx context.Context, c *commit) error { return c.apply(ctx, c.loseFence) }

// losesFenceEarly: as losesFence, but before the last look at the fence.
func losesFenceEarly(ctx context.Context, c *commit) error {
	if err := c.loseFence(ctx); err != nil {
		return err
	}
	return c.apply(ctx, nothing)
}

func (c *commit) loseFence(ctx context.Context) error {
	place := c.places[c.dice.below(len(c.places))]
	for _, key := range c.tr.places[place].Keys() {
		c.tr.evict(ctx, place, key)
	}
	pause(ctx, c.dice.between(0, 60*time.Millisecond))
	return nil
}

// evict deletes a key as an operator does, a fence as well.
func (tr *trial) evict(ctx context.Context, place int, key artwork.Key) {
	begin := tr.now()
	_ = tr.operator.Load().Del(ctx, key.String()).Err() // it may have happened
	tr.history.lost(place, window{begin, tr.now()})
}

// commitsLate: the writer gives up on a COMMIT that is on its way and lands
// later, or never.
func commitsLate(ctx context.Context, c *commit) error {
	c.hurry()
	sent := make(chan struct{})
	ended := make(chan error, 1)
	var once sync.Once // a transaction may be tried again
	c.tr.late.Go(func() {
		ended <- c.apply(context.WithoutCancel(ctx), func(ctx context.Context) error {
			once.Do(func() { close(sent) })
			pause(ctx, c.dice.between(0, 400*time.Millisecond))
			if c.dice.hits(0.3) {
				return errRefused
			}
			return nil
		})
	})
	select {
	case <-sent:
		return artwork.Errorf(artwork.OutcomeUnknown, "the writer has given up")
	case err := <-ended:
		return err
	}
}

// losesAnswer: COMMIT arrives, its answer does not, and the connection breaks.
func losesAnswer(ctx context.Context, c *commit) error {
	c.hurry()
	return c.apply(ctx, func(context.Context) error {
		if err := c.in.postgres.Swallow(badlink.Answers); err != nil {
			return err
		}
		c.tr.late.Go(func() {
			time.Sleep(30 * time.Millisecond)
			c.in.postgres.Heal()
		})
		return nil
	})
}

// losesConnection: the connection breaks just before, while or after COMMIT is
// sent.
func losesConnection(ctx context.Context, c *commit) error {
	c.hurry()
	return c.apply(ctx, func(context.Context) error {
		wait := c.dice.between(0, time.Millisecond)
		c.tr.late.Go(func() {
			time.Sleep(wait)
			if err := c.in.postgres.Interrupt(); err != nil {
				c.tr.surprise(err)
			}
		})
		return nil
	})
}

// isSlow: the commit is held up until around its deadline, at which the database
// ends it.
func isSlow(ctx context.Context, c *commit) error {
	ahead := c.dice.between(100*time.Millisecond, 400*time.Millisecond)
	c.fence.Deadline = soonest(c.fence.Deadline, ahead)
	return c.apply(ctx, func(ctx context.Context) error {
		pause(ctx, c.dice.between(0, 2*ahead))
		return nil
	})
}

// isVerySlow: the commit is held up until its fence has ended by itself, some time
// after its deadline.
func isVerySlow(ctx context.Context, c *commit) error {
	return c.apply(ctx, func(ctx context.Context) error {
		left := time.Until(c.fence.Deadline)
		pause(ctx, left+c.dice.between(1200*time.Millisecond, 2*time.Second))
		return nil
	})
}
