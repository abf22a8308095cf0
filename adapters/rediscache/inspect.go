package rediscache

import (
	"cmp"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"gatefold/application/managecache"
	"gatefold/domain/artwork"
)

//go:embed lua/inspect.lua
var inspectScript string

// inspectBudget bounds an operator's look: who looks wants to know more than who
// reads, and has more patience.
const inspectBudget = 500 * time.Millisecond

var _ managecache.Shared = (*Cache)(nil)

// Inspect implements managecache.Inspector. Each key is looked at in one step. It
// does not ask the breaker, and tells it nothing.
func (c *Cache) Inspect(ctx context.Context, keys []artwork.Key) ([]managecache.Held, error) {
	if err := ctx.Err(); err != nil || len(keys) == 0 {
		return nil, err
	}
	budget, cancel := context.WithTimeout(ctx, inspectBudget)
	defer cancel()
	cmds := make([]*redis.Cmd, len(keys))
	_, _ = c.rdb.Pipelined(budget, func(pipe redis.Pipeliner) error { // every command has its own error
		for i, key := range keys {
			cmds[i] = pipe.Eval(budget, inspectScript, []string{key.String()})
		}
		return nil
	})
	held := make([]managecache.Held, len(keys))
	for i, cmd := range cmds {
		answer, err := cmd.Slice()
		switch {
		case errors.Is(err, redis.Nil):
			held[i].Holding = managecache.HoldsNothing
		case err != nil && ctx.Err() != nil:
			return nil, ctx.Err()
		case err != nil:
			return nil, &artwork.Error{Kind: artwork.Unavailable, Op: "rediscache.Inspect", Msg: "Redis does not answer", Err: err}
		default:
			held[i] = heldOf(answer)
		}
	}
	return held, nil
}

// heldOf reads what the script inspect answers.
func heldOf(answer []any) managecache.Held {
	if len(answer) != 3 {
		return managecache.Held{Holding: managecache.HoldsUnreadable}
	}
	text, _ := answer[0].(string)
	left, _ := answer[1].(int64)
	changes, _ := answer[2].(int64)
	held := managecache.Held{Holding: managecache.HoldsUnreadable, ExpiresIn: max(0, time.Duration(left)*time.Millisecond), Bytes: int64(len(text))}
	switch stateOf(text) {
	case holdsLease:
		held.Holding = managecache.HoldsLease
	case holdsFence:
		held.Holding, held.Changes = managecache.HoldsFence, int(changes)
	case holdsValue:
		img, err := decode(text)
		switch {
		case err != nil:
		case img == nil:
			held.Holding = managecache.HoldsEmpty
		default:
			held.Holding, held.Image = managecache.HoldsImage, img
		}
	case holdsUnknown:
	}
	return held
}

// Connection implements managecache.Shared.
func (c *Cache) Connection() managecache.Connection {
	pool := c.rdb.PoolStats()
	return managecache.Connection{
		BreakerOpen: c.breaker.open(),
		Open:        int(pool.TotalConns), Idle: int(pool.IdleConns), MaxOpen: poolSize, Timeouts: int64(pool.Timeouts),
	}
}

// State implements managecache.Shared.
func (c *Cache) State(ctx context.Context) managecache.SharedState {
	ctx, cancel := context.WithTimeout(ctx, inspectBudget)
	defer cancel()
	state := managecache.SharedState{Servers: []managecache.Server{}}
	var mu sync.Mutex
	err := c.eachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
		begin := time.Now()
		info, err := master.Info(ctx).Result()
		if err != nil {
			return err
		}
		server := serverOf(master.Options().Addr, info, time.Since(begin))
		mu.Lock()
		defer mu.Unlock()
		state.Servers = append(state.Servers, server)
		return judge(info)
	})
	if err != nil {
		state.Problem = problemOf(err)
	}
	state.Connection = c.Connection() // as it is after that
	slices.SortFunc(state.Servers, func(a, b managecache.Server) int { return cmp.Compare(a.Address, b.Address) })
	return state
}

// problemOf tells an operator why Redis cannot be used.
func problemOf(err error) string {
	if errors.Is(err, errUntrusted) {
		return "recent changes are being replayed on this Redis before it is believed"
	}
	if errors.Is(err, errReplica) {
		return "Redis is a replica: point Gatefold at the master"
	}
	if e, ok := errors.AsType[*artwork.Error](err); ok {
		return e.Msg
	}
	return "Redis does not answer"
}

// serverOf reads the answer to INFO.
func serverOf(addr, info string, took time.Duration) managecache.Server {
	number := func(field string) int64 {
		n, _ := strconv.ParseInt(infoField(info, field), 10, 64) // what a server does not tell is 0
		return n
	}
	return managecache.Server{
		Address: addr, Version: infoField(info, "redis_version"), UptimeSec: number("uptime_in_seconds"),
		AnsweredMs: float64(took) / float64(time.Millisecond), Keys: keysOf(info),
		MemoryBytes: number("used_memory"), MaxMemory: number("maxmemory"), MemoryPolicy: infoField(info, "maxmemory_policy"),
		Evicted: number("evicted_keys"), Expired: number("expired_keys"), Clients: number("connected_clients"),
		OpsPerSecond: number("instantaneous_ops_per_sec"), Replicas: number("connected_slaves"),
	}
}

// keysOf adds up the keys of all databases: "db0:keys=12,expires=3,avg_ttl=0".
func keysOf(info string) (all int64) {
	for line := range strings.Lines(info) {
		var db, keys int64
		if n, _ := fmt.Sscanf(line, "db%d:keys=%d", &db, &keys); n == 2 {
			all += keys
		}
	}
	return all
}
