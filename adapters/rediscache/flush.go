package rediscache

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"

	"gatefold/application/managecache"
	"gatefold/application/wait"
	"gatefold/domain/artwork"
)

// trustPause is the time between two looks at a server that is not trusted yet.
const trustPause = 20 * time.Millisecond

var _ managecache.Flusher = (*Cache)(nil)

// Flush implements managecache.Flusher. It walks the keys of every master in
// small steps, so that Redis goes on answering, and evicts those of images;
// fences stay with their changes. A server that is met for the first time is waited for
// until it is trusted: a command that flushes is such a process, and its only wish is this.
func (c *Cache) Flush(ctx context.Context) (int, error) {
	var removed atomic.Int64
	err := c.eachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
		if err := c.awaitTrust(ctx, master); err != nil {
			return err
		}
		n, err := flushServer(ctx, master)
		removed.Add(int64(n))
		return err
	})
	if err != nil {
		err = &artwork.Error{Kind: artwork.Unavailable, Op: "rediscache.Flush", Msg: "Redis cannot be reached; some keys may be left", Err: err}
	}
	return int(removed.Load()), err
}

// awaitTrust returns when the server is trusted, or cannot be.
func (c *Cache) awaitTrust(ctx context.Context, server *redis.Client) error {
	ctx, cancel := context.WithTimeout(ctx, replayBudget)
	defer cancel()
	for {
		err := server.Ping(ctx).Err()
		if !errors.Is(err, errUntrusted) {
			return err
		}
		if ended := wait.For(ctx, trustPause); ended != nil {
			return err
		}
	}
}

func flushServer(ctx context.Context, server *redis.Client) (removed int, err error) {
	for cursor := uint64(0); ; {
		names, next, err := server.Scan(ctx, cursor, "image:*", replayBatch).Result()
		if err != nil {
			return removed, err
		}
		n, err := evict(ctx, server, names)
		removed += n
		if err != nil || next == 0 {
			return removed, err
		}
		cursor = next
	}
}
