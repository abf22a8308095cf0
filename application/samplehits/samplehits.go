// Package samplehits compares a small share of what the cache answers with the database
// afterwards, so that the promise that nothing stale is served is watched in production and
// not only in tests.
package samplehits

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"time"

	"gatefold/application/wait"
	"gatefold/domain/artwork"
)

// Result is what a comparison has found.
type Result string

// The results. Only Stale breaks a promise.
const (
	// Match: the database says the same.
	Match Result = "match"
	// Changed: the database says something else, because it was changed meanwhile, or so
	// shortly before the read that nobody can tell; and the cache no longer says the other.
	Changed Result = "changed"
	// Stale: an image was served that was no longer in force when the read began.
	Stale Result = "stale"
	// Skipped: it was not compared, because others are waiting to be.
	Skipped Result = "skipped"
	// Failed: the database could not be asked.
	Failed Result = "failed"
)

const (
	// Margin is how far the clocks of instances and of the database may differ, and how long
	// before its commit the time of a change may lie.
	Margin = 30 * time.Second
	// waiting bounds how many samples wait to be compared.
	waiting = 64
	// pause keeps samples from taking more than a few reads a second.
	pause = 50 * time.Millisecond
	// budget bounds a read of the database.
	budget = 5 * time.Second
)

// Counter is told of every result. It may be called concurrently.
type Counter interface{ Sampled(result string) }

// Sampler takes samples of a cache's answers, and compares them while Run runs.
type Sampler struct {
	images  artwork.ImageRepository
	share   float64
	counter Counter
	log     *slog.Logger
	samples chan sample
	pause   time.Duration
}

// sample is an answer of a cache.
type sample struct {
	cache artwork.ImageCache
	key   artwork.Key
	image *artwork.Image
	level artwork.Level
	begun time.Time
}

// New returns a sampler that compares this share of the answers that come from the cache, 0 to
// 1, with the repository.
func New(images artwork.ImageRepository, share float64, counter Counter, log *slog.Logger) *Sampler {
	return &Sampler{images, share, counter, log, make(chan sample, waiting), pause}
}

// Observe returns the cache, whose answers are sampled. Nobody waits for that.
func (s *Sampler) Observe(cache artwork.ImageCache) artwork.ImageCache {
	if s.share <= 0 {
		return cache
	}
	return observed{cache, s}
}

type observed struct {
	artwork.ImageCache
	sampler *Sampler
}

// Fetch implements artwork.ImageCache.
func (o observed) Fetch(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
	//nolint:gosec // which answers are compared is no secret
	taken := rand.Float64() < o.sampler.share
	if !taken {
		return o.ImageCache.Fetch(ctx, key, load)
	}
	begun := time.Now()
	answer, err := o.ImageCache.Fetch(ctx, key, load)
	if err == nil && isHit(answer) {
		o.sampler.take(sample{o.ImageCache, key, answer.Image, answer.Level, begun})
	}
	return answer, err
}

func (s *Sampler) take(taken sample) {
	select {
	case s.samples <- taken:
	default:
		s.counter.Sampled(string(Skipped))
	}
}

// Run compares samples until ctx ends.
func (s *Sampler) Run(ctx context.Context) {
	for {
		select {
		case taken := <-s.samples:
			s.counter.Sampled(string(s.compare(ctx, taken)))
		case <-ctx.Done():
			return
		}
		if wait.For(ctx, s.pause) != nil {
			return
		}
	}
}

func (s *Sampler) compare(ctx context.Context, taken sample) Result {
	ctx, cancel := context.WithTimeout(ctx, budget)
	defer cancel()
	now, err := s.inForce(ctx, taken.key)
	if err != nil {
		return Failed
	}
	if tagOf(now) == tagOf(taken.image) {
		return Match
	}
	if now != nil && now.LastModified.Before(taken.begun.Add(-Margin)) {
		return s.stale(ctx, taken, now)
	}
	return s.confirm(ctx, taken, now)
}

// confirm needs no clock: what the database said before the cache was asked again, and still
// says after it, the cache must say too.
func (s *Sampler) confirm(ctx context.Context, taken sample, before *artwork.Image) Result {
	load := func(ctx context.Context) (*artwork.Image, error) { return s.inForce(ctx, taken.key) }
	answer, err := taken.cache.Fetch(ctx, taken.key, load)
	if err != nil {
		return Failed
	}
	after, err := s.inForce(ctx, taken.key)
	if err != nil {
		return Failed
	}
	if isHit(answer) && tagOf(answer.Image) != tagOf(before) && same(before, after) {
		return s.stale(ctx, taken, after)
	}
	return Changed
}

// inForce returns what the database says; of a subject that is gone, that its slots are empty.
func (s *Sampler) inForce(ctx context.Context, key artwork.Key) (*artwork.Image, error) {
	img, err := s.images.InForce(ctx, key.Place())
	if err != nil && artwork.KindOf(err) == artwork.NotFound {
		return nil, nil
	}
	return img, err
}

func (s *Sampler) stale(ctx context.Context, taken sample, now *artwork.Image) Result {
	s.log.ErrorContext(ctx, "A stale image was served", "key", taken.key.String(), "level", taken.level.String(),
		"served", string(tagOf(taken.image)), "inForce", string(tagOf(now)))
	return Stale
}

// same reports whether a slot was not changed between two looks. An image's LastModified never
// comes again.
func same(a, b *artwork.Image) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Tag == b.Tag && a.LastModified.Equal(b.LastModified)
}

func isHit(answer artwork.Answer) bool {
	return answer.Level == artwork.Shared || answer.Level == artwork.Process
}

func tagOf(img *artwork.Image) artwork.Tag {
	if img == nil {
		return ""
	}
	return img.Tag
}
