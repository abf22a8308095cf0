// Command scale measures a large deployment: a million artists and five million images in
// Postgres, and ten million keys in Redis. It writes what it finds into docs/scaling.md.
//
//	scale [postgres] [redis]    both, unless one is named
//	ARTISTS=300000 scale        on a machine with less time
package main

import (
	"os"
	"slices"
	"strconv"
	"time"

	"gatefold/domain/artwork"
	"gatefold/test/bench/figures"
	"gatefold/test/bench/rig"
	"gatefold/test/testenv"
)

const document = "docs/scaling.md"

func main() {
	rig.Main(func(b *rig.Bench) {
		parts := map[string]func(*rig.Bench){"postgres": inPostgres, "redis": inRedis}
		for _, name := range []string{"postgres", "redis"} {
			if len(os.Args) == 1 || slices.Contains(os.Args[1:], name) {
				b.Scope(func() { parts[name](b) }) // they would stand in each other's way
			}
		}
	})
}

// inPostgres fills a server and measures what is asked of it. It is set up as a small
// production server is, where testenv's own is made for tests.
func inPostgres(b *rig.Bench) {
	server := testenv.PostgresServer(b, "fsync=on", "full_page_writes=on", "wal_level=replica", "shared_buffers=2GB", "effective_cache_size=8GB", "max_wal_size=8GB", "checkpoint_timeout=15min",
		"random_page_cost=1.1", "work_mem=16MB", "log_line_prefix=%a|", "timezone=UTC")
	artists := rig.Or(b, 1_000_000, 10_000)
	if fewer := os.Getenv("ARTISTS"); fewer != "" {
		var err error
		if artists, err = strconv.Atoi(fewer); err != nil || artists < 1 {
			b.Fatalf("ARTISTS is a number, not %q", fewer)
		}
	}
	l := &large{b: b, url: server.URL(), filled: rig.Library{
		Artists: artists, Albums: 2 * artists, Former: true, Activity: artists,
		Slots: []artwork.Slot{artwork.SlotProfile, artwork.SlotBackground},
	}}
	begin := time.Now()
	b.Fill(l.url, l.filled)
	b.Log("filled in %s", time.Since(begin).Round(time.Second))
	l.connect()
	text := figures.Machine(time.Now(), server.Binary("postgres")+" --version") + "\n"
	text += "\n" + l.sizes()
	text += "\n" + l.lookups()
	text += "\n" + l.statements()
	text += "\n" + l.instance()
	b.Publish(document, "postgres", text)
}
