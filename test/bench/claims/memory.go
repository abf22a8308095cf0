package main

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/stretchr/testify/require"

	"gatefold/domain/artwork"
	"gatefold/test/bench/figures"
	"gatefold/test/bench/rig"
	"gatefold/test/testenv"
)

// memory asks for ever more different keys and looks at what the processes take.
func memory(b *rig.Bench) string {
	sizes := rig.Or(b, []int{0, 10_000, 100_000, 1_000_000}, []int{0, 1_000, 10_000})
	slots := []artwork.Slot{artwork.SlotProfile, artwork.SlotBackground, artwork.SlotBanner, artwork.SlotLogo}
	all := sizes[len(sizes)-1]
	redis := testenv.RedisServer(b)
	program := startFleetOn(b, redis, rig.Library{Artists: all / len(slots), Albums: 1, Slots: slots}, 1, "IMAGE_CACHE=twolevel", "CACHE_TTL=1h")[0]
	node := startMap(b, time.Hour)
	client := redis.Client(b)
	inRedis := func() float64 {
		n, err := strconv.ParseFloat(client.InfoMap(b.Context(), "memory").Item("Memory", "used_memory_rss"), 64)
		require.NoError(b, err)
		return n / 1e6
	}
	t := figures.Table{Header: []string{"different keys asked for", "map with timers, MB", "Gatefold, MB", "Redis, MB", "4 maps, MB", "4 Gatefolds and Redis, MB"}}
	var mapIdle, idle, aMap, ours, shared float64
	for i, size := range sizes {
		if i > 0 {
			_, _, err := node.Do(b.Context(), http.MethodPost, fmt.Sprintf("/fill/%d/%d", sizes[i-1], size), "", nil)
			require.NoError(b, err)
			b.Log("%d keys", size)
			askFor(b, program, sizes[i-1], size, slots)
		}
		aMap, ours, shared = rig.Memory(node.PID), rig.Memory(program.PID), inRedis()
		if i == 0 {
			mapIdle, idle = aMap, ours
		}
		t.Add(float64(size), aMap, ours, shared, instances*aMap, instances*ours+shared)
	}
	verdict := fmt.Sprintf("**Claimed: 50 MB less for each instance.** A map holds every key, and grows by %s MB here; an instance of Gatefold holds `CACHE_ENTRIES` pointers (50 000) and `BYTES_CACHE_MB` of bytes, and grows by %s MB. "+
		"With all keys, an instance takes %s MB than one with a map, and %d instances with their Redis %s MB than %d maps: what the maps held several times, Redis holds once. "+
		"With few keys there is nothing to save: before anybody has asked, Gatefold takes %s MB, as a whole service with its panel, checks and renderers, and what it is compared with, %s MB, is nothing but a map.",
		figures.Number(aMap-mapIdle), figures.Number(ours-idle), difference(ours-aMap), instances, difference(instances*(ours-aMap)+shared), instances, figures.Number(idle), figures.Number(mapIdle))
	return "One instance of each is asked for ever more different keys, all of which live on; memory is what the process has to itself (PSS). The columns for four instances are computed from the others.\n\n" + t.String() + "\n" + verdict
}

func difference(megabytes float64) string {
	if megabytes > 0 {
		return figures.Number(megabytes) + " more"
	}
	return figures.Number(-megabytes) + " fewer"
}

// askFor reads each of the keys once, as a client who has the image.
func askFor(b *rig.Bench, s *rig.Server, from, to int, slots []artwork.Slot) {
	pathOf := func(n int) string {
		return "/api/images/artists/" + rig.ArtistID(n/len(slots)).String() + "/" + slots[n%len(slots)].String()
	}
	const chunk = 50_000
	for ; from < to; from += chunk {
		end := min(from+chunk, to)
		b.Spread(end-from, 32, func(ctx context.Context, i int) error {
			_, _, err := s.Do(ctx, http.MethodHead, pathOf(from+i), "", nil)
			return err
		})
		b.Log("%d keys asked for", end)
	}
}
