package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"gatefold/domain/artwork"
	"gatefold/test/bench/figures"
	"gatefold/test/bench/rig"
	"gatefold/test/testenv"
)

// realHitRates sends the same requests to four instances with maps, and to four of Gatefold.
func realHitRates(b *rig.Bench) string {
	ttl, albums := rig.Or(b, 5*time.Second, time.Second), rig.Or(b, 2000, 200)
	const perTTL, lives = 2.5, 6
	plan := newPlan(traffic{keys: albums, skew: 1, perTTL: perTTL}, ttl, lives)
	maps := make([]*rig.Server, instances)
	for i := range maps {
		maps[i] = startMap(b, ttl)
	}
	b.Log("%d requests to %d maps, and to %d Gatefolds", len(plan.keys), instances, instances)
	inMaps := plan.send(b, maps, func(key int) string { return fmt.Sprintf("/image/image:album:%d:cover", key) }, func(s *rig.Server) (hits, all int) {
		var stats struct{ Hits, Misses int }
		s.GetJSON("/stats", &stats)
		return stats.Hits, stats.Hits + stats.Misses
	})
	fleet := startFleet(b, rig.Library{Artists: 1, Albums: albums}, instances, "IMAGE_CACHE=redis", "CACHE_TTL="+ttl.String())
	inGatefold := plan.send(b, fleet, func(key int) string { return rig.CoverOf(rig.AlbumID(key).String()) }, reads)
	random := rand.New(rand.NewPCG(1, 1))
	t := figures.Table{Header: []string{"", "4 maps with timers", "4 Gatefolds, one Redis", "difference"}}
	t.Add("measured", figures.Percent(inMaps), figures.Percent(inGatefold), points(100*(inGatefold-inMaps)))
	played, shared := plan.traffic.hitRate(instances, random), plan.traffic.hitRate(1, random)
	t.Add("played through the rules, as below", figures.Percent(played), figures.Percent(shared), points(100*(shared-played)))
	return fmt.Sprintf("The same %s requests, %.1f for each of %s keys while an entry lives (%s), Zipf with skew 1, spread over the instances by chance; the first life is not counted:\n\n%s",
		figures.Number(float64(len(plan.keys))), perTTL, figures.Number(float64(albums)), ttl, t.String())
}

// plan is which key is asked for when, and of which instance.
type plan struct {
	traffic  traffic
	gap      time.Duration // between two requests
	counted  int           // from which request on
	keys, to []int
}

func newPlan(t traffic, ttl time.Duration, lives int) plan {
	random := rand.New(rand.NewPCG(3, 4))
	inLife := int(t.perTTL * float64(t.keys))
	p := plan{traffic: t, gap: ttl / time.Duration(inLife), counted: inLife}
	choose := t.chooser(random)
	for range lives * inLife {
		p.keys, p.to = append(p.keys, choose()), append(p.to, random.IntN(instances))
	}
	return p
}

// send makes the requests, each at its time, and returns which share of them the caches
// answered.
func (p plan) send(b *rig.Bench, fleet []*rig.Server, path func(key int) string, counters func(*rig.Server) (hits, all int)) float64 {
	total := func() (hits, all int) {
		for _, s := range fleet {
			h, a := counters(s)
			hits, all = hits+h, all+a
		}
		return hits, all
	}
	var hitsBefore, allBefore int
	begin := time.Now()
	for _, part := range [][2]int{{0, p.counted}, {p.counted, len(p.keys)}} {
		hitsBefore, allBefore = total()
		b.Spread(part[1]-part[0], 32, func(ctx context.Context, i int) error {
			n := part[0] + i
			time.Sleep(time.Until(begin.Add(time.Duration(n) * p.gap)))
			_, _, err := fleet[p.to[n]].Do(ctx, http.MethodGet, path(p.keys[n]), "", nil)
			return err
		})
	}
	hits, all := total()
	return float64(hits-hitsBefore) / float64(all-allBefore)
}

// reads returns how many reads of an instance of Gatefold caches have answered, and all.
func reads(s *rig.Server) (hits, all int) {
	stats := statsOf(s)
	hits = stats.ProcessHits + stats.SharedHits
	return hits, hits + stats.Fills + stats.Bypasses
}

type stats struct{ ProcessHits, SharedHits, Fills, Bypasses int }

func statsOf(s *rig.Server) (of stats) {
	s.GetJSON("/api/admin/cache/stats", &of)
	return of
}

// startFleet starts instances on a library, whose images all have the same bytes.
func startFleet(b *rig.Bench, library rig.Library, n int, environ ...string) []*rig.Server {
	redis := testenv.RedisServer(b)
	return startFleetOn(b, redis, library, n, environ...)
}

func startFleetOn(b *rig.Bench, redis *testenv.RedisProcess, library rig.Library, n int, environ ...string) []*rig.Server {
	url := testenv.Postgres(b)
	environ = append([]string{"DATABASE_URL=" + url, "REDIS_URL=redis://" + redis.Addr, "DATA_DIR=" + b.TempDir()}, environ...)
	cover := rig.Cover(1)
	library.Content = &artwork.Content{Hash: artwork.HashOf(cover), Size: int64(len(cover)), Width: 350}
	b.Fill(url, library)
	fleet := make([]*rig.Server, n)
	for i := range fleet {
		fleet[i] = b.Gatefold(environ...)
	}
	// One upload brings the bytes that all of them are.
	if library.Albums > 0 {
		if _, err := fleet[0].Upload(b.Context(), rig.AlbumID(0).String(), cover); err != nil {
			b.Fatalf("%v", err)
		}
	}
	return fleet
}
