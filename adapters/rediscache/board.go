package rediscache

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"gatefold/application/managecache"
	"gatefold/domain/artwork"
)

const reportPrefix = "gatefold:report:"

// Board is shared by all instances.
type Board struct{ rdb redis.UniversalClient }

var _ managecache.Board = (*Board)(nil)

// Board returns the board that is on the cache's Redis. A report is a key that
// expires; no list of them is kept.
func (c *Cache) Board() *Board { return &Board{c.rdb} }

// Post implements managecache.Board.
func (b *Board) Post(ctx context.Context, instance artwork.ID, report []byte, term time.Duration) error {
	budget, cancel := context.WithTimeout(ctx, changeBudget)
	defer cancel()
	return boardError(ctx, "rediscache.Post", b.rdb.Set(budget, reportPrefix+instance.String(), report, term).Err())
}

// Read implements managecache.Board.
func (b *Board) Read(ctx context.Context, instances []artwork.ID) (map[artwork.ID][]byte, error) {
	if err := ctx.Err(); err != nil || len(instances) == 0 {
		return map[artwork.ID][]byte{}, err
	}
	budget, cancel := context.WithTimeout(ctx, changeBudget)
	defer cancel()
	cmds := make([]*redis.StringCmd, len(instances))
	_, _ = b.rdb.Pipelined(budget, func(pipe redis.Pipeliner) error { // every command has its own error
		for i, id := range instances {
			cmds[i] = pipe.Get(budget, reportPrefix+id.String())
		}
		return nil
	})
	reports := map[artwork.ID][]byte{}
	for i, cmd := range cmds {
		report, err := cmd.Bytes()
		if errors.Is(err, redis.Nil) {
			continue
		}
		if err != nil {
			return nil, boardError(ctx, "rediscache.Read", err)
		}
		reports[instances[i]] = report
	}
	return reports, nil
}

func boardError(ctx context.Context, op string, err error) error {
	if err == nil {
		return nil
	}
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	return &artwork.Error{Kind: artwork.Unavailable, Op: op, Msg: "Redis does not answer", Err: err}
}
