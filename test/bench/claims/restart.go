package main

import (
	"context"
	"fmt"
	"net/http"
	"syscall"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/test/bench/figures"
	"gatefold/test/bench/rig"
	"gatefold/test/testenv"
)

// persistence is that of the Redis of deploy/redis/redis.conf.
var persistence = []string{"appendonly yes", "appendfsync everysec", "save 900 1"}

// restarts fills caches, kills what holds them or what uses them, and asks again.
func restarts(b *rig.Bench) string {
	keys := rig.Or(b, 2000, 200)
	t := figures.Table{Header: []string{"what was killed (SIGKILL) and started again", "entries that were there afterwards"}}
	node := startMap(b, time.Hour)
	survived := func(s *rig.Server, path func(int) string, counters func(*rig.Server) (hits, all int)) string {
		before, allBefore := counters(s)
		b.Spread(keys, 16, func(ctx context.Context, i int) error {
			_, _, err := s.Do(ctx, http.MethodGet, path(i), "", nil)
			return err
		})
		hits, all := counters(s)
		return figures.Percent(float64(hits-before) / float64(all-allBefore))
	}
	ofMap := func(i int) string { return fmt.Sprintf("/image/%d", i) }
	mapReads := func(s *rig.Server) (hits, all int) {
		var stats struct{ Hits, Misses int }
		s.GetJSON("/stats", &stats)
		return stats.Hits, stats.Hits + stats.Misses
	}
	survived(node, ofMap, mapReads)
	node.Stop(syscall.SIGKILL)
	node.Start()
	t.Add("an instance with a map", survived(node, ofMap, mapReads))

	cover := func(i int) string { return rig.CoverOf(rig.AlbumID(i).String()) }
	for _, redisOf := range []struct {
		name string
		args []string
	}{{"its Redis, with the persistence of `deploy/redis/redis.conf`", persistence}, {"its Redis, without persistence", nil}} {
		b.Scope(func() {
			redis := testenv.RedisServer(b, redisOf.args...)
			s := startFleetOn(b, redis, rig.Library{Artists: 1, Albums: keys + 1}, 1, "IMAGE_CACHE=redis", "CACHE_TTL=1h")[0]
			survived(s, cover, reads)
			if redisOf.args != nil {
				s.Stop(syscall.SIGKILL)
				s.Start()
				t.Add("an instance of Gatefold", survived(s, cover, reads))
			}
			redis.Stop()
			redis.Start(b)
			trustAgain(b, s, cover(keys))
			t.Add(redisOf.name, survived(s, cover, reads))
		})
	}
	return fmt.Sprintf("%s keys, asked for once before and once after.\n\n%s\n"+
		"**Claimed: the cache survives restarts.** It does, where Redis is set up to. With `appendfsync everysec`, a machine that loses power also loses up to a second of fills. Gatefold evicts from a Redis that was restarted what has "+
		"changed in the database lately, before it believes the rest: nothing had, here.", figures.Number(float64(keys)), t.String())
}

// trustAgain waits until the instance believes its Redis, by a key of its own.
func trustAgain(b *rig.Bench, s *rig.Server, path string) {
	for limit := time.Now().Add(30 * time.Second); time.Now().Before(limit); time.Sleep(50 * time.Millisecond) {
		before := statsOf(s)
		s.Get(path)
		if after := statsOf(s); after.SharedHits+after.Fills > before.SharedHits+before.Fills {
			return
		}
	}
	require.Fail(b, "the instance does not use its Redis again")
}
