package memory

import (
	"context"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"gatefold/application/findimages"
)

// Gate gives turns in one process.
type Gate struct {
	mu    sync.Mutex
	turns map[string]*rate.Limiter
}

var _ findimages.Gate = (*Gate)(nil)

// NewGate returns a gate at which nobody has taken a turn.
func NewGate() *Gate { return &Gate{turns: map[string]*rate.Limiter{}} }

// Take implements findimages.Gate. It never fails.
func (g *Gate) Take(_ context.Context, name string, pace findimages.Pace) (time.Duration, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	turns, ok := g.turns[name]
	if !ok {
		turns = rate.NewLimiter(rate.Every(pace.Every), pace.Burst)
		g.turns[name] = turns
	}
	now := time.Now()
	turn := turns.ReserveN(now, 1)
	wait := turn.DelayFrom(now)
	if wait > 0 {
		turn.CancelAt(now)
	}
	return wait, nil
}
