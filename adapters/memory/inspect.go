package memory

import (
	"context"
	"sync"
	"time"

	"gatefold/application/managecache"
	"gatefold/domain/artwork"
)

var (
	_ managecache.Local = (*Cache)(nil)
	_ managecache.Board = (*Board)(nil)
)

// Inspect implements managecache.Inspector.
func (c *Cache) Inspect(ctx context.Context, keys []artwork.Key) ([]managecache.Held, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	held := make([]managecache.Held, len(keys))
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, key := range keys {
		held[i] = c.held(key)
	}
	return held, nil
}

// held is called with the lock held.
func (c *Cache) held(key artwork.Key) managecache.Held {
	if changes := c.fences[key]; changes > 0 {
		return managecache.Held{Holding: managecache.HoldsFence, Changes: changes}
	}
	if e, ok := c.entries.GetEntryQuietly(key); ok {
		if left := time.Until(e.Value.until); left > 0 {
			return managecache.HeldInMemory(e.Value.image, left)
		}
	}
	if c.leases[key] != nil {
		return managecache.Held{Holding: managecache.HoldsLease}
	}
	return managecache.Held{Holding: managecache.HoldsNothing}
}

// Occupied implements managecache.Local.
func (c *Cache) Occupied() managecache.Occupied {
	return managecache.Occupy(c.entries.EstimatedSize(), c.maxEntries, func(yield func(*artwork.Image) bool) {
		for e := range c.entries.Values() {
			if !yield(e.image) {
				return
			}
		}
	})
}

// Board is a Board of one process.
type Board struct {
	mu    sync.Mutex
	shown map[artwork.ID]posted
}

type posted struct {
	report []byte
	until  time.Time
}

// NewBoard returns a board on which nothing is shown.
func NewBoard() *Board { return &Board{shown: map[artwork.ID]posted{}} }

// Post implements managecache.Board.
func (b *Board) Post(ctx context.Context, instance artwork.ID, report []byte, term time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, p := range b.shown {
		if !time.Now().Before(p.until) {
			delete(b.shown, id)
		}
	}
	b.shown[instance] = posted{report, time.Now().Add(term)}
	return nil
}

// Read implements managecache.Board.
func (b *Board) Read(ctx context.Context, instances []artwork.ID) (map[artwork.ID][]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	reports := map[artwork.ID][]byte{}
	for _, id := range instances {
		if p, ok := b.shown[id]; ok && time.Now().Before(p.until) {
			reports[id] = p.report
		}
	}
	return reports, nil
}
