// Package managecache has the operators' verbs on the image cache: look, drop one
// subject, drop everything.
package managecache

import (
	"context"
	"log/slog"

	"gatefold/application/keepactivity"
	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

// Flusher drops everything that is cached.
type Flusher interface {
	// Flush removes every cached pointer and nothing else, without keeping
	// others waiting, and returns how many it removed; copies in the memory of
	// other processes expire by themselves. Changes under way are not disturbed.
	// Unavailable: the cache cannot be reached; some may be left.
	Flush(ctx context.Context) (removed int, err error)
}

// Manage carries out the verbs.
type Manage struct {
	cache   artwork.ImageCache
	counter Counter
	flusher Flusher
	acts    *keepactivity.Recorder
	log     *slog.Logger
}

// New returns the use cases on the ports.
func New(cache artwork.ImageCache, counter Counter, flusher Flusher, acts *keepactivity.Recorder, log *slog.Logger) *Manage {
	return &Manage{cache, counter, flusher, acts, log}
}

// Stats returns the counters of this process.
func (m *Manage) Stats() Stats { return m.counter.Stats() }

// Invalidate drops every cached pointer of a subject, on all instances, and
// returns once no one can be answered from one. It is never needed for
// staleness: what changes through Gatefold is never stale. It is for rows that
// somebody changed in the database by hand.
func (m *Manage) Invalidate(ctx context.Context, by artwork.Actor, subject artwork.Subject) error {
	if subject.ID.IsZero() {
		return artwork.Errorf(artwork.InvalidInput, "no %s is named", subject.Kind)
	}
	err := m.cache.Change(ctx, subject.Keys(), func(ctx context.Context, fence artwork.Fence) error { return fence.StillHeld(ctx) })
	if err != nil {
		return artwork.Wrap(artwork.Internal, "managecache.Invalidate", err)
	}
	m.acts.Record(ctx, activity.Entry{Actor: by, Action: activity.CacheInvalidate, Subject: activity.SubjectOf(subject, "")})
	m.log.InfoContext(ctx, "Invalidated image cache for "+subject.String())
	return nil
}

// Flush drops everything that is cached and returns how many pointers that were.
func (m *Manage) Flush(ctx context.Context, by artwork.Actor) (int, error) {
	removed, err := m.flusher.Flush(ctx)
	if err == nil || removed > 0 {
		m.acts.Record(ctx, activity.Entry{Actor: by, Action: activity.CacheFlush, After: activity.FactsOf(map[string]int{"removed": removed})})
	}
	if err != nil {
		return removed, artwork.Wrap(artwork.Internal, "managecache.Flush", err)
	}
	m.log.InfoContext(ctx, "Flushed image cache", "removed", removed)
	return removed, nil
}
