package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/stretchr/testify/require"

	"gatefold/adapters/rediscache"
	"gatefold/application/managecache"
	"gatefold/domain/artwork"
	"gatefold/test/bench/figures"
	"gatefold/test/bench/rig"
	"gatefold/test/testenv"
)

// bytesPerKey is what a key takes at most, for deciding whether there is room.
const bytesPerKey = 900

// inRedis fills a server with keys as the cache writes them, and measures what they take,
// and whether reads and changes notice.
func inRedis(b *rig.Bench) {
	wanted := rig.Or(b, 10_000_000, 50_000)
	keys := min(wanted, int(0.7*figures.MemoryGB("MemAvailable")*1e9/bytesPerKey))
	server := testenv.RedisServer(b)
	client := server.Client(b)
	cache := openCache(b, "redis://"+server.Addr)
	value := writtenBy(b, cache, client)
	t := figures.Table{Header: []string{"keys", "memory, MB", "resident, MB", "bytes a key", "GET and answer, p50 ms", "p99 ms", "a change, p50 ms", "p99 ms"}}
	filled := 0
	for _, n := range []int{keys / 100, keys / 10, keys} {
		fillRedis(b, client, filled, n, value)
		filled = n
		b.Log("%d keys", n)
		t.Add(append([]any{float64(n)}, measureRedis(b, client, cache, n)...)...)
	}
	text := figures.Machine(time.Now(), "redis-server --version") + "\n\n" + t.String()
	each := memoryOf(b, client, "used_memory") / float64(filled)
	text += fmt.Sprintf("\nThe value is what the cache writes, %d bytes; every key has a time to live. At %s bytes a key, with a quarter to spare, the 256 MB of `deploy/redis/redis.conf` are for %s keys, and 10 000 000 keys take %s GB.",
		len(value), figures.Number(each), figures.Number(math.Round(256<<20/each/1.25/1e4)*1e4), figures.Number(1e7*each*1.25/1e9))
	if keys < wanted {
		text += fmt.Sprintf(" The memory of the machine allowed %s keys, not %s.", figures.Number(float64(keys)), figures.Number(float64(wanted)))
	}
	b.Publish(document, "redis", text+"\n")
}

func openCache(b *rig.Bench, url string) *rediscache.Cache {
	cache, err := rediscache.Open(rediscache.Options{URL: url}, artwork.CachePolicy{TTL: time.Hour}, nothingChanged{}, managecache.NewCounters(), slog.New(slog.DiscardHandler))
	require.NoError(b, err)
	b.Cleanup(func() { _ = cache.Close() })
	require.NoError(b, cache.Ready(b.Context()))
	return cache
}

// nothingChanged is the log of a database in which nothing has changed.
type nothingChanged struct{}

func (nothingChanged) ChangedWithin(context.Context, time.Duration, func(artwork.Place) error) error {
	return nil
}

func (nothingChanged) Overdue(context.Context, int) ([]artwork.PendingChange, error) { return nil, nil }

func (nothingChanged) Finish(context.Context, string) error { return nil }

// writtenBy returns what the cache writes for an image.
func writtenBy(b *rig.Bench, cache *rediscache.Cache, client *redis.Client) string {
	key := artwork.Key{Subject: artwork.Album(artwork.NewID()), Type: artwork.TypeCover}
	_, err := cache.Fetch(b.Context(), key, func(context.Context) (*artwork.Image, error) {
		hash := artwork.HashOf([]byte("an image"))
		return &artwork.Image{
			Content: artwork.Content{
				Hash: hash, Size: 183_412, MIMEType: "image/jpeg", Width: 1200, Height: 1200,
				ThumbHash: []byte("2fcZFIB3iId/h3iJh4aIYJ2V8g"), DominantColor: "#808080",
			},
			RecordID: artwork.NewID(), Tag: artwork.TagOf(hash, nil), Source: artwork.External, Provider: "deezer", LastModified: time.Unix(1_700_000_000, 0).UTC(),
		}, nil
	})
	require.NoError(b, err)
	value, err := client.Get(b.Context(), key.String()).Result()
	require.NoError(b, err)
	require.NoError(b, client.Del(b.Context(), key.String()).Err())
	return value
}

// keyOf is the key of an album, counted from 0, as the script below names it.
func keyOf(n int) artwork.Key {
	id, err := artwork.ParseID(fmt.Sprintf("%08x-0000-4000-8000-000000000000", n))
	if err != nil {
		panic(err) // it is one
	}
	return artwork.Key{Subject: artwork.Album(id), Type: artwork.TypeCover}
}

// fillRedis adds keys until there are so many.
func fillRedis(b *rig.Bench, client *redis.Client, from, to int, value string) {
	const chunk = 20_000
	const script = `for i = ARGV[1], ARGV[2] do
  redis.call('SET', string.format('image:album:%08x-0000-4000-8000-000000000000:cover', i), ARGV[3], 'EX', 36000 + i % 3600)
end`
	for ; from < to; from += chunk {
		if err := client.Eval(b.Context(), script, nil, from, min(from+chunk, to)-1, value).Err(); err != nil && !errors.Is(err, redis.Nil) {
			b.Fatalf("%v", err)
		}
	}
	require.EqualValues(b, to, client.DBSize(b.Context()).Val())
}

// memoryOf returns a field of INFO, in bytes.
func memoryOf(b *rig.Bench, client *redis.Client, field string) float64 {
	n, err := strconv.ParseFloat(client.InfoMap(b.Context(), "memory").Item("Memory", field), 64)
	require.NoError(b, err)
	return n
}

// measureRedis returns the cells of a row.
func measureRedis(b *rig.Bench, client *redis.Client, cache *rediscache.Cache, keys int) []any {
	used := memoryOf(b, client, "used_memory")
	cells := []any{used / 1e6, memoryOf(b, client, "used_memory_rss") / 1e6, used / float64(keys)}
	hits := b.Spread(rig.Or(b, 50_000, 1_000), 1, func(ctx context.Context, _ int) error {
		_, err := cache.Fetch(ctx, keyOf(rand.IntN(keys)), func(context.Context) (*artwork.Image, error) { return nil, errors.New("it is not there") })
		return err
	})
	// The changed subject is one that nobody has asked for: the keys stay as many.
	changed := artwork.Artist(artwork.NewID()).Keys()
	changes := b.Spread(rig.Or(b, 5_000, 200), 1, func(ctx context.Context, _ int) error {
		return cache.Change(ctx, changed, func(context.Context, artwork.Fence) error { return nil })
	})
	for _, took := range [][]float64{hits, changes} {
		cells = append(cells, figures.Quantile(took, 0.5), figures.Quantile(took, 0.99))
	}
	return cells
}
