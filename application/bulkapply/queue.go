package bulkapply

import (
	"net/url"
	"slices"
	"strings"
	"sync"
)

// queue hands out what is to be done, in its order as far as no host is asked
// for too much at once.
type queue struct {
	perHost int

	mu      sync.Mutex
	changed *sync.Cond
	waiting []turn
	busy    map[string]int // who is at a host
	closed  bool
}

// turn is what is to be done at a host.
type turn struct {
	Todo
	host string // "" if there is none to be asked
}

func newQueue(todo []Todo, perHost int) *queue {
	q := &queue{perHost: perHost, waiting: make([]turn, len(todo)), busy: map[string]int{}}
	for i, item := range todo {
		q.waiting[i] = turn{item, hostOf(item.URL)}
	}
	q.changed = sync.NewCond(&q.mu)
	return q
}

// next waits for something that may be done now, and has entered its host; false:
// there is nothing left, or the queue was closed.
func (q *queue) next() (turn, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.closed && len(q.waiting) > 0 {
		if i := slices.IndexFunc(q.waiting, q.mayEnter); i >= 0 {
			t := q.waiting[i]
			q.busy[t.host]++
			q.waiting = slices.Delete(q.waiting, i, i+1)
			return t, true
		}
		q.changed.Wait()
	}
	return turn{}, false
}

func (q *queue) mayEnter(t turn) bool { return t.host == "" || q.busy[t.host] < q.perHost }

// enter waits for another turn at the host; false: the queue was closed.
func (q *queue) enter(t turn) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.closed && !q.mayEnter(t) {
		q.changed.Wait()
	}
	if !q.closed {
		q.busy[t.host]++
	}
	return !q.closed
}

// leave lets others at the host.
func (q *queue) leave(t turn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy[t.host]--
	q.changed.Broadcast()
}

// close lets nobody wait any more.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.changed.Broadcast()
}

// hostOf returns the host of a URL; "" if it names none, as no URL does.
func hostOf(raw string) string {
	parsed, err := url.Parse(raw)
	if err != nil {
		return ""
	}
	return strings.ToLower(parsed.Host)
}
