package prommetrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"

	"gatefold/domain/artwork"
)

// sampled are the results of comparing a cached answer with the database.
var sampled = []string{"match", "changed", "stale", "skipped", "failed"}

var (
	kinds  = []artwork.SubjectKind{artwork.ArtistSubject, artwork.AlbumSubject, artwork.UserSubject}
	levels = []artwork.Level{artwork.Loaded, artwork.Filled, artwork.Shared, artwork.Process}
)

// absent is the level of a read whose subject does not exist.
const absent = "absent"

// reads counts what the image cache is asked for, by kind; all else, the cache counts itself.
type reads struct {
	total   *prometheus.CounterVec
	changes *prometheus.CounterVec
}

func newReads(m *Metrics) *reads {
	r := &reads{
		total: m.counters("cache_reads_total",
			"Reads of the image in force, by what answered: process and shared are hits; filled was loaded from the database and cached, loaded was not cached; absent: there is no such subject.", "level", "kind"),
		changes: m.counters("cache_changes_total", "Changes that went through the cache.", "result"),
	}
	for _, kind := range kinds {
		for _, level := range levels {
			r.total.WithLabelValues(level.String(), kind.String())
		}
		r.total.WithLabelValues(absent, kind.String())
		r.total.WithLabelValues(failed, kind.String())
	}
	r.changes.WithLabelValues(succeeded)
	r.changes.WithLabelValues(failed)
	return r
}

// Cache returns the cache with its reads and changes counted.
func (m *Metrics) Cache(inner artwork.ImageCache) artwork.ImageCache {
	c := &countedCache{ImageCache: inner, reads: m.cache}
	for _, kind := range kinds {
		for _, level := range levels {
			c.total[kind][level] = m.cache.total.WithLabelValues(level.String(), kind.String())
		}
	}
	return c
}

// countedCache knows its series: to look them up would take longer than to count.
type countedCache struct {
	artwork.ImageCache
	reads *reads
	total [4][4]prometheus.Counter // by kind and level
}

// Fetch implements artwork.ImageCache.
func (c *countedCache) Fetch(ctx context.Context, key artwork.Key, load artwork.Load) (artwork.Answer, error) {
	answer, err := c.ImageCache.Fetch(ctx, key, load)
	if err != nil {
		level := failed
		if artwork.KindOf(err) == artwork.NotFound {
			level = absent
		}
		c.reads.total.WithLabelValues(level, key.Subject.Kind.String()).Inc()
		return answer, err
	}
	c.total[key.Subject.Kind][answer.Level].Inc()
	return answer, nil
}

// Change implements artwork.ImageCache.
func (c *countedCache) Change(ctx context.Context, keys []artwork.Key, commit artwork.Commit) error {
	err := c.ImageCache.Change(ctx, keys, commit)
	c.reads.changes.WithLabelValues(resultOf(err)).Inc()
	return err
}
