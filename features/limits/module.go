// Package limits plugs in what keeps callers within a number of requests a minute.
package limits

import (
	"log/slog"

	"go.uber.org/fx"

	"gatefold/adapters/memory"
	"gatefold/adapters/rediscache"
	"gatefold/application/limitrequests"
)

// Config says what the limits are.
type Config struct{ Limits limitrequests.Limits }

// maxKeys bounds who is counted in process memory: about 0.3 kB each.
const maxKeys = 50_000

// Module provides the limiter.
func Module(cfg Config) fx.Option {
	return fx.Module("limits", fx.Supply(cfg), fx.Provide(newLimiter))
}

// newLimiter has the instances count together, if they share a Redis.
func newLimiter(cfg Config, redis *rediscache.Cache, log *slog.Logger) *limitrequests.Limiter {
	var shared limitrequests.Meter
	if redis != nil {
		shared = redis.Meter()
	}
	return limitrequests.New(cfg.Limits, shared, memory.NewMeter(maxKeys), log)
}
