package limitrequests

import "sync"

// memo remembers a bounded number of things, the latest ones longest: when half of
// them are new, the older half is forgotten at once.
type memo[K comparable, V any] struct {
	most int

	mu         sync.RWMutex
	young, old map[K]V
}

func newMemo[K comparable, V any](most int) *memo[K, V] {
	return &memo[K, V]{most: most, young: map[K]V{}}
}

func (m *memo[K, V]) get(key K) (V, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	value, ok := m.young[key]
	if !ok {
		value, ok = m.old[key]
	}
	return value, ok
}

func (m *memo[K, V]) put(key K, value V) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.young) >= m.most/2 {
		m.old, m.young = m.young, map[K]V{}
	}
	m.young[key] = value
}
