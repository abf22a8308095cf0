package rig

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// spread has so many callers carry out 0 to n-1, each the next one that nobody has begun.
func spread(ctx context.Context, n, callers int, op func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for range callers {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return nil
				}
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := op(ctx, i); err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}
