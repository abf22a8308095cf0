package managecache

import "time"

// Event is something that happens in the image cache, or behind it, and is
// counted.
type Event uint8

// What answered a read. Every caller's read is exactly one of these. All that
// follows counts what was done, and that callers may have shared.
const (
	// ProcessHit: this process's memory.
	ProcessHit Event = iota
	// SharedHit: the cache that all instances share.
	SharedHit
	// Fill: the database, and the cache now holds it.
	Fill
	// Bypass: the database, and nothing was cached. A refused fill or a fallback
	// is behind it.
	Bypass
	// ReadFailed: nothing. The load failed, or the caller left.
	ReadFailed
)

// What a read met on its way.
const (
	// Miss: nothing was held for the key.
	Miss Event = iota + ReadFailed + 1
	// SharedLook: the caller shares the look into the shared cache that another
	// caller of this process takes, with all that follows from it.
	SharedLook
	// FenceMet: changes are under way.
	FenceMet
)

// Why what was loaded for a miss was not stored.
const (
	// RefusedExpired: the load took longer than the lease.
	RefusedExpired Event = iota + FenceMet + 1
	// RefusedFenced: a change has begun meanwhile.
	RefusedFenced
	// RefusedGone: the lease was gone before its time. A change has begun and
	// ended meanwhile, or somebody flushed, or memory was short.
	RefusedGone
	// RefusedTakenOver: the same, and another reader has filled already or is
	// about to.
	RefusedTakenOver
	// RefusedUnreachable: the shared cache could not be told.
	RefusedUnreachable
)

// LeaseWait: a reader waits for another's fill. The others say how that ended,
// one for each wait that has.
const (
	LeaseWait Event = iota + RefusedUnreachable + 1
	// WaitFilled: with the value.
	WaitFilled
	// WaitFenced: a change has begun.
	WaitFenced
	// WaitAbandoned: nothing is held any more, and this reader may fill.
	WaitAbandoned
	// WaitGaveUp: the patience ended first.
	WaitGaveUp
	// WaitFailed: the shared cache failed, or holds what cannot be read.
	WaitFailed
	// WaitLeft: the caller left.
	WaitLeft
)

// Why the database was asked although nobody knew that the cache holds nothing.
const (
	// FallbackError: the shared cache failed.
	FallbackError Event = iota + WaitLeft + 1
	// FallbackTimeout: it did not answer in time.
	FallbackTimeout
	// FallbackBreaker: it was not asked, because it has failed too often.
	FallbackBreaker
	// FallbackUntrusted: its server may lack recent changes: they are being
	// replayed, or it is a replica.
	FallbackUntrusted
	// FallbackUnreadable: it holds what this release cannot read.
	FallbackUnreadable
	// FallbackFence: changes are under way.
	FallbackFence
	// FallbackGaveUp: another reader's fill took too long.
	FallbackGaveUp
)

// What happens to the shared cache itself.
const (
	// BreakerOpened: readers ask it no more, but for one now and then.
	BreakerOpened Event = iota + FallbackGaveUp + 1
	// BreakerClosed: all readers ask it again.
	BreakerClosed
	// FenceLostBeforeCommit and FenceLostDuringCommit count keys, FenceSetAgain
	// those of the first kind that are fenced again.
	FenceLostBeforeCommit
	FenceLostDuringCommit
	FenceSetAgain
	// Replay: a server is trusted, because the recent changes were replayed on it.
	Replay
	// ReplayedKey: a key that was evicted for that.
	ReplayedKey
	// SweptChange: a change was finished that its writer had left.
	SweptChange
)

// What changes pointers.
const (
	// Changed: a change has ended, in whatever way.
	Changed Event = iota + SweptChange + 1
	// ChangeFailed: it ended with an error.
	ChangeFailed
)

// What happens in front of the database. What has begun and not ended is under
// way; what was queued and has not left the queue waits.
const (
	LoadBegun Event = iota + ChangeFailed + 1
	LoadEnded
	// LoadQueued: too many are under way; this one waits for its turn.
	LoadQueued
	// LoadDequeued: it waits no more, whether its turn came or not.
	LoadDequeued
	// LoadRefusedFull: it did not wait, because too many do.
	LoadRefusedFull
	// LoadRefusedLate: its turn did not come in time.
	LoadRefusedLate

	events = iota + ChangeFailed + 1
)

// Step is something whose time is measured.
type Step uint8

// The steps of a change.
const (
	// StepAll is the whole change: the invalidation time that a caller sees.
	StepAll Step = iota
	// StepFence is telling the shared cache that a change begins.
	StepFence
	// StepCopyWait is waiting for the copies in processes' memory to expire.
	StepCopyWait
	// StepCommit is the transaction, with its last look at the fence and with
	// what is to be done again if the fence was lost.
	StepCommit
	// StepUnfence is telling the shared cache that the change has ended.
	StepUnfence
)

// Reads, as their callers see them, by what answered: the times of what ProcessHit
// and the events after it count.
const (
	ReadFromProcess Step = iota + StepUnfence + 1
	ReadFromShared
	ReadAndFilled
	ReadPast
	ReadInVain
)

// What happens in front of the database.
const (
	// StepLoad is one read of the database.
	StepLoad Step = iota + ReadInVain + 1
	// StepLoadWait is waiting for the turn to read, whether it came or not.
	StepLoadWait

	steps = iota + ReadInVain + 1
)

// Recorder is told what happens. It keeps nobody waiting and may be called
// concurrently, by every part at once.
type Recorder interface {
	// Count notes that the event has happened n times.
	Count(e Event, n int)
	// Took notes how long a step took.
	Took(s Step, d time.Duration)
}
