package rediscache

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	// maxDirect is how many reads are under way as commands of their own before
	// the next ones are sent together. With so many, sending together was
	// measured to be no slower than a connection for each; with fewer it is.
	maxDirect = 16
	// maxSenders is how many batches are under way at the same time: while Redis
	// answers one, the next is written.
	maxSenders = 2
	// maxBatch is how many reads are sent together, so that a rush is answered
	// bit by bit within the budget.
	maxBatch = 256
)

// reader reads keys: one by one while there are few callers, and in batches
// when there are many. A batch holds what came while others were under way, so
// nothing waits for a batch to fill.
type reader struct {
	patience time.Duration // bounds each read

	mu      sync.Mutex
	direct  int      // commands of their own under way
	senders int      // goroutines that send batches
	waiting []*batch // the next to be sent first; only the last may have room
}

// batch is a number of reads that are sent together. The results may be read
// once done is closed.
type batch struct {
	of       context.Context // what its first read belongs to
	deadline time.Time       // the patience of that ends
	names    []string
	results  []*redis.StringCmd
	done     chan struct{}
}

// get returns what the key holds, and redis.Nil if that is nothing, within
// the patience.
func (r *reader) get(ctx context.Context, rdb redis.UniversalClient, name string) (string, error) {
	b, i := r.join(ctx, rdb, name)
	if b == nil {
		defer r.leave()
		budget, cancel := context.WithTimeout(ctx, r.patience)
		defer cancel()
		return rdb.Get(budget, name).Result()
	}
	select {
	case <-b.done:
		return b.results[i].Result()
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// join puts the name into a batch and returns its place there. It returns no
// batch to a caller that is to read by itself and then to leave.
func (r *reader) join(ctx context.Context, rdb redis.UniversalClient, name string) (*batch, int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.senders == 0 && r.direct < maxDirect {
		r.direct++
		return nil, 0
	}
	var b *batch
	if n := len(r.waiting); n > 0 && len(r.waiting[n-1].names) < maxBatch {
		b = r.waiting[n-1]
	} else {
		b = &batch{of: context.WithoutCancel(ctx), deadline: time.Now().Add(r.patience), done: make(chan struct{})}
		r.waiting = append(r.waiting, b)
	}
	b.names = append(b.names, name)
	if r.senders < maxSenders {
		r.senders++
		go r.send(rdb)
	}
	return b, len(b.names) - 1
}

func (r *reader) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.direct--
}

// send sends batches until none waits.
func (r *reader) send(rdb redis.UniversalClient) {
	for b := r.next(); b != nil; b = r.next() {
		b.send(rdb)
	}
}

// next takes the batch that has waited longest; without one, a sender ends.
func (r *reader) next() *batch {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) == 0 {
		r.senders--
		return nil
	}
	b := r.waiting[0]
	r.waiting[0] = nil // not to be kept by the array
	r.waiting = r.waiting[1:]
	return b
}

// send asks for every name and tells all who wait. The callers' contexts end
// their waiting, not what others wait for too.
func (b *batch) send(rdb redis.UniversalClient) {
	defer close(b.done)
	ctx, cancel := context.WithDeadline(b.of, b.deadline)
	defer cancel()
	pipe := rdb.Pipeline()
	b.results = make([]*redis.StringCmd, len(b.names))
	for i, name := range b.names {
		b.results[i] = pipe.Get(ctx, name)
	}
	_, _ = pipe.Exec(ctx) // every result has its own error
}
