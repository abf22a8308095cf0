package warmcache

import (
	"slices"
	"sync"

	"gatefold/domain/artwork"
)

const (
	// tallyShards is how many locks there are, so that requests seldom meet.
	tallyShards = 16
	// shardKeys is how many keys each counts between two takings.
	shardKeys = 256
)

// Tally counts requests by key, in memory that is bounded, and cheaply enough to
// be told of every request: it neither waits nor allocates.
//
// What it tells of is what was requested often. When there are more keys than it
// has room for, it subtracts the median from every count and forgets those that
// nothing is left of: the scheme of Misra and Gries for frequent items, in the
// form in which half of the room is won back at once. A request that meets
// another one in the same place is not counted.
type Tally struct{ shards [tallyShards]tallyShard }

type tallyShard struct {
	mu     sync.Mutex
	counts map[artwork.Key]uint32
	sorted []uint32  // room to find the median in
	_      [128]byte // what is locked by different requests shares no cache line
}

// NewTally returns a tally of nothing.
func NewTally() *Tally {
	t := &Tally{}
	for i := range t.shards {
		t.shards[i].counts = make(map[artwork.Key]uint32, shardKeys)
		t.shards[i].sorted = make([]uint32, 0, shardKeys)
	}
	return t
}

// Note counts one request. It may be called concurrently.
func (t *Tally) Note(key artwork.Key) {
	// The last byte of a UUID is as good as random.
	s := &t.shards[key.Subject.ID[len(key.Subject.ID)-1]%tallyShards]
	if !s.mu.TryLock() {
		return
	}
	n, known := s.counts[key]
	if !known && len(s.counts) == shardKeys {
		s.makeRoom()
	}
	s.counts[key] = n + 1
	s.mu.Unlock()
}

// makeRoom forgets what was counted least.
func (s *tallyShard) makeRoom() {
	s.sorted = s.sorted[:0]
	for _, n := range s.counts {
		s.sorted = append(s.sorted, n)
	}
	slices.Sort(s.sorted)
	median := s.sorted[len(s.sorted)/2]
	for key, n := range s.counts {
		if n <= median {
			delete(s.counts, key)
		} else {
			s.counts[key] = n - median
		}
	}
}

// Take returns what was counted since the last Take, in no order.
func (t *Tally) Take() []Count {
	var counts []Count
	for i := range t.shards {
		counts = t.shards[i].take(counts)
	}
	return counts
}

func (s *tallyShard) take(counts []Count) []Count {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, n := range s.counts {
		counts = append(counts, Count{key, int(n)})
	}
	clear(s.counts)
	return counts
}
