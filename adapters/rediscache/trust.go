package rediscache

import (
	"context"
	_ "embed"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"gatefold/application/managecache"
	"gatefold/application/wait"
	"gatefold/domain/artwork"
)

//go:embed lua/evict.lua
var evictScript string

const (
	// replayMargin is added to the longest life of a value and of a fence: for
	// clocks that differ, and for the time that a replay takes.
	replayMargin = 30 * time.Second
	// replayBudget bounds one attempt to replay.
	replayBudget = 30 * time.Second
	// replayPause is the time between two attempts.
	replayPause = 200 * time.Millisecond
	// replayBatch is how many keys one pipeline evicts.
	replayBatch = 500
	// rememberedServers bounds what is remembered of servers met; a deployment
	// has a handful.
	rememberedServers = 64
)

// errUntrusted ends a connection to a server whose values may be older than what
// is in force. The database answers until the server was replayed.
var errUntrusted = errors.New("the recent changes were not replayed on this server yet")

// trust decides whose values are believed.
//
// An acknowledged fence or delete can be lost: a replica takes over that had not
// heard of it, or a server restarts from an older file. What such a server holds
// may be older than what is in force. So every new connection asks who it talks
// to before its first command. On a server not met before, the keys of all that
// changed while a value could have lived are evicted first.
//
// A server is identified by run_id and master_replid: the one changes with a
// restart, the other whenever it followed another server. Only both together
// notice that a master was deposed and has come back. One that comes back without
// having followed anybody is noticed by who has met the other one.
type trust struct {
	changes artwork.ChangeLog
	terms   artwork.CacheTerms
	events  managecache.Recorder
	log     *slog.Logger
	// dial opens a connection pool to one address that asks nobody.
	dial func(addr string) *redis.Client
	// severalMasters is whether keys are on several servers at the same time.
	severalMasters bool

	ctx   context.Context // ends with the client
	close context.CancelFunc
	busy  sync.WaitGroup

	mu        sync.Mutex
	known     []string // identities, the latest met last
	addresses []string // dialled, the latest last
	replaying bool
}

func newTrust(changes artwork.ChangeLog, terms artwork.CacheTerms, events managecache.Recorder, log *slog.Logger, dial func(addr string) *redis.Client) *trust {
	ctx, cancel := context.WithCancel(context.Background())
	return &trust{
		changes: changes, terms: terms, events: events, log: log, dial: dial,
		ctx: ctx, close: cancel,
	}
}

// end stops a replay that is under way and waits for it.
func (t *trust) end() {
	t.mu.Lock()
	t.close()
	t.mu.Unlock()
	t.busy.Wait()
}

// dialler notes which addresses are dialled: one of them is that of a server
// that turns out not to be known.
func (t *trust) dialler(dial func(ctx context.Context, network, addr string) (net.Conn, error)) func(context.Context, string, string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		t.mu.Lock()
		t.addresses = remember(t.addresses, addr)
		t.mu.Unlock()
		return dial(ctx, network, addr)
	}
}

// remember moves or appends the value to the end of a bounded list.
func remember(list []string, value string) []string {
	kept := make([]string, 0, len(list)+1)
	for _, v := range list {
		if v != value {
			kept = append(kept, v)
		}
	}
	kept = append(kept, value)
	return kept[max(0, len(kept)-rememberedServers):]
}

// onConnect lets a new connection through if its server is trusted; else it
// sees to it that it will be.
func (t *trust) onConnect(ctx context.Context, conn *redis.Conn) error {
	id, err := identify(ctx, conn)
	if err != nil {
		return err
	}
	if id == sentinelIdentity || t.isKnown(id) {
		return nil
	}
	t.startReplay()
	return errUntrusted
}

// sentinelIdentity is that of a Sentinel, which holds no values.
const sentinelIdentity = "sentinel"

// errReplica ends a connection to a server that may lag behind.
var errReplica = errors.New("the server is not a master")

// identify returns who a connection talks to; errReplica if that is no master.
func identify(ctx context.Context, conn *redis.Conn) (string, error) {
	info, err := conn.Info(ctx, "server", "replication").Result()
	if err != nil {
		return "", err
	}
	if infoField(info, "redis_mode") == "sentinel" {
		return sentinelIdentity, nil
	}
	if infoField(info, "role") != "master" {
		return "", errReplica
	}
	return infoField(info, "run_id") + " " + infoField(info, "master_replid"), nil
}

func (t *trust) isKnown(id string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, known := range t.known {
		if known == id {
			return true
		}
	}
	return false
}

// believe adds a server to the known ones. Where one server at a time is the
// master, the others are forgotten: one that was away while this one was not has
// missed what was changed, although it may still be who it was.
func (t *trust) believe(id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.severalMasters {
		t.known = nil
	}
	t.known = remember(t.known, id)
}

// startReplay begins a replay on every server that was dialled and is not
// trusted, unless one is under way. It does not depend on the caller, who may
// have no patience left.
func (t *trust) startReplay() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.replaying || t.ctx.Err() != nil {
		return
	}
	t.replaying = true
	t.busy.Go(func() {
		t.replayAll(t.ctx)
		t.mu.Lock()
		t.replaying = false
		t.mu.Unlock()
	})
}

func (t *trust) replayAll(ctx context.Context) {
	t.mu.Lock()
	addresses := append([]string(nil), t.addresses...)
	t.mu.Unlock()
	failed := false
	for _, addr := range addresses {
		if err := t.replay(ctx, addr); err != nil && !errors.Is(err, errReplica) && ctx.Err() == nil {
			failed = true
			t.log.Debug("Redis server is not trusted yet", "address", addr, "error", err.Error())
		}
	}
	if failed {
		// The next connection starts another attempt; not at once.
		_ = wait.For(ctx, replayPause)
	}
}

// Refresh evicts, on every master, whatever may be older than what is in force,
// as on a server not met before. It is for a cache that nobody may have fenced for
// a while, and is called when all writers fence it again.
func (c *Cache) Refresh(ctx context.Context) error {
	err := c.eachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
		conn := master.Conn()
		defer func() { _ = conn.Close() }() // back to the pool
		_, err := c.trust.evictChanged(ctx, conn)
		return err
	})
	if err != nil {
		return &artwork.Error{Kind: artwork.Unavailable, Op: "rediscache.Refresh", Msg: "Redis cannot be used yet", Err: err}
	}
	return nil
}

// replay makes the server at the address a trusted one. It asks who it is before
// and after, on one connection: that is who it trusts.
func (t *trust) replay(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, replayBudget)
	defer cancel()
	client := t.dial(addr)
	defer func() { _ = client.Close() }() // only read, or evicted
	conn := client.Conn()
	defer func() { _ = conn.Close() }()
	id, err := identify(ctx, conn)
	if err != nil || id == sentinelIdentity || t.isKnown(id) {
		return err // there is nothing to do, or nothing that can be done here
	}
	begin := time.Now()
	evicted, err := t.evictChanged(ctx, conn)
	t.events.Count(managecache.ReplayedKey, evicted)
	if err != nil {
		return err
	}
	if again, err := identify(ctx, conn); err != nil || again != id {
		return errors.Join(errUntrusted, err)
	}
	t.believe(id)
	t.events.Count(managecache.Replay, 1)
	t.log.Info("Redis server is trusted: recent changes were replayed", "address", addr, "evicted", evicted, "took", time.Since(begin).Round(time.Millisecond))
	return nil
}

// evictChanged evicts every key of the places changed within the window.
func (t *trust) evictChanged(ctx context.Context, conn *redis.Conn) (evicted int, err error) {
	var batch []string
	flush := func() error {
		n, err := evict(ctx, conn, batch)
		evicted += n
		batch = batch[:0]
		return err
	}
	err = t.changes.ChangedWithin(ctx, t.terms.LongestTTL()+fenceTerm+replayMargin, func(place artwork.Place) error {
		for _, key := range place.Keys() {
			batch = append(batch, key.String())
		}
		if len(batch) < replayBatch {
			return nil
		}
		return flush()
	})
	if err != nil {
		return evicted, err
	}
	return evicted, flush()
}

// pipeliner is what can run a pipeline: a client or a single connection.
type pipeliner interface {
	Pipelined(ctx context.Context, fn func(redis.Pipeliner) error) ([]redis.Cmder, error)
}

// evict deletes keys unless they are fenced, and returns how many it deleted: a
// fence stays until its change has ended. Keys that belong to another server of
// a cluster are that server's.
func evict(ctx context.Context, on pipeliner, names []string) (evicted int, err error) {
	if len(names) == 0 {
		return 0, nil
	}
	cmds, _ := on.Pipelined(ctx, func(pipe redis.Pipeliner) error {
		for _, name := range names {
			pipe.Eval(ctx, evictScript, []string{name})
		}
		return nil
	})
	for _, cmd := range cmds {
		n, err := cmd.(*redis.Cmd).Int()
		if err != nil && !redis.HasErrorPrefix(err, "MOVED") {
			return evicted, err
		}
		evicted += n
	}
	return evicted, nil
}
