package rediscache

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/redis/go-redis/v9"
)

// Command is what was sent to Redis and answered, or not.
type Command struct {
	Name  string // in lower case; "pipeline" of several at once
	Size  int    // how many they are
	Begun time.Time
	Err   error // that Redis failed with
}

// Observer is told of every command, with the context of who has sent it. It keeps nobody
// waiting and may be called concurrently.
type Observer func(ctx context.Context, command Command)

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
		c.observe(ctx, Command{Name: cmd.Name(), Size: 1, Begun: begin, Err: failure(err)})
		return err
	}
}

// ProcessPipelineHook implements redis.Hook.
func (c commands) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		begin := time.Now()
		err := next(ctx, cmds)
		c.observe(ctx, Command{Name: "pipeline", Size: len(cmds), Begun: begin, Err: failure(err)})
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
