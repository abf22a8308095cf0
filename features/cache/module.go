// Package cache plugs in the ImageCache that the configuration asks for.
package cache

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"go.uber.org/fx"

	"gatefold/adapters/memory"
	"gatefold/adapters/observedcache"
	"gatefold/adapters/oteltraces"
	"gatefold/adapters/prommetrics"
	"gatefold/adapters/rediscache"
	"gatefold/adapters/rest"
	"gatefold/adapters/twolevelcache"
	"gatefold/application/announce"
	"gatefold/application/followsettings"
	"gatefold/application/health"
	"gatefold/application/managecache"
	"gatefold/application/renderimage"
	"gatefold/application/samplehits"
	"gatefold/domain/artwork"
	"gatefold/domain/deployment"
)

// Config says what the cache may consist of, and who this process is.
type Config struct {
	Wish       deployment.Wish // of the deployment's settings
	MaxEntries int             // in process memory
	Redis      rediscache.Options
	// Name and Seat are those of a deployment.Member.
	Name, Seat string
	Version    string // of the program
	WarmKeys   int    // that are warmed at most; 0: none
	WarmRate   int    // keys a second
}

// Module provides artwork.ImageCache, which follows the settings of the deployment,
// the operators' verbs on it and the probe of Redis.
func Module(cfg Config) fx.Option {
	options := []fx.Option{
		fx.Supply(cfg),
		warming(),
		watching(),
		fx.Provide(
			followsettings.NewTerms,
			newMembership,
			followsettings.NewSwitch,
			newCache,
			newCounters,
			managecache.New,
			fx.Annotate(probe, fx.ResultTags(`group:"probes"`)),
			fx.Annotate(rest.NewCache, fx.As(new(rest.Routes)), fx.ResultTags(`group:"routes"`)),
		),
	}
	if cfg.Redis.Configured() {
		options = append(options, fx.Provide(open))
	} else {
		options = append(options, fx.Provide(func() *rediscache.Cache { return nil }))
	}
	return fx.Module("cache", options...)
}

// readyBudget is how long a start waits for Redis: without it images are served
// from the database.
const readyBudget = 3 * time.Second

// newMembership joins the deployment before anything is read or changed.
func newMembership(lc fx.Lifecycle, cfg Config, registry followsettings.Registry, terms *followsettings.Terms, log *slog.Logger) *followsettings.Membership {
	self := deployment.Member{ID: artwork.NewID(), Name: cfg.Name, Seat: cfg.Seat, HasRedis: cfg.Redis.Configured()}
	member := followsettings.NewMembership(registry, terms, self, cfg.Wish, log)
	running, stop := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	lc.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			if err := member.Join(ctx); err != nil {
				return err
			}
			ended.Go(func() { member.Run(running) })
			return nil
		},
		OnStop: func(ctx context.Context) error {
			stop()
			ended.Wait()
			if err := member.Leave(ctx); err != nil {
				log.Warn("The deployment counts this instance as alive for a while", "error", err.Error())
			}
			return nil
		},
	})
	return member
}

// open connects to Redis, and finishes in the background what dead writers left.
func open(lc fx.Lifecycle, cfg Config, terms *followsettings.Terms, member *followsettings.Membership, changes artwork.ChangeLog, events managecache.Recorder,
	metrics *prommetrics.Metrics, traces *oteltraces.Traces, log *slog.Logger,
) (*rediscache.Cache, error) {
	cfg.Redis.Observe = func(ctx context.Context, c rediscache.Command) {
		metrics.Command(c.Name, time.Since(c.Begun), c.Err)
		traces.Command(ctx, c.Name, c.Size, c.Begun, c.Err)
	}
	cache, err := rediscache.Open(cfg.Redis, terms, changes, events, log)
	if err != nil {
		return nil, err
	}
	sweeping, stop := context.WithCancel(context.Background())
	var ended sync.WaitGroup
	lc.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, readyBudget)
			defer cancel()
			if member.UsesRedis() {
				if err := cache.Ready(ctx); err != nil {
					log.Warn("Redis cannot be used yet; images come from the database", "error", err.Error())
				}
			}
			ended.Go(func() { cache.Sweep(sweeping) })
			return nil
		},
		OnStop: func(context.Context) error {
			stop()
			ended.Wait()
			return cache.Close()
		},
	})
	return cache, nil
}

// parts is what the module provides: one cache, what empties it, and its levels to
// look at.
type parts struct {
	fx.Out
	Cache   artwork.ImageCache
	Flusher managecache.Flusher
	Levels  managecache.Levels
}

// newCounters returns the one recorder of this process, which every part tells,
// and what shows it.
func newCounters() (managecache.Recorder, managecache.Counter) {
	counters := managecache.NewCounters()
	return counters, counters
}

// newCache composes all that the process can use; the deployment's settings say
// which of it is used.
func newCache(cfg Config, member *followsettings.Membership, terms *followsettings.Terms, redis *rediscache.Cache, events managecache.Recorder,
	announcer *announce.Announcer, ahead *renderimage.Ahead, sampler *samplehits.Sampler, metrics *prommetrics.Metrics, traces *oteltraces.Traces, log *slog.Logger,
) parts {
	local := memory.NewCache(terms, cfg.MaxEntries, events)
	caches := followsettings.Caches{None: memory.NoCache{}, Memory: local}
	levels := managecache.Levels{Memory: local}
	var flusher managecache.Flusher = local
	if redis != nil {
		copies := twolevelcache.New(redis, terms, cfg.MaxEntries)
		caches.Redis, caches.TwoLevel = redis, copies
		levels.Copies, levels.Shared = copies, redis
		flusher = twolevelcache.Flushing(copies, redis)
		member.Watch(redis, local)
	} else {
		member.Watch(nil, local)
	}
	cache := observedcache.New(followsettings.NewCache(member, caches), terms.TTL, events, log)
	return parts{Cache: traces.Cache(metrics.Cache(sampler.Observe(ahead.Observe(announcer.Observe(cache))))), Flusher: flusher, Levels: levels}
}

const partName = "redis"

// probe watches Redis as long as the deployment uses it.
func probe(member *followsettings.Membership, redis *rediscache.Cache) health.Probe {
	if redis == nil {
		return health.Probe{Name: partName}
	}
	return health.Probe{Name: partName, Check: func(ctx context.Context) error {
		if !member.UsesRedis() {
			return health.ErrDisabled
		}
		return redis.Check(ctx)
	}}
}
