package memory

import (
	"context"
	"sync"
	"time"

	"github.com/maypok86/otter/v2"

	"gatefold/application/limitrequests"
)

// Meter counts requests in one process. It is bounded in keys: of more than that, those
// that are seldom used begin anew.
type Meter struct {
	base    time.Time
	now     func() time.Time
	windows *otter.Cache[string, *window]
}

var _ limitrequests.Meter = (*Meter)(nil)

// NewMeter returns a meter that has counted nothing, for at most so many keys.
func NewMeter(maxKeys int) *Meter {
	return &Meter{
		base: time.Now(), now: time.Now,
		windows: otter.Must(&otter.Options[string, *window]{MaximumSize: maxKeys}),
	}
}

// Take implements limitrequests.Meter. It never fails.
func (m *Meter) Take(_ context.Context, key string, limit int) (left int, wait time.Duration, err error) {
	w, ok := m.windows.GetIfPresent(key)
	if !ok {
		w, _ = m.windows.SetIfAbsent(key, &window{})
	}
	left, wait = w.take(m.now().Sub(m.base), limit)
	return left, wait, nil
}

// window is what was counted in each slot up to the latest.
type window struct {
	mu     sync.Mutex
	latest int64
	counts [limitrequests.Slots]int // by the slot's number modulo their number
}

func (w *window) take(at time.Duration, limit int) (left int, wait time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.moveTo(int64(at / limitrequests.Slot))
	used := 0
	for _, n := range w.counts {
		used += n
	}
	if used < limit {
		w.counts[w.index(w.latest)]++
		return limit - used - 1, 0
	}
	return 0, w.freeAt(used, limit) - at
}

// moveTo forgets the slots that count no more.
func (w *window) moveTo(slot int64) {
	for first := max(w.latest+1, slot-int64(limitrequests.Slots)+1); first <= slot; first++ {
		w.counts[w.index(first)] = 0
	}
	w.latest = max(w.latest, slot)
}

// freeAt returns when so many slots count no more that what is used is below the limit.
func (w *window) freeAt(used, limit int) time.Duration {
	slot := w.latest - int64(limitrequests.Slots) + 1
	for ; used >= limit; slot++ {
		used -= w.counts[w.index(slot)]
	}
	return time.Duration(slot-1+int64(limitrequests.Slots)) * limitrequests.Slot
}

func (w *window) index(slot int64) int {
	n := int64(limitrequests.Slots)
	return int((slot%n + n) % n)
}
