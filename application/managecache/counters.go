package managecache

import (
	"sync/atomic"
	"time"
)

// Counters is a Recorder that adds up. The zero value is ready for use; all
// methods may be called concurrently.
type Counters struct {
	events [events]atomic.Int64
	steps  [steps]stopwatch
}

var (
	_ Recorder = (*Counters)(nil)
	_ Counter  = (*Counters)(nil)
)

// NewCounters returns counters that stand at zero.
func NewCounters() *Counters { return &Counters{} }

// Count implements Recorder.
func (c *Counters) Count(e Event, n int) { c.events[e].Add(int64(n)) }

// Took implements Recorder.
func (c *Counters) Took(s Step, d time.Duration) { c.steps[s].took(d) }

// Stats implements Counter. Counters that belong together may be some events
// apart, because nothing is stopped for being looked at.
func (c *Counters) Stats() Stats {
	return Stats{
		ProcessHits: c.of(ProcessHit), SharedHits: c.of(SharedHit), Fills: c.of(Fill), Bypasses: c.of(Bypass), Errors: c.of(ReadFailed),
		Misses: c.of(Miss), SharedLooks: c.of(SharedLook), FencesMet: c.of(FenceMet),
		RefusedFills: c.refusedFills(), LeaseWaits: c.leaseWaits(), Fallbacks: c.fallbacks(),
		Breaker:    Breaker{Opened: c.of(BreakerOpened), Closed: c.of(BreakerClosed)},
		LostFences: LostFences{BeforeCommit: c.of(FenceLostBeforeCommit), DuringCommit: c.of(FenceLostDuringCommit), SetAgain: c.of(FenceSetAgain)},
		Recovery:   Recovery{Replays: c.of(Replay), ReplayedKeys: c.of(ReplayedKey), SweptChanges: c.of(SweptChange)},
		Loads:      c.loads(),
		Changes:    c.of(Changed), FailedChanges: c.of(ChangeFailed),
		ChangeTime: ChangeTime{
			All: c.timing(StepAll), Fence: c.timing(StepFence), CopyWait: c.timing(StepCopyWait),
			Commit: c.timing(StepCommit), Unfence: c.timing(StepUnfence),
		},
		ReadTime: ReadTime{
			Process: c.timing(ReadFromProcess), Shared: c.timing(ReadFromShared), Fill: c.timing(ReadAndFilled),
			Bypass: c.timing(ReadPast), Failed: c.timing(ReadInVain),
		},
		LoadTime: LoadTime{Read: c.timing(StepLoad), Wait: c.timing(StepLoadWait)},
	}
}

func (c *Counters) of(e Event) int64 { return c.events[e].Load() }

func (c *Counters) refusedFills() RefusedFills {
	return RefusedFills{
		Expired: c.of(RefusedExpired), Fenced: c.of(RefusedFenced), Gone: c.of(RefusedGone),
		TakenOver: c.of(RefusedTakenOver), Unreachable: c.of(RefusedUnreachable),
	}
}

func (c *Counters) leaseWaits() LeaseWaits {
	return LeaseWaits{
		All: c.of(LeaseWait), Filled: c.of(WaitFilled), Fenced: c.of(WaitFenced), Abandoned: c.of(WaitAbandoned),
		GaveUp: c.of(WaitGaveUp), Failed: c.of(WaitFailed), Left: c.of(WaitLeft),
	}
}

func (c *Counters) fallbacks() Fallbacks {
	return Fallbacks{
		Error: c.of(FallbackError), Timeout: c.of(FallbackTimeout), BreakerOpen: c.of(FallbackBreaker), Untrusted: c.of(FallbackUntrusted),
		Unreadable: c.of(FallbackUnreadable), Fence: c.of(FallbackFence), GaveUp: c.of(FallbackGaveUp),
	}
}

// loads reads what has ended before what has begun: nothing is ever counted as
// ended and not begun.
func (c *Counters) loads() Loads {
	ended, dequeued := c.of(LoadEnded), c.of(LoadDequeued)
	l := Loads{All: c.of(LoadBegun), Queued: c.of(LoadQueued), RefusedFull: c.of(LoadRefusedFull), RefusedLate: c.of(LoadRefusedLate)}
	l.Running, l.Waiting = l.All-ended, l.Queued-dequeued
	return l
}

func (c *Counters) timing(s Step) Timing { return c.steps[s].timing() }

func milliseconds(nanoseconds int64) float64 { return float64(nanoseconds) / float64(time.Millisecond) }
