package warmcache

import (
	"context"
	"time"

	"gatefold/domain/activity"
	"gatefold/domain/artwork"
)

// Subject warms the cache with every key of a subject, at once and whatever else is
// being warmed. Every key is fetched as a request would fetch it.
//
// Conflict: the cache is turned off. NotFound: there is no such subject. Of other
// failures the Summary tells; what was done is in the activity log.
func (w *Warm) Subject(ctx context.Context, by artwork.Actor, subject artwork.Subject) (Summary, error) {
	if w.settings.Mode() == artwork.CacheOff {
		return Summary{}, artwork.Errorf(artwork.Conflict, "the cache mode of the deployment is off: there is nothing to warm")
	}
	begin := time.Now()
	keys := subject.Keys()
	r := &run{Warm: w, observer: unobserved{}, logged: begin, summary: Summary{Keys: len(keys)}}
	for _, key := range keys {
		answer, err := w.fetcher.Fetch(ctx, key)
		if artwork.KindOf(err) == artwork.NotFound || err != nil && ctx.Err() != nil {
			return Summary{}, artwork.Wrap(artwork.Internal, "warmcache.Subject", err)
		}
		r.count(ctx, answer, err)
	}
	r.summary.Took = time.Since(begin)
	entry := r.summary.entry(by, r.summary.Failed == 0)
	entry.Subject = activity.SubjectOf(subject, "")
	w.acts.Record(ctx, entry)
	return r.summary, nil
}
