package rediscache

import (
	"context"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"

	"gatefold/application/renderimage"
	"gatefold/domain/artwork"
)

const turnPrefix = "gatefold:turn:"

// Turns are shared by all instances.
type Turns struct{ rdb redis.UniversalClient }

var _ renderimage.Turns = (*Turns)(nil)

// Turns returns the turns that are kept on the cache's Redis. They are not kept by a
// failover: then two may have one turn.
func (c *Cache) Turns() *Turns { return &Turns{c.rdb} }

// Take implements renderimage.Turns.
func (t *Turns) Take(ctx context.Context, name string, term time.Duration) (release func(), taken bool, err error) {
	budget, cancel := context.WithTimeout(ctx, changeBudget)
	defer cancel()
	holder := artwork.NewID().String()
	err = t.rdb.SetArgs(budget, turnPrefix+name, holder, redis.SetArgs{Mode: "NX", TTL: term}).Err()
	if errors.Is(err, redis.Nil) {
		return nil, false, ctx.Err()
	}
	if err != nil {
		if ended := ctx.Err(); ended != nil {
			return nil, false, ended
		}
		return nil, false, &artwork.Error{Kind: artwork.Unavailable, Op: "rediscache.Take", Msg: "Redis does not answer", Err: err}
	}
	return func() { t.give(context.WithoutCancel(ctx), name, holder) }, true, nil
}

// give ends a turn. One that cannot be given back ends with its term.
func (t *Turns) give(ctx context.Context, name, holder string) {
	ctx, cancel := context.WithTimeout(ctx, changeBudget)
	defer cancel()
	_ = t.rdb.Eval(ctx, releaseScript, []string{turnPrefix + name}, holder).Err()
}
