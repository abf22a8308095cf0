package prommetrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"gatefold/application/managecache"
)

// description is that of a metric whose value is read when it is asked for.
func description(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

var (
	readTime     = description("cache_read_duration_seconds", "Reads of the image in force, as their callers saw them, by what answered.", "level")
	loadTime     = description("cache_load_duration_seconds", "Reads of the database on behalf of the cache, and waiting for the turn to.", "step")
	changeTime   = description("cache_change_duration_seconds", "Changes: all is until no instance can serve the older image; and their steps.", "step")
	misses       = description("cache_misses_total", "Looks that found nothing held.")
	sharedLooks  = description("cache_shared_looks_total", "Readers who shared another's look into the shared cache.")
	fencesMet    = description("cache_fences_met_total", "Readers who met a change under way.")
	refusedFills = description("cache_refused_fills_total", "What was loaded for a miss and not stored, by why. Each is a stale fill that cannot happen.", "reason")
	leaseWaits   = description("cache_lease_waits_total", "Waits for another reader's fill, by how they ended.", "outcome")
	fallbacks    = description("cache_fallbacks_total", "Reads that went to the database although nobody knew that the cache holds nothing, by why.", "reason")
	lostFences   = description("cache_lost_fences_total", "Keys whose fence was lost while their change was under way, by when.", "phase")
	fencesAgain  = description("cache_fences_set_again_total", "Keys whose fence was lost before the commit, and set again.")
	replays      = description("cache_replays_total", "How often recent changes were replayed on a server that may have missed some.")
	replayedKeys = description("cache_replayed_keys_total", "Keys that were evicted for that.")
	swept        = description("cache_swept_changes_total", "Changes that were finished because their writer had died.")
	loadsRefused = description("cache_loads_refused_total", "Reads of the database that were refused, by why.", "reason")
	loadsRunning = description("cache_loads_running", "Reads of the database on behalf of the cache, at this moment.")
	loadsWaiting = description("cache_loads_waiting", "Reads of the database that wait for their turn, at this moment.")
	breakerTrips = description("cache_breaker_trips_total", "How often readers stopped asking the shared cache.")
	breakerOpen  = description("cache_breaker_open", "1 while readers do not ask the shared cache, because it has failed too often.")
	redisConns   = description("redis_pool_connections", "Connections to Redis, by what they do.", "state")
	redisMax     = description("redis_pool_max_connections", "Connections that there may be to one server.")
	redisTimeout = description("redis_pool_timeouts_total", "How often nobody gave a connection back in time.")
	entries      = description("cache_entries", "What is held in the memory of this process, by the level that holds it.", "level")
	entriesMax   = description("cache_max_entries", "What may be held in the memory of this process.", "level")
	entryBytes   = description("cache_bytes", "The memory that it takes, roughly.", "level")
)

// cacheCollector exports what the cache counts itself.
type cacheCollector struct {
	counter managecache.Counter
	levels  managecache.Levels
}

// CacheCounts exports what the cache counts, and what its levels in this process hold.
func (m *Metrics) CacheCounts(counter managecache.Counter, levels managecache.Levels) {
	m.registry.MustRegister(&cacheCollector{counter, levels})
}

// Describe implements prometheus.Collector.
func (c *cacheCollector) Describe(descriptions chan<- *prometheus.Desc) {
	prometheus.DescribeByCollect(c, descriptions)
}

// Collect implements prometheus.Collector.
func (c *cacheCollector) Collect(metrics chan<- prometheus.Metric) {
	s := c.counter.Stats()
	sink := sink{metrics}
	sink.counter(misses, s.Misses)
	sink.counter(sharedLooks, s.SharedLooks)
	sink.counter(fencesMet, s.FencesMet)
	sink.why(s)
	sink.counter(lostFences, s.LostFences.BeforeCommit, "before_commit")
	sink.counter(lostFences, s.LostFences.DuringCommit, "during_commit")
	sink.counter(fencesAgain, s.LostFences.SetAgain)
	sink.counter(replays, s.Recovery.Replays)
	sink.counter(replayedKeys, s.Recovery.ReplayedKeys)
	sink.counter(swept, s.Recovery.SweptChanges)
	sink.gauge(loadsRunning, float64(s.Loads.Running))
	sink.gauge(loadsWaiting, float64(s.Loads.Waiting))
	sink.counter(breakerTrips, s.Breaker.Opened)
	sink.times(s)
	c.occupied(sink)
}

// occupied tells of the levels.
func (c *cacheCollector) occupied(sink sink) {
	for name, level := range map[string]managecache.Local{"memory": c.levels.Memory, "copies": c.levels.Copies} {
		var o managecache.Occupied
		if level != nil {
			o = level.Occupied()
		}
		sink.gauge(entries, float64(o.Entries), name)
		sink.gauge(entriesMax, float64(o.MaxEntries), name)
		sink.gauge(entryBytes, float64(o.Bytes), name)
	}
	var way managecache.Connection
	if c.levels.Shared != nil {
		way = c.levels.Shared.Connection()
	}
	open := 0.0
	if way.BreakerOpen {
		open = 1
	}
	sink.gauge(breakerOpen, open)
	sink.gauge(redisConns, float64(way.Open-way.Idle), "used")
	sink.gauge(redisConns, float64(way.Idle), "idle")
	sink.gauge(redisMax, float64(way.MaxOpen))
	sink.counter(redisTimeout, way.Timeouts)
}

// sink takes metrics.
type sink struct{ metrics chan<- prometheus.Metric }

func (s sink) counter(d *prometheus.Desc, value int64, labels ...string) {
	s.metrics <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
}

func (s sink) gauge(d *prometheus.Desc, value float64, labels ...string) {
	s.metrics <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

// histogram exports a distribution.
func (s sink) histogram(d *prometheus.Desc, t managecache.Timing, labels ...string) {
	buckets, below := map[float64]uint64{}, uint64(0)
	for i, bound := range managecache.Bounds() {
		below += uint64(t.Buckets[i])
		buckets[bound.Seconds()] = below
	}
	s.metrics <- prometheus.MustNewConstHistogram(d, uint64(t.Count), t.SumMs/1000, buckets, labels...)
}

// why tells why reads went past the cache.
func (s sink) why(stats managecache.Stats) {
	for reason, n := range map[string]int64{
		"expired": stats.RefusedFills.Expired, "fenced": stats.RefusedFills.Fenced, "gone": stats.RefusedFills.Gone,
		"taken_over": stats.RefusedFills.TakenOver, "unreachable": stats.RefusedFills.Unreachable,
	} {
		s.counter(refusedFills, n, reason)
	}
	for outcome, n := range map[string]int64{
		"filled": stats.LeaseWaits.Filled, "fenced": stats.LeaseWaits.Fenced, "abandoned": stats.LeaseWaits.Abandoned,
		"gave_up": stats.LeaseWaits.GaveUp, "failed": stats.LeaseWaits.Failed, "left": stats.LeaseWaits.Left,
	} {
		s.counter(leaseWaits, n, outcome)
	}
	for reason, n := range map[string]int64{
		"error": stats.Fallbacks.Error, "timeout": stats.Fallbacks.Timeout, "breaker_open": stats.Fallbacks.BreakerOpen, "untrusted": stats.Fallbacks.Untrusted,
		"unreadable": stats.Fallbacks.Unreadable, "fence": stats.Fallbacks.Fence, "gave_up": stats.Fallbacks.GaveUp,
	} {
		s.counter(fallbacks, n, reason)
	}
	s.counter(loadsRefused, stats.Loads.RefusedFull, "full")
	s.counter(loadsRefused, stats.Loads.RefusedLate, "late")
}

// times tells how long everything took.
func (s sink) times(stats managecache.Stats) {
	for level, timing := range map[string]managecache.Timing{
		"process": stats.ReadTime.Process, "shared": stats.ReadTime.Shared, "filled": stats.ReadTime.Fill, "loaded": stats.ReadTime.Bypass, "error": stats.ReadTime.Failed,
	} {
		s.histogram(readTime, timing, level)
	}
	for step, timing := range map[string]managecache.Timing{
		"all": stats.ChangeTime.All, "fence": stats.ChangeTime.Fence, "copy_wait": stats.ChangeTime.CopyWait, "commit": stats.ChangeTime.Commit, "unfence": stats.ChangeTime.Unfence,
	} {
		s.histogram(changeTime, timing, step)
	}
	s.histogram(loadTime, stats.LoadTime.Read, "read")
	s.histogram(loadTime, stats.LoadTime.Wait, "wait")
}
