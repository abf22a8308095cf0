package managecache

import (
	"encoding/json"
	"slices"
	"sync"
	"time"
)

const (
	// Resolution is the time from one point of the history to the next. All
	// instances take theirs at the same times, so that they can be added.
	Resolution = 10 * time.Second
	// historyPoints are kept: an hour.
	historyPoints = 360
)

// Point is what happened in one stretch of time. Its names in JSON are what
// instances of several releases tell each other.
type Point struct {
	// At is the end of the stretch, a multiple of Resolution.
	At time.Time `json:"at"`
	// Seconds is how long it was: longer than Resolution if the process stood still.
	Seconds float64 `json:"seconds"`
	// Instances are counted in it.
	Instances int `json:"instances"`

	ProcessHits   int64        `json:"processHits"`
	SharedHits    int64        `json:"sharedHits"`
	Fills         int64        `json:"fills"`
	Bypasses      int64        `json:"bypasses"`
	Errors        int64        `json:"errors"`
	RefusedFills  RefusedFills `json:"refusedFills"`
	Fallbacks     int64        `json:"fallbacks"`
	LostFences    int64        `json:"lostFences"`
	Loads         int64        `json:"loads"`
	RefusedLoads  int64        `json:"refusedLoads"`
	Changes       int64        `json:"changes"`
	FailedChanges int64        `json:"failedChanges"`

	ReadTime   Distribution `json:"readTime"`
	ChangeTime Distribution `json:"changeTime"`

	// Entries are held in process memory at its end.
	Entries int `json:"entries"`
}

// packedPoint is a Point in JSON: most buckets of a stretch are empty, and left out.
type packedPoint struct {
	plainPoint
	ReadTime   map[int]int64 `json:"readTime,omitempty"`
	ChangeTime map[int]int64 `json:"changeTime,omitempty"`
}

type plainPoint Point

// MarshalJSON implements json.Marshaler.
func (p Point) MarshalJSON() ([]byte, error) {
	return json.Marshal(packedPoint{plainPoint(p), p.ReadTime.filled(), p.ChangeTime.filled()})
}

// UnmarshalJSON implements json.Unmarshaler.
func (p *Point) UnmarshalJSON(text []byte) error {
	var packed packedPoint
	if err := json.Unmarshal(text, &packed); err != nil {
		return err
	}
	*p = Point(packed.plainPoint)
	p.ReadTime, p.ChangeTime = distributionOf(packed.ReadTime), distributionOf(packed.ChangeTime)
	return nil
}

// Between returns what happened from one look at the counters to a later one.
func Between(before, after Stats) Point {
	return Point{
		Instances:   1,
		ProcessHits: after.ProcessHits - before.ProcessHits, SharedHits: after.SharedHits - before.SharedHits,
		Fills: after.Fills - before.Fills, Bypasses: after.Bypasses - before.Bypasses, Errors: after.Errors - before.Errors,
		RefusedFills: after.RefusedFills.minus(before.RefusedFills),
		Fallbacks:    after.Fallbacks.all() - before.Fallbacks.all(),
		LostFences:   after.LostFences.all() - before.LostFences.all(),
		Loads:        after.Loads.All - before.Loads.All, RefusedLoads: after.Loads.refused() - before.Loads.refused(),
		Changes: after.Changes - before.Changes, FailedChanges: after.FailedChanges - before.FailedChanges,
		ReadTime:   after.ReadTime.All().Minus(before.ReadTime.All()),
		ChangeTime: after.ChangeTime.All.Buckets.Minus(before.ChangeTime.All.Buckets),
	}
}

// plus returns what happened in both, which end at the same time.
func (p Point) plus(other Point) Point {
	p.Seconds = max(p.Seconds, other.Seconds)
	p.Instances += other.Instances
	p.ProcessHits += other.ProcessHits
	p.SharedHits += other.SharedHits
	p.Fills += other.Fills
	p.Bypasses += other.Bypasses
	p.Errors += other.Errors
	p.RefusedFills = p.RefusedFills.plus(other.RefusedFills)
	p.Fallbacks += other.Fallbacks
	p.LostFences += other.LostFences
	p.Loads += other.Loads
	p.RefusedLoads += other.RefusedLoads
	p.Changes += other.Changes
	p.FailedChanges += other.FailedChanges
	p.ReadTime = p.ReadTime.Plus(other.ReadTime)
	p.ChangeTime = p.ChangeTime.Plus(other.ChangeTime)
	p.Entries += other.Entries
	return p
}

// Sum returns what happened in all of the points, which follow each other, as if they
// were one stretch.
func Sum(points []Point) Point {
	var sum Point
	for _, p := range points {
		seconds := sum.Seconds + p.Seconds
		sum = sum.plus(p)
		sum.At, sum.Seconds, sum.Instances, sum.Entries = p.At, seconds, p.Instances, p.Entries
	}
	return sum
}

// Lately returns those of the points that end in the time before the last one ends.
func Lately(points []Point, past time.Duration) []Point {
	if len(points) == 0 {
		return nil
	}
	since := points[len(points)-1].At.Add(-past)
	first := slices.IndexFunc(points, func(p Point) bool { return p.At.After(since) })
	return points[first:]
}

// history keeps the last points. It is safe for concurrent use.
type history struct {
	mu     sync.Mutex
	points []Point           // the latest last
	texts  []json.RawMessage // of the same points: they are told again and again
	before Stats             // at the end of the latest
	since  time.Time
}

// begin starts a stretch.
func (h *history) begin(stats Stats, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.before, h.since = stats, at
}

// note ends the stretch that is under way, and begins the next.
func (h *history) note(stats Stats, entries int, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := Between(h.before, stats)
	p.At, p.Seconds, p.Entries = at.Truncate(Resolution).UTC(), at.Sub(h.since).Seconds(), entries
	text, _ := json.Marshal(p) // numbers cannot fail
	if len(h.points) == historyPoints {
		h.points, h.texts = append(h.points[:0], h.points[1:]...), append(h.texts[:0], h.texts[1:]...)
	}
	h.points, h.texts = append(h.points, p), append(h.texts, text)
	h.before, h.since = stats, at
}

func (h *history) all() []Point {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.points)
}

// told returns all points in JSON.
func (h *history) told() []json.RawMessage {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.texts)
}

// added adds what several instances had at the same times, until the last time of
// which all of them have told.
func added(histories [][]Point, until time.Time) []Point {
	at := map[time.Time]Point{}
	for _, points := range histories {
		for _, p := range points {
			if p.At.After(until) {
				continue
			}
			if sum, ok := at[p.At]; ok {
				p = sum.plus(p)
			}
			at[p.At] = p
		}
	}
	all := make([]Point, 0, len(at))
	for _, p := range at {
		all = append(all, p)
	}
	slices.SortFunc(all, func(a, b Point) int { return a.At.Compare(b.At) })
	return all[max(0, len(all)-historyPoints):]
}
