// Package cache plugs in the ImageCache that the configuration asks for.
package cache

import (
	"context"
	"log/slog"
	"time"

	"go.uber.org/fx"

	"gatefold/adapters/memory"
	"gatefold/adapters/observedcache"
	"gatefold/adapters/rediscache"
	"gatefold/adapters/rest"
	"gatefold/adapters/twolevelcache"
	"gatefold/application/health"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
)

// Mode names a composition of caches.
type Mode string

// The modes.
const (
	Memory   Mode = "memory"   // in this process, for a deployment of one
	Redis    Mode = "redis"    // shared by all instances
	TwoLevel Mode = "twolevel" // process memory over Redis
	Off      Mode = "off"      // the database answers every request
)

// Config chooses and sizes the cache.
type Config struct {
	Mode       Mode
	Policy     artwork.CachePolicy
	MaxEntries int // in process memory
	Redis      rediscache.Options
	WarmKeys   int // that are warmed at most; 0: none
	WarmRate   int // keys a second
}

// UsesRedis reports whether instances share this cache.
func (c Config) UsesRedis() bool { return c.Mode == Redis || c.Mode == TwoLevel }

// Module provides artwork.ImageCache, the operators' verbs on it and the probe of
// Redis.
func Module(cfg Config) fx.Option {
	options := []fx.Option{
		fx.Supply(cfg),
		warming(),
		fx.Provide(managecache.New, fx.Annotate(rest.NewCache, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`))),
	}
	if cfg.UsesRedis() {
		options = append(options, fx.Provide(open, newShared, fx.Annotate(probe, fx.ResultTags(`group:"probes"`))))
	} else {
		options = append(options, fx.Provide(newLocal, fx.Annotate(noProbe, fx.ResultTags(`group:"probes"`))))
	}
	return fx.Module("cache", options...)
}

// readyBudget is how long a start waits for Redis: without it images are served
// from the database.
const readyBudget = 3 * time.Second

// open connects to Redis, and finishes in the background what dead writers left.
func open(lc fx.Lifecycle, cfg Config, changes artwork.ChangeLog, log *slog.Logger) (*rediscache.Cache, error) {
	cache, err := rediscache.Open(cfg.Redis, cfg.Policy, changes, log)
	if err != nil {
		return nil, err
	}
	sweeping, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	lc.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, readyBudget)
			defer cancel()
			if err := cache.Ready(ctx); err != nil {
				log.Warn("Redis cannot be used yet; images come from the database", "error", err.Error())
			}
			go func() {
				defer close(ended)
				cache.Sweep(sweeping)
			}()
			return nil
		},
		OnStop: func(context.Context) error {
			stop()
			<-ended
			return cache.Close()
		},
	})
	return cache, nil
}

// parts is what the module provides: one cache, and what operators need of it.
type parts struct {
	fx.Out
	Cache   artwork.ImageCache
	Counter managecache.Counter
	Flusher managecache.Flusher
}

func observed(cfg Config, inner artwork.ImageCache, flusher managecache.Flusher, log *slog.Logger) parts {
	cache := observedcache.New(inner, cfg.Policy.TTL, log)
	return parts{Cache: cache, Counter: cache, Flusher: flusher}
}

func newShared(cfg Config, redis *rediscache.Cache, log *slog.Logger) parts {
	if cfg.Mode == TwoLevel {
		cache := twolevelcache.New(redis, cfg.Policy, cfg.MaxEntries)
		return observed(cfg, cache, twolevelcache.Flushing(cache, redis), log)
	}
	return observed(cfg, redis, redis, log)
}

func newLocal(cfg Config, log *slog.Logger) parts {
	if cfg.Mode == Off {
		return observed(cfg, memory.NoCache{}, memory.NoCache{}, log)
	}
	cache := memory.NewCache(cfg.Policy, cfg.MaxEntries)
	return observed(cfg, cache, cache, log)
}

const partName = "redis"

func probe(redis *rediscache.Cache) health.Probe {
	return health.Probe{Name: partName, Check: redis.Check}
}

func noProbe() health.Probe { return health.Probe{Name: partName} }
