package oteltraces

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/trace"

	"gatefold/domain/artwork"
)

// Cache returns the cache with its answers and changes recorded. Of those, the outermost is
// to be decorated.
func (t *Traces) Cache(inner artwork.ImageCache) artwork.ImageCache {
	if t == nil {
		return inner
	}
	return tracedCache{inner}
}

type tracedCache struct{ artwork.ImageCache }

// Fetch implements artwork.ImageCache.
func (c tracedCache) Fetch(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
	s := scopeOf(ctx)
	if s == nil {
		return c.ImageCache.Fetch(ctx, key, load)
	}
	inSpan, span := s.begin(ctx, "cache.fetch", trace.WithAttributes(factsOf(key)...))
	if span == nil {
		return c.ImageCache.Fetch(ctx, key, load)
	}
	answer, err := c.ImageCache.Fetch(inSpan, key, load)
	if err == nil {
		span.SetAttributes(level.String(answer.Level.String()))
	}
	fail(span, err)
	span.End()
	return answer, err
}

// factsOf tells which image a key is of. Who a user is, is nobody's business.
func factsOf(key artwork.Key) []attribute.KeyValue {
	facts := []attribute.KeyValue{subject.String(key.Subject.Kind.String()), imageType.String(key.Type.String())}
	if key.Subject.Kind != artwork.UserSubject {
		facts = append(facts, subjectID.String(key.Subject.ID.String()))
	}
	return facts
}

// Change implements artwork.ImageCache. Its commit is a step of it, and the last look at the
// fence a step of that.
func (c tracedCache) Change(ctx context.Context, changed []artwork.Key, commit artwork.Commit) error {
	s := scopeOf(ctx)
	if s == nil {
		return c.ImageCache.Change(ctx, changed, commit)
	}
	ctx, span := s.begin(ctx, "cache.change", trace.WithAttributes(keys.Int(len(changed))))
	if span == nil {
		return c.ImageCache.Change(ctx, changed, commit)
	}
	err := c.ImageCache.Change(ctx, changed, func(ctx context.Context, fence artwork.Fence) error { return s.commit(ctx, fence, commit) })
	fail(span, err)
	span.End()
	return err
}

func (s *scope) commit(ctx context.Context, fence artwork.Fence, commit artwork.Commit) error {
	ctx, end := s.Step(ctx, "cache.commit", nil)
	held := fence.StillHeld
	fence.StillHeld = func(ctx context.Context) error {
		ctx, end := s.Step(ctx, "cache.still_held", nil)
		err := held(ctx)
		end(err)
		return err
	}
	err := commit(ctx, fence)
	end(err)
	return err
}
