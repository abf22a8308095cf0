package managecache

import "time"

// Counter counts what the cache of this process does. Whatever shows it, to people
// or to monitoring, shows these counts: nothing is counted anywhere else.
type Counter interface{ Stats() Stats }

// Stats are the counters of one process since it started: none ever goes down, but
// for what Loads says is so at this moment. The names in JSON are part of the API.
type Stats struct {
	ProcessHits int64 `json:"processHits"` // answered from this process's memory
	SharedHits  int64 `json:"sharedHits"`  // answered by the shared cache
	Fills       int64 `json:"fills"`       // loaded from the database, and cached
	Bypasses    int64 `json:"bypasses"`    // loaded from the database, and not cached
	Errors      int64 `json:"errors"`      // reads that failed

	Misses       int64        `json:"misses"`      // nothing was held
	SharedLooks  int64        `json:"sharedLooks"` // callers who shared another's look into the shared cache
	FencesMet    int64        `json:"fencesMet"`   // by readers
	RefusedFills RefusedFills `json:"refusedFills"`
	LeaseWaits   LeaseWaits   `json:"leaseWaits"`
	Fallbacks    Fallbacks    `json:"fallbacks"`
	Breaker      Breaker      `json:"breaker"`
	LostFences   LostFences   `json:"lostFences"`
	Recovery     Recovery     `json:"recovery"`
	Loads        Loads        `json:"loads"`

	Changes       int64      `json:"changes"`       // of pointers, in all
	FailedChanges int64      `json:"failedChanges"` // of those
	ChangeTime    ChangeTime `json:"changeTime"`

	ReadTime ReadTime `json:"readTime"`
	LoadTime LoadTime `json:"loadTime"`
}

// RefusedFills counts what was loaded for a miss and not stored, by why: see
// RefusedExpired and the events after it.
type RefusedFills struct {
	Expired     int64 `json:"expired"`
	Fenced      int64 `json:"fenced"`
	Gone        int64 `json:"gone"`
	TakenOver   int64 `json:"takenOver"`
	Unreachable int64 `json:"unreachable"`
}

func (r RefusedFills) plus(other RefusedFills) RefusedFills {
	return RefusedFills{
		Expired: r.Expired + other.Expired, Fenced: r.Fenced + other.Fenced, Gone: r.Gone + other.Gone,
		TakenOver: r.TakenOver + other.TakenOver, Unreachable: r.Unreachable + other.Unreachable,
	}
}

func (r RefusedFills) minus(other RefusedFills) RefusedFills {
	return r.plus(RefusedFills{-other.Expired, -other.Fenced, -other.Gone, -other.TakenOver, -other.Unreachable})
}

// LeaseWaits counts waits for another reader's fill, by how they ended: see
// WaitFilled and the events after it.
type LeaseWaits struct {
	All       int64 `json:"all"`
	Filled    int64 `json:"filled"`
	Fenced    int64 `json:"fenced"`
	Abandoned int64 `json:"abandoned"`
	GaveUp    int64 `json:"gaveUp"`
	Failed    int64 `json:"failed"`
	Left      int64 `json:"left"`
}

// Fallbacks counts reads that went to the database although nobody knew that
// the cache holds nothing, by why: see FallbackError and the events after it.
type Fallbacks struct {
	Error       int64 `json:"error"`
	Timeout     int64 `json:"timeout"`
	BreakerOpen int64 `json:"breakerOpen"`
	Untrusted   int64 `json:"untrusted"`
	Unreadable  int64 `json:"unreadable"`
	Fence       int64 `json:"fence"`
	GaveUp      int64 `json:"gaveUp"`
}

func (f Fallbacks) all() int64 {
	return f.Error + f.Timeout + f.BreakerOpen + f.Untrusted + f.Unreadable + f.Fence + f.GaveUp
}

// Breaker counts how often readers stopped asking the shared cache, and began
// again.
type Breaker struct {
	Opened int64 `json:"opened"`
	Closed int64 `json:"closed"`
}

// LostFences counts keys whose fence was lost while their change was under way.
type LostFences struct {
	BeforeCommit int64 `json:"beforeCommit"`
	DuringCommit int64 `json:"duringCommit"`
	SetAgain     int64 `json:"setAgain"` // of those before the commit
}

func (l LostFences) all() int64 { return l.BeforeCommit + l.DuringCommit }

// Recovery counts what was done about servers that may have missed changes, and
// about writers that died.
type Recovery struct {
	Replays      int64 `json:"replays"`
	ReplayedKeys int64 `json:"replayedKeys"` // evicted
	SweptChanges int64 `json:"sweptChanges"`
}

// Loads counts reads of the database on behalf of the cache.
type Loads struct {
	All         int64 `json:"all"`
	Running     int64 `json:"running"`     // at this moment
	Queued      int64 `json:"queued"`      // had to wait for their turn
	Waiting     int64 `json:"waiting"`     // at this moment
	RefusedFull int64 `json:"refusedFull"` // too many waited already
	RefusedLate int64 `json:"refusedLate"` // waited for too long
}

func (l Loads) refused() int64 { return l.RefusedFull + l.RefusedLate }

// ChangeTime says how long changes took: all of it, and its steps, which see
// StepFence and the steps of a change after it.
type ChangeTime struct {
	All      Timing `json:"all"`
	Fence    Timing `json:"fence"`
	CopyWait Timing `json:"copyWait"`
	Commit   Timing `json:"commit"`
	Unfence  Timing `json:"unfence"`
}

// ReadTime says how long callers' reads took, by what answered: every read is in
// one of them, as in the counters of the same names.
type ReadTime struct {
	Process Timing `json:"process"`
	Shared  Timing `json:"shared"`
	Fill    Timing `json:"fill"`
	Bypass  Timing `json:"bypass"`
	Failed  Timing `json:"failed"`
}

// All returns how long reads took, whatever answered.
func (t ReadTime) All() Distribution {
	return t.Process.Buckets.Plus(t.Shared.Buckets).Plus(t.Fill.Buckets).Plus(t.Bypass.Buckets).Plus(t.Failed.Buckets)
}

// LoadTime says how long reads of the database took, and waiting for their turn.
type LoadTime struct {
	Read Timing `json:"read"`
	Wait Timing `json:"wait"`
}

// Timing is how often something was measured, and how long it took, in
// milliseconds.
type Timing struct {
	Count   int64        `json:"count"`
	SumMs   float64      `json:"sumMs"`
	MaxMs   float64      `json:"maxMs"`
	Buckets Distribution `json:"buckets"`
}

// Mean returns how long it took on average, 0 before the first time.
func (t Timing) Mean() time.Duration {
	if t.Count == 0 {
		return 0
	}
	return time.Duration(t.SumMs / float64(t.Count) * float64(time.Millisecond))
}

// HitRate returns the share of reads that no load of the database was made for,
// 0 before the first read.
func (s Stats) HitRate() float64 {
	hits := s.ProcessHits + s.SharedHits
	if all := hits + s.Fills + s.Bypasses; all > 0 {
		return float64(hits) / float64(all)
	}
	return 0
}

// MeanChange returns how long a change took on average, 0 before the first.
func (s Stats) MeanChange() time.Duration { return s.ChangeTime.All.Mean() }
