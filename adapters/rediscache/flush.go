package rediscache

import (
	"context"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"gatefold/application/managecache"
	"gatefold/domain/artwork"
)

var _ managecache.Flusher = (*Cache)(nil)

// Flush implements managecache.Flusher. It walks the keys of every master in
// small steps, so that Redis goes on answering, and evicts those of images;
// fences stay with their changes.
func (c *Cache) Flush(ctx context.Context) (int, error) {
	var removed atomic.Int64
	err := c.eachMaster(ctx, func(ctx context.Context, master *redis.Client) error {
		n, err := flushServer(ctx, master)
		removed.Add(int64(n))
		return err
	})
	if err != nil {
		err = &artwork.Error{Kind: artwork.Unavailable, Op: "rediscache.Flush", Msg: "Redis cannot be reached; some keys may be left", Err: err}
	}
	return int(removed.Load()), err
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
