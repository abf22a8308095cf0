// Package cache plugs in the ImageCache that the configuration asks for.
package cache

import (
	"log/slog"

	"go.uber.org/fx"

	"gatefold/adapters/loggedcache"
	"gatefold/adapters/memory"
	"gatefold/adapters/rediscache"
	"gatefold/adapters/twolevelcache"
	"gatefold/application/health"
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
}

// UsesRedis reports whether instances share this cache.
func (c Config) UsesRedis() bool { return c.Mode == Redis || c.Mode == TwoLevel }

// Module provides artwork.ImageCache and the probe of Redis.
func Module(cfg Config) fx.Option {
	options := []fx.Option{fx.Supply(cfg)}
	if cfg.UsesRedis() {
		options = append(options, fx.Provide(dial, newShared, fx.Annotate(probe, fx.ResultTags(`group:"probes"`))))
	} else {
		options = append(options, fx.Provide(newLocal, fx.Annotate(noProbe, fx.ResultTags(`group:"probes"`))))
	}
	return fx.Module("cache", options...)
}

func dial(lc fx.Lifecycle, cfg Config) (*rediscache.Client, error) {
	client, err := rediscache.Dial(cfg.Redis)
	if err != nil {
		return nil, err
	}
	lc.Append(fx.StopHook(client.Close))
	return client, nil
}

func newShared(cfg Config, client *rediscache.Client, log *slog.Logger) artwork.ImageCache {
	var shared artwork.ImageCache = rediscache.New(client, cfg.Policy)
	if cfg.Mode == TwoLevel {
		shared = twolevelcache.New(shared, cfg.Policy, cfg.MaxEntries)
	}
	return loggedcache.New(shared, cfg.Policy.TTL, log)
}

func newLocal(cfg Config, log *slog.Logger) artwork.ImageCache {
	if cfg.Mode == Off {
		return memory.NoCache{}
	}
	return loggedcache.New(memory.NewCache(cfg.Policy, cfg.MaxEntries), cfg.Policy.TTL, log)
}

const partName = "redis"

func probe(client *rediscache.Client) health.Probe {
	return health.Probe{Name: partName, Check: client.Check}
}

func noProbe() health.Probe { return health.Probe{Name: partName} }
