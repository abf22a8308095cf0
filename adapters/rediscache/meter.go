package rediscache

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"time"

	"github.com/redis/go-redis/v9"

	"gatefold/application/limitrequests"
)

//go:embed lua/limit.lua
var limitScript string

const limitPrefix = "gatefold:limit:"

// Meter counts requests for all instances together.
type Meter struct {
	rdb      redis.UniversalClient
	patience time.Duration
	breaker  *breaker
	script   *redis.Script
}

var _ limitrequests.Meter = (*Meter)(nil)

// Meter returns a meter on the cache's Redis. Like a reader of the cache it waits no
// longer than its patience, and not at all while Redis is known to be gone.
func (c *Cache) Meter() *Meter {
	return &Meter{c.rdb, c.patience, c.breaker, redis.NewScript(limitScript)}
}

// errBroken says that nobody asks Redis now.
var errBroken = errors.New("no answer from Redis the last times")

// Take implements limitrequests.Meter.
func (m *Meter) Take(ctx context.Context, key string, limit int) (left int, wait time.Duration, err error) {
	if !m.breaker.allow() {
		return 0, 0, errBroken
	}
	budget, cancel := context.WithTimeout(ctx, m.patience)
	defer cancel()
	answer, err := m.script.Run(budget, m.rdb, []string{limitPrefix + key}, limit, limitrequests.Slot.Milliseconds(), limitrequests.Slots).Int64Slice()
	m.breaker.note(err, ctx.Err() != nil)
	if err != nil {
		return 0, 0, err
	}
	if len(answer) != 2 {
		return 0, 0, fmt.Errorf("rediscache.Take: %d numbers where there are two", len(answer))
	}
	return int(answer[0]), time.Duration(answer[1]) * time.Millisecond, nil
}
