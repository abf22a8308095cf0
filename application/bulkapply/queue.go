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
	waiting []Todo
	busy    map[string]int // what was handed out and is not done, by host
	closed  bool
}

func newQueue(todo []Todo, perHost int) *queue {
	q := &queue{perHost: perHost, waiting: slices.Clone(todo), busy: map[string]int{}}
	q.changed = sync.NewCond(&q.mu)
	return q
}

// next waits for something that may be done now; false: there is nothing left, or
// the queue was closed.
func (q *queue) next() (Todo, bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for !q.closed && len(q.waiting) > 0 {
		for i, todo := range q.waiting {
			host := hostOf(todo.URL)
			if host != "" && q.busy[host] >= q.perHost {
				continue
			}
			q.busy[host]++
			q.waiting = slices.Delete(q.waiting, i, i+1)
			return todo, true
		}
		q.changed.Wait()
	}
	return Todo{}, false
}

// done gives back what next has handed out.
func (q *queue) done(todo Todo) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.busy[hostOf(todo.URL)]--
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
