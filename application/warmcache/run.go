package warmcache

import (
	"context"
	"sync"
	"time"

	"gatefold/domain/artwork"
)

const (
	// workers bounds how many loads of warming the database sees at once; it has
	// others to answer.
	workers = 4
	// tooMany is after how many keys in a row that nothing was cached of a run
	// gives up: without a cache it would only burden the database.
	tooMany = 50
	// logEvery is how often the log tells of the progress.
	logEvery = 10 * time.Second
)

// run is one warming.
type run struct {
	*Warm
	observer Observer

	mu      sync.Mutex
	summary Summary
	inVain  int       // keys in a row that nothing was cached of
	logged  time.Time // when the log was last told
}

// fetchAll fetches the keys in their order, no faster than the rate. An error
// means that it ended early.
func (r *run) fetchAll(ctx context.Context, keys []artwork.Key) error {
	ctx, end := context.WithCancelCause(ctx)
	defer end(nil)
	next := make(chan artwork.Key)
	var fetching sync.WaitGroup
	for range workers {
		fetching.Go(func() {
			for key := range next {
				r.fetch(ctx, key, end)
			}
		})
	}
	r.pace(ctx, keys, next)
	close(next)
	fetching.Wait()
	return context.Cause(ctx)
}

// pace hands out one key per tick. What a slow cache keeps it from is not caught
// up with.
func (r *run) pace(ctx context.Context, keys []artwork.Key, next chan<- artwork.Key) {
	ticker := time.NewTicker(time.Second / time.Duration(r.cfg.Rate))
	defer ticker.Stop()
	for _, key := range keys {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		select {
		case next <- key:
		case <-ctx.Done():
			return
		}
	}
}

func (r *run) fetch(ctx context.Context, key artwork.Key, end context.CancelCauseFunc) {
	if ctx.Err() != nil {
		return
	}
	answer, err := r.fetcher.Fetch(ctx, key)
	if err != nil && ctx.Err() != nil {
		return
	}
	if err != nil {
		r.log.DebugContext(ctx, "Not warmed", "key", key.String(), "error", err.Error())
	}
	if r.count(ctx, answer, err) {
		end(artwork.Errorf(artwork.Unavailable, "of %d keys in a row nothing was cached; can the cache be reached?", tooMany))
	}
}

// count notes what became of a key and tells of the progress. It reports whether
// going on makes no sense.
func (r *run) count(ctx context.Context, answer artwork.Answer, err error) (giveUp bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := &r.summary
	switch {
	case artwork.KindOf(err) == artwork.NotFound: // the subject is gone, which says nothing about the cache
		s.Failed++
	case err != nil:
		s.Failed++
		r.inVain++
	case answer.Level == artwork.Loaded:
		s.Bypassed++
		r.inVain++
	default:
		r.inVain = 0
		switch {
		case answer.Level != artwork.Filled:
			s.Present++
		case answer.Image == nil:
			s.Empty++
		default:
			s.Filled++
		}
	}
	r.observer.Progress(s.done(), s.Keys)
	if time.Since(r.logged) >= logEvery {
		r.logged = time.Now()
		r.log.InfoContext(ctx, "Warming image cache", "done", s.done(), "keys", s.Keys, "filled", s.Filled)
	}
	return r.inVain >= tooMany
}
