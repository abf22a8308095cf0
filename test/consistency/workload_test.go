package consistency

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
)

const (
	readersPerInstance = 8
	// readerRest is the longest pause of a reader between two operations.
	readerRest = 10 * time.Millisecond
	// fetchLimit bounds one read.
	fetchLimit = 15 * time.Second
)

// How often readers do something else than to ask the cache.
const (
	pastCopies   = 0.10 // ask the shared level
	pastCache    = 0.03 // ask the database
	hangsUp      = 0.02 // lose patience at once
	changesTwo   = 0.25 // writers: two places in one change
	invalidation = 0.05 // writers: a change of nothing
)

// work starts the readers of each instance, and 3 to 12 writers.
func (tr *trial) work(seed uint64) {
	for i, in := range tr.fleet {
		for n := range readersPerInstance {
			d := newDice(seed, fmt.Sprintf("reader %d of %d", n, i))
			tr.repeat(d, readerRest, func() { tr.read(in, d) })
		}
	}
	writers := 3 + tr.dice.below(10)
	rest := tr.writerRest(writers)
	for n := range writers {
		in := tr.fleet[n%len(tr.fleet)]
		d := newDice(seed, fmt.Sprintf("writer %d", n))
		tr.repeat(d, rest, func() { tr.write(in, d) })
	}
}

// writerRest is the longest pause of a writer between two changes: so long that
// a place is fenced for about half of the time, and can be cached in between.
func (tr *trial) writerRest(writers int) time.Duration {
	const fenced = 60 * time.Millisecond
	cycle := fenced * time.Duration(writers) * 5 / 2 / time.Duration(tr.quiet())
	return max(2*(cycle-fenced), 10*time.Millisecond)
}

// quiet is the place that the writers leave alone.
func (tr *trial) quiet() int { return len(tr.places) - 1 }

// repeat does something until the trial ends, with pauses.
func (tr *trial) repeat(d *dice, rest time.Duration, do func()) {
	tr.workers.Go(func() {
		for {
			select {
			case <-tr.stop:
				return
			case <-time.After(d.between(0, rest)):
				do()
			}
		}
	})
}

// read asks for a place by one of its keys, on one of three ways.
func (tr *trial) read(in *instance, d *dice) {
	place := d.below(len(tr.places))
	keys := tr.places[place].Keys()
	key := keys[d.below(len(keys))]
	ctx, cancel := context.WithTimeout(context.Background(), fetchLimit)
	defer cancel()
	impatient := d.hits(hangsUp)
	if impatient {
		ctx, cancel = context.WithTimeout(ctx, d.between(0, 5*time.Millisecond))
		defer cancel()
	}
	fetch := in.cache.Fetch
	switch {
	case d.hits(pastCache):
		fetch = fetchNothing
	case d.hits(pastCopies):
		fetch = in.shared.Fetch
	}
	in.did(1, 0, 0)
	if err := tr.fetch(ctx, in, place, key, fetch); err != nil && !impatient {
		tr.failed("read", err)
	}
}

// fetchNothing is Fetch of a cache that never holds anything.
func fetchNothing(ctx context.Context, _ artwork.Key, load artwork.Load) (artwork.Answer, error) {
	image, err := load(ctx)
	return artwork.Answer{Image: image}, err
}

// fetch reads and records the answer.
func (tr *trial) fetch(ctx context.Context, in *instance, place int, key artwork.Key,
	fetch func(context.Context, artwork.Key, artwork.Load) (artwork.Answer, error),
) error {
	begin := tr.now()
	answer, err := fetch(ctx, key, in.load(key))
	end := tr.now()
	if err != nil {
		return err
	}
	r := reading{window: window{begin, end}, place: place, by: in.name, level: answer.Level}
	if answer.Image != nil {
		r.image = answer.Image.RecordID
	}
	tr.history.read(r)
	in.did(0, 1, 0)
	return nil
}

func (in *instance) load(key artwork.Key) artwork.Load {
	return func(ctx context.Context) (*artwork.Image, error) {
		ctx, cancel := context.WithTimeout(ctx, loadLimit)
		defer cancel()
		return in.images.InForce(ctx, key.Place())
	}
}

// readEverything asks every instance for every key. A connection that broke
// before may only be found out now.
func (tr *trial) readEverything() {
	ctx, cancel := context.WithTimeout(tr.t.Context(), endLimit)
	defer cancel()
	for _, in := range tr.fleet {
		for place := range tr.places {
			for _, key := range tr.places[place].Keys() {
				err := tr.fetch(ctx, in, place, key, in.cache.Fetch)
				for ; err != nil && ctx.Err() == nil; err = tr.fetch(ctx, in, place, key, in.cache.Fetch) {
					pause(ctx, 10*time.Millisecond)
				}
				require.NoError(tr.t, err, "the last read of %s", key)
			}
		}
	}
}

// write changes one or two places, or none.
func (tr *trial) write(in *instance, d *dice) {
	in.did(1, 0, 0)
	places := []int{d.below(tr.quiet())}
	if other := d.below(tr.quiet()); other != places[0] && d.hits(changesTwo) {
		places = append(places, other)
	}
	if d.hits(invalidation) {
		tr.told(in.cache.Change(context.Background(), tr.keys(places), invalidates))
		return
	}
	tr.apply(in, d, places, tr.scenario.fate(d))
}

func (tr *trial) keys(places []int) []artwork.Key {
	var keys []artwork.Key
	for _, place := range places {
		keys = append(keys, tr.places[place].Keys()...)
	}
	return keys
}

// apply puts new images in force and records what the writer was told.
func (tr *trial) apply(in *instance, d *dice, places []int, fate fate) {
	c := &commit{tr: tr, in: in, dice: d, places: places}
	for _, place := range places {
		c.applications = append(c.applications, newApplication(tr.places[place]))
	}
	begin := tr.now()
	err := in.cache.Change(context.Background(), tr.keys(places), func(ctx context.Context, fence artwork.Fence) error {
		c.fence = fence
		return fate(ctx, c)
	})
	end := tr.now()
	told := tr.told(err)
	if told == acknowledged {
		in.did(0, 0, 1)
	}
	for i, place := range places {
		tr.history.changed(change{window{begin, end}, place, c.applications[i].Record.ID, told, &c.window})
	}
}

// newApplication is the wish to put in force an image that nobody knows yet.
func newApplication(place artwork.Place) artwork.Application {
	id := artwork.NewID()
	return artwork.Application{By: artwork.Actor{Name: "writer"}, Record: artwork.Record{
		ID: id, Place: place, Source: artwork.Custom, AddedBy: "writer",
		Content: artwork.Content{Hash: artwork.HashOf(id[:]), Size: 1, MIMEType: "image/png", Width: 1, Height: 1},
	}}
}

// told is what the contract says about an error of Change.
func (tr *trial) told(err error) result {
	switch {
	case err == nil:
		return acknowledged
	case errors.Is(err, errRefused):
		return undone
	}
	switch artwork.KindOf(err) {
	case artwork.NotConfirmed:
		return unconfirmed
	case artwork.OutcomeUnknown:
		return unknown
	default:
		tr.failed("change", err)
		return undone
	}
}

// failed takes in an error that a server which is away or slow may explain.
func (tr *trial) failed(what string, err error) {
	kind := artwork.KindOf(err)
	if kind != artwork.CacheUnreachable && kind != artwork.Unavailable && !errors.Is(err, context.DeadlineExceeded) {
		tr.surprise(fmt.Errorf("%s: %w", what, err))
	}
}
