package memory

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"math"
	"slices"
	"time"

	"gatefold/application/warmcache"
	"gatefold/domain/artwork"
	"gatefold/domain/fleet"
)

// Requests is the view of a Repository as record of what is requested.
type Requests struct {
	r     *Repository
	terms warmcache.RecordTerms
}

var (
	_ warmcache.Requests = (*Requests)(nil)
	_ warmcache.Changes  = (*ChangeLog)(nil)
	_ fleet.Claims       = (*Claims)(nil)
)

// Requests returns the record of requests, which forgets by the terms.
func (r *Repository) Requests(terms warmcache.RecordTerms) *Requests { return &Requests{r, terms} }

// request is what the requests of a key weighed at some moment.
type request struct {
	weight float64
	at     time.Time
}

// weighs returns the weight at another moment.
func (q request) weighs(now time.Time, halfLife time.Duration) float64 {
	return q.weight * math.Exp2(-now.Sub(q.at).Seconds()/halfLife.Seconds())
}

// Add implements warmcache.Requests.
func (q *Requests) Add(ctx context.Context, counts []warmcache.Count) error {
	return q.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		return func() { q.add(counts, time.Now()) }, nil
	})
}

func (q *Requests) add(counts []warmcache.Count, now time.Time) {
	for _, count := range counts {
		if count.N > 0 {
			weight := q.r.requested[count.Key].weighs(now, q.terms.HalfLife)
			q.r.requested[count.Key] = request{weight + float64(count.N), now}
		}
	}
	heaviest := q.heaviestFirst(now)
	for _, key := range heaviest[min(len(heaviest), q.terms.MaxKeys):] {
		delete(q.r.requested, key)
	}
}

func (q *Requests) heaviestFirst(now time.Time) []artwork.Key {
	weights := map[artwork.Key]float64{}
	for key, requests := range q.r.requested {
		weights[key] = requests.weighs(now, q.terms.HalfLife)
	}
	return slices.SortedFunc(maps.Keys(weights), func(a, b artwork.Key) int {
		return cmp.Or(cmp.Compare(weights[b], weights[a]), bytes.Compare(a.Subject.ID[:], b.Subject.ID[:]), cmp.Compare(a.Type, b.Type))
	})
}

// MostRequested implements warmcache.Requests.
func (q *Requests) MostRequested(ctx context.Context, limit int) (keys []artwork.Key, err error) {
	err = q.r.read(ctx, func() error {
		heaviest := q.heaviestFirst(time.Now())
		keys = heaviest[:min(len(heaviest), max(limit, 0))]
		return nil
	})
	return keys, err
}

// LastChanged implements warmcache.Changes.
func (l *ChangeLog) LastChanged(ctx context.Context, limit int) (places []artwork.Place, err error) {
	err = l.r.read(ctx, func() error {
		places = slices.SortedFunc(maps.Keys(l.r.changedAt), func(a, b artwork.Place) int {
			return l.r.changedAt[b].Compare(l.r.changedAt[a])
		})
		places = places[:min(len(places), max(limit, 0))]
		return nil
	})
	return places, err
}

// Claims is the view of a Repository as claims on tasks.
type Claims struct{ r *Repository }

// Claims returns the claims on tasks.
func (r *Repository) Claims() *Claims { return &Claims{r} }

// taskState is who does a task, and when it was done last.
type taskState struct {
	holder   string
	until    time.Time
	finished time.Time
}

// Claim implements fleet.Claims.
func (c *Claims) Claim(ctx context.Context, claim fleet.Claim, rest time.Duration) (taken bool, holder string, err error) {
	err = c.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		now, task := time.Now(), c.r.tasks[claim.Task]
		switch {
		case now.Before(task.until):
			holder = task.holder
		case now.Sub(task.finished) >= rest:
			taken = true
			task.holder, task.until = claim.Holder, now.Add(claim.Term)
		}
		return func() { c.r.tasks[claim.Task] = task }, nil
	})
	return taken, holder, err
}

// Renew implements fleet.Claims.
func (c *Claims) Renew(ctx context.Context, claim fleet.Claim) error {
	return c.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		now, task := time.Now(), c.r.tasks[claim.Task]
		if task.holder != claim.Holder || !now.Before(task.until) {
			return nil, errNotHeld()
		}
		task.until = now.Add(claim.Term)
		return func() { c.r.tasks[claim.Task] = task }, nil
	})
}

// Release implements fleet.Claims.
func (c *Claims) Release(ctx context.Context, claim fleet.Claim, finished bool) error {
	return c.r.change(ctx, artwork.Unfenced(), func() (func(), error) {
		now, task := time.Now(), c.r.tasks[claim.Task]
		if task.holder == claim.Holder && now.Before(task.until) {
			task.until = now
			if finished {
				task.finished = now
			}
		}
		return func() {
			if task.holder != "" {
				c.r.tasks[claim.Task] = task
			}
		}, nil
	})
}
