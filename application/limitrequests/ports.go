// Package limitrequests keeps every caller within a number of requests a minute, on
// all instances together.
package limitrequests

import (
	"context"
	"time"
)

// The window of a limit, and the slots that it is counted in. What was counted in a
// slot counts until Slots more have begun: never for less than the window, and for at
// most a slot longer.
const (
	Window = time.Minute
	Slot   = 5 * time.Second
	Slots  = int(Window/Slot) + 1
)

// Meter counts requests. It may be called concurrently.
type Meter interface {
	// Take counts a request under the key and returns how many more the limit leaves.
	// If as many as the limit count already, it counts nothing, and wait is how long it
	// takes until fewer do: more than nothing, and at most Slots*Slot. Within any Window
	// no more than the limit are counted, however many ask at once. The limit is 1 or
	// more, and may be another one the next time. Any error means that the meter cannot
	// be asked; the request may have been counted.
	Take(ctx context.Context, key string, limit int) (left int, wait time.Duration, err error)
}
