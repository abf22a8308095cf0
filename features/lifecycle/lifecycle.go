// Package lifecycle ties what works in the background to the start and the stop of an
// instance. It is no feature: all of them may import it.
package lifecycle

import (
	"context"
	"sync"

	"go.uber.org/fx"
)

// WhileRunning has run called, in a goroutine, when the instance starts, and its context
// ended when the instance stops, which waits until run has returned. It runs beside
// everything that is appended to lc later: that starts later and has stopped earlier.
func WhileRunning(lc fx.Lifecycle, run func(context.Context)) {
	running, stop := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	lc.Append(fx.StartStopHook(
		func() { ended.Go(func() { run(running) }) },
		func() {
			stop()
			ended.Wait()
		},
	))
}
