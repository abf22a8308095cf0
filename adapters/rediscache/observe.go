package rediscache

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// Observer is told of every command: its name in lower case, "pipeline" for several at once, how
// long its answer took, and whether Redis failed. It keeps nobody waiting and may be called
// concurrently.
type Observer func(command string, took time.Duration, err error)

// commands is a hook of the client.
type commands struct{ observe Observer }

// DialHook implements redis.Hook.
func (commands) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}

// ProcessHook implements redis.Hook.
func (c commands) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		begin := time.Now()
		err := next(ctx, cmd)
		c.observe(cmd.Name(), time.Since(begin), failure(err))
		return err
	}
}

// ProcessPipelineHook implements redis.Hook.
func (c commands) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		begin := time.Now()
		err := next(ctx, cmds)
		c.observe("pipeline", time.Since(begin), failure(err))
		return err
	}
}

// failure leaves out what Redis answers: that there is no value, or that it does not know a script
// yet.
func failure(err error) error {
	if err == nil || errors.Is(err, redis.Nil) || errors.Is(err, context.Canceled) || redis.HasErrorPrefix(err, "NOSCRIPT") {
		return nil
	}
	return err
}
