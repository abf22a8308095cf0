// Package wait has what pauses in loops share.
package wait

import (
	"context"
	"time"
)

// For returns nil when d has passed, or ctx's error as soon as ctx ends. If d is not
// positive, it returns ctx's error if ctx has ended already.
func For(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
